//! The way into a lab: namespaces of its own, which take everything made in them along when they end.
//!
//! Three processes run the same program. The *outer* one stays on the host, waits, and removes the control groups. The
//! *init* is PID 1 of a new PID namespace with its own mounts and network: it reaps orphans, and the kernel kills
//! everything in the namespace when it ends. It gets SIGKILL from the kernel when the outer one dies, by whatever cause.
//! The *inside* one is the program proper: for it, `enter` returns.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, exit};

use anyhow::{Context, Result, bail};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, Uid};

use super::cgroup::Cgroup;

/// Says how far in a process is; absent on the host. A program that shall make a lab of its own removes it.
pub const STAGE: &str = "INUVIKA_LAB_STAGE";
/// The control groups of the lab, for the processes inside.
pub const CGROUP: &str = "INUVIKA_LAB_CGROUP";
/// Everything of a lab that is a file: on a tmpfs of its own.
pub const DIR: &str = "/run/lab";
/// The host's /proc, to tell a process's id there.
pub const HOST_PROC: &str = "/run/lab/hostproc";

/// Puts the program into a lab's namespaces; to be called first in main, before any thread exists. Returns inside; the
/// outer process ends here, with the inner one's exit code (128 + signal number when a signal ended it).
pub fn enter() {
    let stage = std::env::var(STAGE).unwrap_or_default();
    let result = match stage.split_once(':') {
        None if stage == "inside" => SigSet::empty().thread_set_mask().context("unblock signals"),
        Some(("init", outer)) => init(outer).map(|code| exit(code)),
        _ => outer().map(|code| exit(code)),
    };
    if let Err(error) = result {
        eprintln!("lab: {error:#}");
        exit(1);
    }
}

/// Stays on the host: control groups, signals, exit code.
fn outer() -> Result<i32> {
    if let Some(missing) = super::requirements::missing() {
        bail!("{missing}");
    }
    Cgroup::sweep();
    let cgroup = Cgroup::create()?;
    let signals = block_signals()?;
    // Only children get the new PID namespace; this process stays where it is.
    unshare(CloneFlags::CLONE_NEWPID).context("make a PID namespace")?;
    let child = again(&format!("init:{}", std::process::id()))?.env(CGROUP, cgroup.to_env()).spawn();
    let init = Pid::from_raw(child.context("start the lab's first process")?.id().cast_signed());
    let code = loop {
        match signals.wait().context("wait for a signal")? {
            Signal::SIGCHLD => match waitpid(init, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => {}
                Ok(status) => break code_of(status),
                Err(error) => bail!("wait for the lab's first process: {error}"),
            },
            signal => {
                let _ = kill(init, Signal::SIGKILL);
                let _ = waitpid(init, None);
                break 128 + signal as i32;
            }
        }
    };
    cgroup.remove();
    Ok(code)
}

/// PID 1 of the lab: makes the mounts, starts the program proper, reaps.
fn init(outer: &str) -> Result<i32> {
    let signals = block_signals()?;
    set_pdeathsig(Signal::SIGKILL).context("ask to die with the outer process")?;
    // It may have died before the line above; /proc is still the host's here.
    if !Path::new("/proc").join(outer).exists() {
        bail!("the outer process {outer} is gone");
    }
    private_world()?;
    if let Ok(value) = std::env::var(CGROUP) {
        Cgroup::from_env(&value).child("controller").enter()?;
    }
    let inside: Child = again("inside")?.spawn().context("start the program inside the lab")?;
    let inside = Pid::from_raw(inside.id().cast_signed());
    loop {
        match signals.wait().context("wait for a signal")? {
            Signal::SIGCHLD => {
                while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                    match status.pid() {
                        Some(pid) if pid == inside => return Ok(code_of(status)),
                        Some(_) => {}
                        None => break,
                    }
                }
            }
            signal => return Ok(128 + signal as i32),
        }
    }
}

/// Mounts and network of the lab's own: nothing made here is seen outside.
fn private_world() -> Result<()> {
    const NONE: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS)
        .context("make mount, network, IPC and UTS namespaces")?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE).context("make mounts private")?;
    // All of /run: network namespaces, nspawn's own files, and nobody finds the host's service manager by mistake.
    mount(Some("lab"), "/run", Some("tmpfs"), MsFlags::empty(), Some("mode=755")).context("mount a tmpfs on /run")?;
    for dir in ["/run/netns", "/run/lock", DIR, HOST_PROC] {
        fs::create_dir(dir).with_context(|| format!("create {dir}"))?;
    }
    mount(Some("/proc"), HOST_PROC, NONE, MsFlags::MS_BIND, NONE).context("keep the host's /proc")?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), flags, NONE).context("mount /proc")
}

/// The same program with the same arguments, one stage further in.
fn again(stage: &str) -> Result<Command> {
    let mut args = std::env::args_os();
    let name = args.next().context("the program has no name")?;
    let mut command = Command::new("/proc/self/exe");
    command.arg0(name).args(args).env(STAGE, stage);
    Ok(command)
}

/// The signals that outer and init wait for. Blocked, they also reach a PID 1, which ignores default actions.
fn block_signals() -> Result<SigSet> {
    let mut set = SigSet::empty();
    for signal in [Signal::SIGCHLD, Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        set.add(signal);
    }
    set.thread_block().context("block signals")?;
    Ok(set)
}

fn code_of(status: WaitStatus) -> i32 {
    match status {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    }
}

/// Whether this process is inside a lab.
pub fn inside() -> bool {
    std::env::var(STAGE).is_ok_and(|stage| stage == "inside") && Uid::effective().is_root()
}

/// What the host calls process `pid` of this namespace, for instructions to a person at another terminal.
pub fn host_pid(pid: u32) -> Result<u32> {
    let namespace = fs::read_link(format!("/proc/{pid}/ns/pid")).with_context(|| format!("look up process {pid}"))?;
    for entry in fs::read_dir(HOST_PROC).context("list the host's processes")?.flatten() {
        let Some(candidate) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if fs::read_link(entry.path().join("ns/pid")).is_ok_and(|other| other == namespace)
            && fs::read_to_string(entry.path().join("status")).is_ok_and(|text| is_first(&text))
        {
            return Ok(candidate);
        }
    }
    bail!("process {pid} has no id on the host")
}

/// Whether a process is PID 1 of its innermost namespace, by its /proc/PID/status.
pub fn is_first(status: &str) -> bool {
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    let ids: Vec<&str> = ids.split_whitespace().collect();
    ids.len() > 1 && ids.last() == Some(&"1")
}
