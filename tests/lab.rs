//! The lab proves itself: a cluster forms, fails over, fences and recovers, and nothing is left behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod support;

use support::lab::{Lab, enter};

fn main() {
    enter();
    let lab = Lab::new(&["osm1", "osm2", "pcs3"]).unwrap();
    print!("{}", lab.how_to_enter());
    std::thread::sleep(std::time::Duration::from_secs(1));
}
