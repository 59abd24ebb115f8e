//! `inuvika-alert`, Pacemaker's alert agent: tells people and programs what happens in the cluster.
//!
//! Pacemaker runs it for each event on each node that sees it, in no order, and never again when it fails. So it writes the
//! event to a spool first; then one process of the node collects what comes within seconds and sends it (`round`), of the
//! nodes that see the same event only one (`turn`). What cannot be sent stays in the spool, which a timer of systemd looks
//! after. It ends within [`LIMIT`], well before Pacemaker would kill it.

pub mod channel;
pub mod event;
pub mod executor;
mod headline;
pub mod history;
mod hook;
pub mod letter;
mod mail;
pub mod private;
pub mod round;
pub mod settings;
pub mod sight;
pub mod spool;
pub mod told;
pub mod turn;
pub mod user;

use std::env;
use std::time::Duration;

use crate::ocf::deadline::Deadline;
use crate::ocf::environment::Environment;
use crate::ocf::log::Log;
use crate::out;
use channel::Files;
use event::{Event, Kind, Resources};
use round::{Cause, Round};
use spool::{Record, Spool};

/// The name that Pacemaker calls it by.
pub const NAME: &str = "inuvika-alert";
/// After which time Pacemaker kills it unless the alert is given another.
pub const KILLED_AFTER: Duration = Duration::from_secs(30);
/// How long a run may take: it ends by itself well before [`KILLED_AFTER`].
pub const LIMIT: Duration = Duration::from_secs(20);
/// How long one message may take that could not be kept.
const UNKEPT: Duration = Duration::from_secs(8);

/// Runs the agent: 0 when the event is told, kept, or not to be told; 1 when it is lost; 2 when there is none.
pub fn run() -> u8 {
    let deadline = Deadline::after(LIMIT);
    let variable = |name: &str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let log = Log::new(NAME, &variable("CRM_alert_kind").unwrap_or_default(), &Environment::of_process());
    let Some(event) = Event::read(variable) else {
        out::stderr(&format!(
            "{NAME}: no event in CRM_alert_kind: Pacemaker runs this program; to try it, run inuvika-ha alert test\n"
        ));
        return 2;
    };
    // Whoever runs it by hand as root must not leave files that the cluster cannot read.
    if let Err(error) = user::step_down() {
        log.warning(&format!("go on as {}: {error}", user::USER));
    }
    // The others see that this node is here; nobody has to know that it sees them.
    if event.kind == Kind::Node && !event.is_failure() && executor::has_just_begun() {
        return 0;
    }
    let mut files = Files::default();
    let resources = match files.of_recipient(&event.recipient) {
        Ok(settings) => settings.resources,
        Err(problem) => {
            log.error(&format!("the message waits until this is mended: {problem}"));
            Resources::default()
        }
    };
    if !event.is_worth(resources) {
        return 0;
    }
    let spool = Spool::of_host();
    if let Err(error) = spool.add(event.clone()) {
        log.error(&format!("keep an event: {error}"));
        return unkept(event, &mut files, &log, &deadline);
    }
    loop {
        match spool.lock(Duration::ZERO) {
            // Another process sends: it sees the new file, now or when it has let go of the lock.
            Ok(None) => return 0,
            Ok(Some(lock)) => {
                let outcome = Round::new(&spool, &log, deadline, Cause::Due).run();
                drop(lock);
                let looked_at = outcome.map(|outcome| outcome.looked_at).unwrap_or_default();
                let names = spool.names().unwrap_or_default();
                if deadline.passed() || names.iter().all(|name| looked_at.contains(name)) {
                    return 0;
                }
            }
            Err(error) => {
                log.error(&format!("the message waits: lock the spool: {error}"));
                return 0;
            }
        }
    }
}

/// Tells an event that could not be kept at once, from this node: perhaps not only from here, but not from nowhere.
fn unkept(event: Event, files: &mut Files, log: &Log, deadline: &Deadline) -> u8 {
    let record = Record { name: String::new(), seen: event.time, event, done: Vec::new(), reason: None };
    let channels = files.channels(&record.event.recipient).unwrap_or_default();
    let sender = round::sender("", deadline);
    let mut told = !channels.is_empty();
    for channel in channels {
        if let Err(problem) = channel.send(&[&record], &sender, &deadline.within(UNKEPT)) {
            log.error(&problem);
            told = false;
        }
    }
    u8::from(!told)
}
