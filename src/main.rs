//! The binary: see `multicall` for who it is called as.
//!
//! Its `main` is C's, without the preparations of Rust's standard library: to find the end of the stack, those read and parse
//! /proc/self/maps at each start, which costs a monitor a tenth of what /bin/true costs as a whole. What they do besides is
//! done here; only the text about a stack overflow is lost.
#![no_main]
#![allow(unsafe_code, reason = "symbols for the linker, and the only way to ignore a signal")]

use std::ffi::{c_char, c_int};
use std::fs::OpenOptions;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::panic::catch_unwind;
use std::process::exit;

use nix::sys::signal::{SigHandler, Signal, signal};

/// What the standard library ends with when `main` panics.
const PANICKED: i32 = 101;

/// The arguments are taken from the C library by `std::env`.
#[unsafe(no_mangle)]
extern "C" fn main(_count: c_int, _words: *const *const c_char) -> c_int {
    open_standard_streams();
    // SAFETY: no handler is installed, and no other thread exists yet.
    // Not ignored, a pipe that nobody reads any more would end the program without a word.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigIgn) };
    exit(catch_unwind(inuvika_ha::multicall::run).map_or(PANICKED, i32::from))
}

/// C's function, for a part of tokio that is linked and never runs here. Without it, loading a library for this one function
/// would cost each monitor a seventh of what /bin/true costs as a whole.
#[unsafe(no_mangle)]
extern "C" fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}

/// A file that is opened later must not become the standard output: a stream that the caller has closed leads nowhere.
fn open_standard_streams() {
    while let Ok(null) = OpenOptions::new().read(true).write(true).open("/dev/null") {
        // The first one beyond shows that all three are there, and closes again.
        if null.as_raw_fd() > 2 {
            return;
        }
        let _ = null.into_raw_fd();
    }
}
