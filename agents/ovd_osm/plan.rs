//! What start has to do, from what was found. Pure.

use crate::sys::cron_link::Found;

/// What start found on this host.
#[derive(Debug)]
pub struct Observed {
    /// Whether the web server has processes.
    pub runs: bool,
    /// Whether it answers.
    pub answers: bool,
    /// What stands in the cron link's place; none when the link is not ours to make.
    pub cron: Option<Found>,
}

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// End a web server that does not answer: hung, or on its way out after a stop that was killed.
    StopServer,
    /// Start the web server.
    StartServer,
    /// Wait until it answers.
    AwaitAnswer,
    /// Make the cron link.
    LinkCron,
    /// Keep systemd's hands off it.
    Claim,
}

/// The steps, in order. The cron job comes after the answer: it works on what the service needs. systemd comes last: its
/// reload takes time, in which clients are served already.
pub fn plan(observed: &Observed) -> Vec<Step> {
    let mut steps = Vec::new();
    if observed.runs && !observed.answers {
        steps.push(Step::StopServer);
    }
    if !observed.answers {
        steps.extend([Step::StartServer, Step::AwaitAnswer]);
    }
    if observed.cron.as_ref().is_some_and(|found| *found != Found::Ours) {
        steps.push(Step::LinkCron);
    }
    steps.push(Step::Claim);
    steps
}
