//! Exit codes: decided here and nowhere else.
//!
//! OCF Resource Agent API 1.1, "Return codes". What Pacemaker makes of each depends on the action: a recurring monitor
//! that returns 2, 4, 5 or 6 bans the node (or every node) at once, so those are for what is wrong before anything runs.

use std::fmt;

/// An OCF exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// The action succeeded; for monitor: running.
    Success = 0,
    /// Something is wrong here and now: Pacemaker recovers in place.
    Generic = 1,
    /// Wrong arguments on this host.
    Args = 2,
    /// This action does not exist.
    Unimplemented = 3,
    /// Not allowed to.
    Permission = 4,
    /// The software is not installed here: Pacemaker tries elsewhere.
    NotInstalled = 5,
    /// The parameters are wrong on every node.
    NotConfigured = 6,
    /// Cleanly stopped.
    NotRunning = 7,
    /// Running, but something an administrator should know of. Needs crm_feature_set 3.6.1 or later.
    Degraded = 190,
}

impl Code {
    /// What the code means, for a person who ran the action by hand.
    pub fn meaning(self) -> &'static str {
        match self {
            Code::Success => "ok",
            Code::Generic => "failed: Pacemaker would stop it and start it again",
            Code::Args => "wrong arguments on this node",
            Code::Unimplemented => "no such action",
            Code::Permission => "not permitted: run it as root",
            Code::NotInstalled => "not installed: Pacemaker would use another node",
            Code::NotConfigured => "wrong parameters: Pacemaker would stop it on every node",
            Code::NotRunning => "not running (a clean stop)",
            Code::Degraded => "running but degraded: Pacemaker lists the reason and moves nothing",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", *self as u8)
    }
}

/// Why an action did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub code: Code,
    /// One line: what, where, how long, hint.
    pub reason: String,
}

impl Failure {
    /// A failure with `code`.
    pub fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// Something is wrong here and now (1).
    pub fn generic(reason: impl Into<String>) -> Self {
        Self::new(Code::Generic, reason)
    }

    /// A parameter is missing or wrong, whatever the node (6).
    pub fn configured(reason: impl Into<String>) -> Self {
        Self::new(Code::NotConfigured, reason)
    }

    /// Which failure an I/O error is: no permission is 4, everything else 1.
    pub fn io(act: &str, error: &std::io::Error) -> Self {
        let code = match error.kind() {
            std::io::ErrorKind::PermissionDenied => Code::Permission,
            _ => Code::Generic,
        };
        Self::new(code, format!("{act}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// Longest exit reason Pacemaker keeps, in bytes (lib/services/services_linux.c).
pub const REASON_MAX: usize = 128;

/// `text` as one line of at most [`REASON_MAX`] bytes: control characters become spaces, what is too long ends in "...".
pub fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.trim();
    if line.len() <= REASON_MAX {
        return line.to_owned();
    }
    let mut end = REASON_MAX - 3;
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &line[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_that_pacemaker_keeps_whole() {
        assert_eq!(one_line(" a\nb\tc "), "a b c");
        let long = one_line(&"é".repeat(100));
        assert!(long.len() <= REASON_MAX && long.ends_with("..."), "{long}");
        assert_eq!(one_line(&"x".repeat(128)).len(), 128);
    }
}
