//! Why a service did not do what it was asked.

use std::fmt;

/// Why there was no good answer. The texts are one line and never hold a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody answered from there: no route, refused, no answer in time, a name that does not resolve, or a server that
    /// breaks off before it has said anything of its own. Also a server that lets only this host not in: it may serve others.
    Unreachable(String),
    /// The server answered and refused: another host would hear the same. Also one whose certificate is not accepted.
    Refused(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unreachable(text) | Self::Refused(text)) = self;
        f.write_str(text)
    }
}
