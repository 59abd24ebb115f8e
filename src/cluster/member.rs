//! Nodes: what the cluster calls this one, and what can be the name of one.

use std::io;

use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// What the cluster calls this node, which is not always its host name.
///
/// # Errors
/// `NotFound` where Pacemaker's tools are not installed, else what they said: they need a running cluster.
pub fn own(deadline: &Deadline) -> io::Result<String> {
    let output = process::run("crm_node", &["-n"], None, deadline)?;
    let name = output.text().trim().to_owned();
    if !output.status.success() || !is_name(&name) {
        return Err(io::Error::other(format!("ask the cluster for this node's name: {}", output.reason())));
    }
    Ok(name)
}

/// Whether a text can be the name of a node: what a tool would take for an option, or what would need quoting in a rule, is
/// none.
pub fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    !text.is_empty() && text.len() <= 255 && !text.starts_with('-') && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_quotes_are_no_names() {
        for text in ["", "-D", "a b", "a\"b", "a\n", "é", "a=b"] {
            assert!(!is_name(text), "{text:?}");
        }
        assert!(is_name("osm-1.priv_x"));
    }
}
