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
    for (text, value) in [("5", Some(5)), ("5s", Some(5)), ("2min", Some(120)), ("4h", Some(14400)), ("90", Some(90))] {
        assert_eq!(seconds(text), value, "{text}");
    }
    for bad in ["", "h", "10 parsecs", "-1s", "1.5h", "5ms", "99999999999999999999h"] {
        assert_eq!(seconds(bad), None, "{bad}");
    }
}

#[test]
fn every_kind() {
    let seconds = Kind::Seconds { min: 1, max: 60 };
    let table: &[(Kind, &[&str], &[&str])] = &[
        (Kind::Text, &["a b", ""], &["a\nb"]),
        (Kind::Integer { min: 1, max: 9 }, &["1", "9"], &["0", "10", "x", "1.0"]),
        (seconds, &["5", "5s", "1min"], &["0", "61s", "soon"]),
        (Kind::Boolean, &["yes", "OFF"], &["maybe"]),
        (Kind::Select(&["a", "b"]), &["a"], &["A", "c"]),
        (Kind::Address, &["10.0.0.1", "fd00::1"], &["10.0.0.1/24", "host"]),
        (Kind::Networks, &["10.0.0.0/8", "10.0.0.1,fd00::/8", "10.0.0.1 10.0.0.2"], &["10.0.0.0/33", "host"]),
        (Kind::Link, &["eth0", "br-ovd.10"], &["a/b", "a b", "sixteen-bytes-xx", "."]),
        (Kind::Path, &["/etc/x"], &["etc/x"]),
    ];
    for (kind, good, bad) in table {
        for value in *good {
            assert!(fits(*kind, value), "{kind:?} {value}");
        }
        for value in *bad {
            assert!(!fits(*kind, value), "{kind:?} {value}");
        }
    }
}
