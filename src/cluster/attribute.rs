//! Node attributes: what an instance lets the whole cluster know about its own node.

use std::io;

use super::member;
use crate::ocf::deadline::Deadline;
use crate::sys::process::{self, Output};

/// What this node publishes under a name, in the attribute manager's memory: gone when the node leaves the cluster.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Its name, as location rules have it: letters, digits, `_`, `-`, `.`.
    pub name: String,
    /// How long, in seconds, the cluster waits after a change of any node for those of the others before it acts. Every
    /// further change starts the wait anew, whichever node makes it; then the values of all nodes arrive together. A value
    /// that is back within the time leaves no trace.
    pub dampening: u64,
}

impl Attribute {
    /// Makes `value` this node's; true when it was another one before. An unchanged value costs questions to the local
    /// daemons and no traffic. `value` is made of letters, digits, `_`, `-` and `.`.
    ///
    /// # Errors
    /// `NotFound` where Pacemaker's tools are not installed, `InvalidInput` for a name or value with other characters, else
    /// what the tools said.
    pub fn publish(&self, value: &str, deadline: &Deadline) -> io::Result<bool> {
        check("name", &self.name, member::is_name(&self.name))?;
        check("value", value, is_value(value))?;
        // Named, because the tool asks for all nodes without it (up to 3.0), and changes the hosting node's instead of a
        // remote node's.
        let node = member::own(deadline)?;
        let known = updater(&["-n", &self.name, "-N", &node, "-Q"], deadline)?;
        // A failed query is most often an attribute that nobody has set yet; its exit code differs from version to
        // version. Whatever else it was, the update fails for the same reason.
        if known.status.success() && value_of(&known.text(), &node) == Some(value) {
            return Ok(false);
        }
        // -U with -d loses the delay in Pacemaker 2.1.5 and 2.1.6, and leaves that of an existing attribute in all.
        let delay = format!("{}s", self.dampening);
        let done = updater(&["-n", &self.name, "-N", &node, "-B", value, "-d", &delay], deadline)?;
        if done.status.success() {
            Ok(true)
        } else {
            Err(io::Error::other(format!("set node attribute {}: {}", self.name, done.reason())))
        }
    }

    /// What the other nodes have published, by node; those that have not are missing.
    ///
    /// # Errors
    /// `NotFound` where Pacemaker's tools are not installed, else what the tools said.
    pub fn of_others(&self, deadline: &Deadline) -> io::Result<Vec<(String, String)>> {
        check("name", &self.name, member::is_name(&self.name))?;
        let node = member::own(deadline)?;
        // Fails where nobody has published anything, with an exit code that differs from version to version.
        let known = updater(&["-n", &self.name, "-A", "-Q"], deadline)?;
        Ok(values(&known.text()).filter(|(host, _)| *host != node).map(|(a, b)| (a.to_owned(), b.to_owned())).collect())
    }
}

/// Host and value of each line `name="x" host="n" value="v"`.
fn values(lines: &str) -> impl Iterator<Item = (&str, &str)> {
    lines.lines().filter_map(|line| {
        let (host, rest) = line.split_once(" host=\"")?.1.split_once('"')?;
        let value = rest.split_once(" value=\"")?.1.split('"').next()?;
        Some((host, value))
    })
}

fn updater(arguments: &[&str], deadline: &Deadline) -> io::Result<Output> {
    process::run("attrd_updater", arguments, None, deadline)
}

/// The value of `node` in the lines `name="x" host="n" value="v"`.
fn value_of<'a>(lines: &'a str, node: &str) -> Option<&'a str> {
    let host = format!(" host=\"{node}\" ");
    let line = lines.lines().find(|line| line.contains(&host))?;
    let (_, rest) = line.split_once(" value=\"")?;
    rest.split('"').next()
}

/// Refuses what a tool would take for an option, or what would need quoting in a rule or in its output.
fn check(what: &str, text: &str, is_good: bool) -> io::Result<()> {
    if is_good {
        return Ok(());
    }
    let reason = format!("set node attribute: {what} {text:?} is not made of letters, digits, _ - .");
    Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
}

/// Longest value: every node of the cluster keeps it.
const VALUE_MAX: usize = 4096;

/// Whether a text can be a value.
pub fn is_value(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    !text.is_empty() && text.len() <= VALUE_MAX && !text.starts_with('-') && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_line_counts() {
        let lines = "name=\"db\" host=\"osm2.priv\" value=\"0\"\nname=\"db\" host=\"osm1.priv\" value=\"1\"\n";
        assert_eq!(value_of(lines, "osm1.priv"), Some("1"));
        assert_eq!(value_of(lines, "osm2.priv"), Some("0"));
        assert_eq!(value_of(lines, "osm1"), None);
        assert_eq!(value_of("name=\"db\" host=\"osm1\" value=\"\"\n", "osm1"), Some(""));
        assert_eq!(values(lines).collect::<Vec<_>>(), [("osm2.priv", "0"), ("osm1.priv", "1")]);
        assert_eq!(values("rubbish\n").count(), 0);
        assert_eq!(value_of("rubbish host=\"a\" ", "a"), None);
    }

    #[test]
    fn options_and_quotes_are_no_values() {
        for text in ["", "-D", "a b", "a\"b", "a\n", "é", "a=b"] {
            assert!(!is_value(text), "{text:?}");
        }
        for text in ["1", "ok", "osm-database", "a.b_c"] {
            assert!(is_value(text), "{text:?}");
        }
    }
}
