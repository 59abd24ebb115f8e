//! Parameters, plan and what keeps its source: the pure parts.

#![allow(clippy::unwrap_used)]

use std::net::IpAddr;

use super::config::Config;
use super::peers::{Peer, keep};
use super::plan::{Observed, Step, plan};
use super::rules::Found;
use super::spec::SPEC;
use crate::ocf::exit::Failure;
use crate::ocf::params::Params;

fn config(pairs: &[(&str, &str)]) -> Result<Config, Failure> {
    let mut params = Params::none(&SPEC);
    for (name, value) in pairs {
        params.set(name, value)?;
    }
    params.check()?;
    Config::new(&params)
}

#[test]
fn start_does_what_is_missing_and_no_more() {
    let equal = || Found::Equal { packets: 7 };
    let other = || Found::Differs("2 rules".to_owned());
    for (rules, guide_rules, other_backend, wanted) in [
        (equal(), 0, false, vec![]),
        (Found::Absent, 0, false, vec![Step::WriteRules]),
        (other(), 0, false, vec![Step::WriteRules]),
        (Found::Absent, 2, false, vec![Step::WriteRules, Step::RemoveGuideRules]),
        (equal(), 1, false, vec![Step::RemoveGuideRules]),
        (Found::Absent, 0, true, vec![Step::WriteRules, Step::RemoveOtherBackend]),
    ] {
        assert_eq!(plan(&Observed { rules, guide_rules, other_backend }), wanted);
    }
}

#[test]
fn networks_of_the_other_family_are_refused() {
    let failure = config(&[("virtual_ip", "10.20.1.10"), ("destinations", "10.0.0.0/8,fd00::/8")]).unwrap_err();
    assert_eq!(failure.reason, "parameter destinations: fd00::/8 is not IPv4 like virtual_ip 10.20.1.10");
    assert!(config(&[("virtual_ip", "fd00::10"), ("exclude", "10.0.0.1")]).unwrap_err().reason.contains("not IPv6"));
}

#[test]
fn addresses_that_cannot_be_a_source_are_refused() {
    for address in ["0.0.0.0", "127.0.0.1", "224.0.0.1", "::", "::1", "ff02::1"] {
        assert!(config(&[("virtual_ip", address)]).unwrap_err().reason.contains("cannot be the source"), "{address}");
    }
}

#[test]
fn peers_multicast_and_the_virtual_ip_keep_their_source() {
    let vip: IpAddr = "10.20.1.10".parse().unwrap();
    let peer = |node: &str, address: &str| Peer { node: node.to_owned(), address: address.parse().unwrap() };
    let peers = [peer("osm2", "192.168.100.12"), peer("osm2", "fd00::12")];
    let kept = keep(vip, &["10.20.1.0/25".parse().unwrap()], &peers);
    let covers = |address: &str| kept.iter().any(|net| net.contains(&address.parse::<IpAddr>().unwrap()));
    for address in
        ["10.20.1.10", "10.20.1.77", "192.168.100.12", "224.0.0.18", "255.255.255.255", "127.0.0.53", "169.254.1.1"]
    {
        assert!(covers(address), "{address}");
    }
    for address in ["192.168.100.13", "10.20.1.200", "8.8.8.8"] {
        assert!(!covers(address), "{address}");
    }
    assert!(kept.iter().all(|net| net.addr().is_ipv4()));
    let six = keep("fd00:20:1::10".parse().unwrap(), &[], &peers);
    assert!(six.iter().any(|net| net.contains(&"fd00::12".parse::<IpAddr>().unwrap())));
}
