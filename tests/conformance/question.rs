//! What a question is, and how it is answered.

use crate::fixture::Fixture;
use crate::support::subject::Subject;

/// One question; Err says what was wrong.
pub type Question = (&'static str, fn(&Fixture) -> Result<(), String>);

/// `Err` when `condition` does not hold.
pub fn ensure(condition: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(what()) }
}

/// `Err` when an action ended otherwise than wanted.
pub fn expect(subject: &Subject, action: &str, wanted: &[i32]) -> Result<(), String> {
    let run = subject.run(action);
    ensure(wanted.contains(&run.code), || format!("{action} gave {run}, wanted {wanted:?}"))
}

/// Whether the long form is asked for.
pub fn is_full() -> bool {
    std::env::var_os("INUVIKA_TEST_FULL").is_some()
}
