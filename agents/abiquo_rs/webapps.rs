//! The webapps, asked as Abiquo's API asks them: `/check` answers with the id of the datacenter, or with 503 when something that
//! the webapp needs is missing.

use super::config::Config;
use super::dependencies::{self, View};
use super::repository::Seen;
use super::settings::{Repository, Settings};
use super::strikes::{Strikes, THRICE, TWICE};
use crate::ocf::check::{Check, Verdict};
use crate::ocf::deadline::Deadline;
use crate::probe::http::{self, Answer, Page};
use crate::probe::trouble::Trouble;

/// The webapp whose check leaves a file in the repository: it is only asked when that is mounted and answers.
const WRITES: &str = "am";

/// What a webapp's answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It is well, and of this datacenter.
    Well,
    /// It says that something it needs is missing.
    Doubtful(String),
    /// It says nothing: it may be busy, or wait for something that it needs.
    Silent(String),
    /// It is not what it should be.
    Wrong(String),
    /// There is no such webapp, or none that may be asked.
    Absent(String),
    /// It is of another datacenter.
    Foreign(String),
    /// It was not asked.
    Unasked(String),
}

/// Who is asked, and what is to be answered.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The webapps.
    pub webapps: &'a [String],
    /// The id of the datacenter.
    pub datacenter: &'a str,
    /// Where they write to.
    pub repository: Option<&'a Repository>,
}

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
    /// Asks all webapps at once. Redis and RabbitMQ are asked beside them with `with_view`, and after them when one of them is in
    /// doubt. Without settings (the properties are broken) there is nobody else to ask.
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
        let timeout = config.dependency_timeout;
        let (seen, mut view, mut said) = std::thread::scope(|scope| {
            let seen = repository.map(|one| scope.spawn(|| Seen::of(one, &deadline.within(timeout))));
            let view = settings.filter(|_| with_view).map(|all| scope.spawn(|| View::of(all, config, deadline)));
            let said = ask(config, &free, datacenter, &limit);
            let seen =
                seen.map(|seen| seen.join().unwrap_or_else(|_| Seen::Silent("repository: no answer".to_owned())));
            (seen, view.and_then(|view| view.join().ok()), said)
        });
        let in_doubt =
            |said: &[(String, Said)]| said.iter().any(|(_, said)| matches!(said, Said::Doubtful(_) | Said::Silent(_)));
        let view_of = || settings.map(|all| View::of(all, config, deadline));
        match seen.as_ref().and_then(Seen::trouble) {
            Some(why) => said.extend(bound.into_iter().map(|name| (name, Said::Unasked(why.clone())))),
            // Both take their time when they are silent: a slow monitor delays the stop.
            None => {
                let doubt = in_doubt(&said) && view.is_none();
                let limit = deadline.within(config.request_timeout);
                let (more, asked) = std::thread::scope(|scope| {
                    let asked = doubt.then(|| scope.spawn(view_of));
                    (ask(config, &bound, datacenter, &limit), asked.and_then(|asked| asked.join().ok()).flatten())
                });
                said.extend(more);
                view = view.or(asked);
            }
        }
        if in_doubt(&said) && view.is_none() {
            view = view_of();
        }
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

fn ask(config: &Config, webapps: &[String], datacenter: &str, deadline: &Deadline) -> Vec<(String, Said)> {
    if webapps.is_empty() {
        return Vec::new();
    }
    let page = |name: &String| Page {
        url: format!("http://{}/{name}/check", config.address),
        cookie: String::new(),
        ca: None,
    };
    let pages: Vec<Page> = webapps.iter().map(page).collect();
    let answers = http::get_all(&pages, deadline);
    webapps.iter().cloned().zip(answers.into_iter().map(|answer| understand(answer, datacenter))).collect()
}

fn understand(answer: Result<Answer, String>, datacenter: &str) -> Said {
    match answer {
        Ok(Answer { status: 200, body }) if body.trim() == datacenter => Said::Well,
        Ok(Answer { status: 200, body }) => {
            let id: String = body.trim().chars().take(24).map(|c| if c.is_control() { '?' } else { c }).collect();
            Said::Foreign(format!("it is of datacenter '{id}', not '{datacenter}'"))
        }
        Ok(Answer { status: 503, .. }) => Said::Doubtful("status 503".to_owned()),
        Ok(Answer { status: 404, .. }) => Said::Absent("status 404: it is not deployed".to_owned()),
        // Tomcat itself refuses the question: that does not pass by waiting either.
        Ok(Answer { status: status @ 400..=499, .. }) => Said::Absent(format!("status {status}")),
        Ok(Answer { status, .. }) => Said::Wrong(format!("status {status}")),
        Err(why) if why.starts_with("no answer") => Said::Silent(why),
        // This host lacks memory or files: nothing was asked.
        Err(why) if why.starts_with(http::NO_CLIENT) => Said::Unasked(why),
        Err(why) => Said::Wrong(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_for_what_it_says() {
        let answer = |status, body: &str| understand(Ok(Answer { status, body: body.to_owned() }), "rsha");
        assert_eq!(answer(200, "rsha\n"), Said::Well);
        for (status, body, why) in [
            (200, "other", "'other', not 'rsha'"),
            (200, "", "''"),
            (200, "<html>\u{1b}a very long page of a login server</html>", "'<html>?a very long page '"),
            (404, "", "not deployed"),
            (500, "rsha", "status 500"),
            (302, "", "status 302"),
        ] {
            let said = answer(status, body);
            assert!(
                matches!(&said, Said::Wrong(said) | Said::Absent(said) | Said::Foreign(said) if said.contains(why)),
                "{said:?}"
            );
            assert_eq!(matches!(said, Said::Foreign(_)), status == 200);
        }
        assert!(matches!(answer(503, ""), Said::Doubtful(_)));
        assert!(matches!(understand(Err("no answer in 3.0 s".into()), "x"), Said::Silent(_)));
        assert!(matches!(understand(Err(format!("{}: x", http::NO_CLIENT)), "x"), Said::Unasked(_)));
        assert!(matches!(understand(Err("connection refused".into()), "x"), Said::Wrong(_)));
    }
}
