//! Source translation by iptables, in both variants of the tool.

use inuvika_ha::sys::iptables::{self, Tool, Variant};
use inuvika_ha::sys::source_nat::{Found, SourceNat};

use super::support::{Namespace, Pair, Plan};
use super::{limit, sources_are_right, still_talks, wanted};

const ALL: [(Variant, bool); 4] =
    [(Variant::Nft, false), (Variant::Nft, true), (Variant::Legacy, false), (Variant::Legacy, true)];

fn program(variant: Variant, v6: bool) -> String {
    format!("{}-{variant}", if v6 { "ip6tables" } else { "iptables" })
}

fn tool(variant: Variant, v6: bool) -> Tool {
    Tool::of(variant, v6, &limit()).unwrap().unwrap()
}

/// The rules that the tool itself lists, without policies and comments.
fn listed(namespace: &Namespace, variant: Variant, v6: bool) -> Vec<String> {
    let text = namespace.run(&format!("{} -t nat -S", program(variant, v6)));
    text.lines().filter(|line| line.starts_with("-A") || line.starts_with("-N")).map(str::to_owned).collect()
}

#[test]
fn peers_see_the_virtual_address() {
    for (variant, v6) in ALL {
        let (pair, nat, plan, tool) = (Pair::new(), wanted(v6), Plan::of(v6), tool(variant, v6));
        let here = &pair.here;
        assert_eq!(here.enter(|| tool.inspect(&nat, &limit())).unwrap(), Found::Absent);
        let (mut client, mut server, seen) = pair.connection(None, plan.peer);
        assert_eq!(seen, plan.own);

        here.enter(|| tool.apply(&nat, &limit())).unwrap();
        let once = listed(here, variant, v6);
        still_talks((&mut client, &mut server));
        sources_are_right(&pair, v6);
        assert_eq!(here.enter(|| tool.inspect(&nat, &limit())).unwrap(), Found::Equal { packets: 3 }, "{once:#?}");
        here.enter(|| tool.apply(&nat, &limit())).unwrap();
        assert_eq!(listed(here, variant, v6), once, "applied twice");

        assert!(here.enter(|| iptables::remove(&nat.name, &limit())).unwrap());
        assert!(!here.enter(|| iptables::remove(&nat.name, &limit())).unwrap());
        assert_eq!(listed(here, variant, v6), [""; 0]);
        assert_eq!(pair.tcp_source(plan.peer), plan.own);
    }
}

#[test]
fn every_change_by_others_is_seen_and_repaired() {
    for (variant, v6) in ALL {
        let (here, nat, tool) = (Namespace::new(), wanted(v6), tool(variant, v6));
        let iptables = format!("{} -t nat", program(variant, v6));
        let cases = [
            ("-F inuvika_test", "has 0 rules instead of"),
            ("-A inuvika_test -j RETURN", "rules instead of"),
            ("-D inuvika_test 2", "rules instead of"),
            ("-R inuvika_test 1 -o eth0 -j RETURN", "! -o eth0"),
            ("-D POSTROUTING 1", "0 jumps"),
            ("-A POSTROUTING -j inuvika_test", "2 jumps"),
            ("-I POSTROUTING 1 -j ACCEPT", "not the first rule"),
            ("-R POSTROUTING 1 -o eth1 -j inuvika_test", "not the first rule"),
        ];
        for (change, expected) in cases {
            here.enter(|| tool.apply(&nat, &limit())).unwrap();
            assert_eq!(here.enter(|| tool.inspect(&nat, &limit())).unwrap(), Found::Equal { packets: 0 });
            here.run(&format!("{iptables} {change}"));
            let found = here.enter(|| tool.inspect(&nat, &limit())).unwrap();
            let named = matches!(&found, Found::Differs(text) if text.contains(expected));
            assert!(named, "{iptables} {change}: {found:?} does not say {expected:?}");
        }
        here.run(&format!("{iptables} -F"));
        here.run(&format!("{iptables} -X"));
        assert_eq!(here.enter(|| tool.inspect(&nat, &limit())).unwrap(), Found::Absent);
    }
}

#[test]
fn halves_are_removed_too() {
    for (variant, v6) in ALL {
        let here = Namespace::new();
        let iptables = format!("{} -t nat", program(variant, v6));
        here.run(&format!("{iptables} -A POSTROUTING -d {} -j ACCEPT", Plan::of(v6).peer));
        let others = listed(&here, variant, v6);
        for half in [
            &["-N inuvika_test"][..],
            &["-N inuvika_test", "-I POSTROUTING -o eth7 -j inuvika_test", "-I POSTROUTING -j inuvika_test"],
        ] {
            for step in half {
                here.run(&format!("{iptables} {step}"));
            }
            assert!(here.enter(|| iptables::remove("inuvika_test", &limit())).unwrap());
            assert_eq!(listed(&here, variant, v6), others);
        }
    }
}

#[test]
fn two_writers_do_not_disturb_each_other() {
    for variant in [Variant::Nft, Variant::Legacy] {
        let (here, tool) = (Namespace::new(), tool(variant, false));
        std::thread::scope(|scope| {
            for number in [1, 2] {
                let nat = SourceNat { name: format!("inuvika_{number}"), ..wanted(false) };
                let (here, tool) = (&here, &tool);
                scope.spawn(move || {
                    here.enter(|| {
                        for _ in 0..15 {
                            tool.apply(&nat, &limit()).unwrap();
                            assert!(tool.remove(&nat.name, &limit()).unwrap());
                        }
                    });
                });
            }
        });
        assert_eq!(listed(&here, variant, false), [""; 0]);
    }
}

#[test]
fn thousands_of_networks_fit() {
    for variant in [Variant::Nft, Variant::Legacy] {
        let (here, tool) = (Namespace::new(), tool(variant, false));
        let networks =
            (0..2000u32).map(|n| ipnet::IpNet::new((0x0a00_0000 + n * 512).to_be_bytes().into(), 24).unwrap());
        let nat = SourceNat { destinations: networks.collect(), ..wanted(false) };
        here.enter(|| tool.apply(&nat, &limit())).unwrap();
        assert_eq!(here.enter(|| tool.inspect(&nat, &limit())).unwrap(), Found::Equal { packets: 0 });
    }
}

#[test]
fn the_guides_rules_of_both_variants_are_found_and_removed() {
    for v6 in [false, true] {
        let (here, plan) = (Namespace::new(), Plan::of(v6));
        for variant in [Variant::Nft, Variant::Legacy] {
            let iptables = format!("{} -t nat", program(variant, v6));
            let guide = |to: &str| {
                format!("{iptables} -I POSTROUTING -o eth0 -d {},{} -j SNAT --to-source {to}", plan.peer, plan.kept)
            };
            here.run(&guide(&plan.vip.to_string()));
            here.run(&guide(&plan.own.to_string()));
            here.run(&format!("{iptables} -N other"));
            here.run(&format!("{iptables} -A other -j SNAT --to-source {}", plan.vip));
            here.run(&format!("{iptables} -A POSTROUTING -o eth0 -j MASQUERADE"));
        }
        let before = [listed(&here, Variant::Nft, v6), listed(&here, Variant::Legacy, v6)];
        let stale = here.enter(|| iptables::stale_rules(plan.vip, &limit())).unwrap();
        assert_eq!(stale.len(), 4, "{stale:#?}");
        assert!(stale[0].to_string().contains(&format!("-j SNAT --to-source {}", plan.vip)), "{}", stale[0]);
        here.enter(|| iptables::remove_stale(&stale, &limit())).unwrap();
        assert_eq!(here.enter(|| iptables::stale_rules(plan.vip, &limit())).unwrap(), []);
        let to_vip = format!("--to-source {}", plan.vip);
        let after = before.map(|rules| {
            let others = rules.into_iter().filter(|rule| !(rule.contains("-A POSTROUTING") && rule.ends_with(&to_vip)));
            others.collect::<Vec<_>>()
        });
        assert_eq!([listed(&here, Variant::Nft, v6), listed(&here, Variant::Legacy, v6)], after);
        assert_eq!(after[0].len(), 5);
    }
}

/// Looking must not make tables, nor load the modules behind them.
#[test]
fn asking_leaves_no_trace() {
    let here = Namespace::new();
    here.enter(|| {
        for v6 in [false, true] {
            assert_eq!(iptables::stale_rules(Plan::of(v6).vip, &limit()).unwrap(), []);
            for variant in [Variant::Nft, Variant::Legacy] {
                assert_eq!(tool(variant, v6).inspect(&wanted(v6), &limit()).unwrap(), Found::Absent);
            }
        }
        assert!(!iptables::remove("inuvika_test", &limit()).unwrap());
    });
    assert_eq!(here.run("nft list tables"), "");
    assert_eq!(here.run("cat /proc/net/ip_tables_names /proc/net/ip6_tables_names"), "");
}

#[test]
fn the_usual_tool_works() {
    let (pair, nat) = (Pair::new(), wanted(false));
    pair.here.enter(|| iptables::apply(&nat, &limit())).unwrap();
    assert_eq!(pair.tcp_source(Plan::of(false).peer), Plan::of(false).vip);
    assert_eq!(pair.here.enter(|| iptables::inspect(&nat, &limit())).unwrap(), Found::Equal { packets: 1 });
}
