//! What CTDB tells its scripts, as lines in the log and node attributes, which Pacemaker's alerts (kind `attribute`) fire on.
//!
//! CTDB runs this program under two names, as a notification and as an event script, and waits for it in the middle of a fail-over.
//! So it is over within a second and never fails, whatever Pacemaker does.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use super::judge::held;
use super::spec;
use crate::cluster::attribute::Attribute;
use crate::ocf::deadline::Deadline;
use crate::ocf::environment::Environment;
use crate::ocf::log::{Level, Log};
use crate::probe::ctdb;

/// The names that CTDB knows it by, each without `.script`, which 4.9 and later want: the notification script and the event script.
pub const NAMES: [&str; 2] = ["50.inuvika-ha", "99.inuvika-ha"];
/// How long one run may take.
pub const LIMIT: Duration = Duration::from_millis(800);
/// How long ctdbd may take to tell its state and its addresses.
const ASK: Duration = Duration::from_millis(250);
/// Where ctdbd listens.
const SOCKET: &str = "/run/ctdb/ctdbd.socket";
/// The node attributes.
const STATE: &str = "ofs-ctdb-state";
const ADDRESSES: &str = "ofs-ctdb-addresses";
/// What they say of a node that is well, and of one that serves no address.
const WELL: &str = "ok";
const NONE: &str = "none";
/// What they say of a node without ctdbd.
const DOWN: &str = "down";

/// What is told of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The line for the log; none: nothing a person would want to read.
    pub line: Option<(Level, String)>,
    /// What the node's state is to be called; none: nothing of it changes.
    pub state: Option<State>,
}

/// Where the node's state is to be had from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// From ctdbd.
    Asked,
    /// It is this: ctdbd is about to end.
    Known(&'static str),
}

/// Whether this program is called by CTDB.
pub fn is_name(name: &str) -> bool {
    NAMES.contains(&name.strip_suffix(".script").unwrap_or(name))
}

/// What `words` (the event and its arguments) amount to. Events that say nothing of interest: none.
pub fn understand(words: &[&str]) -> Option<Event> {
    let asked = |level, text: String| Some(Event { line: Some((level, text)), state: Some(State::Asked) });
    match *words {
        ["healthy", ..] => asked(Level::Info, "CTDB: this node is healthy again".to_owned()),
        ["unhealthy", ..] => {
            asked(Level::Warning, "CTDB: this node is unhealthy, others take its addresses".to_owned())
        }
        ["startup", ..] => asked(Level::Info, "CTDB: this node has joined".to_owned()),
        ["takeip", link, address, ..] => {
            asked(Level::Warning, format!("CTDB: {} moves to this node, on {}", short(address), short(link)))
        }
        ["releaseip", link, address, ..] => {
            asked(Level::Warning, format!("CTDB: {} leaves this node, from {}", short(address), short(link)))
        }
        ["updateip", old, new, address, ..] => {
            let text = format!("CTDB: {} moves from {} to {}", short(address), short(old), short(new));
            asked(Level::Warning, text)
        }
        // The end of every change of addresses, and of every ban.
        ["ipreallocated" | "recovered", ..] => Some(Event { line: None, state: Some(State::Asked) }),
        ["shutdown", ..] => Some(Event {
            line: Some((Level::Info, "CTDB: ctdbd shuts down".to_owned())),
            state: Some(State::Known(DOWN)),
        }),
        _ => None,
    }
}

/// An argument as the log shows it.
fn short(word: &str) -> String {
    word.chars().take(64).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Tells of an event; the line for the script's output, which CTDB puts into its own log.
pub fn tell(words: &[&str]) -> Option<String> {
    let deadline = Deadline::after(LIMIT);
    let event = understand(words)?;
    let log = Log::new(spec::SPEC.name, "events", &Environment::of_process());
    if let Some((level, text)) = &event.line {
        log.write(*level, text);
    }
    if let Some(state) = event.state {
        publish(state, &log, &deadline);
    }
    event.line.map(|(_, text)| text)
}

/// Tells that ctdbd has ended, for one that was killed and could not: `folder` is CTDB's own, which has the link by which it tells.
/// Where it does not tell, nobody does.
pub fn ended(folder: &Path, log: &Log, deadline: &Deadline) {
    let links = [format!("events/notification/{}.script", NAMES[0]), format!("notify.d/{}", NAMES[0])];
    if links.iter().any(|link| folder.join(link).symlink_metadata().is_ok()) {
        publish(State::Known(DOWN), log, &deadline.within(LIMIT));
    }
}

/// Sets the node's attributes. No attribute is better than a wrong one, and no Pacemaker is no fault of CTDB.
fn publish(state: State, log: &Log, deadline: &Deadline) {
    let values = match state {
        State::Known(word) => Some((word.to_owned(), NONE.to_owned())),
        State::Asked => ask(&deadline.within(ASK)),
    };
    let Some((state, addresses)) = values else { return };
    for (name, value) in [(STATE, state), (ADDRESSES, addresses)] {
        let attribute = Attribute { name: name.to_owned(), dampening: 0 };
        match attribute.publish(&value, deadline) {
            Ok(true) => log.write(Level::Info, &format!("node attribute {name} is {value}")),
            Ok(false) => {}
            Err(error) => return log.write(Level::Debug, &format!("node attribute {name}: {error}")),
        }
    }
}

/// The state of this node and the addresses that it serves, as words of attributes.
fn ask(deadline: &Deadline) -> Option<(String, String)> {
    let nodes = super::nodes(deadline).ok()?;
    let own = nodes.into_iter().find(|node| node.is_own)?;
    let served = ctdb::public_addresses(Path::new(SOCKET), deadline).ok()?;
    let state = own.flag().map_or(WELL, super::status::Flag::word);
    Some((state.to_owned(), word(held(&served, own.number))))
}

/// Addresses as one word: those of IPv6 with `-` for `:`.
fn word(addresses: impl Iterator<Item = IpAddr>) -> String {
    let mut all: Vec<String> = addresses.map(|address| address.to_string().replace(':', "-")).collect();
    all.sort_unstable();
    if all.is_empty() { NONE.to_owned() } else { all.join("_") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::cluster::attribute::is_value;

    #[test]
    fn each_change_has_its_line() {
        for (words, said) in [
            (&["unhealthy"][..], "unhealthy"),
            (&["healthy"], "healthy again"),
            (&["startup"], "joined"),
            (&["shutdown"], "shuts down"),
            (&["takeip", "ens32", "172.16.4.26", "24"], "172.16.4.26 moves to this node, on ens32"),
            (&["releaseip", "ens32", "172.16.4.26", "24"], "172.16.4.26 leaves this node, from ens32"),
            (&["updateip", "ens32", "ens33", "172.16.4.26", "24"], "172.16.4.26 moves from ens32 to ens33"),
        ] {
            let event = understand(words).unwrap();
            assert!(event.line.as_ref().is_some_and(|(_, text)| text.contains(said)), "{words:?}: {event:?}");
            assert!(event.state.is_some(), "{words:?}");
        }
        assert_eq!(understand(&["ipreallocated"]).unwrap().line, None);
        for words in [&["monitor"][..], &["setup"], &["init"], &["takeip"], &[]] {
            assert_eq!(understand(words), None, "{words:?}");
        }
        let hostile = understand(&["takeip", "a\nb", &"x".repeat(500)]).unwrap().line.unwrap().1;
        assert!(!hostile.contains('\n') && hostile.len() < 200, "{hostile}");
    }

    #[test]
    fn addresses_are_one_word_of_an_attribute() {
        let all = ["172.16.4.27", "fd00::26", "172.16.4.26"].map(|a| a.parse().unwrap());
        let word = word(all.into_iter());
        assert!(word == "172.16.4.26_172.16.4.27_fd00--26" && is_value(&word), "{word}");
        assert_eq!(super::word(std::iter::empty()), "none");
        assert!(is_value(NONE) && is_value(WELL));
    }

    #[test]
    fn ctdb_calls_it_by_two_names_with_and_without_an_ending() {
        for name in ["50.inuvika-ha", "50.inuvika-ha.script", "99.inuvika-ha.script"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["inuvika-ha", "50.samba.script", "x50.inuvika-ha", "50.inuvika-ha.script.script"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
