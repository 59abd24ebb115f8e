//! What the questions of a monitor and the steps of a start cost. Not run by itself: figures of a busy host say nothing.

use std::time::{Duration, Instant};

use inuvika_ha::sys::source_nat::SourceNat;
use inuvika_ha::sys::{links, nft};
use ipnet::IpNet;

use super::support::Pair;
use super::wanted;

/// Prints medians of 101 runs: `cargo test --release --test netns figures -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stderr, reason = "its purpose")]
fn figures() {
    let few: Vec<IpNet> = ["10.0.0.0/8", "192.0.2.0/24", "198.51.100.7/32"].map(|net| net.parse().unwrap()).into();
    let many: Vec<IpNet> =
        (0..5000u32).map(|n| IpNet::new((0x0a00_0000 + n * 512).to_be_bytes().into(), 24).unwrap()).collect();
    for destinations in [few, many] {
        let here = Pair::new().here;
        let nat = SourceNat { destinations, ..wanted(false) };
        let other = SourceNat { name: "none".into(), ..nat.clone() };
        let nothing = || {};
        eprintln!("{} networks:", nat.destinations.len());
        here.enter(|| {
            median("apply", || assert!(nft::remove(&nat.name).is_ok()), || nft::apply(&nat).unwrap());
            median("replace", nothing, || nft::apply(&nat).unwrap());
            median("inspect", nothing, || drop(nft::inspect(&nat).unwrap()));
            median("inspect, absent", nothing, || drop(nft::inspect(&other).unwrap()));
            median("remove", || nft::apply(&nat).unwrap(), || assert!(nft::remove(&nat.name).is_ok()));
            median("foreign_snat", nothing, || drop(nft::foreign_snat(nat.to).unwrap()));
            median("holder", nothing, || drop(links::holder(nat.to).unwrap()));
            median("by_name", nothing, || drop(links::by_name("eth0").unwrap()));
        });
    }
}

#[allow(clippy::print_stderr, reason = "its purpose")]
fn median(what: &str, prepare: impl Fn(), code: impl Fn()) {
    let run = |_| {
        prepare();
        let begin = Instant::now();
        code();
        begin.elapsed()
    };
    let mut times: Vec<Duration> = (0..101).map(run).collect();
    times.sort();
    eprintln!("  {what:16} {:?}", times[50]);
}
