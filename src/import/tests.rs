//! Whatever is in a file: an import ends, in one line or with a scenario that the generator takes or stops at.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::{Answers, File, Kind, import};
use proptest::prelude::*;

macro_rules! files {
    ($($kind:expr => $folder:literal: $($name:literal)*;)*) => {
        &[$(($kind, &[$(($name, include_str!(concat!("../../tests/import/", $folder, "/in/", $name)))),*])),*]
    };
}

type Set = (Kind, &'static [(&'static str, &'static str)]);

const SETS: &[Set] = files! {
    Kind::Lvs => "lvs": "ha.cf" "haresources" "mon.cf" "HA_CONFIG.sh" "dowem.up.alert";
    Kind::Abiquo => "abiquo": "commands.txt" "cluster.conf";
    Kind::Lvs => "lvs-cib": "cib.xml" "HA_CONFIG.sh" "ha.cf";
    Kind::Heartbeat => "heartbeat": "ha.cf" "haresources";
    Kind::Heartbeat => "heartbeat-cib": "ha.cf" "cib.xml";
    Kind::Cman => "cman": "cluster.conf";
    Kind::Cman => "abiquo": "commands.txt" "cluster.conf";
    Kind::Opensvc => "opensvc": "p26.opensvc.com.env" "launchers.txt";
    Kind::Opensvc => "opensvc-new": "shop.conf" "cache.conf";
};

fn files(set: &Set) -> Vec<File> {
    set.1.iter().map(|(name, text)| File { name: (*name).into(), text: (*text).into() }).collect()
}

fn judge(kind: Kind, files: &[File], answers: &Answers) {
    match import(kind, files, answers) {
        Err(line) => assert!(!line.contains('\n') && !line.is_empty(), "{line}"),
        Ok(imported) => {
            let comments = imported.notes.lines().collect::<Vec<_>>();
            assert!(comments.iter().all(|line| !line.chars().any(char::is_control)), "{comments:?}");
            assert!(!imported.notes.open.is_empty() || crate::scenario::read("s.toml", &imported.text).is_ok());
        }
    }
}

#[test]
fn the_seeds_are_imported() {
    for set in SETS {
        assert!(import(set.0, &files(set), &Answers::default()).is_ok(), "{:?}", set.0);
    }
}

/// How many cases: more with INUVIKA_TEST_FULL.
fn cases() -> ProptestConfig {
    let many = std::env::var_os("INUVIKA_TEST_FULL").is_some();
    ProptestConfig::with_cases(if many { 20_000 } else { 200 })
}

proptest! {
    #![proptest_config(cases())]

    /// Something is cut out of one of the files, and something else typed there.
    #[test]
    fn damage_never_panics(
        which in any::<prop::sample::Index>(),
        file in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        cut in 0usize..60,
        typed in "[ -~\n\t\"'#$/:=<>é\\[\\]]{0,12}",
        accept in any::<bool>(),
    ) {
        let set = &SETS[which.index(SETS.len())];
        let mut files = files(set);
        let file = file.index(files.len());
        let chars: Vec<char> = files[file].text.chars().collect();
        let at = at.index(chars.len());
        let end = (at + cut).min(chars.len());
        files[file].text = chars[..at].iter().copied().chain(typed.chars()).chain(chars[end..].iter().copied()).collect();
        judge(set.0, &files, &Answers { accept_split_brain: accept, ..Answers::default() });
    }

    /// Anything at all, as each of the files of a set.
    #[test]
    fn nonsense_never_panics(which in any::<prop::sample::Index>(), file in any::<prop::sample::Index>(), text in any::<String>()) {
        let set = &SETS[which.index(SETS.len())];
        let mut files = files(set);
        let file = file.index(files.len());
        files[file].text = text;
        judge(set.0, &files, &Answers::default());
    }
}
