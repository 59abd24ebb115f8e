//! `[alerts]`: whom inuvika-alert tells what happens in the cluster.

use std::path::Path;

use lettre::Address;

use super::beside::{Alert, Recipient};
use super::fault::Fault;
use super::reader::{Table, Word};
use crate::alert::{KILLED_AFTER, NAME};

/// The key, and the id of the alert in the cluster.
pub const SECTION: &str = "alerts";
/// Where the packages put the link that Pacemaker runs.
const FOLDER: &str = "/usr/share/pacemaker/alerts";
/// Sections of the agent's own configuration that can be named instead of an address.
const SECTIONS: [&str; 3] = ["mail", "hook", "file"];

/// The alert that the section asks for.
pub(super) fn read(table: Table<'_>) -> Result<Alert, Fault> {
    let mut table = table.only(&["recipients"])?;
    let words = match table.take("recipients") {
        Some(item) => item.texts()?,
        None => Vec::new(),
    };
    let mut recipients: Vec<Recipient> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        check(word)?;
        if recipients.iter().any(|other| other.value == word.text) {
            return Err(word.fault(format!("{} is there already", word.text)));
        }
        recipients.push(Recipient { id: format!("{NAME}-{}", index + 1), value: word.text.clone() });
    }
    Ok(Alert {
        id: NAME.to_owned(),
        path: format!("{FOLDER}/{NAME}"),
        options: Vec::new(),
        meta: vec![("timeout".to_owned(), format!("{}s", KILLED_AFTER.as_secs()))],
        recipients,
    })
}

/// What the agent understands: a mail address, a section of its configuration, another configuration.
fn check(word: &Word<'_>) -> Result<(), Fault> {
    let text = word.text.as_str();
    let is_path = text.starts_with('/') && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    let is_file = is_path && Path::new(text).file_name().is_some();
    if SECTIONS.contains(&text) || is_file || text.parse::<Address>().is_ok() {
        return Ok(());
    }
    Err(word.must_be("a mail address, \"mail\", \"hook\", \"file\" or the path of a configuration of inuvika-alert"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::super::fault::Source;
    use super::*;

    fn alert(text: &str) -> Result<Alert, String> {
        let table = Table::document(Source { file: "s.toml", text }).unwrap();
        read(table).map_err(|fault| fault.to_string())
    }

    #[test]
    fn recipients_are_what_the_agent_understands() {
        let alert = alert("recipients = [\"ops@example.com\", \"hook\", \"/etc/inuvika-ha/night.toml\"]").unwrap();
        let all: Vec<_> = alert.recipients.iter().map(|one| format!("{} {}", one.id, one.value)).collect();
        assert_eq!(
            all,
            ["inuvika-alert-1 ops@example.com", "inuvika-alert-2 hook", "inuvika-alert-3 /etc/inuvika-ha/night.toml"]
        );
        assert_eq!(alert.meta, [("timeout".to_owned(), "30s".to_owned())]);
        // All that the agent's own configuration says.
        assert!(self::alert("").unwrap().recipients.is_empty());
    }

    #[test]
    fn others_are_refused() {
        for (text, said) in [
            ("recipients = \"ops\"", "s.toml:1:14: recipients: \"ops\" is not allowed: must be a mail address, "),
            ("recipients = [\"hook\", \"hook\"]", "s.toml:1:23: recipients: hook is there already"),
            ("to = \"a@b.c\"", "s.toml:1:1: to: unknown key: allowed here are recipients"),
        ] {
            let got = alert(text).unwrap_err();
            assert!(got.starts_with(said), "{got}");
        }
    }
}
