//! One round: ask, count, look at the kernel's table, put it right, tell.
//!
//! Two rounds of one instance at the same time are kept apart by who calls.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::check::{Answer, Question};
use super::farm::Farm;
use super::health::{self, Health, Seen};
use super::kernel::Kernel;
use super::owned::Owned;
use super::plan::{self, Found};
use super::report::Report;
use super::sight::Sight;
use super::{drift, name};
use crate::ocf::check::Verdict;
use crate::ocf::state::State;
use crate::sys::ipvs::{Change, Entry, Key};

/// The file in the state folder.
pub const FILE: &str = "lvs.round";
/// Changes that were refused, or did not become what they were to, are planned once more: somebody else may have made one of them at the same time.
const ATTEMPTS: usize = 2;

/// The last round.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Last {
    /// When it began, on the boot clock.
    at: Duration,
    /// [`Farm::mark`] of what it was for.
    farm: u32,
    /// Whether it has left the kernel's table as wanted: only then is a difference somebody else's.
    settled: bool,
}

/// The time since the host has booted, sleep included: no one sets this clock.
pub fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// Whether the interval since the last round's begin is over. Pacemaker's timers are not exact: a round that would be early
/// by less than a tenth of it, or a second, is not put off by a whole interval.
pub fn is_due(state: &State, interval: Duration, now: Duration) -> bool {
    let early = (interval / 10).min(Duration::from_secs(1));
    // A time to come is of another boot.
    let last = state.read::<Last>(FILE).filter(|last| last.at <= now);
    last.is_none_or(|last| now - last.at + early >= interval)
}

/// Whether a round that was begun at `begun` comes after one that was begun later.
pub fn is_late(state: &State, begun: Duration) -> bool {
    state.read::<Last>(FILE).is_some_and(|last| last.at > begun && last.at <= now())
}

/// One round, begun at `now` on the boot clock. `ask` answers questions in their order.
///
/// # Errors
/// The kernel's table cannot be listed or changed at all, or the state folder not be written: the next round goes on from there.
pub fn round<K: Kernel>(
    farm: &Farm,
    state: &State,
    ask: impl FnOnce(&[Question]) -> Vec<Answer>,
    kernel: &mut K,
    now: Duration,
) -> io::Result<Report> {
    let last = state.read::<Last>(FILE).filter(|last| last.settled && last.farm == farm.mark() && last.at <= now);
    let (health, note) = Health::read(state, now);
    let keys = health::keys(&farm.questions);
    let before = health.of(&keys);
    let was = ups(&before);
    let begun = Instant::now();
    let mut answers = ask(&farm.questions).into_iter();
    let checks = begun.elapsed();
    let fold = |seen| match answers.next() {
        Some(answer) => health::fold(seen, answer, &farm.pace, now),
        None => seen,
    };
    let seen: Vec<Option<Seen>> = before.into_iter().map(fold).collect();

    let begun = Instant::now();
    let up = ups(&seen);
    let mut table = kernel.list()?;
    let (mut owned, unknown) = owned(farm, state);
    let notes: Vec<String> = note.into_iter().chain(unknown).chain(taken_over(farm, &table, &owned)).collect();
    let (mut drift, mut changes) = (Vec::new(), Vec::new());
    let mut failures: Vec<(Change, io::Error)> = Vec::new();
    let mark = farm.mark();
    let mut attempt = 0;
    let (wanted, left) = loop {
        let found = Found::new(&table);
        let wanted = plan::wanted(farm, &up, &found);
        let left = plan::plan(&wanted, &found, &owned.keys);
        if attempt == 0 && last.is_some() {
            // What the answers have changed since the last round is nobody's doing.
            let back = (was != up).then(|| plan::plan(&plan::wanted(farm, &was, &found), &found, &owned.keys));
            drift = drift::lines(back.as_ref().unwrap_or(&left), &found, &left);
        }
        if left.is_empty() || attempt == ATTEMPTS {
            break (wanted, left);
        }
        if attempt == 0 {
            state.write(FILE, &Last { at: now, farm: mark, settled: false })?;
            Health::write(state, &keys, &seen)?;
        }
        owned.claim(state, farm.keys())?;
        let refused = kernel.apply(&left)?;
        failures = part(left, refused, &mut changes);
        table = kernel.list()?;
        attempt += 1;
    };
    if left.is_empty() {
        failures.clear();
    }
    if changes.is_empty() && failures.is_empty() {
        Health::write(state, &keys, &seen)?;
        owned.claim(state, farm.keys())?;
    }
    let here: HashSet<Key> = table.iter().map(|entry| entry.service.key).collect();
    let asked: BTreeSet<Key> = farm.keys().collect();
    let ours = owned.keys.iter().copied().filter(|key| asked.contains(key) || here.contains(key)).collect();
    owned.replace(state, ours)?;
    state.write(FILE, &Last { at: now, farm: mark, settled: left.is_empty() })?;

    let found = Found::new(&table);
    let mut report = Sight { farm, seen: &seen, wanted: &wanted, found: &found, owned: &owned.keys, now }.report();
    report.news = news(farm, &was, &seen);
    report.failures = failures.iter().map(|(change, error)| K::explain(change, error)).collect();
    report.pending = left;
    if let Some(first) = report.pending.first().filter(|_| report.failures.is_empty()) {
        let why =
            "the kernel takes it and has something else: it may be too old for that (GUE and GRE tunnels: 5.2, 5.3)";
        report.failures.push(format!("{}: {why}", name::change(first)));
    }
    report.notes.extend(notes);
    (report.drift, report.changes, report.checks, report.kernel) = (drift, changes, checks, begun.elapsed());
    if let Some(first) = report.failures.first() {
        report.verdict = report.verdict.max(Verdict::Degraded);
        // The cause of a missing service is worth more than that it is missing.
        report.reason = Some(first.clone());
    }
    Ok(report)
}

/// What is wanted and found now, with the health that the last round has seen. Nothing is asked, changed or written;
/// `table` is empty when the kernel has none.
pub fn look(farm: &Farm, state: &State, table: &[Entry], now: Duration) -> Report {
    let (health, note) = Health::read(state, now);
    let seen = health.of(&health::keys(&farm.questions));
    let (owned, unknown) = owned(farm, state);
    let found = Found::new(table);
    let wanted = plan::wanted(farm, &ups(&seen), &found);
    let mut report = Sight { farm, seen: &seen, wanted: &wanted, found: &found, owned: &owned.keys, now }.in_full();
    report.pending = plan::plan(&wanted, &found, &owned.keys);
    report.notes.extend(note.into_iter().chain(unknown));
    report
}

/// Puts changes to those that were made, except for the refused ones, given by their places in this order.
fn part(mut tried: Vec<Change>, refused: Vec<(usize, io::Error)>, made: &mut Vec<Change>) -> Vec<(Change, io::Error)> {
    if refused.is_empty() {
        made.append(&mut tried);
    }
    let (mut refused, mut failures) = (refused.into_iter().peekable(), Vec::new());
    for (place, change) in tried.into_iter().enumerate() {
        match refused.next_if(|(at, _)| *at == place) {
            Some((_, error)) => failures.push((change, error)),
            None => made.push(change),
        }
    }
    failures
}

fn ups(seen: &[Option<Seen>]) -> Vec<Option<bool>> {
    seen.iter().map(|seen| seen.as_ref().map(|seen| seen.up)).collect()
}

/// What is ours, and what there is to say about that.
fn owned(farm: &Farm, state: &State) -> (Owned, Option<String>) {
    match Owned::read(state) {
        Ok(owned) => (owned, None),
        Err(why) => {
            let what = "services that are not in the configuration any more stay; remove them by ipvsadm -D";
            let note = format!("{} cannot be read ({why}): {what}", super::owned::FILE);
            (Owned { keys: farm.keys().collect() }, Some(note))
        }
    }
}

/// Services of the farm that somebody else has made.
fn taken_over(farm: &Farm, table: &[Entry], owned: &Owned) -> Vec<String> {
    let here: HashSet<Key> = table.iter().map(|entry| entry.service.key).collect();
    let foreign = farm.keys().filter(|key| here.contains(key) && !owned.keys.contains(key));
    foreign.map(|key| format!("service {key} was in the kernel's table already: taken over")).collect()
}

/// Real servers whose health has changed; at first, those that are down.
fn news(farm: &Farm, was: &[Option<bool>], now: &[Option<Seen>]) -> Vec<String> {
    let turned = |place: usize| {
        let (was, now) = (was.get(place)?.unwrap_or(true), now.get(place)?.as_ref()?);
        (was != now.up).then_some(now)
    };
    let mut lines = Vec::new();
    for service in &farm.services {
        for wanted in &service.servers {
            if let Some(seen) = wanted.question.and_then(turned) {
                let server = name::server(wanted.server.address, wanted.server.port);
                let of = service.service.key;
                let state = if seen.up { "up" } else { "down" };
                lines.push(format!("real server {server} of {of} is {state}: {}", seen.detail));
            }
        }
    }
    lines
}
