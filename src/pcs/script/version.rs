//! Versions of pcs.

use std::fmt;

/// A version of pcs. What comes after the third number (0.12.0.2) makes no difference to any command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u16, pub u16, pub u16);

impl Version {
    /// A version of three or four numbers, as `pcs --version` prints it; `None` for anything else.
    pub fn parse(text: &str) -> Option<Version> {
        let numbers: Option<Vec<u16>> = text.split('.').map(number).collect();
        match numbers?.as_slice() {
            [major, minor, patch] | [major, minor, patch, _] => Some(Version(*major, *minor, *patch)),
            _ => None,
        }
    }

    /// The first version that is not in the same minor series any more.
    pub fn series_end(self) -> Version {
        Version(self.0, self.1.saturating_add(1), 0)
    }

    /// `0.11` of 0.11.5.
    pub fn series(self) -> String {
        format!("{}.{}", self.0, self.1)
    }
}

fn number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn versions_are_numbers_not_text() {
        assert_eq!(Version::parse("0.9.149"), Some(Version(0, 9, 149)));
        assert_eq!(Version::parse("0.12.0.2"), Some(Version(0, 12, 0)));
        for wrong in ["", "0.11", "0.11.", "0.11.5-1", "+0.11.5", "0.11.5.1.2", "0.11.99999"] {
            assert_eq!(Version::parse(wrong), None, "{wrong}");
        }
        assert!(Version(0, 9, 169) < Version(0, 10, 1) && Version(0, 10, 18) < Version(0, 11, 0));
        assert_eq!(Version(0, 9, 169).series_end(), Version(0, 10, 0));
    }
}
