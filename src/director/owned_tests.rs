//! What is ours is written down at every instant, and nothing else is ever removed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use proptest::prelude::*;

use super::farm::Farm;
use super::health;
use super::kernel::Kernel;
use super::memory_kernel::MemoryKernel;
use super::owned::{self, Owned};
use super::test_world::{Borrowed, FARM, World, foreign, service, words};
use crate::ocf::check::Verdict;
use crate::sys::ipvs::{Change, Key, Service};

#[test]
fn services_that_go_from_the_farm_go_from_the_kernel_and_foreign_ones_stay() {
    let mut world = World::new(FARM);
    let taken = Service { key: service(443), ..foreign() };
    world.kernel.apply(&[Change::AddService(foreign()), Change::AddService(taken)]).unwrap();
    let report = world.round();
    assert_eq!(report.notes, ["service tcp 192.0.2.10:443 was in the kernel's table already: taken over"]);
    assert_eq!(words(&report.changes)[4], "change service tcp 192.0.2.10:443 (rr)");
    assert_eq!(world.round().notes, Vec::<String>::new());
    world.farm = Farm::from_toml(&FARM.replace("[80, 443]", "80"), "t").unwrap();
    assert_eq!(words(&world.round().changes), ["delete service tcp 192.0.2.10:443"]);
    assert_eq!(Owned::read(&world.state()).unwrap().keys, BTreeSet::from([service(80)]));
    assert_eq!(world.stop(), ["tcp 192.0.2.10:80"]);
    assert_eq!(world.kernel.table.keys().collect::<Vec<_>>(), [&foreign().key]);
    assert_eq!(world.stop(), Vec::<String>::new());
}

#[test]
fn spoilt_files_are_said_once() {
    let mut world = World::new(FARM);
    world.round();
    for content in ["", "{\"version\":2,\"known\":[]}", "lvs.health 3", "lvs.health 3\n\0"] {
        world.spoil(health::FILE, content);
        let report = world.round();
        assert!(report.notes.len() == 1 && report.notes[0].contains("counted anew"), "{:?}", report.notes);
        assert_eq!((report.changes.len(), world.round().notes.len()), (0, 0));
    }
    // Of another boot.
    world.now = 10;
    assert_eq!((world.round().notes.len(), world.round().notes.len()), (1, 0));
    for content in ["", "{\"services\":[\"tcp\"]}"] {
        world.spoil(owned::FILE, content);
        let report = world.round();
        assert!(report.notes[0].contains("stay; remove them by ipvsadm -D"), "{:?}", report.notes);
    }
    world.spoil(owned::FILE, "");
    let (state, kernel) = (world.state(), &mut world.kernel);
    let keys: Vec<Key> = world.farm.keys().collect();
    let removed = owned::stop(&state, || keys, || Ok(Some(Borrowed(kernel)))).unwrap();
    assert_eq!((removed.len(), world.kernel.table.len()), (2, 0));
}

#[test]
fn stop_without_a_kernel_or_without_services() {
    let mut world = World::new(FARM);
    assert_eq!(world.stop(), Vec::<String>::new());
    world.round();
    world.kernel.table.remove(&service(80));
    assert_eq!(world.stop(), ["tcp 192.0.2.10:443"]);
    world.round();
    let state = world.state();
    let unloaded = owned::stop::<MemoryKernel>(&state, || panic!("not needed"), || Ok(None)).unwrap();
    assert_eq!(unloaded, Vec::<String>::new());
    assert_eq!(Owned::read(&state).unwrap(), Owned::default());
    assert_eq!(fs::read_dir(state.folder()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn a_stop_fails_only_for_what_is_still_there() {
    let mut world =
        World::new(&format!("{FARM}[[service]]\nvirtual = \"[2001:db8::10]:80\"\nreal = \"2001:db8::21\"\n"));
    world.kernel.lacks_v6 = true;
    let report = world.round();
    assert_eq!((report.verdict, Owned::read(&world.state()).unwrap().keys.len()), (Verdict::Failed, 3), "{report:?}");
    assert_eq!(world.stop(), ["tcp 192.0.2.10:80", "tcp 192.0.2.10:443"]);
    assert!(world.kernel.table.is_empty() && !world.state().folder().join(owned::FILE).exists());

    world.round();
    world.kernel.keeps.insert(service(443));
    let (state, kernel) = (world.state(), &mut world.kernel);
    let error = owned::stop(&state, Vec::new, || Ok(Some(Borrowed(kernel)))).unwrap_err();
    assert!(error.to_string().starts_with("delete service tcp 192.0.2.10:443: "), "{error}");
    assert!(state.folder().join(owned::FILE).exists(), "the next stop tries again");
    world.kernel.keeps.clear();
    assert_eq!(world.stop(), ["tcp 192.0.2.10:443"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Killed after any change of any round: the next round repairs, and a stop removes what is ours and nothing else.
    #[test]
    fn killed_at_any_instant(
        rounds in proptest::collection::vec((0usize..10, 0usize..3, proptest::collection::btree_set(1u8..4, 0..3)), 1..6),
        repair: bool,
        in_stop: usize,
    ) {
        let farms = [
            FARM.to_owned(),
            FARM.replace("[80, 443]", "[443, 8080]").replace("\"rr\"", "\"wlc\""),
            FARM.replace("10.0.0.1-3", "10.0.0.2-5").replace("[80, 443]", "80"),
        ];
        let mut world = World::new(FARM);
        world.kernel.apply(&[Change::AddService(foreign())]).unwrap();
        for (instant, farm, down) in rounds {
            world.farm = Farm::from_toml(&farms[farm], "t").unwrap();
            world.down = down.iter().flat_map(|n| [80, 443].map(|port| format!("10.0.0.{n}:{port}"))).collect();
            world.kernel.dies_after = Some(instant);
            let _ = world.try_round();
            world.kernel.dies_after = None;
            let ours = Owned::read(&world.state()).unwrap().keys;
            let there: BTreeSet<Key> = world.kernel.table.keys().copied().filter(|key| *key != foreign().key).collect();
            prop_assert!(there.is_subset(&ours), "every service of ours is written down");
            prop_assert!(!ours.contains(&foreign().key));
        }
        if repair {
            let report = world.round();
            prop_assert_eq!(report.pending, []);
            prop_assert_eq!(world.round().changes, []);
            let keys: BTreeSet<Key> = world.farm.keys().chain([foreign().key]).collect();
            prop_assert_eq!(world.kernel.table.keys().copied().collect::<BTreeSet<_>>(), keys);
        }
        // A stop that is killed is stopped again.
        world.kernel.dies_after = Some(in_stop % 4);
        let (state, kernel) = (world.state(), &mut world.kernel);
        let _ = owned::stop(&state, Vec::new, || Ok(Some(Borrowed(kernel))));
        world.kernel.dies_after = None;
        world.stop();
        let left: BTreeMap<_, _> = world.kernel.table.iter().map(|(key, (service, _))| (*key, service.clone())).collect();
        prop_assert_eq!(left, BTreeMap::from([(foreign().key, foreign())]));
    }
}
