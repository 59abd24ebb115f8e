//! Output that never panics: a closed pipe must not turn an answer into exit code 101 (uutils and sudo ban println! too).

use std::io::Write;

/// Writes to standard output; false when nobody reads any more.
pub fn stdout(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

/// Writes to standard error; nobody can be told when that fails.
pub fn stderr(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
