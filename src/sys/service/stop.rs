//! Ends the processes of a service: asks, waits, kills, and looks again until the kernel shows none.

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::processes::Seen;
use super::{Ended, Service};
use crate::ocf::deadline::Deadline;

/// The longest pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);
/// How often a main process is told again that nothing is left to wait for.
const AGAIN: Duration = Duration::from_millis(20);

/// Signals sent so far, each to processes that were seen.
#[derive(Debug, Default)]
struct Sent {
    asked: HashSet<(i32, u64)>,
    killed: HashSet<(i32, u64)>,
    hurried: Option<Instant>,
    /// Why a signal could not be sent.
    refused: Option<String>,
}

/// Which processes a sweep is about.
#[derive(Debug)]
pub(super) enum Whom {
    /// All that the service has, those that appear meanwhile among them.
    All,
    /// Those that it has at the first look, and their children. What systemd starts meanwhile may be `ExecStop=`: ended by a
    /// signal, it would count as a crash, for which many units are restarted.
    First(HashSet<(i32, u64)>),
}

impl Whom {
    /// Those of the first look, which is still to come.
    pub(super) fn first() -> Self {
        Self::First(HashSet::new())
    }

    /// The processes, as the service has them now.
    fn look(&mut self, service: &Service) -> io::Result<Vec<Seen>> {
        let mut seen = service.seen()?;
        match self {
            Self::All => {}
            Self::First(known) if known.is_empty() => known.extend(seen.iter().map(Seen::key)),
            Self::First(known) => keep_family(&mut seen, known),
        }
        Ok(seen)
    }
}

/// Leaves those that are known, and their descendants, which are known from then on.
fn keep_family(seen: &mut Vec<Seen>, known: &mut HashSet<(i32, u64)>) {
    let mut family: HashSet<i32> = HashSet::new();
    loop {
        let is_one = |one: &Seen| known.contains(&one.key()) || family.contains(&one.parent);
        let more: HashSet<i32> = seen.iter().filter(|one| is_one(one)).map(|one| one.process.pid).collect();
        if more.len() == family.len() {
            break;
        }
        family = more;
    }
    seen.retain(|one| family.contains(&one.process.pid));
    known.extend(seen.iter().map(Seen::key));
}

/// Sends `signal` to the main process and waits at most `graceful`, of which six tenths of the time left are the limit;
/// then SIGKILL for all that is left.
///
/// # Errors
/// When something is left at the deadline, or nobody can tell.
pub(super) fn sweep(
    service: &Service,
    mut whom: Whom,
    signal: Signal,
    graceful: Duration,
    deadline: &Deadline,
) -> io::Result<Ended> {
    let patience = deadline.within(graceful.min(deadline.left() * 6 / 10));
    let mut sent = Sent::default();
    let mut seen = whom.look(service)?;
    let ran = !seen.is_empty();
    let mut pause = Duration::from_millis(1);
    while !seen.is_empty() {
        if patience.passed() || seen.iter().any(|seen| seen.process.top && seen.is_stopped()) {
            sent.kill(seen.iter());
        } else {
            sent.ask(&seen, signal);
        }
        if !deadline.sleep(pause) {
            // The last look, after the last signal.
            seen = whom.look(service)?;
            break;
        }
        pause = (pause * 2).min(PAUSE);
        match whom.look(service) {
            Ok(now) => seen = now,
            // It may be able to tell a moment later; the signals go on to those that were seen last.
            Err(error) if deadline.passed() => return Err(error),
            Err(_) => {}
        }
    }
    if let Some(left) = seen.first() {
        let cause = sent.refused.unwrap_or_else(|| hint(left.process.state).to_owned());
        let text = format!(
            "stop {}: {} not ended, process {} in state {}: {cause}",
            service.name(),
            count(seen.len()),
            left.process.pid,
            left.process.state
        );
        return Err(io::Error::new(io::ErrorKind::TimedOut, text));
    }
    Ok(Ended { ran, killed: sent.killed.len() })
}

/// `1 process`, `3 processes`.
fn count(number: usize) -> String {
    if number == 1 { "1 process".to_owned() } else { format!("{number} processes") }
}

/// Why a process survives SIGKILL.
fn hint(state: char) -> &'static str {
    if state == 'D' { "it waits for a disk or a mount that does not answer" } else { "time is over" }
}

impl Sent {
    /// Asks the main process to end, and does what lets it end sooner.
    fn ask(&mut self, seen: &[Seen], signal: Signal) {
        for main in seen.iter().filter(|seen| seen.process.top) {
            // Also one that was a child when we began, and whose parent has ended.
            if self.asked.insert(main.key()) {
                self.send(main, signal);
            }
        }
        // A worker that is stopped finishes nothing, and the main process would wait for it.
        self.kill(seen.iter().filter(|seen| seen.is_stopped()));
        // Apache's main process sleeps for a whole second before it looks whether its workers are done; SIGTERM ends that
        // sleep. It forgets one that comes while it still closes down, hence again. Helpers, such as rotatelogs, end with it.
        let due = self.hurried.is_none_or(|last| last.elapsed() >= AGAIN);
        if signal != Signal::SIGTERM && due && !has_workers(seen) {
            self.hurried = Some(Instant::now());
            for main in seen.iter().filter(|seen| seen.process.top) {
                self.send(main, Signal::SIGTERM);
            }
        }
    }

    fn kill<'a>(&mut self, seen: impl Iterator<Item = &'a Seen>) {
        for process in seen {
            self.killed.insert(process.key());
            self.send(process, Signal::SIGKILL);
        }
    }

    fn send(&mut self, process: &Seen, signal: Signal) {
        if let Err(error) = process.signal(signal) {
            self.refused = Some(error.to_string());
        }
    }
}

/// Whether a main process has children of its own name: those do its work.
fn has_workers(seen: &[Seen]) -> bool {
    let is_worker =
        |worker: &&Seen| !worker.process.top && seen.iter().any(|main| main.process.top && main.name == worker.name);
    seen.iter().any(|worker| is_worker(&worker))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::service::Process;

    fn seen(pid: i32, parent: i32, top: bool, name: &str) -> Seen {
        Seen { process: Process { pid, state: 'S', started: 1, top }, parent, session: 1, name: name.into() }
    }

    #[test]
    fn what_appears_later_and_is_no_child_is_not_of_the_family() {
        let (main, worker) = (seen(10, 1, true, "apache2"), seen(11, 10, false, "apache2"));
        let mut known: HashSet<_> = [main.key(), worker.key()].into();
        let (child, grandchild) = (seen(12, 11, false, "rotatelogs"), seen(13, 12, false, "gzip"));
        let stop = seen(14, 1, true, "apachectl");
        let mut all = vec![grandchild.clone(), stop.clone(), child.clone(), worker, main];
        keep_family(&mut all, &mut known);
        assert_eq!(all.iter().map(|one| one.process.pid).collect::<Vec<_>>(), [13, 12, 11, 10]);
        // Known from then on, although their parents are gone.
        let mut all = vec![stop, Seen { parent: 1, ..child }, Seen { parent: 1, ..grandchild }];
        keep_family(&mut all, &mut known);
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn helpers_and_orphans_are_no_workers() {
        let main = seen(10, 1, true, "apache2");
        assert!(has_workers(&[main.clone(), seen(11, 10, false, "apache2")]));
        assert!(!has_workers(&[main.clone(), seen(11, 10, false, "rotatelogs")]));
        assert!(!has_workers(&[main, seen(11, 1, true, "apache2")]));
        assert!(!has_workers(&[]));
    }
}
