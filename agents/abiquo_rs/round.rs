//! One round of questions to the webapps and to what they need, in the time of one, and what they amount to.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::config::Config;
use super::dependencies::{self, View};
use super::repository::Seen;
use super::settings::Settings;
use super::strikes::{Strikes, THRICE, TWICE};
use super::webapps::{Asked, Said, ask};
use crate::ocf::check::{Check, Verdict};
use crate::ocf::deadline::Deadline;
use crate::probe::trouble::Trouble;

/// The webapp whose check leaves a file in the repository: it is only asked when that is mounted and answers.
const WRITES: &str = "am";
/// An answer that is not there by now is in doubt: whether Redis or RabbitMQ is the cause is asked meanwhile, as a monitor that
/// asks one after the other delays the stop.
const LATE: Duration = Duration::from_millis(300);

/// One round of questions.
#[derive(Debug)]
pub struct Round {
    said: Vec<(String, Said)>,
    /// The repository; none where none is needed.
    pub repository: Option<Seen>,
    /// Redis and RabbitMQ, where they were asked.
    pub view: Option<View>,
}

impl Round {
    /// Asks all webapps at once, am after the repository. Redis and RabbitMQ are asked beside them with `with_view`, else as soon
    /// as one is in doubt. All of it ends at the deadline. Without settings (the properties are broken) there is nobody else
    /// to ask.
    pub fn of(
        config: &Config,
        asked: Asked<'_>,
        settings: Option<&Settings>,
        with_view: bool,
        deadline: &Deadline,
    ) -> Self {
        let Asked { webapps, datacenter, repository } = asked;
        let limit = deadline.within(config.request_timeout);
        let writes = webapps.iter().any(|name| name == WRITES);
        let repository = repository.filter(|_| writes || with_view);
        let (free, bound): (Vec<String>, Vec<String>) = webapps.iter().cloned().partition(|name| name != WRITES);
        let (doubt, doubts) = channel();
        let (seen, view, said) = thread::scope(|scope| {
            let view = settings.map(|all| {
                scope.spawn(move || {
                    // Nobody left who could have doubts: all have answered well.
                    let is_well = !with_view && doubts.recv_timeout(LATE) == Err(RecvTimeoutError::Disconnected);
                    (!is_well).then(|| View::of(all, config, deadline))
                })
            });
            let depends = {
                let (doubt, names) = (doubt.clone(), bound.clone());
                scope.spawn(move || {
                    let seen = repository.map(|one| Seen::of(one, &deadline.within(config.dependency_timeout)));
                    let seen = seen.map(|seen| seen.in_time_for_more(deadline));
                    let said = match seen.as_ref().and_then(Seen::trouble) {
                        Some(why) => unasked(names, why),
                        None => ask(config, &names, datacenter, &deadline.within(config.request_timeout)),
                    };
                    tell(&doubt, &said);
                    (seen, said)
                })
            };
            let mut said = ask(config, &free, datacenter, &limit);
            tell(&doubt, &said);
            drop(doubt);
            let (seen, more) = depends.join().unwrap_or_else(|_| {
                let why = "repository: no answer".to_owned();
                let said = unasked(bound, &why);
                (Some(Seen::Silent(why)), said)
            });
            said.extend(more);
            (seen, view.and_then(|view| view.join().ok()).flatten(), said)
        });
        let view = view.map(|view| view.with_mounted(seen.as_ref()));
        Self { said, repository: seen, view }
    }

    /// The judgements, one for each webapp, and one on the repository. What is wrong for no known reason counts as a strike.
    pub fn checks(&self, config: &Config, strikes: &mut Strikes) -> Vec<Check> {
        let mut checks = Vec::new();
        checks.extend(self.repository.as_ref().map(|seen| {
            Check::run("repository", || match seen {
                Seen::Alive => (Verdict::Ok, "mounted, and it answers".to_owned()),
                // Only on this node: what the webapps write goes to the disk below it. Mounting it is its own resource's work.
                Seen::Missing(why) => (strikes.against("repository", THRICE), why.clone()),
                Seen::Silent(why) | Seen::Stale(why) => (dependencies::lost(config), why.clone()),
            })
        }));
        let judge = |(name, said): &(String, Said)| Check::run("webapp", || self.judge(name, said, config, strikes));
        checks.extend(self.said.iter().map(judge));
        checks
    }

    fn judge(&self, name: &str, said: &Said, config: &Config, strikes: &mut Strikes) -> (Verdict, String) {
        let mut strike =
            |why: String| (strikes.against(&format!("webapp {name}"), TWICE), format!("webapp {name}: {why}"));
        // A server that refuses this login answers, so nobody waits for it.
        let may_be_cause = |trouble: &Trouble| match said {
            Said::Silent(_) => matches!(trouble, Trouble::Unreachable(_)),
            _ => true,
        };
        let why = match said {
            Said::Well => return (Verdict::Ok, format!("{name} is of this datacenter")),
            Said::Foreign(why) => return (Verdict::Failed, format!("webapp {name}: {why}")),
            Said::Unasked(why) => return (Verdict::Ok, format!("{name} is not asked: {why}")),
            Said::Wrong(why) | Said::Absent(why) => return strike(why.clone()),
            Said::Doubtful(why) | Said::Silent(why) => why,
        };
        let Some(view) = &self.view else {
            return (Verdict::Degraded, format!("webapp {name}: {why}; what it needs is not known"));
        };
        match view.troubles().find(may_be_cause) {
            Some(cause) => {
                let lost = matches!(cause, Trouble::Unreachable(_));
                let verdict = if lost { dependencies::lost(config) } else { Verdict::Degraded };
                (verdict, format!("webapp {name}: {why}; {cause}"))
            }
            None if view.well().is_empty() => strike(why.clone()),
            None => strike(format!("{why}, although {} answer", view.well())),
        }
    }

    /// Whether a webapp is missing or another site's, which waiting does not mend.
    pub fn is_hopeless(&self) -> bool {
        self.said.iter().any(|(_, said)| matches!(said, Said::Absent(_) | Said::Foreign(_)))
    }

    /// Whether all that could be asked are as they should be, or in trouble for a reason that is not theirs; else why not.
    pub fn is_up(&self, config: &Config) -> Result<(), String> {
        // What is lost is no reason against a start, whatever the monitor makes of it.
        let config = Config { dependency_fails: false, ..config.clone() };
        let checks = self.checks(&config, &mut Strikes::default());
        checks.into_iter().find(|check| check.verdict >= Verdict::Stopped).map_or(Ok(()), |check| Err(check.detail))
    }
}

/// Tells whoever waits for it that one of them may want for something that it needs.
fn tell(doubt: &Sender<()>, said: &[(String, Said)]) {
    if said.iter().any(|(_, said)| matches!(said, Said::Doubtful(_) | Said::Silent(_))) {
        // Nobody may wait any more.
        let _ = doubt.send(());
    }
}

fn unasked(names: Vec<String>, why: &str) -> Vec<(String, Said)> {
    names.into_iter().map(|name| (name, Said::Unasked(why.to_owned()))).collect()
}
