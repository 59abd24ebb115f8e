//! Listings as the tools print them.

use super::*;

fn example() -> SourceNat {
    SourceNat {
        name: "inuvika_vip".into(),
        oif: "eth0".into(),
        to: "192.0.2.10".parse().unwrap(),
        destinations: vec!["10.0.0.0/8".parse().unwrap(), "198.51.100.7/32".parse().unwrap()],
        keep: vec!["192.0.2.2/32".parse().unwrap()],
        keep_udp_ports: (5404, 5412),
    }
}

/// What iptables 1.8 prints for [`example`].
const LISTING: &str = r#"-P PREROUTING ACCEPT -c 0 0
-P POSTROUTING ACCEPT -c 5 300
-N inuvika_vip
-A POSTROUTING -c 9 540 -j inuvika_vip
-A POSTROUTING -d 10.0.0.0/8 -o eth1 -m comment --comment "a \"b -j X" -c 0 0 -j MASQUERADE
-A inuvika_vip ! -o eth0 -c 0 0 -j RETURN
-A inuvika_vip -s 192.0.2.10/32 -c 0 0 -j RETURN
-A inuvika_vip -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -c 0 0 -j RETURN
-A inuvika_vip -p udp -m udp --dport 5404:5412 -c 0 0 -j RETURN
-A inuvika_vip -d 192.0.2.2/32 -c 0 0 -j RETURN
-A inuvika_vip -d 10.0.0.0/8 -c 3 180 -j SNAT --to-source 192.0.2.10
-A inuvika_vip -d 198.51.100.7/32 -c 4 240 -j SNAT --to-source 192.0.2.10
"#;

fn compared(listing: &str) -> Found {
    compare(&example(), &Listing::parse(listing))
}

#[test]
fn a_complete_listing_is_equal_and_its_packets_are_summed() {
    assert_eq!(compared(LISTING), Found::Equal { packets: 7 });
    let older = LISTING.replace("-p tcp -m tcp ! --tcp-flags", "-m tcp -p tcp ! --tcp-flags");
    assert_eq!(compared(&older), Found::Equal { packets: 7 }, "the order of options does not count");
    assert_eq!(compared("-P POSTROUTING ACCEPT\n"), Found::Absent);
}

#[test]
fn every_change_is_seen() {
    let without = |part: &str| LISTING.lines().filter(|line| !line.contains(part)).map(|l| format!("{l}\n")).collect();
    let jump = "-A POSTROUTING -c 9 540 -j inuvika_vip\n";
    let swapped = format!("{}{jump}", without("-c 9 540"));
    let cases: [(String, &str); 8] = [
        (without("-d 10.0.0.0/8 -c 3"), "has 6 rules instead of 7"),
        (format!("{LISTING}-A inuvika_vip -j RETURN\n"), "has 8 rules instead of 7"),
        (LISTING.replace("--dport 5404:5412", "--dport 5404:5405"), "--dport 5404:5412"),
        (LISTING.replace("! -o eth0", "-o eth0"), "! -o eth0"),
        (LISTING.replace("--to-source 192.0.2.10\n", "--to-source 192.0.2.11\n"), "-j SNAT --to-source 192.0.2.10"),
        (without("-c 9 540"), "0 jumps"),
        (format!("{LISTING}{jump}"), "2 jumps"),
        (swapped, "not the first rule"),
    ];
    for (listing, expected) in cases {
        let found = compared(&listing);
        let named = matches!(&found, Found::Differs(text) if text.contains(expected));
        assert!(named, "{found:?} does not say {expected:?}");
    }
}

#[test]
fn rules_are_deleted_as_they_were_printed() {
    let listing = Listing::parse(LISTING);
    let masquerading = listing.rules_of(HOOK).nth(1).unwrap();
    let text = "-D POSTROUTING -d 10.0.0.0/8 -o eth1 -m comment --comment \"a \\\"b -j X\" -j MASQUERADE\n";
    assert_eq!(masquerading.deletion(), text);
    assert_eq!(masquerading.target(), Some("MASQUERADE"), "an option inside quotes is a value");
    assert_eq!(masquerading.value("--comment"), Some("a \"b -j X"));
    assert_eq!(Rule::parse("-A X --comment \"open"), None);
    assert_eq!(Rule::parse("-A"), None);
}

#[test]
fn chain_names_fit_and_differ() {
    assert_eq!(chain("inuvika_vip"), "inuvika_vip");
    let long = |last| chain(&format!("inuvika_vip_of_a_very_long_instance_{last}"));
    assert_eq!(long(1).len(), CHAIN_NAME);
    assert_ne!(long(1), long(2));
    assert_eq!(long(1), chain("inuvika_vip_of_a_very_long_instance_1"));
}
