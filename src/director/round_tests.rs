//! Rounds one after the other, with a table that somebody may change between.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use super::farm::Farm;
use super::health;
use super::kernel::Kernel;
use super::report::{Role, State as Health};
use super::round::{is_due, look};
use super::test_world::{FARM, World, service, words};
use crate::ocf::check::Verdict;
use crate::sys::ipvs::{Change, RealServer, Service};

#[test]
fn the_first_answer_decides_and_then_it_takes_two() {
    let mut world = World::new(FARM);
    world.down.insert("10.0.0.3:443".into());
    let report = world.round();
    assert_eq!((world.asked, report.changes.len(), report.healthy, report.servers), (6, 8, 5, 6));
    assert_eq!((world.weight(80, 3), world.weight(443, 3), world.weight(443, 1)), (Some(1), Some(0), Some(1)));
    assert_eq!(report.news, ["real server 10.0.0.3:443 of tcp 192.0.2.10:443 is down: connection refused"]);
    assert_eq!((report.verdict, report.drift.len(), report.pending.len()), (Verdict::Ok, 0, 0));

    let report = world.round();
    assert_eq!((report.changes, report.news, report.drift), (vec![], vec![], vec![]));
    // https comes back at once, http goes at its second bad answer.
    world.down = BTreeSet::from(["10.0.0.1:80".into()]);
    let report = world.round();
    assert_eq!(words(&report.changes), ["set 10.0.0.3:443 of tcp 192.0.2.10:443: nat, weight 1"]);
    assert_eq!((world.weight(80, 1), report.healthy), (Some(1), 6));
    let row = world.look().services[0].servers[0].clone();
    assert_eq!((row.health, row.against, row.answer.as_deref()), (Health::Up, 1, Some("connection refused")));
    let report = world.round();
    assert_eq!(words(&report.changes), ["set 10.0.0.1:80 of tcp 192.0.2.10:80: nat, weight 0"]);
    assert_eq!(report.drift, Vec::<String>::new());
    // One good answer between starts the count again.
    for (is_down, weight) in [(false, 1), (true, 1), (false, 1), (true, 1), (true, 0)] {
        world.down = if is_down { BTreeSet::from(["10.0.0.1:80".into()]) } else { BTreeSet::new() };
        world.round();
        assert_eq!(world.weight(80, 1), Some(weight));
    }
}

#[test]
fn an_unknown_answer_changes_nothing() {
    let mut world = World::new(FARM);
    world.unknown = BTreeSet::from(["10.0.0.1:80".into(), "10.0.0.2:80".into()]);
    let report = world.round();
    assert_eq!((world.weight(80, 1), world.weight(80, 3), report.healthy), (Some(0), Some(1), 4));
    world.unknown.clear();
    world.round();
    world.unknown = (1..4).map(|n| format!("10.0.0.{n}:80")).collect();
    for _ in 0..5 {
        assert_eq!(world.round().changes, []);
    }
    // The memory is lost as well: those that take connections go on.
    world.spoil(health::FILE, "lvs.health 3\n");
    assert_eq!(world.round().changes, []);
    assert_eq!(world.weight(80, 1), Some(1));
}

#[test]
fn nobody_left_is_told_as_asked() {
    let all = |port: u16| (1..4).map(move |n| format!("10.0.0.{n}:{port}"));
    let judge = |text: &str, down: usize| {
        let mut world = World::new(text);
        world.down = all(80).take(down).collect();
        let report = world.round();
        (report.verdict, report.reason.unwrap_or_default(), world.weight(80, 9))
    };
    assert_eq!(judge(FARM, 1), (Verdict::Ok, String::new(), None));
    let few = "tcp 192.0.2.10:80: 1 of 3 real servers usable, quorum is 2".to_owned();
    assert_eq!(judge(FARM, 2), (Verdict::Degraded, few, None));
    assert_eq!(judge(FARM, 3), (Verdict::Ok, String::new(), Some(1)));
    let none = "tcp 192.0.2.10:80: no real server takes connections (3 down)".to_owned();
    let degraded = FARM.replace("\"sorry\"", "\"degraded\"");
    assert_eq!(judge(&degraded, 3), (Verdict::Degraded, format!("{none}; the sorry server answers"), Some(1)));
    let failed = FARM.replace("\"sorry\"", "\"failed\"").replace("sorry = \"10.0.0.9\"", "");
    assert_eq!(judge(&failed, 3), (Verdict::Failed, none.clone(), None));
    assert_eq!(judge(&FARM.replace("sorry = \"10.0.0.9\"", ""), 3), (Verdict::Degraded, none, None));

    let mut world = World::new(FARM);
    world.farm.drain("10.0.0.1, 10.0.0.2:443").unwrap();
    let report = world.round();
    assert_eq!((world.weight(80, 1), world.weight(443, 2), world.weight(80, 2)), (Some(0), Some(0), Some(1)));
    assert_eq!((report.healthy, report.services[0].usable, report.services[1].usable), (6, 2, 1));
    assert!(world.look().services[0].servers[0].drained && report.verdict == Verdict::Degraded);
}

#[test]
fn what_somebody_else_did_is_put_right_and_named() {
    let mut world = World::new(FARM);
    world.round();
    world.kernel.apply(&[Change::DeleteServer(service(80), IpAddr::from([10, 0, 0, 2]), 80)]).unwrap();
    let report = world.round();
    assert_eq!(report.drift, ["real server 10.0.0.2:80 of tcp 192.0.2.10:80 was missing: added"]);
    assert_eq!((report.verdict, report.changes.len()), (Verdict::Ok, 1));
    // `ipvsadm -C`
    world.kernel.table.clear();
    let report = world.round();
    assert_eq!((report.drift.len(), report.changes.len(), report.verdict), (2, 8, Verdict::Ok));
    assert_eq!(world.round().drift, Vec::<String>::new());
    // A new configuration is no drift, and a server that goes down at the same time neither.
    world.farm = Farm::from_toml(&FARM.replace("10.0.0.1-3", "10.0.0.2-4"), "t").unwrap();
    let report = world.round();
    assert_eq!((report.drift.len(), report.changes.len()), (0, 4));
    world.farm.drain("10.0.0.2").unwrap();
    assert_eq!((world.round().drift, world.weight(80, 2)), (vec![], Some(0)));
    // Two causes at once are told apart.
    world.down = BTreeSet::from(["10.0.0.3:80".into()]);
    world.round();
    world.kernel.apply(&[Change::DeleteServer(service(443), IpAddr::from([10, 0, 0, 3]), 443)]).unwrap();
    let report = world.round();
    assert_eq!(report.drift, ["real server 10.0.0.3:443 of tcp 192.0.2.10:443 was missing: added"]);
    assert_eq!((report.changes.len(), world.weight(80, 3)), (2, Some(0)));
}

#[test]
fn a_refused_change_is_explained() {
    let mut world = World::new(FARM);
    world.kernel.missing.insert("rr".into());
    let report = world.round();
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(report.reason.unwrap().starts_with("add service tcp 192.0.2.10:80 (rr): "), "{:?}", report.failures);
    assert_eq!((report.pending.len(), report.healthy), (8, 0));
    // One service of two: this director does not look as good as one that has both.
    let one = "scheduler = \"rr\"\nports = 443";
    let both = FARM.replace("[80, 443]", "80").replace("\"rr\"", "\"wlc\"");
    let mut other = World::new(&format!("{both}[[service]]\nvirtual = \"192.0.2.10\"\n{one}\nreal = \"10.0.0.1-3\"\n"));
    other.kernel.missing.insert("rr".into());
    let half = other.round();
    assert_eq!((half.healthy, half.servers, half.services[0].verdict), (3, 6, Verdict::Ok));
    world.kernel.missing.clear();
    let report = world.round();
    assert_eq!((report.verdict, report.failures.len(), report.changes.len()), (Verdict::Ok, 0, 8));
    assert_eq!(report.drift, Vec::<String>::new());
}

#[test]
fn what_the_kernel_takes_and_does_not_have_is_told() {
    let text = "[[service]]\nvirtual = \"192.0.2.10:80\"\nforwarding = \"tun\"\nreal = \"10.0.0.1-2\"\n\
                tunnel = { type = \"gue\", port = 6080 }\n";
    let mut world = World::new(text);
    world.kernel.lacks_tunnels = true;
    for _ in 0..3 {
        let report = world.round();
        assert_eq!((report.verdict, report.pending.len()), (Verdict::Degraded, 2));
        let reason = report.reason.unwrap();
        assert!(reason.starts_with("set 10.0.0.1:80 of") && reason.contains("too old"), "{reason}");
        assert_eq!(report.drift, Vec::<String>::new());
    }
    world.kernel.lacks_tunnels = false;
    let report = world.round();
    assert_eq!((report.verdict, report.pending.len(), report.changes.len()), (Verdict::Ok, 0, 2));
}

#[test]
fn what_another_program_does_at_the_same_time_is_planned_again() {
    let mut world = World::new(FARM);
    let services = &world.farm.services;
    let lc = Service { scheduler: "lc".into(), ..services[0].service.clone() };
    world.kernel.meanwhile = vec![Change::AddService(lc), Change::AddService(services[1].service.clone())];
    let report = world.round();
    assert_eq!((report.verdict, report.failures.len(), report.pending.len()), (Verdict::Ok, 0, 0));
    assert_eq!(words(&report.changes).last().unwrap(), "change service tcp 192.0.2.10:80 (rr)");
    world.farm.drain("10.0.0.1").unwrap();
    world.kernel.meanwhile = vec![Change::DeleteService(service(443))];
    let report = world.round();
    assert_eq!((report.verdict, report.failures.len(), world.weight(443, 1)), (Verdict::Ok, 0, Some(0)));
    assert_eq!(world.round().changes, []);
}

#[test]
fn looking_changes_nothing() {
    let mut world = World::new(FARM);
    let at = Duration::from_secs(2000);
    let report = look(&world.farm, &world.state(), &[], at);
    assert_eq!(
        (report.verdict, report.pending.len(), report.healthy),
        (Verdict::Failed, 10, 0),
        "nobody was asked: the sorry servers too"
    );
    assert!(!world.state().folder().exists());
    world.down.insert("10.0.0.2:80".into());
    world.round();
    let odd = RealServer { weight: 4, ..world.farm.services[0].sorry.unwrap() };
    world.kernel.apply(&[Change::AddServer(service(443), RealServer { port: 1, ..odd })]).unwrap();
    let before = world.kernel.entries();
    let report = look(&world.farm, &world.state(), &before, at);
    assert_eq!(words(&report.pending), ["delete 10.0.0.9:1 of tcp 192.0.2.10:443"]);
    let row = &report.services[0].servers[1];
    assert_eq!((row.weight_wanted, row.weight_found, row.health), (Some(0), Some(0), Health::Down));
    assert_eq!((row.asked_ago, row.took_ms, row.answer.as_deref()), (Some(990), Some(3), Some("connection refused")));
    let rows = &report.services[1].servers;
    assert_eq!(
        rows.iter().map(|row| row.role).collect::<Vec<_>>(),
        [Role::Real, Role::Real, Role::Real, Role::Sorry, Role::Unasked]
    );
    assert_eq!((rows[3].weight_wanted, rows[4].weight_found), (None, Some(4)));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["services"][0]["servers"][1]["health"], "down");
    assert_eq!((json["verdict"].as_str(), json["services"][0]["ours"].as_bool()), (Some("ok"), Some(true)));
    assert_eq!(world.kernel.entries(), before);
}

#[test]
fn a_round_is_due_by_the_boot_clock() {
    let mut world = World::new(FARM);
    let (state, seconds) = (world.state(), Duration::from_secs);
    assert!(is_due(&state, seconds(10), seconds(0)));
    world.round();
    let due = |interval, now: f64| is_due(&state, seconds(interval), Duration::from_secs_f64(now));
    assert!(!due(10, 1010.0) && !due(10, 1018.9) && due(10, 1019.0) && due(10, 1030.0));
    assert!(!due(2, 1011.7) && due(2, 1011.8));
    assert!(!due(600, 1600.0) && due(600, 1609.0));
    assert!(due(600, 1009.9), "of another boot");
}
