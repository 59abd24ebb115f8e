//! Which pcs the releases of the distributions came with.

use super::version::Version;

/// A release, with its oldest and its newest pcs.
#[derive(Debug)]
pub struct Release {
    /// Its name, as `--for` takes it.
    pub name: &'static str,
    /// The oldest.
    pub first: Version,
    /// The newest; the same where only mistakes were mended.
    pub last: Version,
}

const fn one(name: &'static str, version: Version) -> Release {
    Release { name, first: version, last: version }
}

/// Every release that is known. RHEL stands for what is built from it as well. Before RHEL 7.3 and in RHEL 9.0 there was a pcs that
/// no script is written for: both have ended.
pub const RELEASES: &[Release] = &[
    Release { name: "rhel7", first: Version(0, 9, 152), last: Version(0, 9, 169) },
    Release { name: "rhel8", first: Version(0, 10, 1), last: Version(0, 10, 18) },
    Release { name: "rhel9", first: Version(0, 11, 3), last: Version(0, 11, 10) },
    Release { name: "rhel10", first: Version(0, 12, 0), last: Version(0, 12, 1) },
    one("ubuntu16.04", Version(0, 9, 149)),
    one("ubuntu18.04", Version(0, 9, 164)),
    one("ubuntu20.04", Version(0, 10, 4)),
    one("ubuntu22.04", Version(0, 10, 11)),
    one("ubuntu24.04", Version(0, 11, 7)),
    one("debian11", Version(0, 10, 8)),
    one("debian12", Version(0, 11, 5)),
    one("debian13", Version(0, 12, 0)),
];

/// Every minor series, from the oldest pcs that a script can be written for to the newest that was looked at.
pub const SERIES: &[(Version, Version)] = &[
    (Version(0, 9, 149), Version(0, 9, 169)),
    (Version(0, 10, 1), Version(0, 10, 18)),
    (Version(0, 11, 2), Version(0, 11, 12)),
    (Version(0, 12, 0), Version(0, 12, 3)),
];
