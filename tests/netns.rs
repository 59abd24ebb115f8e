//! `sys` against the kernel, in network namespaces that each test makes for itself. The judges are nft, ip and iptables,
//! and what a peer in the other namespace sees. Needs root.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test may panic")]

#[path = "support/netns.rs"]
mod support;

#[path = "netns/duplicate.rs"]
mod duplicate;
#[path = "netns/duties.rs"]
mod duties;
#[path = "netns/iptables.rs"]
mod iptables;
#[path = "netns/links.rs"]
mod links;
#[path = "netns/masquerade.rs"]
mod masquerade;
#[path = "netns/nft.rs"]
mod nft;
#[path = "netns/nft_races.rs"]
mod nft_races;

use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::Duration;

use inuvika_ha::ocf::deadline::Deadline;
use inuvika_ha::sys::source_nat::SourceNat;
use ipnet::IpNet;
use support::Plan;

/// What the tests ask for: the lower half of the plan's network is rewritten, without one address.
fn wanted(v6: bool) -> SourceNat {
    let plan = Plan::of(v6);
    let lower_half = IpNet::new(plan.own, if v6 { 121 } else { 25 }).unwrap();
    SourceNat {
        name: "inuvika_test".into(),
        oif: "eth0".into(),
        to: plan.vip,
        destinations: vec![lower_half],
        keep: vec![plan.kept.into(), if v6 { "ff00::/8" } else { "224.0.0.0/4" }.parse().unwrap()],
        keep_udp_ports: (5404, 5412),
    }
}

fn limit() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

/// Both directions of an open connection still work.
fn still_talks((client, server): (&mut TcpStream, &mut TcpStream)) {
    let mut byte = [0];
    for stream in [&mut *client, &mut *server] {
        stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    }
    client.write_all(b"q").unwrap();
    server.read_exact(&mut byte).unwrap();
    server.write_all(b"a").unwrap();
    client.read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"a");
}

/// The sources a peer sees while the rules of [`wanted`] hold.
fn sources_are_right(pair: &support::Pair, v6: bool) {
    let plan = Plan::of(v6);
    assert_eq!(pair.tcp_source(plan.peer), plan.vip, "new connection");
    assert_eq!(pair.tcp_source(plan.kept), plan.own, "excluded peer");
    assert_eq!(pair.tcp_source(plan.elsewhere), plan.own, "no destination");
    assert_eq!(pair.udp_source(plan.peer, 5405), plan.own, "corosync");
    assert_eq!(pair.udp_source(plan.peer, 5403), plan.vip, "port before the range");
    assert_eq!(pair.udp_source(plan.peer, 5413), plan.vip, "port after the range");
    assert_eq!(pair.connection(Some(plan.vip), plan.peer).2, plan.vip, "virtual address as source");
}

fn text(ip: IpAddr) -> String {
    ip.to_string()
}
