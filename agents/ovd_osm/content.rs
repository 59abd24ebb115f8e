//! What the Session Manager says: its errors come with status 200, so only the text tells.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::config::Config;
use super::database::View;
use crate::ocf::check::Verdict;
use crate::ocf::instance::checksum;
use crate::ocf::operation::Operation;
use crate::probe::http::Answer;

/// Says that a farm is in maintenance mode: the Session Manager works, it only takes no sessions.
const MAINTENANCE: &str = "in_maintenance";

/// Where the packages have the Session Manager's pages.
const PRODUCT: &str = "/usr/share/ovd/session-manager";

/// Whether the default page has been seen on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Not by this URL and pattern.
    Never,
    /// Before the Session Manager's files were replaced.
    Before,
    /// With the files that are there.
    Now,
}

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
    match if config.content.is_default { seen(config, op) } else { Seen::Now } {
        Seen::Never => {
            return (Verdict::Degraded, format!("{why}; never matched here: set service_url and service_match"));
        }
        Seen::Before => {
            return (Verdict::Degraded, format!("{why}; not matched since the upgrade: see service_match"));
        }
        Seen::Now => {}
    }
    // A page that needs the database fails on every node when nobody reaches that: it is judged by depth 20 then, by vantage
    // point, and not here.
    if !config.dependency_fails
        && let View::Lost(cause) = View::of(config, config.database_timeout, op)
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

/// What is remembered: the subject, and a line for the files.
fn memory(config: &Config) -> String {
    format!("{}{}\n", subject(config), installed(Path::new(PRODUCT)))
}

/// Another text after a package upgrade: that replaces files by renaming, which changes the time of their folder. Where the
/// product is elsewhere it is always the same.
fn installed(product: &Path) -> String {
    let entries = fs::read_dir(product).into_iter().flatten().flatten();
    let below = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = below.chain([product.to_owned()]).collect();
    folders.sort();
    let times = folders.iter().filter_map(|folder| {
        let data = fs::metadata(folder).ok()?;
        Some(format!("{} {}.{}\n", folder.display(), data.mtime(), data.mtime_nsec()))
    });
    format!("{:08x}", checksum(&times.collect::<String>()))
}

fn seen(config: &Config, op: &Operation) -> Seen {
    match fs::read_to_string(file(op)) {
        Ok(text) if text == memory(config) => Seen::Now,
        Ok(text) if text.starts_with(&subject(config)) => Seen::Before,
        _ => Seen::Never,
    }
}

fn remember(config: &Config, op: &Operation) {
    // Probes and runs by hand leave no trace.
    if !op.is_recurring() || seen(config, op) == Seen::Now {
        return;
    }
    let folder = op.attic();
    let written = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).and_then(|()| {
        let new = folder.join(".matched");
        fs::write(&new, memory(config))?;
        fs::rename(new, file(op))
    });
    if let Err(error) = written {
        op.log.warning(&format!("cannot remember in {} that the page matched: {error}", folder.display()));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{excerpt, installed};

    #[test]
    #[allow(clippy::unwrap_used, reason = "a test may panic")]
    fn a_file_that_is_replaced_is_another_installation() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(installed(&at("absent")), installed(&at("absent as well")));
        fs::create_dir(at("pages")).unwrap();
        fs::write(at("pages/status"), "old").unwrap();
        let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
        for name in ["pages", "."] {
            fs::File::open(at(name)).unwrap().set_modified(old).unwrap();
        }
        let before = installed(folder.path());
        assert_eq!(installed(folder.path()), before);
        fs::write(at("new"), "new").unwrap();
        fs::rename(at("new"), at("pages/status")).unwrap();
        fs::File::open(folder.path()).unwrap().set_modified(old).unwrap();
        assert_ne!(installed(folder.path()), before);
    }

    #[test]
    fn the_message_of_an_error_says_more_than_its_xml() {
        assert_eq!(excerpt("<?xml?>\n<error id=\"0\" message=\"Internal error\"/>"), "'Internal error'");
        assert_eq!(excerpt("<html>\n  <b>It\u{1b} works!"), "'<html> <b>It works!'");
        assert_eq!(excerpt(""), "it is empty");
    }
}
