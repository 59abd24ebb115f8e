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

/// What an attempt came to, without what everybody knows: the question and the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub verdict: Verdict,
    /// What happened, as "status 200"; the time is put behind it.
    pub text: String,
    /// Whether `text` says already how long it took.
    pub timed: bool,
}

impl Outcome {
    pub fn up(text: impl Into<String>) -> Self {
        Self { verdict: Verdict::Up, text: text.into(), timed: false }
    }

    pub fn down(text: impl Into<String>) -> Self {
        Self { verdict: Verdict::Down, text: text.into(), timed: false }
    }

    pub fn unknown(text: impl Into<String>) -> Self {
        Self { verdict: Verdict::Unknown, text: text.into(), timed: true }
    }

    /// It did not happen within its limit.
    pub fn late(what: &str, limit: Duration) -> Self {
        Self { verdict: Verdict::Down, text: format!("{what} within {}", span(limit)), timed: true }
    }

    /// The answer to what `asked` says.
    pub fn answer(self, asked: &str, took: Duration) -> Answer {
        let Self { verdict, text, timed } = self;
        let after = if timed { String::new() } else { format!(" after {}", span(took)) };
        Answer { verdict, detail: format!("{asked}: {text}{after}"), took }
    }
}

/// A time as people say it: "3 s", "2.5 s", "12 ms".
pub(super) fn span(time: Duration) -> String {
    match (time.as_secs(), time.subsec_millis() / 100) {
        (0, _) => format!("{} ms", time.as_millis()),
        (seconds, 0) => format!("{seconds} s"),
        (seconds, tenths) => format!("{seconds}.{tenths} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_line_with_its_time() {
        let took = Duration::from_micros(1_234);
        assert_eq!(
            Outcome::down("connection refused").answer("tcp a:1", took).detail,
            "tcp a:1: connection refused after 1 ms"
        );
        let late = Outcome::late("no answer", Duration::from_secs(3)).answer("tcp a:1", took);
        assert_eq!((late.detail.as_str(), late.is_down()), ("tcp a:1: no answer within 3 s", true));
        let unknown = Outcome::unknown("not asked: no time left").answer("tcp a:1", Duration::ZERO);
        assert!(!unknown.is_up() && !unknown.is_down());
        assert_eq!(unknown.detail, "tcp a:1: not asked: no time left");
    }

    #[test]
    fn times_are_short() {
        for (millis, text) in [(0, "0 ms"), (999, "999 ms"), (1000, "1 s"), (2549, "2.5 s"), (61_000, "61 s")] {
            assert_eq!(span(Duration::from_millis(millis)), text);
        }
    }
}
