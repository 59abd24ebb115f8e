//! A daemon under a service manager: systemd over its bus, an LSB script, or started as a program.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use crate::ocf::deadline::Deadline;

/// A daemon, and who manages it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Service {
    /// A systemd unit.
    Systemd {
        /// Its name, with `.service`.
        unit: String,
        /// Its control group, as systemd names it (`/system.slice/apache2.service`); where it is not known, the one such
        /// a unit has by default.
        cgroup: Option<String>,
    },
    /// An LSB script.
    Lsb {
        /// `/etc/init.d/NAME`.
        script: PathBuf,
        /// The daemon's program: how its processes are known.
        program: PathBuf,
    },
    /// A web server that is started as `PROGRAM -f CONFIG -k start`.
    Direct {
        /// The program.
        program: PathBuf,
        /// Its configuration file: how its processes are known from those of other instances.
        config: PathBuf,
    },
}

/// A process of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// The kernel's letter for its state (proc(5)): R, S, D, T, Z and so on.
    pub state: char,
    /// Its start in clock ticks since boot: together with the id it names one process for ever.
    pub started: u64,
    /// Whether its parent is not of this service: the main process, or one whose main process is gone.
    pub top: bool,
}

/// How a service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Whether anything ran before.
    pub ran: bool,
    /// How many processes had to be killed.
    pub killed: usize,
}

impl Service {
    /// The name for people: `apache2.service`, `/etc/init.d/apache2`, `/usr/sbin/apache2 -f /etc/...`.
    pub fn name(&self) -> String {
        String::new()
    }

    /// Every process of the service that lives (zombies do not), asked from the kernel: no bus, no child process. Empty:
    /// it is down.
    ///
    /// # Errors
    /// When the kernel cannot be asked: that is no proof of anything.
    pub fn processes(&self) -> io::Result<Vec<Process>> {
        Ok(Vec::new())
    }

    /// Fills in `cgroup`.
    pub fn locate(&mut self, _deadline: &Deadline) {}

    /// Starts it and waits for the manager's word; fine when it runs already. For systemd it also fills in `cgroup`.
    ///
    /// # Errors
    /// One line: what failed, with the daemon's own complaint where it can be had.
    pub fn start(&mut self, _deadline: &Deadline) -> io::Result<()> {
        Ok(())
    }

    /// Ends it: `signal` to its main process, then `graceful` time for what it is doing, then SIGKILL to all, then a look
    /// whether anything is left. Processes that are stopped (state T) are not waited for.
    ///
    /// # Errors
    /// When something is left, or nobody can tell.
    pub fn stop(&self, _signal: Signal, _graceful: Duration, _deadline: &Deadline) -> io::Result<Ended> {
        Ok(Ended { ran: false, killed: 0 })
    }

    /// Keeps systemd from restarting it behind the cluster's back and from stopping it before Pacemaker at shutdown: a
    /// drop-in under /run. True when it was not there before. Nothing to do for the others.
    pub fn claim(&self, _deadline: &Deadline) -> io::Result<bool> {
        Ok(false)
    }

    /// Takes the drop-in away again, without waiting for systemd.
    pub fn release(&self, _deadline: &Deadline) -> io::Result<()> {
        Ok(())
    }

    /// What starts it when the host boots, with the command that turns that off; none when nothing does.
    pub fn at_boot(&self) -> Option<String> {
        None
    }
}

/// Whether systemd is the service manager.
pub fn systemd_runs() -> bool {
    false
}

/// Whether there is such a unit.
pub fn unit_exists(_unit: &str) -> bool {
    false
}
