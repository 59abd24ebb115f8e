//! Small labs that end in every way, and what they leave: nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::support::lab::{Cgroup, Database, Lab, Machine, STAGE, wait_for};

/// Set for a program that shall be a small lab and end in the way it says.
pub const WAY: &str = "INUVIKA_LAB_WAY";

/// A lab of one node, with a second process in it, a bridge and a frozen database; says so, then ends in that way.
pub fn small_lab(way: &str) {
    let lab = Lab::new(&["osm1"]).unwrap();
    lab.node("osm1").sh("setsid sleep 600 >/dev/null 2>&1 &").unwrap();
    let database = Database::start(&lab.dbmy).unwrap();
    database.freeze().unwrap();
    println!("up");
    match way {
        "end" => {}
        "panic" => panic!("as asked"),
        "keep" => lab.keep().unwrap(),
        _ => std::thread::sleep(Duration::from_secs(600)),
    }
}

/// Two at once; one comes to its end, one panics.
pub fn after_end_and_panic() -> Result<()> {
    leaves_nothing(|| {
        let (mut ends, mut panics) = (Small::start("end")?, Small::start("panic")?);
        ends.up()?;
        panics.up()?;
        ensure!(ends.wait()?.code() == Some(0), "a lab that ends well has to end with 0");
        ensure!(panics.wait()?.code() == Some(101), "a panic has to reach the outside");
        Ok(())
    })
}

/// Two at once; Ctrl-C for one, SIGKILL for the other one's outer process.
pub fn after_sigint_and_sigkill() -> Result<()> {
    leaves_nothing(|| {
        let (mut interrupted, mut killed) = (Small::start("wait")?, Small::start("wait")?);
        interrupted.up()?;
        killed.up()?;
        ensure!(state()?.processes.len() > 20, "two labs have more processes than that");
        // As a terminal does it: to the whole foreground group.
        killpg(interrupted.pid(), Signal::SIGINT)?;
        ensure!(interrupted.wait()?.code() == Some(130), "an interrupted lab has to say so");
        ensure!(killed.child.try_wait()?.is_none(), "the other lab has to go on");
        kill(killed.pid(), Signal::SIGKILL)?;
        killed.wait()?;
        Ok(())
    })
}

/// A small lab. What it said goes to a file, so that one that does not come up says why.
struct Small {
    child: Child,
    said: PathBuf,
}

impl Small {
    fn start(way: &str) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // Beside the folders that are compared.
        let said = PathBuf::from(format!("/run/lock/small-lab-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let mut command = Command::new("/proc/self/exe");
        command.arg0("small-lab").env_remove(STAGE).env(WAY, way).env("RUST_BACKTRACE", "0");
        command.process_group(0).stdout(Stdio::piped()).stderr(fs::File::create(&said)?);
        Ok(Self { child: command.spawn().context("start a small lab")?, said })
    }

    fn up(&mut self) -> Result<()> {
        let mut line = String::new();
        BufReader::new(self.child.stdout.take().context("no pipe")?).read_line(&mut line)?;
        if line != "up\n" {
            let status = self.child.wait()?;
            bail!("a small lab ended with {status} and said {line:?}:\n{}", fs::read_to_string(&self.said)?);
        }
        Ok(())
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }
}

impl Drop for Small {
    /// A trial that fails half-way leaves no lab for the next one to find.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a lab could leave: this process sees all of it, as the small labs' namespaces lie within its own.
#[derive(Debug, PartialEq, Eq)]
struct State {
    processes: BTreeSet<u32>,
    namespaces: BTreeSet<String>,
    mounts: BTreeSet<String>,
    links: BTreeSet<String>,
    folders: BTreeSet<String>,
}

fn state() -> Result<State> {
    let names = |dir: &str| -> BTreeSet<String> {
        fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path().display().to_string()).collect()
    };
    let mut processes = BTreeSet::new();
    let mut namespaces = BTreeSet::new();
    for process in names("/proc") {
        let Some(pid) = process.rsplit('/').next().and_then(|name| name.parse().ok()) else { continue };
        processes.insert(pid);
        let links = names(&format!("{process}/ns")).into_iter().filter_map(|link| fs::read_link(link).ok());
        namespaces.extend(links.map(|link| link.display().to_string()));
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo")?.lines().map(str::to_owned).collect();
    let output = Command::new("ip").args(["-o", "link"]).output().context("list links")?;
    let links = String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect();
    let folders = ["/run", "/run/netns", "/run/lab"].iter().flat_map(|dir| names(dir)).collect();
    Ok(State { processes, namespaces, mounts, links, folders })
}

fn leaves_nothing(what: impl FnOnce() -> Result<()>) -> Result<()> {
    let before = state()?;
    what()?;
    // The kernel ends the processes of a killed lab on its own; that takes it a moment.
    wait_for(Duration::from_secs(5), "everything of the small labs to be gone", || {
        let after = state()?;
        ensure!(after == before, "before: {before:#?}\nafter: {after:#?}");
        Ok(true)
    })?;
    // Only an outer process that was killed leaves its control groups, until the next lab starts.
    Cgroup::sweep();
    ensure!(Cgroup::own_labs()?.is_empty(), "control groups are left: {:?}", Cgroup::own_labs()?);
    Ok(())
}
