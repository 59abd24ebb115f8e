//! A node: a full systemd in a container, with power that can be cut.

use std::fs::{self, OpenOptions};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::cgroup::Cgroup;
use super::enter::{CGROUP, DIR, host_pid, is_first};
use super::exec::Machine;
use super::host::in_network;
use super::net::{NETS, Net, Network, address6};

/// A node gets this long to boot, and to shut down.
const BOOT: Duration = Duration::from_secs(90);
/// The kernel gets this long to end a killed node's processes.
const DEATH: Duration = Duration::from_secs(10);
const PCSD: u16 = 2224;

/// A cluster node.
#[derive(Debug)]
pub struct Node {
    name: String,
    number: u8,
    root: PathBuf,
    cgroup: Cgroup,
    network: Arc<Network>,
    /// The systemd-nspawn process, while the power is on.
    power: Mutex<Option<Child>>,
}

impl Node {
    /// A node with its root file system in place and its power off.
    pub fn new(network: &Arc<Network>, name: &str, number: u8, root: PathBuf) -> Self {
        let cgroup = Cgroup::from_env(&std::env::var(CGROUP).unwrap_or_default()).child(name);
        Self { name: name.to_owned(), number, root, cgroup, network: Arc::clone(network), power: Mutex::new(None) }
    }

    /// Its name in the cluster, such as `osm1.priv`.
    pub fn cluster_name(&self) -> String {
        format!("{}.priv", self.name)
    }

    /// Its IPv4 address.
    pub fn address(&self, net: Net) -> IpAddr {
        net.address(self.number)
    }

    /// Its IPv6 address on `ovd-srv`.
    pub fn address6(&self) -> IpAddr {
        address6(self.number)
    }

    /// Its MAC address, the same after each boot.
    pub fn mac(&self, net: Net) -> String {
        net.mac(self.number)
    }

    /// Its root file system as the controller sees it, also with the power off; without /run, /tmp, /dev, /proc.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Switches the power on and waits until systemd and pcsd are up. Fine when it is up already.
    pub fn boot(&self) -> Result<()> {
        self.power_on()?;
        self.wait_ready(BOOT)
    }

    /// Switches the power on; systemd and the cluster come up by themselves later.
    pub fn power_on(&self) -> Result<()> {
        let mut power = self.power();
        if power.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None))) {
            return Ok(());
        }
        self.clear(&mut power)?;
        self.network.plug(&self.name, self.number, &NETS)?;
        *power = Some(self.spawn().with_context(|| format!("start node {}", self.name))?);
        Ok(())
    }

    /// Cuts the power: every process is killed, links and addresses are gone. Fine when it is off already.
    pub fn kill(&self) -> Result<()> {
        let mut power = self.power();
        if let Some(leader) = power.as_ref().and_then(|child| leader_of(child.id())) {
            let _ = kill(Pid::from_raw(leader.cast_signed()), Signal::SIGKILL);
        } else if let Some(child) = power.as_mut() {
            let _ = child.kill();
        }
        self.clear(&mut power).with_context(|| format!("cut the power of {}", self.name))
    }

    /// Shuts down as an administrator would, and switches off.
    pub fn shutdown(&self) -> Result<()> {
        // The answer may get lost together with the bus; what counts is the end of the container.
        self.output(["systemctl", "--no-block", "poweroff"])?;
        let started = Instant::now();
        while self.power().as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None))) {
            if started.elapsed() > BOOT {
                bail!("{} did not shut down within {} s", self.name, BOOT.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.clear(&mut self.power())
    }

    /// Whether the power is on. A node that is off has no process and no link.
    pub fn is_on(&self) -> bool {
        self.power().as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
            || NETS.iter().any(|net| self.network.plugged(&self.name, *net))
    }

    /// The node's PID 1, as the controller calls it.
    pub fn leader_pid(&self) -> Result<u32> {
        let nspawn = self.power().as_ref().map(Child::id);
        nspawn.and_then(leader_of).with_context(|| format!("node {} is not running", self.name))
    }

    /// The command with which a person enters the node from a terminal of the host.
    pub fn how_to_enter(&self) -> Result<String> {
        Ok(format!("nsenter -t {} -m -u -i -n -p -r -w bash -l", host_pid(self.leader_pid()?)?))
    }

    /// What its console said.
    pub fn console(&self) -> String {
        fs::read_to_string(self.console_path()).unwrap_or_default()
    }

    /// Waits until systemd has finished booting and pcsd accepts connections.
    pub fn wait_ready(&self, limit: Duration) -> Result<()> {
        let started = Instant::now();
        let mut state = "no leader yet".to_owned();
        while started.elapsed() < limit {
            if let Ok(output) = self.output(["systemctl", "is-system-running"]) {
                state = output.stdout.trim().to_owned();
            }
            if (state == "running" || state == "degraded") && self.pcsd_answers() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        bail!("{} is not up after {} s (systemd: {state}); console:\n{}", self.name, limit.as_secs(), self.console())
    }

    fn pcsd_answers(&self) -> bool {
        let address = SocketAddr::from(([127, 0, 0, 1], PCSD));
        let connect = move || TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok();
        in_network(&self.name, connect).is_ok_and(|thread| thread.join().unwrap_or(false))
    }

    /// Waits for the container's end, takes its links, its network namespace and its control groups away.
    fn clear(&self, power: &mut Option<Child>) -> Result<()> {
        // Links first: nobody may hear from a node whose power is cut.
        self.network.unplug(&self.name)?;
        if let Some(mut child) = power.take() {
            let started = Instant::now();
            while child.try_wait()?.is_none() {
                if started.elapsed() > DEATH {
                    let nspawn = child.id();
                    *power = Some(child);
                    bail!("container of {} (process {nspawn}) does not end", self.name);
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        self.cgroup.remove();
        Ok(())
    }

    fn spawn(&self) -> Result<Child> {
        let log = OpenOptions::new().create(true).append(true).open(self.console_path())?;
        let mut args = vec![
            "--quiet".to_owned(),
            format!("--directory={}", self.root.display()),
            format!("--machine={}", self.name),
            format!("--network-namespace-path=/run/netns/{}", self.name),
            format!("--bind={DIR}/node:/run/lab"),
            format!("--bind={DIR}/shared:/srv/shared"),
            // The host's service manager is not asked: it may be none, and it must not know.
            "--boot".to_owned(),
            "--register=no".to_owned(),
            "--keep-unit".to_owned(),
            "--link-journal=no".to_owned(),
            "--resolv-conf=off".to_owned(),
            "--timezone=off".to_owned(),
            // On top of nspawn's own set; not SYS_MODULE and SYS_TIME, which would reach the host.
            "--capability=CAP_NET_ADMIN,CAP_IPC_LOCK,CAP_SYS_NICE,CAP_SYS_RESOURCE,CAP_SYSLOG".to_owned(),
        ];
        if Path::new("/dev/fuse").exists() {
            args.push("--bind=/dev/fuse".to_owned());
        }
        let groups = self.cgroup.procs()?;
        let script = r#"while [ "$1" != -- ]; do echo 0 >"$1"; shift; done; shift; exec systemd-nspawn "$@""#;
        let mut command = Command::new("sh");
        command.args(["-euc", script, "sh"]).args(groups).arg("--").args(args);
        // A process group of its own: Ctrl-C is for the outer process, which ends the lab as a whole.
        command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(command.spawn()?)
    }

    fn console_path(&self) -> PathBuf {
        Path::new(DIR).join(format!("{}.console", self.name))
    }

    fn power(&self) -> MutexGuard<'_, Option<Child>> {
        self.power.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Machine for Node {
    fn name(&self) -> &str {
        &self.name
    }

    fn prefix(&self) -> Result<Vec<String>> {
        let leader = self.leader_pid()?.to_string();
        Ok(["nsenter", "-t", &leader, "-m", "-u", "-i", "-n", "-p", "-r", "-w"].map(str::to_owned).to_vec())
    }
}

/// The container's PID 1: the child of systemd-nspawn that is the first in a PID namespace.
fn leader_of(nspawn: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{nspawn}/task/{nspawn}/children")).ok()?;
    children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .find(|pid: &u32| fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| is_first(&status)))
}
