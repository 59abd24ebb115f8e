//! What is shipped beside the program and made from its tables: it is committed, and compared here. One command writes all of
//! it anew: `INUVIKA_WRITE=1 cargo test --test papers`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod scripts;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Files of a folder, by name.
type Files = BTreeMap<String, String>;

/// A folder below packaging.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name)
}

/// Compares a folder with what it should have, or writes it.
fn compare(name: &str, wanted: &Files, mode: u32) {
    let folder = folder(name);
    if std::env::var_os("INUVIKA_WRITE").is_some() {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (file, text) in wanted {
            std::fs::write(folder.join(file), text).unwrap();
            std::fs::set_permissions(folder.join(file), std::fs::Permissions::from_mode(mode)).unwrap();
        }
    }
    let entries = std::fs::read_dir(&folder).unwrap().map(Result::unwrap);
    let found: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let old: Vec<_> = found.iter().filter(|file| !wanted.contains_key(*file)).collect();
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

const AGAIN: &str = "run INUVIKA_WRITE=1 cargo test --test papers";
