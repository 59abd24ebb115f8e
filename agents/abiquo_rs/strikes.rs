//! What was amiss for no known reason, and in how many looks in a row.
//!
//! A Java machine that collects its garbage, a pool of connections to a Redis that has just come back, a webapp that somebody
//! deploys: they are well at the next look, and a restart would cut what they do. So the first look only reports it. Each depth
//! counts its own looks: those of two depths may come right after each other.

use std::collections::BTreeMap;

use crate::ocf::check::Verdict;
use crate::ocf::operation::Operation;

/// How many looks in a row a Tomcat or a webapp has to fail in.
pub const TWICE: u32 = 2;
/// The same of a repository that is not mounted: its own resource looks every 20 s and mounts it, which a restart of Tomcat does
/// not. Three looks span 30 s at depth 20, and 40 s at depth 10.
pub const THRICE: u32 = 3;

/// The looks at one depth.
#[derive(Debug, Default)]
pub struct Strikes {
    /// Where they are kept; none for runs by hand and probes.
    file: Option<String>,
    /// Whether it is never more than a first look: a probe, which follows any cleanup. Otherwise every look without a file is
    /// the last.
    is_first: bool,
    before: BTreeMap<String, u32>,
    now: BTreeMap<String, u32>,
}

impl Strikes {
    /// Those of the monitor `op`.
    pub fn of(op: &Operation) -> Self {
        let file = op.is_recurring().then(|| format!("strikes.{}", op.depth));
        let before = file.as_ref().and_then(|file| op.state.read(file)).unwrap_or_default();
        Self { file, is_first: op.is_probe(), before, now: BTreeMap::new() }
    }

    /// Counts one against `what`: degraded, until as many as `enough` have come in a row. What is not counted in a look is
    /// forgotten.
    pub fn against(&mut self, what: &str, enough: u32) -> Verdict {
        let count = self.before.get(what).map_or(1, |before| before.saturating_add(1));
        self.now.insert(what.to_owned(), count);
        let goes_on = self.file.is_some() || self.is_first;
        if goes_on && count < enough { Verdict::Degraded } else { Verdict::Failed }
    }

    /// Remembers them for the next look.
    pub fn keep(self, op: &Operation) {
        let Some(file) = self.file.filter(|_| self.now != self.before) else { return };
        if self.now.is_empty() {
            op.state.forget(&file);
        } else if let Err(error) = op.state.write(&file, &self.now) {
            // Then a fault stays degraded: worth a line each time.
            op.log.warning(&format!("write {file}: {error}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(before: Strikes) -> Strikes {
        Strikes { file: Some("strikes.10".to_owned()), before: before.now, ..Strikes::default() }
    }

    #[test]
    fn only_looks_in_a_row_count() {
        let mut look = next(Strikes::default());
        assert_eq!(look.against("webapp am", TWICE), Verdict::Degraded);
        look = next(look);
        // Another one is late for the first time.
        assert_eq!(look.against("webapp vsm", TWICE), Verdict::Degraded);
        look = next(look);
        assert_eq!(look.against("webapp am", TWICE), Verdict::Degraded, "it was well in between");
        assert_eq!(look.against("webapp vsm", TWICE), Verdict::Failed);
        look = next(look);
        assert_eq!(look.against("webapp vsm", TWICE), Verdict::Failed, "and it stays so");
        assert_eq!(
            (1..=3)
                .map(|_| {
                    look = next(std::mem::take(&mut look));
                    look.against("r", THRICE)
                })
                .last(),
            Some(Verdict::Failed)
        );
    }

    #[test]
    fn by_hand_every_look_is_the_last() {
        assert_eq!(Strikes::default().against("answer", TWICE), Verdict::Failed);
    }

    #[test]
    fn a_probe_is_a_first_look() {
        let mut probe = Strikes { is_first: true, ..Strikes::default() };
        assert_eq!(probe.against("answer", TWICE), Verdict::Degraded);
    }
}
