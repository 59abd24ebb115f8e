//! How long the kernel remembers connections. There is one such setting for all services of a host: of two directors that ask
//! for different ones, the first has its way, and the other one says so.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::director::farm::{Farm, Timeouts as Asked};
use crate::director::{owned, round};
use crate::ocf::operation::Operation;
use crate::ocf::state::{State, instances_with};
use crate::sys::ipvs::{Ipvs, Timeouts};

/// The file in the state folder: what this instance asks for.
const FILE: &str = "lvs.timeouts";

/// What an instance asks for, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    /// Since when, on the boot clock.
    since: Duration,
    tcp: Option<u64>,
    tcp_fin: Option<u64>,
    udp: Option<u64>,
}

impl Claim {
    fn of(asked: &Asked, since: Duration) -> Self {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
        Self { since, tcp: seconds(asked.tcp), tcp_fin: seconds(asked.tcp_fin), udp: seconds(asked.udp) }
    }

    /// The first thing that both ask for, and not the same: its name, and what this one asks for.
    fn against(&self, other: &Claim) -> Option<(&'static str, u64)> {
        let all =
            [("tcp", self.tcp, other.tcp), ("tcp_fin", self.tcp_fin, other.tcp_fin), ("udp", self.udp, other.udp)];
        all.into_iter().find_map(|(name, own, other)| Some((name, own?)).filter(|_| other.is_some() && own != other))
    }
}

/// Sets them, as far as that is asked for.
///
/// # Errors
/// One line: the service works with other ones.
pub fn reconcile(farm: &Farm, kernel: &mut Ipvs, op: &Operation) -> Result<(), String> {
    let asked = &farm.timeouts;
    let before = op.state.read::<Claim>(FILE);
    if *asked == Asked::default() {
        before.iter().for_each(|_| op.state.forget(FILE));
        return Ok(());
    }
    let claim = Claim::of(asked, before.map_or_else(round::now, |claim| claim.since));
    if before != Some(claim) {
        op.state.write(FILE, &claim).map_err(|error| format!("remember the timeouts of connections: {error}"))?;
    }
    if let Some((name, what, seconds)) = first_other(&claim, op.state.folder(), &instances_with(FILE)) {
        return Err(format!(
            "timeouts: director {name} of this host has asked for {what} = {seconds} s first, and there is one for all: \
             give both the same"
        ));
    }
    let set = |kernel: &mut Ipvs| {
        let now = kernel.timeouts()?;
        let wanted = Timeouts {
            tcp: asked.tcp.unwrap_or(now.tcp),
            tcp_fin: asked.tcp_fin.unwrap_or(now.tcp_fin),
            udp: asked.udp.unwrap_or(now.udp),
        };
        if wanted == now { Ok(()) } else { kernel.set_timeouts(&wanted) }
    };
    set(kernel).map_err(|error| format!("set how long connections are remembered: {error}"))
}

/// A director that runs, has asked before this one, and for something else.
fn first_other(own: &Claim, folder: &Path, files: &[impl AsRef<Path>]) -> Option<(String, &'static str, u64)> {
    let one = |file: &Path| {
        let there = file.parent().filter(|there| *there != folder && there.join(owned::FILE).exists())?;
        let claim = State::at(there).read::<Claim>(FILE)?;
        let is_first = (claim.since, there) < (own.since, folder);
        let (what, seconds) = claim.against(own).filter(|_| is_first)?;
        Some((there.file_name()?.to_string_lossy().into_owned(), what, seconds))
    };
    files.iter().find_map(|file| one(file.as_ref()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_runs_has_its_way() {
        let root = tempfile::tempdir().unwrap();
        let claim = |since, tcp: Option<u64>, udp| Claim { since: Duration::from_secs(since), tcp, tcp_fin: None, udp };
        let (a, b) = (root.path().join("a"), root.path().join("b"));
        let write = |folder: &Path, claim: Claim, runs: bool| {
            let state = State::at(folder);
            state.write(FILE, &claim).unwrap();
            if runs {
                state.write_bytes(owned::FILE, b"{}").unwrap();
            }
        };
        let files = [a.join(FILE), b.join(FILE)];
        let other = |own: Claim, folder: &Path| first_other(&own, folder, &files);
        let own = claim(20, Some(900), None);
        assert_eq!(other(own, &b), None, "nobody else");
        write(&a, claim(10, Some(600), None), false);
        assert_eq!(other(own, &b), None, "it does not run");
        write(&a, claim(10, Some(600), None), true);
        assert_eq!(other(own, &b), Some(("a".to_owned(), "tcp", 600)));
        assert_eq!(other(claim(20, Some(600), Some(30)), &b), None, "the same, and something more");
        assert_eq!(other(claim(20, None, Some(30)), &b), None, "something else");
        assert_eq!(other(claim(5, Some(900), None), &b), None, "the other one came later");
        assert_eq!(other(claim(10, Some(900), None), &b), Some(("a".to_owned(), "tcp", 600)), "at the same time");
        write(&b, own, true);
        assert_eq!(other(claim(10, Some(600), None), &a), None);
    }
}
