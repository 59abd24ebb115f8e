//! For any farm, health and table: the plan leads there by the fewest changes, and nobody who is well notices.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use proptest::prelude::*;

use super::drift;
use super::farm::Farm;
use super::kernel::Kernel;
use super::memory_kernel::MemoryKernel;
use super::plan::{Found, Wanted, plan, wanted};
use crate::sys::ipvs::{Change, Entry, Forwarding, Key, Persistence, Protocol, RealServer, Service};

fn key(number: u8) -> Key {
    Key::Address { protocol: Protocol::Tcp, address: IpAddr::from([192, 0, 2, number]), port: 80 }
}

fn plain(number: u8) -> Service {
    let (scheduler, scheduler_flags) = ("rr".to_owned(), [false; 3]);
    Service { key: key(number), scheduler, scheduler_flags, one_packet: false, persistence: None }
}

fn server(number: u8, weight: u32) -> RealServer {
    let (address, forwarding) = (IpAddr::from([10, 0, 0, number]), Forwarding::Nat);
    RealServer { address, port: 80, forwarding, weight, upper_threshold: 0, lower_threshold: 0 }
}

/// Scheduler, a flag, persistence.
type Said = (&'static str, bool, Option<u64>);

/// A table: services by number, servers by number. Numbers are few, so that tables often have the same ones.
fn tables() -> impl Strategy<Value = Table> {
    let service = (prop_oneof![Just("rr"), Just("wlc")], any::<bool>(), proptest::option::of(1u64..3));
    let one = (0u32..3, prop_oneof![3 => Just(Forwarding::Nat), 1 => Just(Forwarding::Direct)], 0u32..2);
    let servers = proptest::collection::btree_map(0u8..6, one, 0..6);
    proptest::collection::btree_map(0u8..4, (service, servers), 0..4).prop_map(|all| {
        let entry = |(number, (service, servers)): (u8, (Said, BTreeMap<u8, _>))| {
            let (scheduler, flag, timeout): Said = service;
            let persistence =
                timeout.map(|t| Persistence { timeout: Duration::from_secs(t), prefix: 32, engine: None });
            let scheduler_flags = [flag, false, false];
            let service = Service { scheduler: scheduler.into(), scheduler_flags, persistence, ..plain(number) };
            let real = |(n, (weight, forwarding, upper_threshold)): (u8, (u32, Forwarding, u32))| {
                (n, RealServer { forwarding, upper_threshold, ..server(n, weight) })
            };
            (number, (service, servers.into_iter().map(real).collect()))
        };
        all.into_iter().map(entry).collect()
    })
}

/// Services and their real servers, by number.
type Table = BTreeMap<u8, (Service, BTreeMap<u8, RealServer>)>;

fn kernel(table: &Table) -> MemoryKernel {
    let mut changes = Vec::new();
    for (service, servers) in table.values() {
        changes.push(Change::AddService(service.clone()));
        changes.extend(servers.values().map(|server| Change::AddServer(service.key, *server)));
    }
    let mut kernel = MemoryKernel::has(&changes);
    kernel.history.clear();
    kernel
}

fn wanted_of(table: &Table) -> Vec<Wanted> {
    let one = |(service, servers): &(Service, BTreeMap<u8, RealServer>)| Wanted {
        service: service.clone(),
        servers: servers.values().cloned().collect(),
        usable: servers.values().filter(|server| server.weight > 0).count(),
        is_sorry: false,
    };
    table.values().map(one).collect()
}

/// Things that are there or wanted and not the same: at least so many changes are needed.
fn differences(wanted: &Table, found: &Table, owned: &BTreeSet<Key>) -> usize {
    let mut count =
        found.values().filter(|(s, _)| owned.contains(&s.key) && !wanted.values().any(|(w, _)| w.key == s.key)).count();
    for (number, (service, servers)) in wanted {
        let none = BTreeMap::new();
        let (there, have) = found.get(number).map_or((None, &none), |(service, servers)| (Some(service), servers));
        count += usize::from(there != Some(service));
        let all: BTreeSet<_> = servers.keys().chain(have.keys()).collect();
        count += all.into_iter().filter(|n| servers.get(n) != have.get(n)).count();
    }
    count
}

fn takes(entries: &[Entry], key: Key) -> BTreeSet<IpAddr> {
    let entry = entries.iter().find(|entry| entry.service.key == key);
    entry.iter().flat_map(|e| &e.servers).filter(|(s, _)| s.weight > 0).map(|(s, _)| s.address).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_plan_is_complete_shortest_gentle_and_leaves_the_rest_alone(
        want in tables(), have in tables(), owned in proptest::collection::btree_set(0u8..4, 0..4), own in 0u8..7
    ) {
        let owned: BTreeSet<Key> = owned.into_iter().map(key).collect();
        let mut kernel = kernel(&have);
        let before = kernel.entries();
        let wanted = wanted_of(&want);
        let changes = plan(&wanted, &Found::new(&before), &owned);
        prop_assert_eq!(changes.len(), differences(&want, &have, &owned));
        prop_assert!(kernel.apply(&changes).unwrap().is_empty());

        let after = kernel.entries();
        for entry in &after {
            let number = want.iter().find(|(_, (service, _))| service.key == entry.service.key);
            match number {
                Some((_, (service, servers))) => {
                    prop_assert_eq!(service, &entry.service);
                    let listed: Vec<_> = entry.servers.iter().map(|(server, _)| *server).collect();
                    prop_assert_eq!(listed, servers.values().cloned().collect::<Vec<_>>());
                }
                None => {
                    prop_assert!(!owned.contains(&entry.service.key));
                    prop_assert!(before.contains(entry), "foreign services stay as they were");
                }
            }
        }
        let foreign = before.iter().filter(|e| !owned.contains(&e.service.key));
        prop_assert!(foreign.into_iter().all(|e| after.iter().any(|a| a.service.key == e.service.key)));
        prop_assert_eq!(plan(&wanted, &Found::new(&after), &owned), vec![], "a second plan is empty");

        for wanted in &wanted {
            let key = wanted.service.key;
            let well: BTreeSet<_> = takes(&before, key).intersection(&takes(&after, key)).copied().collect();
            let ever = !takes(&before, key).is_empty() && !takes(&after, key).is_empty();
            for (change, table) in &kernel.history {
                let now = takes(table, key);
                prop_assert!(well.is_subset(&now), "{:?} took one that is well away", change);
                prop_assert!(!ever || !now.is_empty(), "{:?} left nobody", change);
            }
        }

        // Listed as local or not, as one of the host's own addresses is: it is the same real server.
        kernel.local.insert(IpAddr::from([10, 0, 0, own]));
        prop_assert_eq!(plan(&wanted, &Found::new(&kernel.entries()), &owned), vec![]);
    }

    /// Any table at all, and a farm whose servers are up, down or unknown, drained or not.
    #[test]
    fn a_farm_gets_what_its_health_allows(
        have in tables(),
        up in proptest::collection::vec(proptest::option::of(any::<bool>()), 6),
        remove: bool, sorry: bool, drained in proptest::option::of(0u8..4),
    ) {
        let farm = farm(remove, sorry, drained);
        let mut kernel = kernel(&have);
        let before = kernel.entries();
        let found = Found::new(&before);
        let want = wanted(&farm, &up, &found);
        let changes = plan(&want, &found, &BTreeSet::new());
        prop_assert!(kernel.apply(&changes).unwrap().is_empty());
        let key = key(0);
        let (mut usable, mut usual) = (0, 0);
        for number in 0u8..4 {
            let address = IpAddr::from([10, 0, 0, number]);
            let had = before.iter().find(|e| e.service.key == key).and_then(|e| e.servers.iter().find(|(s, _)| s.address == address));
            let is_up = up[usize::from(number)].unwrap_or_else(|| had.is_some_and(|(s, _)| s.weight > 0));
            let weight = match (drained == Some(number), is_up) {
                (true, _) => Some(0),
                (false, true) => { usable += 1; Some(1) }
                (false, false) => (!remove).then_some(0),
            };
            usual += usize::from(weight.is_some());
            prop_assert_eq!(kernel.weight(key, address, 80), weight, "server {}", number);
        }
        let at_sorry = kernel.weight(key, IpAddr::from([10, 0, 0, 9]), 80);
        prop_assert_eq!(at_sorry, (sorry && usable == 0).then_some(1));
        prop_assert_eq!(want[0].usable, usable);
        prop_assert_eq!(want[0].servers.len(), usual + usize::from(at_sorry.is_some()));
    }
}

fn farm(remove: bool, sorry: bool, drained: Option<u8>) -> Farm {
    let (remove, sorry) = (if remove { "remove" } else { "quiesce" }, if sorry { "sorry = \"10.0.0.9\"" } else { "" });
    let text = format!(
        "on_failure = \"{remove}\"\n[[service]]\nvirtual = \"192.0.2.0:80\"\n{sorry}\nscheduler = \"rr\"\nreal = \"10.0.0.0-3\"\n"
    );
    let mut farm = Farm::from_toml(&text, "t").unwrap();
    if let Some(number) = drained {
        farm.drain(&format!("10.0.0.{number}")).unwrap();
    }
    farm
}

/// Steps of one service, in words.
fn steps(have: &[RealServer], want: &[RealServer]) -> Vec<String> {
    let mut table = vec![Change::AddService(plain(1))];
    table.extend(have.iter().map(|server| Change::AddServer(key(1), *server)));
    let entries = MemoryKernel::has(&table).entries();
    let wanted = Wanted { service: plain(1), servers: want.to_vec(), usable: 0, is_sorry: false };
    plan(&[wanted], &Found::new(&entries), &BTreeSet::new()).iter().map(super::name::change).collect()
}

#[test]
fn who_takes_connections_comes_first() {
    let sorry = server(9, 1);
    assert_eq!(
        steps(&[server(1, 1)], &[server(1, 0), sorry]),
        ["add 10.0.0.9:80 of tcp 192.0.2.1:80: nat, weight 1", "set 10.0.0.1:80 of tcp 192.0.2.1:80: nat, weight 0",]
    );
    assert_eq!(
        steps(&[server(1, 0), sorry], &[server(1, 1)]),
        ["set 10.0.0.1:80 of tcp 192.0.2.1:80: nat, weight 1", "delete 10.0.0.9:80 of tcp 192.0.2.1:80",]
    );
    assert_eq!(
        steps(&[server(1, 5), server(2, 1)], &[server(2, 5), server(3, 1)]),
        [
            "set 10.0.0.2:80 of tcp 192.0.2.1:80: nat, weight 5",
            "add 10.0.0.3:80 of tcp 192.0.2.1:80: nat, weight 1",
            "delete 10.0.0.1:80 of tcp 192.0.2.1:80",
        ]
    );
    assert_eq!(steps(&[server(1, 1)], &[server(1, 1)]), Vec::<String>::new());
}

#[test]
fn drift_is_told_in_words() {
    let left = kernel(&BTreeMap::from([(1, (plain(1), (1..5).map(|n| (n, server(n, 1))).collect()))]));
    let told = |change: &dyn Fn(&mut MemoryKernel), made: bool| {
        let mut kernel = left.clone();
        change(&mut kernel);
        let entries = kernel.entries();
        let found = Found::new(&entries);
        let wanted =
            [Wanted { service: plain(1), servers: (1..5).map(|n| server(n, 1)).collect(), usable: 4, is_sorry: false }];
        let back = plan(&wanted, &found, &BTreeSet::new());
        drift::lines(&back, &found, if made { &back } else { &[] })
    };
    let apply = |kernel: &mut MemoryKernel, change: Change| assert!(kernel.apply(&[change]).unwrap().is_empty());
    assert_eq!(
        told(&|k| k.table.clear(), true),
        ["service tcp 192.0.2.1:80 was missing with all its real servers: added"]
    );
    let gone = |k: &mut MemoryKernel| apply(k, Change::DeleteServer(key(1), IpAddr::from([10, 0, 0, 2]), 80));
    assert_eq!(told(&gone, true), ["real server 10.0.0.2:80 of tcp 192.0.2.1:80 was missing: added"]);
    assert_eq!(told(&gone, false), ["real server 10.0.0.2:80 of tcp 192.0.2.1:80 was missing"]);
    let other = |k: &mut MemoryKernel| apply(k, Change::EditServer(key(1), server(3, 7)));
    assert_eq!(told(&other, true), ["real server 10.0.0.3:80 of tcp 192.0.2.1:80 had weight 7: set back"]);
    let way = RealServer { forwarding: Forwarding::Direct, ..server(3, 1) };
    let way = |k: &mut MemoryKernel| apply(k, Change::EditServer(key(1), way));
    assert_eq!(told(&way, true), ["real server 10.0.0.3:80 of tcp 192.0.2.1:80 had other settings: set back"]);
    let more = |k: &mut MemoryKernel| apply(k, Change::AddServer(key(1), server(8, 1)));
    assert_eq!(told(&more, true), ["real server 10.0.0.8:80 of tcp 192.0.2.1:80 was there unasked: deleted"]);
    let wlc = Service { scheduler: "wlc".into(), ..plain(1) };
    let wlc = |k: &mut MemoryKernel| apply(k, Change::EditService(wlc.clone()));
    assert_eq!(told(&wlc, true), ["service tcp 192.0.2.1:80 had scheduler wlc: set back"]);
}
