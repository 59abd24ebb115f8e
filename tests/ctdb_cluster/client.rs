//! Clients of the public address: one that writes without a pause and connects again, and sessions that come and go.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::lab::{DIR, LIMIT, Lab, Machine, VIP, wait_for};

/// The guide allows a minute; this is what it is to stay below.
const FREEZE: Duration = Duration::from_secs(15);
/// The same of a node that is lost without a word: CTDB alone takes 8 s to miss it, and its election 3 s. Three suites may share the
/// machine.
pub const LOSS: Duration = Duration::from_secs(30);
/// What the guide allows.
pub const MINUTE: Duration = Duration::from_secs(60);

/// A client that writes numbered lines (see smb_writer).
pub struct Writer {
    child: Child,
    acks: PathBuf,
    file: PathBuf,
    name: &'static str,
}

impl Writer {
    /// Begins to write to file `name`, and waits for the first lines.
    pub fn begin(lab: &Lab, name: &'static str) -> Result<Self> {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/smb_writer");
        let file = lab.shared().join("ovd").join(name);
        let acks = PathBuf::from(format!("{DIR}/acks-{name}"));
        // What an earlier client of that name has left counts for nothing.
        for old in [&file, &acks] {
            let _ = fs::remove_file(old);
        }
        let log = File::create(format!("{DIR}/log-{name}"))?;
        let words = lab.client.prefix()?;
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg(program).args([&VIP.to_string(), "ovd", name]).arg(&acks);
        // A group of its own: Ctrl-C is for the outer process, which ends the lab as a whole.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0);
        let writer = Self { child: command.spawn().context("start smb_writer")?, acks, file, name };
        wait_for(LIMIT, "the client to write", || Ok(writer.acknowledged().len() > 5))?;
        Ok(writer)
    }

    /// Each line that the server has acknowledged, with the time since the begin.
    fn acknowledged(&self) -> Vec<(usize, f64)> {
        let text = fs::read_to_string(&self.acks).unwrap_or_default();
        let line = |line: &str| {
            let (number, at) = line.split_once(' ')?;
            Some((number.parse().ok()?, at.parse().ok()?))
        };
        text.lines().filter_map(line).collect()
    }

    /// Waits until it writes again: some lines more than now.
    pub fn goes_on(&self) -> Result<Duration> {
        let now = self.acknowledged().len();
        wait_for(LIMIT, "the client to go on", || Ok(self.acknowledged().len() > now + 5))
    }

    /// The longest time without an answer so far, in seconds.
    pub fn freeze(&self) -> f64 {
        self.acknowledged().windows(2).map(|pair| pair[1].1 - pair[0].1).fold(0.0, f64::max)
    }

    /// Ends the client: what was acknowledged has to be in the file, and no answer may have taken too long.
    pub fn end(self, what: &str) -> Result<()> {
        self.end_within(what, FREEZE)
    }

    /// The same with another limit.
    pub fn end_within(mut self, what: &str, limit: Duration) -> Result<()> {
        self.kill();
        let all = self.acknowledged();
        let content = fs::read_to_string(&self.file)?;
        let lines: Vec<&str> = content.lines().collect();
        for (number, _) in &all {
            let found = lines.get(*number).copied().unwrap_or_default();
            ensure!(found == format!("{number:09}"), "line {number} was acknowledged and is lost: {found:?}");
        }
        let freeze = self.freeze();
        eprintln!("ctdb_cluster: {what}: longest freeze {freeze:.1} s, none of {} lines lost", all.len());
        let said = fs::read_to_string(format!("{DIR}/log-{}", self.name)).unwrap_or_default();
        ensure!(freeze < limit.as_secs_f64(), "{what}: {freeze} s without an answer: {said}");
        Ok(())
    }

    fn kill(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A session: connects, keeps `text` in a new file, reads it and all files of `others` (names and texts), and disconnects. Tries again
/// as long as the guide allows; how long it took.
pub fn session(lab: &Lab, name: &str, others: &[&str]) -> Result<Duration> {
    let begun = Instant::now();
    let address = format!("//{VIP}/ovd");
    let smb = |command: &str, stdin: &str| {
        let words = ["smbclient", "-N", "-t", "10", &address, "-c", command];
        let output = lab.client.output_with(Duration::from_secs(15), stdin.as_bytes(), &words)?;
        ensure!(output.ok(), "{}", output.describe());
        Ok(output.stdout)
    };
    wait_for(MINUTE, &format!("a session that writes {name}"), || {
        smb(&format!("put - {name}"), &text(name)).map(|_| true)
    })?;
    for other in others.iter().chain([&name]) {
        let read = smb(&format!("get {other} -"), "")?;
        ensure!(read.contains(&text(other)), "{other} has {read:?}");
    }
    let took = begun.elapsed();
    ensure!(took < MINUTE, "the session took {took:?}");
    Ok(took)
}

/// What a session writes to a file of that name.
fn text(name: &str) -> String {
    format!("this is what the session has kept in {name}\n")
}

/// That the files of sessions are there for a node itself, too: both have the same.
pub fn in_sync(lab: &Lab, node: &str, names: &[&str]) -> Result<()> {
    for name in names {
        let read = lab.node(node).read_file(&format!("/mnt/nfs/ovd/{name}"))?;
        ensure!(read == text(name), "{node} has in {name}: {read:?}");
    }
    Ok(())
}
