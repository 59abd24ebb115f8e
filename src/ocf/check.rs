//! What a monitor found out: a list of checks, and the exit code they amount to.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::exit::Code;

/// The judgement of one check. The order is the order of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Works, but an administrator should know.
    Degraded,
    /// Not there at all, as after a clean stop.
    Stopped,
    /// There, and wrong.
    Failed,
}

impl Verdict {
    /// The exit code of a monitor whose heaviest verdict this is.
    pub fn code(self) -> Code {
        match self {
            Verdict::Ok => Code::Success,
            Verdict::Degraded => Code::Degraded,
            Verdict::Stopped => Code::NotRunning,
            Verdict::Failed => Code::Generic,
        }
    }

    /// The word in tables.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Degraded => "degraded",
            Verdict::Stopped => "stopped",
            Verdict::Failed => "failed",
        }
    }
}

/// One check.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What was looked at: one or two words.
    pub name: &'static str,
    /// The judgement.
    pub verdict: Verdict,
    /// What was seen, and for anything but ok what to do; one line.
    pub detail: String,
    /// Time it took.
    #[serde(rename = "took_ms", serialize_with = "as_ms")]
    pub took: Duration,
}

fn as_ms<S: serde::Serializer>(took: &Duration, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_f64((took.as_secs_f64() * 1e6).round() / 1e3)
}

impl Check {
    /// Runs `look` and times it.
    pub fn run(name: &'static str, look: impl FnOnce() -> (Verdict, String)) -> Self {
        let begin = Instant::now();
        let (verdict, detail) = look();
        Self { name, verdict, detail, took: begin.elapsed() }
    }
}

/// The heaviest check: it gives the exit code and the reason. None when all is well.
pub fn heaviest(checks: &[Check]) -> Option<&Check> {
    // max_by_key would take the last of equals; the first cause is the better reason.
    checks.iter().filter(|c| c.verdict != Verdict::Ok).reduce(|a, b| if b.verdict > a.verdict { b } else { a })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, verdict: Verdict) -> Check {
        Check::run(name, || (verdict, name.to_owned()))
    }

    #[test]
    fn the_first_of_the_heaviest_decides() {
        use Verdict::*;
        assert!(heaviest(&[check("a", Ok)]).is_none());
        let all = [check("a", Ok), check("b", Degraded), check("c", Failed), check("d", Failed), check("e", Stopped)];
        assert_eq!(heaviest(&all).map(|c| c.name), Some("c"));
        assert_eq!(heaviest(&all[..2]).map(|c| c.verdict.code()), Some(Code::Degraded));
    }
}
