//! What a question came to.

use std::time::Duration;

/// What an answer says of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It does what it was asked for.
    Up,
    /// It does not.
    Down,
    /// It was not asked, or this host could not ask: that says nothing of it and counts neither way.
    Unknown,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What it says of the server.
    pub verdict: Verdict,
    /// One line: what was asked, where, what came of it, how long that took.
    pub detail: String,
    /// How long it took; zero when it was not asked.
    pub took: Duration,
}

impl Answer {
    /// Whether the server is well.
    pub fn is_up(&self) -> bool {
        self.verdict == Verdict::Up
    }

    /// Whether the server was asked and is not well. Neither this nor [`Answer::is_up`] holds when nothing is known.
    pub fn is_down(&self) -> bool {
        self.verdict == Verdict::Down
    }
}
