//! Stopping a process for a trial.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// Sends a signal. SIGSTOP reaches each thread in its own time, on a busy machine late: it is waited for.
pub fn signal(pid: Pid, signal: Signal) -> nix::Result<()> {
    nix::sys::signal::kill(pid, signal)?;
    let begun = Instant::now();
    while signal == Signal::SIGSTOP && moves(pid) {
        assert!(begun.elapsed() < Duration::from_secs(10), "process {pid} does not stop");
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Whether any thread of a process goes on.
fn moves(pid: Pid) -> bool {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    let states = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
    states.into_iter().any(|status| !["T", "Z", "X"].iter().any(|state| status.contains(&format!("State:\t{state}"))))
}
