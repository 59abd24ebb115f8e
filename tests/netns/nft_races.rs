//! Source translation by nftables while others are at work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use inuvika_ha::sys::nft;
use inuvika_ha::sys::source_nat::{Found, SourceNat};
use ipnet::IpNet;

use super::support::{Namespace, Pair, Plan};
use super::wanted;

#[test]
fn replacing_leaves_no_moment_without_translation() {
    let (pair, nat, plan) = (Pair::new(), wanted(false), Plan::of(false));
    pair.here.enter(|| nft::apply(&nat)).unwrap();
    // The chain has to stay: see `nft::apply`.
    let chain = || {
        let listed = pair.here.run("nft -a list chains");
        listed.lines().find(|line| line.contains("chain postrouting")).unwrap().to_owned()
    };
    let before = chain();
    assert!(before.contains("# handle "), "{before}");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            pair.here.enter(|| (0..40).for_each(|_| nft::apply(&nat).unwrap()));
            done.store(true, Ordering::Relaxed);
        });
        let mut connections = 0;
        while !done.load(Ordering::Relaxed) {
            assert_eq!(pair.tcp_source(plan.peer), plan.vip, "after {connections} connections");
            connections += 1;
        }
        assert!(connections > 40, "only {connections} connections while the table was replaced 40 times");
    });
    assert_eq!(chain(), before);
}

#[test]
fn two_tables_do_not_disturb_each_other() {
    let here = Namespace::new();
    let nat =
        |number: u8| SourceNat { name: format!("inuvika_{number}"), to: [10, 77, 0, number].into(), ..wanted(false) };
    std::thread::scope(|scope| {
        for number in [1, 2] {
            let (here, nat) = (&here, nat(number));
            scope.spawn(move || {
                here.enter(|| {
                    for _ in 0..200 {
                        nft::apply(&nat).unwrap();
                        assert_eq!(nft::inspect(&nat).unwrap(), Found::Equal { packets: 0 });
                        assert!(nft::remove(&nat.name).unwrap());
                        assert_eq!(nft::inspect(&nat).unwrap(), Found::Absent);
                    }
                });
            });
        }
    });
    assert_eq!(here.run("nft list ruleset"), "");
}

/// A long list is read in pieces, between which the table may be replaced.
#[test]
fn a_table_that_is_being_replaced_looks_whole() {
    let here = Namespace::new();
    let networks = (0..5000u32).map(|n| IpNet::new((0x0a00_0000 + n * 512).to_be_bytes().into(), 24).unwrap());
    let nat = SourceNat { destinations: networks.collect(), ..wanted(false) };
    here.enter(|| nft::apply(&nat)).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            here.enter(|| {
                for _ in 0..60 {
                    nft::apply(&nat).unwrap();
                    std::thread::sleep(Duration::from_millis(10));
                }
            });
            done.store(true, Ordering::Relaxed);
        });
        here.enter(|| {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(nft::inspect(&nat).unwrap(), Found::Equal { packets: 0 });
            }
        });
    });
}
