//! The moment an action has to be over, and the share of it that a step may use.
//!
//! Pacemaker kills the whole process group with SIGKILL when an operation's timeout ends: the reason is lost and half of
//! the work stays. So an action ends by itself before that moment.

use std::time::{Duration, Instant};

/// Used when the caller gives no timeout (manual runs, some command line tools).
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);

/// The moment by which an action has to be over.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    started: Instant,
    at: Instant,
}

impl Deadline {
    /// The deadline of an operation that began at `started` and that its caller kills after `timeout`: one tenth of it
    /// earlier, at least 1 s, at most 3 s. Timeouts below 2 s keep half of themselves.
    pub fn of_operation(started: Instant, timeout: Duration) -> Self {
        let reserve = (timeout / 10).clamp(Duration::from_secs(1), Duration::from_secs(3)).min(timeout / 2);
        Self { started, at: started + timeout.saturating_sub(reserve) }
    }

    /// A deadline `limit` from now.
    pub fn after(limit: Duration) -> Self {
        let now = Instant::now();
        Self { started: now, at: now + limit }
    }

    /// The earlier of this deadline and `limit` from now: what one step may use.
    pub fn within(&self, limit: Duration) -> Self {
        let now = Instant::now();
        Self { started: now, at: self.at.min(now + limit) }
    }

    /// Time left; zero when it is over.
    pub fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Whether it is over.
    pub fn passed(&self) -> bool {
        self.left().is_zero()
    }

    /// Time used since the operation began.
    pub fn used(&self) -> Duration {
        self.started.elapsed()
    }

    /// The whole span, from begin to deadline.
    pub fn span(&self) -> Duration {
        self.at.duration_since(self.started)
    }

    /// Sleeps for `pause`, but not past the deadline; false when the deadline is reached.
    pub fn sleep(&self, pause: Duration) -> bool {
        std::thread::sleep(pause.min(self.left()));
        !self.passed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserve_is_a_tenth_between_one_and_three_seconds() {
        let start = Instant::now();
        for (timeout_ms, span_ms) in
            [(20_000, 18_000), (10_000, 9_000), (5_000, 4_000), (100_000, 97_000), (1_000, 500), (0, 0)]
        {
            let deadline = Deadline::of_operation(start, Duration::from_millis(timeout_ms));
            assert_eq!(deadline.span(), Duration::from_millis(span_ms), "timeout {timeout_ms} ms");
        }
    }

    #[test]
    fn a_step_never_gets_more_than_is_left() {
        let whole = Deadline::after(Duration::from_millis(50));
        assert!(whole.within(Duration::from_secs(9)).left() <= Duration::from_millis(50));
        assert!(whole.within(Duration::from_millis(5)).left() <= Duration::from_millis(5));
    }
}
