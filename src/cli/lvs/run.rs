//! `inuvika-ha lvs run`: the director's loop in the foreground, for hosts without Pacemaker and while it is in maintenance mode.

use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::SignalFd;
use std::os::fd::AsFd;

use super::{Failure, Given, refused};
use crate::agents::lvs_director::by_hand::Director;
use crate::lsb::keeper;
use crate::ocf::action::Action;
use crate::ocf::exit::{Code, Failure as Refusal};
use crate::ocf::instance::Instance;
use crate::out;
use crate::sys::claim::Claim;

/// How long start and stop may take.
const LIMIT: Duration = Duration::from_secs(60);
/// A round is to be over before the next one is due, but has some time in any case.
const SHORTEST: Duration = Duration::from_secs(5);

/// Do what the agent's start and monitor do, again and again, until SIGTERM or SIGINT
///
/// For hosts without Pacemaker (an LSB script or a systemd unit starts it) and while the cluster is in maintenance mode. It
/// uses the state of the resource of this name, so that neither finds anything foreign: the table stays when it ends, unless
/// --remove is given.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    given: Given,
    /// The name of the director; without parameters, those of its last start on this host are used
    #[arg(long, value_name = "RESOURCE", default_value = "lvs")]
    instance: String,
    /// From one round to the next; default: the interval of the configuration, else 10
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: Option<u64>,
    /// Remove the services in the end
    #[arg(long)]
    remove: bool,
    /// In a session of its own: what the LSB script says
    #[arg(long, hide = true)]
    background: bool,
}

impl Run {
    pub(super) fn run(self) -> Result<(), Failure> {
        // First, so that no signal is lost; programs that are started get them all the same.
        let ends = Ends::new()?;
        if self.background {
            // Fails only for the leader of a group, whom no terminal ends with the shell either.
            let _ = nix::unistd::setsid();
        }
        let pairs = self.given.pairs()?;
        let mut director = Director::new(&self.instance, &pairs).map_err(refused)?;
        let instance = Instance::new(&self.instance);
        // Held to the end: two loops would do every round twice.
        let path = keeper::path(&instance);
        let claim = Claim::take(&path).with_context(|| format!("lock {}", path.display()))?;
        let Some(_claim) = claim else {
            let holder = keeper::process(&instance).ok().flatten();
            let holder = holder.map_or_else(String::new, |pid| format!(" (process {pid})"));
            return Err(super::outside(format!("director {} has a loop already{holder}", self.instance)));
        };
        let started = director.act(Action::Start, None, LIMIT);
        if started.code != Code::Success {
            let reason = started.reason.unwrap_or_else(|| "start failed".to_owned());
            return Err(refused(Refusal::new(started.code, reason)));
        }
        out::stderr(&format!("director {} is up: SIGTERM ends it\n", self.instance));
        loop {
            let begun = Instant::now();
            let asked = || director.farm().map_or(Duration::from_secs(10), |farm| farm.pace.interval);
            let interval = self.interval.map_or_else(asked, Duration::from_secs);
            if ends.within(interval)? {
                break;
            }
            if pairs.is_empty()
                && let Ok(newer) = Director::new(&self.instance, &pairs)
            {
                // Somebody may have drained a real server by the cluster meanwhile.
                director = newer;
            }
            let limit = interval.max(SHORTEST);
            // Troubles are logged; none of them is a reason to leave the others unattended. It is due by its own count.
            let due = begun.elapsed().min(interval);
            let outcome = director.act(Action::Monitor, Some(due), limit);
            if outcome.code == Code::NotRunning {
                return Err(super::outside(format!("director {} was stopped by somebody else", self.instance)));
            }
        }
        if self.remove {
            let stopped = director.act(Action::Stop, None, LIMIT);
            if stopped.code != Code::Success {
                return Err(super::outside(stopped.reason.unwrap_or_else(|| "stop failed".to_owned())));
            }
        }
        Ok(())
    }
}

/// The signals that end the loop.
struct Ends(SignalFd);

impl Ends {
    fn new() -> anyhow::Result<Self> {
        let mut signals = SigSet::empty();
        [Signal::SIGTERM, Signal::SIGINT].into_iter().for_each(|signal| signals.add(signal));
        signals.thread_block().context("block signals")?;
        SignalFd::new(&signals).map(Self).context("wait for signals")
    }

    /// Whether one comes within this time.
    fn within(&self, limit: Duration) -> anyhow::Result<bool> {
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)], timeout) {
                Ok(0) if left.is_zero() => return Ok(false),
                Ok(0) | Err(nix::errno::Errno::EINTR) => {}
                Ok(_) => return Ok(true),
                Err(errno) => return Err(anyhow::Error::new(errno).context("wait for signals")),
            }
        }
    }
}
