//! Says things once: a monitor that finds the same every ten seconds logs it when it begins, when it changes, when it ends.
//!
//! Pacemaker keeps the first exit reason of a failed or degraded monitor until the code changes, so the log is where the
//! current one is found.

use super::action::Action;
use super::agent::Outcome;
use super::exit::Code;
use super::log::Level;
use super::operation::Operation;
use super::state::State;

/// That a passive node has been looked at.
const LOOKED: &str = "looked";

/// The file with the reason that was logged last: one for each depth, as each sees other things.
fn file(op: &Operation) -> String {
    format!("reason.{}", op.depth)
}

/// Whether two texts tell the same: a time that was measured differs from one monitor to the next.
fn same(a: &str, b: &str) -> bool {
    let words = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    words(a) == words(b)
}

/// What the last recurring monitor of this depth had to complain about.
pub fn last_reason(op: &Operation) -> Option<String> {
    op.state.read(&file(op))
}

/// Logs what came of `op`; `told` when a person at a terminal has just seen it.
pub fn log_outcome(op: &Operation, outcome: &Outcome, told: bool) {
    let level = if outcome.code == Code::Degraded { Level::Warning } else { Level::Error };
    if op.action != Action::Monitor {
        if let Some(reason) = outcome.reason.as_ref().filter(|_| !told) {
            op.log.write(level, &format!("{} failed: {reason}", op.action.name()));
        }
        return;
    }
    // Runs by hand and probes leave no trace: they are questions. What a passive node has to say, its agent says.
    if !op.is_recurring() || op.is_passive() {
        return;
    }
    let before = op.state.read::<String>(&file(op));
    match (&outcome.reason, before) {
        (Some(reason), before) if !before.as_ref().is_some_and(|before| same(before, reason)) => {
            op.log.write(level, &format!("monitor (exit code {}): {reason}", outcome.code));
            // Only beside a state folder that start made: a stopped resource leaves nothing.
            if op.state.folder().exists() {
                let _ = op.state.write(&file(op), reason);
            }
        }
        (None, Some(before)) if outcome.code == Code::Success => {
            op.log.info(&format!("ok again, was: {before}"));
            op.state.forget(&file(op));
        }
        _ => {}
    }
}

/// Logs `what` when it is new or another than before, and its end when there is nothing to say any more: for what is worth a
/// line in the log and changes no verdict.
pub fn once(op: &Operation, about: &str, what: Option<&str>) {
    let state = if op.is_passive() { State::passive(&op.instance) } else { op.state.clone() };
    let file = format!("said.{about}");
    let before = state.read::<String>(&file);
    match (what, before) {
        (Some(what), before) if !before.as_ref().is_some_and(|before| same(before, what)) => {
            op.log.warning(what);
            // On a passive node this is the only memory; elsewhere a stopped resource leaves nothing.
            if op.is_passive() || state.folder().exists() {
                let _ = state.write(&file, &what);
            }
        }
        (None, Some(before)) => {
            op.log.info(&format!("no longer: {before}"));
            state.forget(&file);
            if op.is_passive() {
                state.remove_if_empty();
            }
        }
        _ => {}
    }
}

/// Whether this is the first look at a passive node since the resource was stopped there. Pacemaker starts it elsewhere only when
/// that is over.
pub fn is_first_look(op: &Operation) -> bool {
    let state = State::passive(&op.instance);
    let is_first = state.read::<bool>(LOOKED).is_none();
    // Where nothing can be written it would be the first for ever.
    is_first && state.write(LOOKED, &true).is_ok()
}
