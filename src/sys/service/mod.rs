//! A daemon under a service manager: systemd over its bus, an LSB script, or started as a program; and a program of our
//! own, which is to be nobody else's.
//!
//! Whether it runs is always asked from the kernel, never from the service manager or a PID file.

mod bus;
mod cgroup;
mod direct;
mod drop_in;
mod jvm;
mod launch;
mod lsb;
mod own;
pub(in crate::sys) mod processes;
mod session;
mod stop;
mod systemd;
mod transient;
mod unit_files;

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use crate::ocf::deadline::Deadline;
use crate::sys::process;
pub use own::{is_own, others};
use processes::Seen;
pub use systemd::systemd_runs;
pub use unit_files::{unit_exists, unit_masked};

/// A daemon whose start has been reported gets this long to show its main process.
const APPEAR: Duration = Duration::from_secs(2);

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
    /// An LSB script of a Tomcat.
    Jvm {
        /// `/etc/init.d/NAME`.
        script: PathBuf,
        /// The folder of the instance (`catalina.base`): how its Java machine is known from those of other instances.
        base: PathBuf,
    },
    /// A web server that is started as `PROGRAM -f CONFIG -k start`.
    Direct {
        /// The program.
        program: PathBuf,
        /// Its configuration file: how its processes are known from those of other instances.
        config: PathBuf,
    },
    /// A program that stays in the foreground, run by ourselves: as a transient unit of systemd, without systemd in a
    /// session of its own.
    Own {
        /// The name of the unit, with `.service`. Without systemd it is what marks its processes.
        unit: String,
        /// The program, an absolute path.
        program: PathBuf,
        /// Its arguments: with the program, how the main process is known. It has to leave its command line as it is.
        arguments: Vec<String>,
        /// As for [`Service::Systemd`].
        cgroup: Option<String>,
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

impl Process {
    /// This very process as it is now, if it lives: not another one of its id, and no zombie. Asks the kernel for this one
    /// alone, whatever else runs on the host.
    pub fn now(&self) -> Option<Self> {
        let now = processes::look_at([self.pid]).unwrap_or_default().first()?.process;
        (now.started == self.started).then_some(now)
    }
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
        match self {
            Self::Systemd { unit, .. } => unit.clone(),
            Self::Lsb { script, .. } | Self::Jvm { script, .. } => script.display().to_string(),
            Self::Direct { program, config } => format!("{} -f {}", program.display(), config.display()),
            Self::Own { unit, .. } if systemd_runs() => unit.clone(),
            Self::Own { program, .. } => program.display().to_string(),
        }
    }

    /// Every process of the service that lives (zombies do not), asked from the kernel: no bus, no child process. Empty:
    /// it is down. For a unit without `cgroup` that holds only if its group is the default one: see [`Service::locate`].
    ///
    /// # Errors
    /// When the kernel cannot be asked: that is no proof of anything.
    pub fn processes(&self) -> io::Result<Vec<Process>> {
        Ok(self.seen()?.into_iter().map(|seen| seen.process).collect())
    }

    /// How many processes the service has: for systemd without a look at each of them, so that a server with hundreds of
    /// workers costs no more than one with two. A zombie counts, as long as systemd has not reaped it.
    ///
    /// # Errors
    /// See [`Service::processes`].
    pub fn count(&self) -> io::Result<usize> {
        match self {
            Self::Systemd { unit, cgroup } => Ok(cgroup::of_unit(unit, cgroup.as_deref())?.len()),
            Self::Own { unit, cgroup, .. } if systemd_runs() => Ok(cgroup::of_unit(unit, cgroup.as_deref())?.len()),
            Self::Lsb { .. } | Self::Jvm { .. } | Self::Direct { .. } | Self::Own { .. } => Ok(self.seen()?.len()),
        }
    }

    fn seen(&self) -> io::Result<Vec<Seen>> {
        match self {
            Self::Systemd { unit, cgroup } => processes::look_at(cgroup::of_unit(unit, cgroup.as_deref())?),
            Self::Lsb { script, program } => lsb::processes(script, program),
            Self::Jvm { base, .. } => jvm::processes(base),
            Self::Direct { program, config } => direct::processes(program, config),
            Self::Own { unit, cgroup, .. } if systemd_runs() => {
                processes::look_at(cgroup::of_unit(unit, cgroup.as_deref())?)
            }
            Self::Own { unit, program, arguments, .. } => session::processes(unit, program, arguments),
        }
    }

    /// Asks systemd where the unit's processes are, if that is not known: for probes without a memory of the
    /// start (stop does it by itself). A unit that does not run has no control group; then nothing changes. Nothing to do for the others: what we start ourselves has the default one.
    ///
    /// # Errors
    /// When systemd cannot be asked.
    pub fn locate(&mut self, deadline: &Deadline) -> io::Result<()> {
        if let Self::Systemd { unit, cgroup: group @ None } = self
            && unit_files::is_name(unit)
        {
            let asked = systemd::locate(unit, deadline);
            *group = asked.map_err(|error| io::Error::other(format!("find the processes of {unit}: {error}")))?;
        }
        Ok(())
    }

    /// Starts it and waits for the manager's word; fine when it runs already. For systemd it also fills in `cgroup`. A
    /// program of our own has then been seen to live for a tenth of a second.
    ///
    /// # Errors
    /// One line: what failed, with the daemon's own complaint where it can be had (systemd does not pass it on).
    pub fn start(&mut self, deadline: &Deadline) -> io::Result<()> {
        match &*self {
            Self::Systemd { unit, .. } => {
                let started = systemd::start(self, unit, deadline)?;
                if let (Self::Systemd { cgroup, .. }, Some(group)) = (self, started) {
                    *cgroup = Some(group);
                }
                Ok(())
            }
            Self::Lsb { script, .. } => lsb::start(self, script, deadline),
            Self::Jvm { script, .. } => jvm::start(self, script, deadline),
            Self::Direct { program, config } => direct::start(self, program, config, deadline),
            Self::Own { unit, program, arguments, .. } => {
                let started = own::start(self, unit, program, arguments, deadline)?;
                if let Self::Own { cgroup, .. } = self {
                    *cgroup = started;
                }
                Ok(())
            }
        }
    }

    /// Ends it: `signal` to its main process, then `graceful` time (never more than six tenths of what is left) for what
    /// it is doing, then SIGKILL to all, then a look whether anything is left. Processes that are stopped (state T) are
    /// not waited for. Where a unit, script or program does not exist, nothing runs.
    ///
    /// # Errors
    /// When something is left, or nobody can tell.
    pub fn stop(&self, signal: Signal, graceful: Duration, deadline: &Deadline) -> io::Result<Ended> {
        match self {
            Self::Systemd { unit, .. } => systemd::stop(self, unit, signal, graceful, deadline),
            Self::Own { unit, .. } if systemd_runs() => own::end(self, unit, signal, graceful, deadline),
            // No `SCRIPT stop`: all that it could do after this is to look for processes by a PID file.
            Self::Lsb { .. } | Self::Jvm { .. } | Self::Direct { .. } | Self::Own { .. } => {
                stop::sweep(self, stop::Whom::All, signal, graceful, deadline)
            }
        }
    }

    /// Asks systemd to stop it in the unit's own way (`ExecStop=`), and waits for that: for daemons whose way is a good one, before
    /// [`Service::stop`] makes sure. False: systemd does not manage it.
    ///
    /// # Errors
    /// When systemd cannot be asked, or is not done in time.
    pub fn ask_to_stop(&self, deadline: &Deadline) -> io::Result<bool> {
        match self {
            Self::Systemd { unit, .. } => systemd::ask_to_stop(self, unit, deadline).map(|()| true),
            Self::Lsb { .. } | Self::Jvm { .. } | Self::Direct { .. } | Self::Own { .. } => Ok(false),
        }
    }

    /// Kills all its processes at once, without a word to a service manager, which is left to see it failed. For what must not
    /// go on for another moment: starts no process.
    ///
    /// # Errors
    /// When something is left, or nobody can tell.
    pub fn halt(&self, deadline: &Deadline) -> io::Result<()> {
        stop::sweep(self, stop::Whom::All, Signal::SIGKILL, Duration::ZERO, deadline).map(drop)
    }

    /// Keeps systemd from restarting it behind the cluster's back and from stopping it before Pacemaker at shutdown: a
    /// drop-in under /run. True when it was not there before. Nothing to do for the others.
    ///
    /// # Errors
    /// When it cannot be written, or systemd does not read it.
    pub fn claim(&self, deadline: &Deadline) -> io::Result<bool> {
        match self {
            Self::Systemd { unit, .. } => drop_in::claim(self, unit, deadline),
            // The unit is made with what a claim would add.
            Self::Lsb { .. } | Self::Jvm { .. } | Self::Direct { .. } | Self::Own { .. } => Ok(false),
        }
    }

    /// Takes the drop-in away again, without waiting until systemd has read its files. Fine when there is none.
    ///
    /// # Errors
    /// When it cannot be removed, or systemd does not begin to read within two seconds: the service is down either way,
    /// and the next reload makes up for it.
    pub fn release(&self, deadline: &Deadline) -> io::Result<()> {
        match self {
            Self::Systemd { unit, .. } => drop_in::release(self, unit, deadline),
            Self::Lsb { .. } | Self::Jvm { .. } | Self::Direct { .. } | Self::Own { .. } => Ok(()),
        }
    }

    /// What starts it when the host boots, with the command that turns that off; none when nothing does.
    pub fn at_boot(&self) -> Option<String> {
        match self {
            Self::Systemd { unit, .. } => unit_files::at_boot(unit),
            Self::Lsb { script, .. } | Self::Jvm { script, .. } => lsb::at_boot(script),
            Self::Direct { .. } | Self::Own { .. } => None,
        }
    }
}

/// Every process of the sessions that these processes lead or have led, themselves included: what a daemon has started and not yet
/// ended, also helpers that are other programs. The kernel keeps the number of a session as long as it has a process.
///
/// # Errors
/// When /proc cannot be read.
pub fn session_of(leaders: &[Process]) -> io::Result<Vec<Process>> {
    let all = processes::all()?;
    // A number that somebody else has by now is that of another session.
    let is_other = |leader: &Process| {
        all.iter().any(|seen| seen.process.pid == leader.pid && seen.process.started != leader.started)
    };
    let ours: Vec<i32> = leaders.iter().filter(|leader| !is_other(leader)).map(|leader| leader.pid).collect();
    Ok(all.iter().filter(|seen| ours.contains(&seen.session)).map(|seen| seen.process).collect())
}

/// Whether there is such an LSB script.
pub fn script_exists(script: &Path) -> bool {
    script.is_absolute() && process::find(script).is_some()
}

/// Waits until the service shows a process; `said` is what its start wrote. Apache says that it runs already, and ends
/// with 0, when the id in its old PID file belongs to another process by now.
fn wait_for_process(service: &Service, said: Option<String>, deadline: &Deadline) -> io::Result<()> {
    let limit = deadline.within(APPEAR);
    while service.seen()?.is_empty() {
        if !limit.sleep(Duration::from_millis(5)) {
            let said = said.map(|line| format!(": {line}")).unwrap_or_default();
            return Err(because("start", service, &format!("it has no process, but reported success{said}")));
        }
    }
    Ok(())
}

/// `start apache2.service: CAUSE`.
fn because(act: &str, service: &Service, cause: &dyn Display) -> io::Error {
    io::Error::other(format!("{act} {}: {cause}", service.name()))
}
