//! Who the binary was called as decides what it is.

use std::process::ExitCode;

/// Runs the program.
pub fn run() -> ExitCode {
    crate::cli::run()
}
