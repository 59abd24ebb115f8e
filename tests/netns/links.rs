//! Links and addresses.

use std::time::{Duration, Instant};

use inuvika_ha::sys::links;

use super::support::{Namespace, Pair, Plan, connect};
use super::text;

#[test]
fn the_holder_is_the_link_and_not_the_label() {
    let pair = Pair::new();
    pair.here.ip("address add 10.78.0.1/20 dev eth0 label eth0:1");
    pair.here.ip("address add 10.79.0.1 peer 10.79.0.2/32 dev eth0");
    pair.here.enter(|| {
        for (address, prefix_len) in [("10.78.0.1", 20), ("10.77.0.10", 24), ("fd77::a", 128), ("10.79.0.1", 32)] {
            let found = links::holder(address.parse().unwrap()).unwrap().unwrap();
            assert_eq!((found.link.as_str(), found.prefix_len), ("eth0", prefix_len), "{address}");
            assert!(!found.tentative && !found.dad_failed);
            assert_eq!(found.index, links::by_name("eth0").unwrap().unwrap().index);
        }
        for absent in ["10.79.0.2", "10.77.0.2", "fd77::2"] {
            assert_eq!(links::holder(absent.parse().unwrap()).unwrap(), None, "{absent}");
        }
    });
}

#[test]
fn loopback_holds_an_address_only_when_nobody_else_does() {
    let pair = Pair::new();
    let vip = Plan::of(false).vip;
    pair.here.ip(&format!("address add {vip}/32 dev lo"));
    assert_eq!(pair.here.enter(|| links::holder(vip)).unwrap().unwrap().link, "eth0");
    assert_eq!(pair.here.enter(|| links::holders(vip)).unwrap().len(), 2);
    pair.here.ip(&format!("address del {vip}/24 dev eth0"));
    assert_eq!(pair.here.enter(|| links::holder(vip)).unwrap().unwrap().link, "lo");
}

#[test]
fn many_addresses_and_links_are_all_read() {
    let here = Namespace::new();
    connect(&here, "eth0", &here, "peer0");
    let script: String =
        (0..1500).map(|n| format!("address add 10.80.{}.{}/32 dev eth0\n", n / 250, n % 250 + 1)).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), script).unwrap();
    here.ip(&format!("-batch {}", file.path().display()));
    let last = "10.80.5.250".parse().unwrap();
    assert_eq!(here.enter(|| links::holder(last)).unwrap().unwrap().link, "eth0");
}

#[test]
fn links_are_as_ip_shows_them() {
    let here = Namespace::new();
    connect(&here, "eth0", &here, "peer0");
    here.ip("link add br0 type bridge");
    here.ip("tuntap add tunnel0 mode tun");
    here.ip("link set eth0 master br0");
    here.ip("link set peer0 down");
    here.ip("link set br0 arp off");
    let json: serde_json::Value = serde_json::from_str(&here.ip("-j link")).unwrap();
    let found = here.enter(links::links).unwrap();
    assert_eq!(json.as_array().unwrap().len(), found.len());
    for (shown, link) in json.as_array().unwrap().iter().zip(&found) {
        let mac = link.mac.map(|mac| mac.map(|byte| format!("{byte:02x}")).join(":"));
        assert_eq!(shown["ifname"], link.name.as_str());
        assert_eq!(shown["ifindex"], link.index);
        assert_eq!(shown["link_type"] == "ether", link.ethernet, "{shown}");
        assert_eq!(mac.is_none(), ["lo", "tunnel0"].contains(&link.name.as_str()), "{shown}");
        assert!(mac.is_none_or(|mac| shown["address"] == mac.as_str()), "{shown}");
        let flag = |name: &str| shown["flags"].as_array().unwrap().iter().any(|flag| flag == name);
        assert_eq!((flag("UP"), flag("LOWER_UP"), flag("NOARP")), (link.up, link.carrier, link.no_arp), "{shown}");
        assert_eq!(here.enter(|| links::by_name(&link.name)).unwrap().as_ref(), Some(link));
    }
    let bridge = found.iter().find(|link| link.name == "br0").unwrap().index;
    assert_eq!(found.iter().find(|link| link.name == "eth0").unwrap().master, Some(bridge));
}

#[test]
fn duplicate_address_detection_is_told() {
    let pair = Pair::new();
    let taken = Plan::of(true).peer;
    pair.here.ip(&format!("address add {}/64 dev eth0", text(taken)));
    let begin = Instant::now();
    let first = pair.here.enter(|| links::holder(taken)).unwrap().unwrap();
    assert!(first.tentative);
    loop {
        let found = pair.here.enter(|| links::holder(taken)).unwrap().unwrap();
        if found.dad_failed {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(5), "never failed: {found:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
