//! What the Session Manager says: its errors come with status 200, so only the text tells.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use super::config::Config;
use super::database::View;
use crate::ocf::check::Verdict;
use crate::ocf::operation::Operation;
use crate::probe::http::Answer;

/// Says that a farm is in maintenance mode: the Session Manager works, it only takes no sessions.
const MAINTENANCE: &str = "in_maintenance";

/// Reads the page and compares it.
pub fn check(config: &Config, op: &Operation) -> (Verdict, String) {
    let answer = config.content.page.get(&op.deadline.within(config.request_timeout));
    let why = match answer {
        Ok(answer) => match judge(&answer, config) {
            Ok(what) => {
                if config.content.is_default {
                    remember(config, op);
                }
                return (Verdict::Ok, what);
            }
            Err(why) => why,
        },
        Err(why) => why,
    };
    if config.content.is_default && !matched_before(config, op) {
        return (Verdict::Degraded, format!("{why}; never matched here: set service_url and service_match"));
    }
    // A page that needs the database fails on every node when nobody reaches that: it is judged by depth 20 then, by vantage
    // point, and not here.
    if !config.dependency_fails
        && let View::Lost(cause) = View::of(config, op)
    {
        return (Verdict::Degraded, format!("{cause}; {why}"));
    }
    (Verdict::Failed, why)
}

/// Whether this is the page of a Session Manager that works; else what it is.
fn judge(answer: &Answer, config: &Config) -> Result<String, String> {
    if answer.body.contains(MAINTENANCE) {
        return Ok("in maintenance mode".to_owned());
    }
    if !(200..300).contains(&answer.status) {
        return Err(format!("page has status {}: {}", answer.status, excerpt(&answer.body)));
    }
    if config.content.pattern.is_match(&answer.body) {
        return Ok("page is as expected".to_owned());
    }
    Err(format!("page does not match: {}", excerpt(&answer.body)))
}

/// The part of a page that tells most: the message of an error, else its begin.
fn excerpt(body: &str) -> String {
    let message = body.split("message=\"").nth(1).and_then(|rest| rest.split('"').next());
    let text = message.filter(|m| !m.is_empty()).unwrap_or(body);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(|c| !c.is_control()).take(50).collect();
    if line.is_empty() { "it is empty".to_owned() } else { format!("'{line}'") }
}

/// Where it is kept that the default page has been seen on this node: it outlives a reboot, because a service that was
/// broken before is to be told from one that answers in other words.
fn file(op: &Operation) -> PathBuf {
    op.attic().join("matched")
}

/// What makes the memory worthless when it changes.
fn subject(config: &Config) -> String {
    format!("{} {}\n", config.content.page.url, config.content.pattern.as_str())
}

fn matched_before(config: &Config, op: &Operation) -> bool {
    fs::read_to_string(file(op)).is_ok_and(|text| text == subject(config))
}

fn remember(config: &Config, op: &Operation) {
    // Probes and runs by hand leave no trace.
    if !op.is_recurring() || matched_before(config, op) {
        return;
    }
    let folder = op.attic();
    let written = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).and_then(|()| {
        let new = folder.join(".matched");
        fs::write(&new, subject(config))?;
        fs::rename(new, file(op))
    });
    if let Err(error) = written {
        op.log.warning(&format!("cannot remember in {} that the page matched: {error}", folder.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn the_message_of_an_error_says_more_than_its_xml() {
        assert_eq!(excerpt("<?xml?>\n<error id=\"0\" message=\"Internal error\"/>"), "'Internal error'");
        assert_eq!(excerpt("<html>\n  <b>It\u{1b} works!"), "'<html> <b>It works!'");
        assert_eq!(excerpt(""), "it is empty");
    }
}
