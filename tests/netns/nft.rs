//! Source translation by nftables.

use inuvika_ha::sys::nft;
use inuvika_ha::sys::source_nat::{Found, SourceNat};
use ipnet::IpNet;

use super::support::{Namespace, Pair, Plan};
use super::{sources_are_right, still_talks, wanted};

/// What `inspect` says differs; empty when it says something else.
fn difference(namespace: &Namespace, nat: &SourceNat) -> String {
    match namespace.enter(|| nft::inspect(nat)).unwrap() {
        Found::Differs(text) => text,
        _ => String::new(),
    }
}

fn is_equal(namespace: &Namespace, nat: &SourceNat) -> bool {
    matches!(namespace.enter(|| nft::inspect(nat)).unwrap(), Found::Equal { .. })
}

#[test]
fn peers_see_the_virtual_address() {
    for v6 in [false, true] {
        let (pair, nat, plan) = (Pair::new(), wanted(v6), Plan::of(v6));
        let here = &pair.here;
        assert!(here.enter(nft::can_translate));
        assert_eq!(here.enter(|| nft::inspect(&nat)).unwrap(), Found::Absent);
        let (mut client, mut server, seen) = pair.connection(None, plan.peer);
        assert_eq!(seen, plan.own);

        here.enter(|| nft::apply(&nat)).unwrap();
        still_talks((&mut client, &mut server));
        assert_eq!(here.enter(|| nft::inspect(&nat)).unwrap(), Found::Equal { packets: 0 });
        sources_are_right(&pair, v6);
        assert_eq!(here.enter(|| nft::inspect(&nat)).unwrap(), Found::Equal { packets: 3 });
        let (mut rewritten, mut rewritten_server, _) = pair.connection(None, plan.peer);
        here.enter(|| nft::apply(&nat)).unwrap();
        still_talks((&mut rewritten, &mut rewritten_server));

        assert!(here.enter(|| nft::remove(&nat.name)).unwrap());
        assert!(!here.enter(|| nft::remove(&nat.name)).unwrap());
        assert_eq!(here.run("nft list ruleset"), "");
        assert_eq!(pair.tcp_source(plan.peer), plan.own);
        still_talks((&mut client, &mut server));
    }
}

#[test]
fn an_empty_list_of_destinations_is_everything() {
    for v6 in [false, true] {
        let (pair, plan) = (Pair::new(), Plan::of(v6));
        let nat = SourceNat { destinations: Vec::new(), ..wanted(v6) };
        pair.here.enter(|| nft::apply(&nat)).unwrap();
        assert_eq!(pair.tcp_source(plan.elsewhere), plan.vip);
        assert_eq!(pair.tcp_source(plan.kept), plan.own);
        let other_family = wanted(!v6).destinations;
        pair.here.enter(|| nft::apply(&SourceNat { destinations: other_family, ..nat })).unwrap();
        assert_eq!(pair.tcp_source(plan.peer), plan.own);
    }
}

#[test]
fn nft_reads_its_own_listing_again() {
    let networks = |list: &str| list.split(' ').map(|network| network.parse().unwrap()).collect::<Vec<IpNet>>();
    let cases = [
        (false, networks("0.0.0.0/0"), networks("255.255.255.255/32 224.0.0.0/4 10.0.0.1/32")),
        (false, Vec::new(), Vec::new()),
        (false, networks("10.0.0.0/8 240.0.0.0/4 0.0.0.0/8"), networks("255.255.255.255/32")),
        (true, networks("::/0"), networks("ff00::/8 fe80::/10 fd77::2/128")),
        (true, networks("2001:db8::/32 fd77::/64"), Vec::new()),
    ];
    for (v6, destinations, keep) in cases {
        let here = Namespace::new();
        let nat = SourceNat { destinations, keep, ..wanted(v6) };
        here.enter(|| nft::apply(&nat)).unwrap();
        let listing = here.run("nft list ruleset");
        assert!(listing.contains("type nat hook postrouting priority srcnat - 10; policy accept;"), "{listing}");
        assert!(listing.contains("tcp flags != syn / fin,syn,rst,ack return"), "{listing}");
        assert!(listing.contains("udp dport 5404-5412 return"), "{listing}");
        assert!(listing.contains(&format!("snat to {}", nat.to)), "{listing}");
        assert!(is_equal(&here, &nat), "{listing}");
        here.run("nft flush ruleset");
        here.nft(&listing);
        assert_eq!(difference(&here, &nat), "", "{listing}");
        assert!(is_equal(&here, &nat), "{listing}");
    }
}

#[test]
fn every_change_by_others_is_seen_and_repaired() {
    for v6 in [false, true] {
        let (here, nat, plan) = (Namespace::new(), wanted(v6), Plan::of(v6));
        let family = if v6 { "ip6" } else { "ip" };
        let table = format!("{family} inuvika_test");
        let snat =
            format!("oifname \"eth0\" {family} saddr != {} {family} daddr != @keep {family} daddr @dests", plan.vip);
        let hook = "type nat hook postrouting priority";
        let chain = |priority: &str, policy: &str| {
            format!(
                "delete chain {table} postrouting\nadd chain {table} postrouting {{ {hook} {priority}; policy {policy}; }}"
            )
        };
        let replace = |rule: &str| {
            format!(
                "flush chain {table} postrouting\nadd rule {table} postrouting meta l4proto tcp tcp flags & (fin|syn|rst|ack) != syn return\nadd rule {table} postrouting meta l4proto udp udp dport 5404-5412 return\nadd rule {table} postrouting {rule}"
            )
        };
        let kept = plan.kept;
        let cases = [
            (format!("add table {table} {{ flags dormant; }}"), "dormant"),
            (format!("delete chain {table} postrouting"), "chain postrouting is missing"),
            (chain("100", "accept"), "priority 100 instead of 90"),
            (chain("90", "drop"), "policy"),
            (
                format!(
                    "delete chain {table} postrouting\nadd chain {table} postrouting {{ type nat hook input priority 90; }}"
                ),
                "not of type nat at hook postrouting",
            ),
            (
                format!(
                    "delete chain {table} postrouting\nadd chain {table} postrouting {{ type filter hook postrouting priority 90; }}"
                ),
                "not of type nat",
            ),
            (format!("flush chain {table} postrouting"), "has 0 rules instead of 3"),
            (format!("add rule {table} postrouting accept"), "has 4 rules instead of 3"),
            (format!("insert rule {table} postrouting accept"), "has 4 rules instead of 3"),
            (replace(&format!("{snat} counter snat to {}", plan.own)), "the snat rule differs"),
            (replace(&format!("{snat} counter masquerade")), "the snat rule differs"),
            (replace(&format!("{snat} counter snat to {} random", plan.vip)), "the snat rule differs"),
            (replace(&format!("{snat} snat to {}", plan.vip)), "the snat rule differs"),
            (
                replace(&format!("{} counter snat to {}", snat.replace("eth0", "eth1"), plan.vip)),
                "the snat rule differs",
            ),
            (
                replace(&format!("{} counter snat to {}", snat.replace("!= @keep", "@keep"), plan.vip)),
                "the snat rule differs",
            ),
            (replace(&format!("meta l4proto tcp {snat} counter snat to {}", plan.vip)), "the snat rule differs"),
            (
                replace(&format!("{snat} counter snat to {}", plan.vip)).replace("5412", "5405"),
                "rule for udp ports differs",
            ),
            (
                replace(&format!("{snat} counter snat to {}", plan.vip)).replace("!= syn", "== syn"),
                "rule for open connections differs",
            ),
            (format!("delete element {table} keep {{ {kept} }}"), "set keep lacks"),
            (format!("add element {table} keep {{ {} }}", plan.elsewhere), "set keep has"),
            (format!("flush set {table} dests"), "set dests lacks"),
            (format!("add element {table} dests {{ {} }}", plan.elsewhere), "set dests has"),
            (format!("add chain {table} second"), "holds 4 chains and sets instead of 3"),
            (format!("add chain {table} second {{ {hook} 80; }}"), "holds 4 chains and sets instead of 3"),
            (format!("add set {table} more {{ type ipv4_addr; }}"), "set more is not ours"),
            (format!("add counter {table} number"), "holds 4 chains and sets instead of 3"),
            (format!("delete table {table}\nadd table {table}"), "chain postrouting is missing"),
        ];
        for (script, expected) in cases {
            here.enter(|| nft::apply(&nat)).unwrap();
            assert!(is_equal(&here, &nat), "before {script}");
            here.nft(&script);
            let found = difference(&here, &nat);
            assert!(found.contains(expected), "{script}: {found:?} does not say {expected:?}");
        }
        here.enter(|| nft::apply(&nat)).unwrap();
        here.nft(&format!("delete element {table} keep {{ {kept} }}"));
        assert!(difference(&here, &nat).contains(&kept.to_string()), "the address is named");
        here.run("nft flush ruleset");
        assert_eq!(here.enter(|| nft::inspect(&nat)).unwrap(), Found::Absent);
    }
}

#[test]
fn other_parameters_are_seen() {
    let (here, nat) = (Namespace::new(), wanted(false));
    here.enter(|| nft::apply(&nat)).unwrap();
    let others = [
        SourceNat { oif: "eth1".into(), ..nat.clone() },
        SourceNat { to: "10.77.0.11".parse().unwrap(), ..nat.clone() },
        SourceNat { keep: Vec::new(), ..nat.clone() },
        SourceNat { destinations: Vec::new(), ..nat.clone() },
        SourceNat { keep_udp_ports: (5404, 5413), ..nat.clone() },
    ];
    for other in others {
        assert_ne!(difference(&here, &other), "", "{other:?}");
    }
    assert_eq!(here.enter(|| nft::inspect(&wanted(true))).unwrap(), Found::Absent, "the other family has its own");
}

#[test]
fn tables_are_listed_and_removed_in_both_families() {
    let here = Namespace::new();
    for v6 in [false, true] {
        here.enter(|| nft::apply(&wanted(v6))).unwrap();
    }
    here.nft("add table ip other\nadd table inet inuvika_inet");
    let found = here.enter(|| nft::tables("inuvika_")).unwrap();
    assert_eq!(
        found.iter().map(|table| (table.v6, table.name.as_str())).collect::<Vec<_>>(),
        [(false, "inuvika_test"), (true, "inuvika_test")]
    );
    assert!(here.enter(|| nft::remove("inuvika_test")).unwrap());
    assert_eq!(here.enter(|| nft::tables("inuvika_")).unwrap(), []);
    assert_eq!(here.run("nft list tables"), "table ip other\ntable inet inuvika_inet\n");
}

#[test]
fn five_thousand_networks_fit() {
    for v6 in [false, true] {
        let here = Namespace::new();
        let network = |n: u32| -> IpNet {
            match v6 {
                false => IpNet::new((0x0a00_0000 + n * 512).to_be_bytes().into(), 24).unwrap(),
                true => {
                    IpNet::new(((0x2001_0db8_u128 << 96) | (u128::from(n) << 65)).to_be_bytes().into(), 64).unwrap()
                }
            }
        };
        let nat = SourceNat { destinations: (0..5000).map(network).collect(), ..wanted(v6) };
        here.enter(|| nft::apply(&nat)).unwrap();
        assert!(is_equal(&here, &nat), "{}", difference(&here, &nat));
        let family = if v6 { "ip6" } else { "ip" };
        let json: serde_json::Value =
            serde_json::from_str(&here.run(&format!("nft -j list set {family} inuvika_test dests"))).unwrap();
        assert_eq!(json["nftables"][1]["set"]["elem"].as_array().unwrap().len(), 5000);
        here.nft(&format!("delete element {family} inuvika_test dests {{ {} }}", network(4321)));
        assert!(difference(&here, &nat).contains(&network(4321).addr().to_string()));
    }
}

#[test]
fn others_that_translate_to_the_same_address_are_named() {
    for v6 in [false, true] {
        let (here, vip) = (Namespace::new(), Plan::of(v6).vip);
        let other = Plan::of(v6).own;
        let (family, iptables) = if v6 { ("ip6", "ip6tables-nft") } else { ("ip", "iptables-nft") };
        assert_eq!(here.enter(|| nft::foreign_snat(vip)).unwrap(), []);
        here.run(&format!("{iptables} -t nat -I POSTROUTING -o eth0 -j SNAT --to-source {vip}"));
        here.run(&format!("{iptables} -t nat -I POSTROUTING -o eth0 -j SNAT --to-source {other}"));
        let found = here.enter(|| nft::foreign_snat(vip)).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].chain.as_str(), found[0].v6), ("POSTROUTING", v6));
        here.nft(&format!("add rule {family} nat POSTROUTING oifname \"eth1\" counter snat to {vip}"));
        here.nft(&format!("add rule {family} nat POSTROUTING oifname \"eth1\" counter snat to {other}"));
        here.nft(&format!("add chain {family} nat PREROUTING {{ type nat hook prerouting priority -100; }}"));
        here.nft(&format!("add rule {family} nat PREROUTING iifname \"eth1\" dnat to {vip}"));
        let found = here.enter(|| nft::foreign_snat(vip)).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        let listing = here.run(&format!("nft -a list chain {family} nat POSTROUTING"));
        for rule in &found {
            assert!(listing.contains(&format!("# handle {}\n", rule.handle)), "{rule} is not in {listing}");
        }
    }
}
