//! The HTTP statuses that count as well.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Ranges of HTTP statuses, such as `200,301-303`: at least one, each within 100 to 599, sorted and apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Statuses(Vec<(u16, u16)>);

impl Statuses {
    /// Whether this status is among them.
    pub fn has(&self, status: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&status))
    }
}

impl Default for Statuses {
    /// 200 to 299: a redirect is not followed, so it does not show that what it leads to is there.
    fn default() -> Self {
        Self(vec![(200, 299)])
    }
}

impl FromStr for Statuses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut ranges = text.split(',').map(|part| range(part.trim())).collect::<Result<Vec<_>, _>>()?;
        ranges.sort_unstable();
        let mut merged: Vec<(u16, u16)> = Vec::new();
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(before) if first <= before.1 + 1 => before.1 = before.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Ok(Self(merged))
    }
}

fn range(text: &str) -> Result<(u16, u16), String> {
    let number = |part: &str| part.trim().parse().ok().filter(|status| (100..600).contains(status));
    let ends = match text.split_once('-') {
        None => number(text).map(|status| (status, status)),
        Some((first, last)) => number(first).zip(number(last)),
    };
    ends.filter(|(first, last)| first <= last)
        .ok_or_else(|| format!("status {text:?} is neither 100 to 599 nor a range of that, such as 200-299"))
}

impl TryFrom<String> for Statuses {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Statuses> for String {
    fn from(statuses: Statuses) -> Self {
        statuses.to_string()
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            if first == last { write!(f, "{comma}{first}")? } else { write!(f, "{comma}{first}-{last}")? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Statuses;

    #[test]
    fn ranges_are_read_merged_and_written() {
        for (text, written) in
            [("200", "200"), ("200-299", "200-299"), ("404, 200-299,300 -302", "200-302,404"), ("200,200", "200")]
        {
            assert_eq!(text.parse::<Statuses>().map(|statuses| statuses.to_string()), Ok(written.to_owned()));
        }
        let statuses: Result<Statuses, _> = "200,301-303".parse();
        assert!(statuses.is_ok_and(|all| all.has(200) && all.has(302) && !all.has(201) && !all.has(304)));
        assert!(Statuses::default().has(204) && !Statuses::default().has(301));
    }

    #[test]
    fn what_is_no_status_is_refused() {
        for text in ["", "2xx", "99", "600", "299-200", "200-", "200,,201", "-200", "70000"] {
            assert!(text.parse::<Statuses>().is_err(), "{text:?}");
        }
    }
}
