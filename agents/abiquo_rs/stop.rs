//! Brings Tomcat down: by its own means, then by signals, and never another instance.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::tomcat::Tomcat;
use super::{Applied, locate};
use crate::ocf::exit::Failure;
use crate::ocf::operation::Operation;
use crate::sys::service::{Process, Service};

/// What Tomcat gets to finish by itself when nobody says otherwise.
const GRACEFUL: Duration = Duration::from_secs(15);
/// How long its shutdown port may take to be told.
const TELL: Duration = Duration::from_secs(1);
/// How long init may take to reap what has ended, and how often that is looked at.
const REAP: Duration = Duration::from_secs(2);
const REAPED: Duration = Duration::from_millis(5);

/// The action: with whatever parameters and memory there are.
pub fn stop(op: &Operation) -> Result<(), Failure> {
    let applied = Applied::read(op);
    let asked = op.params.seconds("graceful_timeout").ok().flatten().unwrap_or(GRACEFUL);
    // The rest of the time is for those that do not want to go.
    let graceful = asked.min(op.deadline.left() * 3 / 5);
    let tomcat = Tomcat::new(&op.params).ok();
    let main = applied.as_ref().and_then(|applied| applied.main);
    let service = match (applied, &tomcat) {
        (Some(applied), _) => applied.service,
        (None, Some(tomcat)) => tomcat.find_or_guess(),
        (None, None) => return Ok(()),
    };
    match tomcat {
        Some(tomcat) => stop_tomcat(&service, &tomcat, graceful, op)?,
        None => end(service, graceful, op)?,
    }
    // An earlier stop that was cut off may have ended it: then none of the above has seen it.
    await_reaped(main.as_slice(), op);
    Ok(())
}

/// Ends it: two thirds of `graceful` for its own shutdown (the unit's way, or its port), the rest after SIGTERM, then SIGKILL, until the kernel has no process
/// of it.
pub fn stop_tomcat(service: &Service, tomcat: &Tomcat, graceful: Duration, op: &Operation) -> Result<(), Failure> {
    let mut service = service.clone();
    locate(&mut service, op);
    let begun = Instant::now();
    let processes = service.processes().unwrap_or_default();
    // One that is stopped (SIGSTOP) hears nothing.
    let hears = !processes.iter().any(|process| process.top && matches!(process.state, 'T' | 't'));
    if hears && !graceful.is_zero() && !processes.is_empty() {
        let patience = op.deadline.within(graceful * 2 / 3);
        // A unit has its own way for it. Were Tomcat told behind its back, that would find nobody, and leave it as failed.
        let asked = service.ask_to_stop(&patience);
        op.step(&format!("systemd was asked: {asked:?}"));
        if !matches!(asked, Ok(true)) && tomcat.shut_down(&processes, &op.deadline.within(TELL)) {
            op.step("told to shut down");
            while lives(processes.iter().filter(|one| one.top)) && patience.sleep(Duration::from_millis(10)) {}
        }
    }
    let heard = !processes.is_empty() && !lives(processes.iter().filter(|one| one.top));
    let name = service.name();
    end(service, graceful.saturating_sub(begun.elapsed()), op)?;
    end_orphans(&name, &processes, op)?;
    if heard {
        op.log.info(&format!("{name} has shut down by itself after {:.1} s", begun.elapsed().as_secs_f32()));
    }
    await_reaped(&processes, op);
    Ok(())
}

/// Waits until what has ended is gone altogether: Tomcat's script takes a zombie for a Tomcat that runs, and refuses to start
/// another one.
pub fn await_reaped(processes: &[Process], op: &Operation) {
    let limit = op.deadline.within(REAP);
    let is_left = |one: &Process| one.now().is_none() && Path::new(&format!("/proc/{}", one.pid)).exists();
    while processes.iter().any(is_left) && limit.sleep(REAPED) {}
}

fn lives<'a>(mut processes: impl Iterator<Item = &'a Process>) -> bool {
    processes.any(|process| process.now().is_some())
}

/// Kills what the Java machine has started and left behind (a conversion of an image, say): init's children now, which nothing but
/// the memory of what they were tells from others. They would go on writing to the repository.
fn end_orphans(name: &str, processes: &[Process], op: &Operation) -> Result<(), Failure> {
    let mut killed = 0;
    loop {
        let left: Vec<Process> = processes.iter().filter_map(Process::now).collect();
        let Some(first) = left.first() else { break };
        if killed > 0 && op.deadline.passed() {
            let (pid, state) = (first.pid, first.state);
            return Err(Failure::generic(format!("stop {name}: its process {pid} is not ended, in state {state}")));
        }
        killed = killed.max(left.len());
        for one in &left {
            // One that has just ended needs no signal; what cannot be sent is seen above.
            let _ = kill(Pid::from_raw(one.pid), Signal::SIGKILL);
        }
        op.deadline.sleep(REAPED);
    }
    if killed > 0 {
        op.log.warning(&format!("{name}: {killed} processes that it had started killed"));
    }
    Ok(())
}

fn end(mut service: Service, graceful: Duration, op: &Operation) -> Result<(), Failure> {
    locate(&mut service, op);
    // SIGTERM: Tomcat's hook stops its webapps in order, as its own shutdown does.
    let ended = service.stop(Signal::SIGTERM, graceful, &op.deadline).map_err(|e| Failure::generic(e.to_string()))?;
    op.step(&format!("{ended:?}"));
    if ended.killed > 0 {
        op.log.warning(&format!("{}: {} processes killed", service.name(), ended.killed));
    } else if ended.ran {
        op.log.info(&format!("{} stopped", service.name()));
    }
    service.release(&op.deadline).unwrap_or_else(|error| {
        op.log.warning(&format!("remove the drop-in of {}: {error}", service.name()));
    });
    Ok(())
}
