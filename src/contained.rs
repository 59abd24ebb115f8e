//! Libraries that panic: their defects must not end an action, least of all a stop.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Runs code of others; `None` when it panicked. The program's panic hook stays silent and does not end the program then.
pub fn run<T>(work: impl FnOnce() -> T) -> Option<T> {
    let before = CONTAINED.replace(true);
    // What a panic may leave half done belongs to the library's own objects, which end here.
    let result = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(before);
    result.ok()
}

/// Whether a panic of this thread is caught by [`run`].
pub fn is_contained() -> bool {
    CONTAINED.get()
}

#[cfg(test)]
mod tests {
    #[test]
    #[allow(clippy::panic, reason = "that is what it is for")]
    fn a_panic_is_a_missing_answer() {
        assert_eq!(super::run(|| 1), Some(1));
        assert_eq!(super::run(|| -> u8 { panic!("of a library") }), None);
        assert!(!super::is_contained());
    }
}
