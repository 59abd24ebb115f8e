//! The versions of pcs that a script has to be right for.

use super::feature::{Feature, TABLE};
use super::release::{RELEASES, SERIES};
use super::version::Version;

/// Every version from one to another, of one minor series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    first: Version,
    last: Version,
}

/// The series when nothing else is known: `0.11`.
const USUAL: (Version, Version) = SERIES[2];

impl Target {
    /// The usual one: any 0.11.
    pub fn usual() -> Target {
        Target { first: USUAL.0, last: USUAL.1 }
    }

    /// A version as `0.10.18`, or a whole series as `0.10`.
    ///
    /// # Errors
    /// Why no script can be written for it: a clause without full stop.
    pub fn version(text: &str) -> Result<Target, String> {
        if let Some((first, last)) = SERIES.iter().find(|(first, _)| first.series() == text) {
            return Ok(Target { first: *first, last: *last });
        }
        let known = "0.9.149 to 0.12, a version or a series (0.9, 0.10, 0.11, 0.12)";
        let Some(version) = Version::parse(text) else {
            return Err(format!("{text:?} is no version of pcs that is known: scripts are for {known}"));
        };
        match SERIES.iter().find(|(first, _)| *first <= version && version < first.series_end()) {
            Some(_) => Ok(Target { first: version, last: version }),
            None => Err(format!("no script is written for pcs {version}: scripts are for {known}")),
        }
    }

    /// Every pcs of a release of a distribution.
    ///
    /// # Errors
    /// Which releases there are: a clause without full stop.
    pub fn release(name: &str) -> Result<Target, String> {
        let found = RELEASES.iter().find(|release| release.name == name.to_lowercase());
        found.map(|release| Target { first: release.first, last: release.last }).ok_or_else(|| {
            let names: Vec<_> = RELEASES.iter().map(|release| release.name).collect();
            format!("{name:?} is not known: there are {}; any other: --pcs-version", names.join(", "))
        })
    }

    /// Whether every version has it.
    pub fn has(&self, feature: Feature) -> bool {
        feature.spans().iter().any(|(from, until)| *from <= self.first && self.last < *until)
    }

    /// Whether every version is older than this.
    pub fn is_before(&self, version: Version) -> bool {
        self.last < version
    }

    /// Whether one of them is older than this.
    pub fn may_be_before(&self, version: Version) -> bool {
        self.first < version
    }

    /// The versions that the script is right for: from the first on, and before the second. Between the two no form changes,
    /// or a form was chosen that is right on either side.
    pub fn span(&self) -> (Version, Version) {
        self.span_with(&[])
    }

    /// The same for a script that uses features beside those of every script.
    pub fn span_with(&self, rare: &[Feature]) -> (Version, Version) {
        let series =
            SERIES.iter().find(|(first, _)| first.series() == self.first.series()).map_or(self.first, |one| one.0);
        let spans = TABLE.iter().flat_map(|(_, spans)| *spans).chain(rare.iter().flat_map(|feature| feature.spans()));
        let edges = spans.flat_map(|(from, until)| [*from, *until]);
        let from = edges.clone().filter(|edge| *edge <= self.first).fold(series, Ord::max);
        let until = edges.filter(|edge| self.last < *edge).fold(self.first.series_end(), Ord::min);
        (from, until)
    }

    /// What it is, for people, after "pcs ": `0.11`, `0.10.13 or a later 0.10`, `0.9.149`.
    pub fn title(&self) -> String {
        let (from, until) = self.span();
        let series = from.series();
        let whole = SERIES.iter().any(|(first, _)| *first == from);
        match (whole, until == from.series_end()) {
            (true, true) => series,
            (false, true) => format!("{from} or a later {series}"),
            _ if Version(from.0, from.1, from.2 + 1) == until => from.to_string(),
            _ => format!("{from} to {}", Version(until.0, until.1, until.2.saturating_sub(1))),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::{Target, Version};
    use crate::pcs::script::feature::{Feature, TABLE};
    use crate::pcs::script::release::{RELEASES, SERIES};

    #[test]
    fn a_target_is_named_by_what_it_is_right_for() {
        for (text, title) in [
            ("0.9", "0.9"),
            ("0.9.149", "0.9.149"),
            ("0.9.152", "0.9.150 to 0.9.152"),
            ("0.9.169", "0.9.160 or a later 0.9"),
            ("0.10.4", "0.10.1 to 0.10.5"),
            ("0.10.18", "0.10.13 or a later 0.10"),
            ("0.11", "0.11"),
            ("0.11.5", "0.11"),
            ("0.12.0.2", "0.12"),
            ("0.12.9", "0.12"),
        ] {
            assert_eq!(Target::version(text).unwrap().title(), title, "{text}");
        }
        for wrong in ["0.9.148", "0.8.9", "0.13.0", "1.0.0", "0.11.1", "0.13", "x", "", "0.11.x"] {
            assert!(Target::version(wrong).is_err(), "{wrong}");
        }
    }

    /// What is right in all versions is right in each; what each has in one piece, all have.
    #[test]
    fn a_set_has_what_each_of_its_versions_has() {
        let ranges = RELEASES.iter().map(|one| (one.first, one.last)).chain(SERIES.iter().copied());
        for (first, last) in ranges {
            assert_eq!((first.0, first.1), (last.0, last.1), "{first} {last}");
            for (feature, _) in TABLE {
                let each = (first.2..=last.2).all(|patch| {
                    let version = Version(first.0, first.1, patch);
                    Target { first: version, last: version }.has(*feature)
                });
                assert_eq!(Target { first, last }.has(*feature), each, "{feature:?} in {first} to {last}");
            }
        }
    }

    #[test]
    fn releases_have_the_forms_of_their_pcs() {
        let has = |name: &str, feature| Target::release(name).unwrap().has(feature);
        assert!(!has("ubuntu16.04", Feature::PushDifference) && has("ubuntu18.04", Feature::PushDifference));
        assert!(!has("rhel8", Feature::DefaultsUpdate) && !has("rhel8", Feature::DefaultsPlain));
        assert!(has("rhel9", Feature::AskForAgents) && has("Debian13", Feature::RuleAsText));
        assert!(Target::release("debian9").unwrap_err().contains("ubuntu24.04"));
        let (from, until) = Target::version("0.10.11").unwrap().span();
        assert_eq!((from, until), (Version(0, 10, 8), Version(0, 10, 13)));
    }
}
