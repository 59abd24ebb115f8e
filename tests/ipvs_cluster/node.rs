//! A node of the cluster: namespaces of its own, with corosync and Pacemaker. Its memory goes with its power.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::mount::{MsFlags, mount};
use nix::sys::wait::wait;

use crate::bed::Host;
use crate::guest::image::PROGRAM;
use crate::guest::inside::MARK as IN_GUEST;

/// The second argument of a node's first process.
pub const MARK: &str = "node";
/// What a node keeps in memory of its own.
const OWN: [&str; 6] = ["/dev/shm", "/run", "/tmp", "/var/lib", "/var/log", "/etc/corosync"];
/// What a corosync of the cluster reads.
pub const CONFIGURATION: &str = "/root/corosync.conf";

pub struct Node {
    pub name: String,
    power: Mutex<Option<Power>>,
}

/// A node that is on.
struct Power {
    host: Arc<Host>,
    /// Everything that runs on the node ends with it.
    child: Child,
    /// Its first process.
    leader: u32,
}

impl Node {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), power: Mutex::new(None) }
    }

    /// Switches it on, with the network of `host`.
    pub fn boot(&self, host: Host) {
        let mut command = host.command("unshare");
        command.args(["--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
        command.args([PROGRAM, IN_GUEST, MARK, &self.name]).stdin(Stdio::null());
        let child = command.spawn().unwrap();
        let leader = leader_of(child.id()).unwrap();
        *self.power.lock().unwrap() = Some(Power { host: Arc::new(host), child, leader });
    }

    /// Takes its power away: processes, links, addresses and tables are gone.
    pub fn cut(&self) {
        if let Some(mut power) = self.power.lock().unwrap().take() {
            // Processes in a namespace of processes end when its first one does.
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(power.leader.cast_signed()),
                nix::sys::signal::Signal::SIGKILL,
            );
            let _ = power.child.wait();
            // Something may still look at the namespace, which keeps it: take it off the network at once.
            let links = ["eth0", "eth1"].map(|link| format!("link del {link}"));
            power.host.ip_all(&links);
        }
    }

    /// Its network.
    pub fn host(&self) -> Result<Arc<Host>> {
        let power = self.power.lock().unwrap();
        power.as_ref().map(|power| Arc::clone(&power.host)).with_context(|| format!("{} is off", self.name))
    }

    /// Runs a program there.
    pub fn output(&self, words: &[&str]) -> Result<Output> {
        let leader = match &*self.power.lock().unwrap() {
            Some(power) => power.leader.to_string(),
            None => bail!("{} is off", self.name),
        };
        let mut command = Command::new("nsenter");
        command.args(["--target", &leader, "--mount", "--uts", "--ipc", "--net", "--pid", "--"]).args(words);
        command.output().context("nsenter")
    }

    /// Runs a program there that must succeed; its output.
    pub fn run(&self, words: &[&str]) -> Result<String> {
        let output = self.output(words)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {words:?}: {}: {}", self.name, output.status, said.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs a line of shell there; all it said, whatever came of it.
    pub fn said(&self, line: &str) -> String {
        match self.output(&["bash", "-c", line]) {
            Ok(output) => {
                [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
            }
            Err(error) => format!("{error:#}"),
        }
    }

    /// The judge's table of this node, sorted.
    pub fn rules(&self) -> Result<Vec<String>> {
        Ok(self.host()?.rules())
    }
}

/// The child of unshare, once there is one.
fn leader_of(unshare: u32) -> Result<u32> {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        let output = Command::new("pgrep").args(["--parent", &unshare.to_string()]).output()?;
        if let Some(Ok(pid)) = String::from_utf8_lossy(&output.stdout).split_whitespace().next().map(str::parse) {
            return Ok(pid);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("unshare has started nothing")
}

/// What a node boots: file systems of its own, corosync, Pacemaker.
pub fn first_process(name: &str) -> ExitCode {
    if let Err(error) = boot(name) {
        eprintln!("{name}: {error:#}");
    }
    ExitCode::FAILURE
}

fn boot(name: &str) -> Result<()> {
    for place in OWN {
        fs::create_dir_all(place)?;
        mount(Some("tmpfs"), place, Some("tmpfs"), MsFlags::empty(), None::<&str>).with_context(|| place.to_owned())?;
    }
    for folder in ["/run/resource-agents", "/run/lock", "/var/lib/corosync", "/var/lib/pacemaker", "/var/log/cluster"] {
        fs::create_dir_all(folder)?;
    }
    for folder in ["/var/log/pacemaker", "/var/lib/pacemaker", "/var/lib/pacemaker/cores"] {
        fs::create_dir_all(folder)?;
        std::os::unix::fs::chown(folder, Some(101), Some(102))?;
    }
    fs::copy(CONFIGURATION, "/etc/corosync/corosync.conf")?;
    nix::unistd::sethostname(name)?;
    start("corosync", &["-f"])?;
    let started = Instant::now();
    while !Command::new("corosync-cfgtool").arg("-s").output()?.status.success() {
        ensure!(started.elapsed() < Duration::from_secs(60), "corosync does not answer");
        std::thread::sleep(Duration::from_millis(200));
    }
    start("pacemakerd", &[])?;
    loop {
        wait().context("wait for processes")?;
        ensure!(Path::new("/etc/corosync/corosync.conf").exists(), "the node has lost its memory");
    }
}

fn start(program: &str, words: &[&str]) -> Result<Child> {
    let log = fs::File::create(format!("/var/log/{program}.out"))?;
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
    // There is no syslog.
    command.env("PCMK_logfile", "/var/log/pacemaker/pacemaker.log").env("PCMK_logfacility", "none");
    command.spawn().with_context(|| format!("start {program}"))
}
