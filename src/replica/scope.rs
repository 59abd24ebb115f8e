//! What is copied: the folders, and what of them is left out. A stamp says it, so that a copy of other folders is not taken
//! for a whole one after the parameters have changed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Replica;

/// Folders and exclusions, in an order of their own: the order of the parameters means nothing. Both are kept as they are
/// and not as a checksum, so that a copy of more than what is asked for counts as whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    folders: Vec<PathBuf>,
    exclude: Vec<String>,
}

impl Scope {
    /// Of these parameters.
    pub fn new(folders: &[PathBuf], exclude: &[String]) -> Self {
        let mut scope = Self { folders: folders.to_vec(), exclude: exclude.to_vec() };
        scope.folders.sort();
        scope.folders.dedup();
        // All of them exclude, so the first that fits is as good as any other.
        scope.exclude.sort();
        scope.exclude.dedup();
        scope
    }

    /// That of a replica.
    pub fn of(replica: &Replica) -> Self {
        Self::new(&replica.folders, &replica.exclude)
    }

    /// Whether a whole copy of this is one of `wanted`, too: it has every folder, and leaves out nothing that is wanted.
    pub fn covers(&self, wanted: &Self) -> bool {
        wanted.folders.iter().all(|folder| self.folders.contains(folder))
            && self.exclude.iter().all(|pattern| wanted.exclude.contains(pattern))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_more_covers_less_and_the_order_means_nothing() {
        let scope = |folders: &[&str], exclude: &[&str]| {
            let exclude: Vec<String> = exclude.iter().map(|pattern| (*pattern).to_owned()).collect();
            Scope::new(&folders.iter().map(PathBuf::from).collect::<Vec<_>>(), &exclude)
        };
        let copied = scope(&["/a", "/b"], &[".*", "*.tmp"]);
        assert_eq!(copied, scope(&["/b", "/a", "/a"], &["*.tmp", ".*"]));
        for (wanted, covered) in [
            (scope(&["/b", "/a"], &["*.tmp", ".*"]), true),
            (scope(&["/a"], &[".*", "*.tmp"]), true),
            (scope(&["/a", "/b"], &[".*", "*.tmp", "/cache"]), true),
            (scope(&["/a", "/b", "/c"], &[".*", "*.tmp"]), false),
            (scope(&["/a/b"], &[".*", "*.tmp"]), false),
            // What was left out is wanted now.
            (scope(&["/a", "/b"], &[".*"]), false),
        ] {
            assert_eq!(copied.covers(&wanted), covered, "{wanted:?}");
        }
    }
}
