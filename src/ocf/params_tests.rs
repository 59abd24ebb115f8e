//! Values by kind.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::agents::ovd_vip_src::spec::SPEC;

fn params(pairs: &[(&str, &str)]) -> Params {
    let mut params = Params::none(&SPEC);
    for (name, value) in pairs {
        params.set(name, value).unwrap();
    }
    params
}

#[test]
fn each_wrong_value_is_named_with_what_is_allowed() {
    for (name, value, part) in [
        ("virtual_ip", "10.20.1.300", "'10.20.1.300' is not an IPv4 or IPv6 address"),
        ("virtual_ip", "10.20.1.10/24", "without prefix length"),
        ("virtual_ip", "", "virtual_ip is required"),
        ("nic", "eth0:1", "network link"),
        ("nic", "name-of-20-bytes-long", "network link"),
        ("nic", "a b", "network link"),
        ("destinations", "10.0.0.0/33", "networks (CIDR)"),
        ("destinations", ", ,", "networks (CIDR)"),
        ("destinations", "10.0.0.0/8; rm -rf /", "networks (CIDR)"),
        ("backend", "nft", "one of auto, nftables, iptables"),
        ("arp_check", "maybe", "yes or no"),
        ("trace_file", "relative", "absolute path"),
    ] {
        let mut all = params(&[("virtual_ip", "10.20.1.10")]);
        all.set(name, value).unwrap();
        let failure = all.check().unwrap_err();
        assert_eq!(failure.code, super::super::exit::Code::NotConfigured);
        assert!(failure.reason.contains(part), "{name}={value}: {failure}");
        assert!(failure.reason.len() <= 128, "{failure}");
    }
}

#[test]
fn an_unknown_name_is_refused() {
    assert!(Params::none(&SPEC).set("virtualip", "10.0.0.1").unwrap_err().reason.contains("no parameter 'virtualip'"));
}

#[test]
fn networks_take_commas_spaces_and_plain_addresses() {
    let all = params(&[("destinations", " 10.1.2.3, 10.20.1.77/24\tfd00::/8 ")]).networks("destinations").unwrap();
    assert_eq!(all.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.1.2.3/32", "10.20.1.0/24", "fd00::/8"]);
}

#[test]
fn an_empty_value_is_the_default() {
    let all = params(&[("virtual_ip", "10.20.1.10"), ("backend", ""), ("arp_check", "")]);
    all.check().unwrap();
    assert_eq!(all.text("backend"), Some("auto"));
    assert!(all.boolean("arp_check").unwrap());
}

#[test]
fn booleans_and_seconds_are_what_pacemaker_writes() {
    for (text, value) in [("TRUE", Some(true)), ("On", Some(true)), ("0", Some(false)), ("", None), ("2", None)] {
        assert_eq!(boolean(text), value, "{text}");
    }
    for (text, value) in [("5", Some(5)), ("5s", Some(5)), ("2min", Some(120)), ("5ms", None), ("-1", None), ("", None)]
    {
        assert_eq!(seconds(text), value, "{text}");
    }
}
