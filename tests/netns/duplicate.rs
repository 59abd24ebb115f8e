//! Who else has an address.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use inuvika_ha::ocf::deadline::Deadline;
use inuvika_ha::sys::duplicate::{Mac, other_holder};
use inuvika_ha::sys::links;

use super::limit;
use super::support::{Namespace, Pair, Plan, connect};

/// Asks on a link, with all of the host's hardware addresses as own; and the time it took.
fn ask(namespace: &Namespace, link: &str, address: IpAddr) -> (Option<Mac>, Duration) {
    namespace.enter(|| {
        let own = links::local_macs().unwrap();
        let link = links::by_name(link).unwrap().unwrap();
        let begin = Instant::now();
        (other_holder(&link, address, &own, &limit()).unwrap(), begin.elapsed())
    })
}

/// The quickest of five: a busy machine makes one slow, not all of them.
fn quickest(ask: impl Fn() -> (Option<Mac>, Duration)) -> (Option<Mac>, Duration) {
    (0..5).map(|_| ask()).min_by_key(|(_, took)| *took).unwrap()
}

fn mac(namespace: &Namespace, link: &str) -> Option<Mac> {
    namespace.enter(|| links::by_name(link)).unwrap().unwrap().mac
}

#[test]
fn another_host_is_found_and_an_own_address_is_not() {
    let pair = Pair::new();
    for v6 in [false, true] {
        let plan = Plan::of(v6);
        let (found, took) = quickest(|| ask(&pair.here, "eth0", plan.peer));
        assert_eq!(found, mac(&pair.there, "peer0"), "v6 {v6}");
        assert!(found.is_some() && took < Duration::from_millis(150), "{took:?}: not at the first answer");
        let (found, took) = ask(&pair.here, "eth0", plan.vip);
        assert_eq!(found, None, "v6 {v6}");
        assert!(took >= Duration::from_millis(240) && took < Duration::from_secs(3), "{took:?}");
    }
}

#[test]
fn an_address_that_both_have_is_found() {
    let pair = Pair::new();
    for v6 in [false, true] {
        let vip = Plan::of(v6).vip;
        pair.there.address(&format!("{vip}/{}", if v6 { 128 } else { 32 }), "peer0");
        assert_eq!(ask(&pair.here, "eth0", vip).0, mac(&pair.there, "peer0"), "v6 {v6}");
        assert_eq!(ask(&pair.there, "peer0", vip).0, mac(&pair.here, "eth0"), "v6 {v6}");
    }
}

#[test]
fn asking_changes_nobodys_neighbour_table() {
    let pair = Pair::new();
    pair.there.ip("neigh flush all");
    ask(&pair.here, "eth0", Plan::of(false).peer);
    assert_eq!(pair.there.ip("-4 neigh"), "");
}

#[test]
fn an_unasked_announcement_counts() {
    let pair = Pair::new();
    let vip = Plan::of(false).vip;
    pair.there.address(&format!("{vip}/32"), "peer0");
    pair.there.run("sysctl -qw net.ipv4.conf.all.arp_ignore=8");
    assert_eq!(ask(&pair.here, "eth0", vip).0, None, "it answers nobody");
    std::thread::scope(|scope| {
        scope.spawn(|| pair.there.run(&format!("arping -q -U -c 3 -I peer0 {vip}")));
        let found = (0..8).find_map(|_| ask(&pair.here, "eth0", vip).0);
        assert_eq!(found, mac(&pair.there, "peer0"));
    });
}

/// A host with two links on one segment answers on both for all of its addresses (the kernel's default).
#[test]
fn this_host_is_no_other_host() {
    let (here, switch) = (Namespace::new(), Namespace::new());
    switch.ip("link add br0 type bridge");
    switch.ip("link set br0 up");
    for port in [0, 1] {
        connect(&here, &format!("eth{port}"), &switch, &format!("port{port}"));
        switch.ip(&format!("link set port{port} master br0"));
    }
    here.run("sysctl -qw net.ipv4.conf.all.rp_filter=0");
    for (address, length) in [("10.77.0.10", 24), ("fd77::a", 64)] {
        here.address(&format!("{address}/{length}"), "eth0");
        let address: IpAddr = address.parse().unwrap();
        let second = here.enter(|| links::by_name("eth1")).unwrap().unwrap();
        let first = mac(&here, "eth0");
        let without_list = here.enter(|| other_holder(&second, address, &[], &limit())).unwrap();
        assert_eq!(without_list, first, "the second link hears the first one answer for {address}");
        assert_eq!(ask(&here, "eth1", address).0, None, "{address}");
    }
}

#[test]
fn links_without_neighbours_are_not_asked() {
    let pair = Pair::new();
    pair.here.ip("tuntap add tunnel0 mode tun");
    pair.here.ip("link set tunnel0 up");
    connect(&pair.here, "eth1", &pair.there, "peer1");
    pair.here.ip("link set eth1 arp off");
    pair.there.ip("link set peer0 down");
    for link in ["lo", "tunnel0", "eth0", "eth1"] {
        let (found, took) = quickest(|| ask(&pair.here, link, Plan::of(false).peer));
        assert_eq!(found, None, "{link}");
        assert!(took < Duration::from_millis(100), "{link}: {took:?}");
    }
}

#[test]
fn the_deadline_ends_the_question() {
    let pair = Pair::new();
    let link = pair.here.enter(|| links::by_name("eth0")).unwrap().unwrap();
    let vip = Plan::of(false).vip;
    pair.here.enter(|| {
        let (found, took) = quickest(|| {
            let begin = Instant::now();
            (other_holder(&link, vip, &[], &Deadline::after(Duration::from_millis(60))).unwrap(), begin.elapsed())
        });
        assert!(found.is_none() && took < Duration::from_millis(140), "{took:?}");
        let error = other_holder(&link, vip, &[], &Deadline::after(Duration::ZERO)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    });
}
