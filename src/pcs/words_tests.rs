//! Whatever a scenario of any set-up says: what the generator takes comes back from the shell as it stood there.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::dialect::{self, Wish};
use super::plan;
use crate::scenario::read;
use proptest::prelude::*;
use std::process::Command;

const SCENARIOS: &[&str] = &[
    include_str!("../../pcs-examples/ovd-session-manager/scenario.toml"),
    include_str!("../../pcs-examples/abiquo-remote-services/scenario.toml"),
    include_str!("../../pcs-examples/ovd-file-server/scenario.toml"),
    include_str!("../../pcs-examples/lvs-director/scenario.toml"),
    include_str!("../scenario/free/example.toml"),
    include_str!("../../tests/pcs/free.toml"),
];

/// Texts that a shell, pcs or XML means something by.
const NASTY: &[&str] = &[
    "a b", "it's", "\"x\"", "$HOME", "`id`", "$(id)", "a;b", "a&b", "a|b", "a>b", "*", "~", "\\", "\\n", "!x", "#x",
    "-x", "--x", "a=b", "{a,b}", "<!-- -->", "&amp;", "é", "\u{2028}", "%s", "@x@", "/a b", "/it's", "/$HOME", "/*",
    "[a]", "?", "a\\", "'", "''", " ", " a",
];

/// Where texts stand in a scenario: from the quote that begins one to the one that ends it.
fn texts(scenario: &str) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    let mut at = 0;
    for line in scenario.split_inclusive('\n') {
        if !line.trim_start().starts_with('#') {
            let quotes: Vec<usize> = line.match_indices('"').map(|(index, _)| at + index).collect();
            all.extend(quotes.chunks_exact(2).map(|two| (two[0], two[1] + 1)));
        }
        at += line.len();
    }
    all
}

/// The words of every command that configures the cluster, as bash takes the script apart: nothing is run but a printer of words.
fn words(scenario: &str, dialect: &str) -> Option<Vec<String>> {
    let read = read("s.toml", scenario).ok()?;
    let script = dialect::find(dialect, &Wish::default()).unwrap().render(&plan(&read.scenario));
    let (_, steps) = script.split_once(": cluster properties\n").unwrap();
    let (steps, _) = steps.rsplit_once("\nsay 'Step").unwrap();
    let program = format!(
        "PATH=/nonexistent\ncommand_not_found_handle() {{ printf '%s\\0' \"$@\"; }}\nalert() {{ printf '%s\\0' \"$@\"; }}\n{steps}\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("/bin/bash").current_dir(&folder).args(["--norc", "-c", &program]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.is_empty(), "{told}\n{steps}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "the script wrote a file: {steps}");
    Some(String::from_utf8(output.stdout).unwrap().split('\0').map(str::to_owned).collect())
}

/// Puts a text in the place of another; none: it is refused there, or no command has it.
/// `before`: the words of the scenario as it was.
fn comes_back(scenario: &str, before: &[String], place: (usize, usize), text: &str, dialect: &str) -> Option<bool> {
    let old = &scenario[place.0 + 1..place.1 - 1];
    let new = format!("{}{}{}", &scenario[..place.0], toml::Value::String(text.to_owned()), &scenario[place.1..]);
    let words = words(&new, dialect)?;
    let has =
        |words: &[String], text: &str| words.iter().any(|word| word == text || word.ends_with(&format!("={text}")));
    has(before, old).then(|| has(&words, text))
}

/// Every text of every set-up, by each of these in turn.
#[test]
fn what_a_shell_means_something_by_comes_back() {
    // Not all of them everywhere: what comes back here does there.
    let step = if std::env::var_os("INUVIKA_TEST_FULL").is_some() { 3 } else { 17 };
    let mut taken = 0;
    for scenario in SCENARIOS {
        let before = words(scenario, "pcs-0.11").unwrap();
        for (index, place) in texts(scenario).into_iter().enumerate() {
            for text in NASTY.iter().skip(index % step).step_by(step) {
                let Some(same) = comes_back(scenario, &before, place, text, "pcs-0.11") else { continue };
                assert!(same, "{:?} in place of {}", text, &scenario[place.0..place.1]);
                taken += 1;
            }
        }
    }
    assert!(taken > 3, "{taken}: most were refused");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn any_text_comes_back(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        text in "[^\\p{Cc}\u{fffe}\u{ffff}]{1,30}",
        dialect in prop::sample::select(&["pcs-0.9.169", "pcs-0.10.18", "pcs-0.11", "pcs-0.12"][..]),
    ) {
        let scenario = SCENARIOS[which.index(SCENARIOS.len())];
        let all = texts(scenario);
        let before = words(scenario, dialect).unwrap();
        let same = comes_back(scenario, &before, all[place.index(all.len())], &text, dialect);
        prop_assert!(same != Some(false), "{text:?}");
    }
}
