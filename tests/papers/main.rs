//! What is shipped beside the program and made from its tables: it is committed, and compared here. One command writes all of
//! it anew: `INUVIKA_WRITE=1 cargo test --test papers`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod agents;
mod command;
mod examples;
mod pages;
mod roff;
mod scenario;
mod scripts;
mod sections;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Files of a folder, by name.
type Files = BTreeMap<String, String>;

/// A folder below packaging.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name)
}

/// Compares a folder with what it should have, or writes it. `by_hand` is there as well, and nobody makes it.
fn compare(name: &str, wanted: &Files, by_hand: &[&str], mode: u32) {
    let folder = folder(name);
    if std::env::var_os("INUVIKA_WRITE").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for file in files(&folder).iter().filter(|file| !by_hand.contains(&file.as_str())) {
            std::fs::remove_file(folder.join(file)).unwrap();
        }
        for (file, text) in wanted {
            std::fs::write(folder.join(file), text).unwrap();
            std::fs::set_permissions(folder.join(file), std::fs::Permissions::from_mode(mode)).unwrap();
        }
    }
    let found = files(&folder);
    let old: Vec<_> =
        found.iter().filter(|file| !wanted.contains_key(*file) && !by_hand.contains(&file.as_str())).collect();
    assert!(old.is_empty(), "packaging/{name} has files that nothing makes: {old:?}; {AGAIN}");
    for (file, text) in wanted {
        let path = folder.join(file);
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        let at = found.lines().zip(text.lines()).position(|(a, b)| a != b);
        assert!(
            found == *text,
            "packaging/{name}/{file} is not what it would be (line {:?}): {AGAIN}",
            at.map(|n| n + 1)
        );
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode, "packaging/{name}/{file}: {AGAIN}");
    }
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

const AGAIN: &str = "run INUVIKA_WRITE=1 cargo test --test papers";
