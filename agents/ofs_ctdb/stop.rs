//! Brings ctdbd down, and what outlives it: Samba, the public addresses.
//!
//! It asks no file of the shared file system, which may hang by then.

use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::daemon::{Daemon, PARTS};
use super::{Applied, event, locate, spec, vantage};
use crate::ocf::deadline::Deadline;
use crate::ocf::exit::Failure;
use crate::ocf::operation::Operation;
use crate::probe::ctdb;
use crate::sys::links;
use crate::sys::process;
use crate::sys::service::{Process, Service, session_of};

/// What ctdbd gets to shut down when nobody says otherwise.
const GRACEFUL: Duration = Duration::from_secs(20);
/// How long the other nodes may take to take the addresses over before that: with a node that is there they do so within two
/// seconds, with one that is suddenly gone in six.
const HAND_OVER: Duration = Duration::from_secs(5);
/// What a part of Samba gets that outlives it: its clients have lost their address already.
const SAMBA: Duration = Duration::from_secs(3);
/// What is kept of the time for the addresses and Samba when ctdbd does not end.
const REST: Duration = Duration::from_secs(12);
/// How long the lists of addresses may take: of ctdbd, and of the kernel.
const ASK: Duration = Duration::from_secs(1);
/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// The action: with whatever parameters and memory there are.
pub fn stop(op: &Operation) -> Result<(), Failure> {
    let asked = op.params.seconds("graceful_timeout").ok().flatten().unwrap_or(GRACEFUL);
    // The rest of the time is for those that do not want to go.
    let graceful = asked.min(op.deadline.left() * 3 / 5);
    let applied = match (Applied::read(op), Daemon::new(&op.params)) {
        (Some(applied), _) => applied,
        (None, Err(_)) => return Ok(()),
        (None, Ok(daemon)) => {
            let mut service = daemon.find_or_guess();
            locate(&mut service, op);
            // Without a memory of a start, a Samba without ctdbd is somebody else's.
            if service.processes().is_ok_and(|all| all.is_empty()) {
                return Ok(());
            }
            let socket = op.params.text("socket").unwrap_or("/run/ctdb/ctdbd.socket").to_owned();
            guess(daemon.by_systemd(), service, Path::new(&socket), op)
        }
    };
    end(&applied, graceful, op)?;
    vantage::withdraw(op);
    let folder = op.params.text("config_dir").unwrap_or("/etc/ctdb").to_owned();
    event::ended(Path::new(&folder), &op.log, &op.deadline);
    Ok(())
}

/// What a ctdbd that nobody remembers has brought up: its addresses by its own word, and what this host has of Samba. Not winbind:
/// others may need it.
pub fn guess(systemd: bool, service: Service, socket: &Path, op: &Operation) -> Applied {
    let addresses = ctdb::public_addresses(socket, &op.deadline.within(ASK)).unwrap_or_default();
    Applied {
        main: super::main_process(&service),
        service,
        addresses: addresses.into_iter().map(|one| one.address).collect(),
        samba: PARTS
            .iter()
            .filter(|part| part.script != "49.winbind")
            .filter_map(|part| part.find(None, systemd))
            .collect(),
    }
}

/// Ends all of it, and goes on through errors; the first one is told.
pub fn end(applied: &Applied, graceful: Duration, op: &Operation) -> Result<(), Failure> {
    let mut service = applied.service.clone();
    locate(&mut service, op);
    let begun = Instant::now();
    let processes = service.processes().unwrap_or_default();
    // Event scripts and helpers: orphans when ctdbd is gone, or when it was killed before.
    let leaders: Vec<Process> = processes.iter().copied().chain(applied.main).collect();
    // Looked for anew each time: ctdbd starts some until its end.
    let family = || [processes.clone(), session_of(&leaders).unwrap_or_default()].concat();
    let before = family();
    if processes.is_empty() {
        // Killed: another node has taken them over by now, so they must not answer here.
        let _ = release(&applied.addresses, op);
    } else {
        shut_down(applied, &service, &processes, graceful, op);
    }
    let heard = !processes.is_empty() && !lives(&processes);
    let name = service.name();
    // Where a process cannot be killed, as it waits for a file system, the addresses go all the same, and so does Samba.
    let most = op.deadline.within(op.deadline.left().saturating_sub(REST.min(op.deadline.left() / 3)));
    let mut first = ended(&service, graceful.saturating_sub(begun.elapsed()), &most, op).err();
    let _ = release(&applied.addresses, op);
    // Two that look for the same file there wait for one answer, and only the one that has asked can be killed: whichever that is,
    // all have to be told before one is waited for.
    let family = || [before.clone(), family()].concat();
    let told = send_kill(&family());
    for part in &applied.samba {
        let _ = end_part(part, &op.deadline.within(SAMBA * 2), op);
    }
    first = first.or(kill_all(&name, family, told, &most, op).err());
    first = first.or(release(&applied.addresses, op).err());
    for part in &applied.samba {
        first = first.or(end_part(part, &op.deadline, op).err());
    }
    if heard && first.is_none() {
        op.log.info(&format!("{name} has shut down by itself after {:.1} s", begun.elapsed().as_secs_f32()));
    }
    give_back(applied.services(), op);
    first.map_or(Ok(()), Err)
}

/// Its own way: it gives its addresses to the other nodes, then ends Samba and itself. One that is stopped (SIGSTOP) hears nothing.
fn shut_down(applied: &Applied, service: &Service, processes: &[Process], graceful: Duration, op: &Operation) {
    let frozen = processes.iter().any(|process| process.top && matches!(process.state, 'T' | 't'));
    if frozen || graceful.is_zero() {
        return;
    }
    let patience = op.deadline.within(graceful);
    // Comes back when the addresses have moved. The node forgets it with its end.
    let limit = patience.within(HAND_OVER.min(graceful / 2));
    let told = process::run("ctdb", &["disable"], None, &limit);
    op.step(&format!("ctdb disable: {:?}", told.map(|output| output.status.code())));
    // CTDB has systemd stop Samba. While the host shuts down, one that is claimed waits for Pacemaker, which waits for this.
    give_back(applied.samba.iter(), op);
    let asked = service.ask_to_stop(&patience);
    op.step(&format!("systemd was asked: {asked:?}"));
    if matches!(asked, Ok(true)) {
        return;
    }
    let told = process::run("ctdb", &["shutdown"], None, &patience);
    op.step(&format!("ctdb shutdown: {:?}", told.map(|output| output.status.code())));
    while lives(processes) && patience.sleep(LOOK) {}
}

/// Takes back what start has told systemd of them.
fn give_back<'a>(services: impl Iterator<Item = &'a Service>, op: &Operation) {
    for service in services {
        if let Err(error) = service.release(&op.deadline) {
            op.log.warning(&format!("remove the drop-in of {}: {error}", service.name()));
        }
    }
}

fn lives(processes: &[Process]) -> bool {
    processes.iter().filter(|process| process.top).any(|process| process.now().is_some())
}

/// SIGTERM, then SIGKILL, until the kernel has no process of it.
fn ended(service: &Service, graceful: Duration, limit: &Deadline, op: &Operation) -> Result<(), Failure> {
    let ended = service.stop(Signal::SIGTERM, graceful, limit).map_err(|e| Failure::generic(e.to_string()))?;
    op.step(&format!("{ended:?}"));
    if ended.killed > 0 {
        op.log.warning(&format!("{}: {} processes killed", service.name(), ended.killed));
    }
    Ok(())
}

/// Sends SIGKILL to those that still are; how many they are.
fn send_kill(family: &[Process]) -> usize {
    let mut left: Vec<Process> = family.iter().filter_map(Process::now).collect();
    left.sort_unstable_by_key(|one| one.pid);
    left.dedup_by_key(|one| one.pid);
    for one in &left {
        // One that has just ended needs no signal; what cannot be sent is seen later.
        let _ = kill(Pid::from_raw(one.pid), Signal::SIGKILL);
    }
    left.len()
}

/// Waits until nothing is left of the processes that it had, which are nobody's now.
fn kill_all(
    name: &str,
    family: impl Fn() -> Vec<Process>,
    told: usize,
    limit: &Deadline,
    op: &Operation,
) -> Result<(), Failure> {
    let mut killed = told;
    loop {
        let family = family();
        let Some(left) = family.iter().find_map(Process::now) else { break };
        if killed > 0 && limit.passed() {
            let (pid, state) = (left.pid, left.state);
            return Err(Failure::generic(format!("stop {name}: its process {pid} is not ended, in state {state}")));
        }
        killed = killed.max(send_kill(&family));
        limit.sleep(LOOK);
    }
    if killed > 0 {
        op.log.warning(&format!("{name}: {killed} processes that it had started killed"));
    }
    Ok(())
}

fn end_part(part: &Service, limit: &Deadline, op: &Operation) -> Result<(), Failure> {
    let mut part = part.clone();
    locate(&mut part, op);
    if part.processes().is_ok_and(|all| all.is_empty()) {
        return Ok(());
    }
    let ended = part.stop(Signal::SIGTERM, SAMBA, limit).map_err(|e| Failure::generic(e.to_string()))?;
    if ended.ran {
        op.log.warning(&format!("{} has outlived ctdbd and was stopped", part.name()));
    }
    Ok(())
}

/// Takes the addresses from this node, and looks whether they are gone.
fn release(addresses: &[IpAddr], op: &Operation) -> Result<(), Failure> {
    let asked = |error: std::io::Error| Failure::io("ask the kernel for addresses", &error);
    for &address in addresses {
        for holder in links::holders(address).map_err(asked)? {
            let words =
                ["addr", "del", &format!("{address}/{}", holder.prefix_len), "dev", &holder.link].map(str::to_owned);
            let done = process::run("ip", &words, None, &op.deadline.within(ASK));
            match done {
                Ok(output) if output.status.success() => {
                    op.log.warning(&format!("{address} was still on {}: taken away", holder.link));
                }
                Ok(output) => op.step(&format!("ip addr del: {}", output.reason())),
                Err(error) => op.step(&format!("ip addr del: {error}")),
            }
        }
        if let Some(holder) = links::holder(address).map_err(asked)? {
            return Err(Failure::generic(format!(
                "{address} is still on {}: {} cannot take it away",
                holder.link,
                spec::SPEC.name
            )));
        }
    }
    Ok(())
}
