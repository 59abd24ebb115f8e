//! What the cluster remembers for good: values in the CIB, which every node has and a reboot of all leaves.
//!
//! Only crm_attribute's short options are used: they are the same from Pacemaker 1.1.14 to 3.0.

use std::io;

use super::member::is_name;
use crate::ocf::deadline::Deadline;
use crate::sys::process::{self, Output};

/// Exit codes for "no such value": of Pacemaker 2 and later (CRM_EX_NOSUCH), and of 1.1 (ENXIO).
const NO_SUCH: [i32; 2] = [105, 6];

/// A value of the whole cluster, in a property set of its own.
#[derive(Debug, Clone)]
pub struct Property {
    /// The set: an XML id.
    pub set: &'static str,
    /// The value's name: letters, digits, `_`, `-`, `.`.
    pub name: String,
}

impl Property {
    /// The value; none when nobody has written one yet.
    ///
    /// # Errors
    /// `NotFound` where Pacemaker's tools are not installed, else what they said.
    pub fn read(&self, deadline: &Deadline) -> io::Result<Option<String>> {
        check(&self.name)?;
        query(&["-t", "crm_config", "-s", self.set, "-n", &self.name, "-G", "-q"], &self.name, deadline)
    }

    /// Makes `value` the cluster's.
    ///
    /// # Errors
    /// See [`Property::read`].
    pub fn write(&self, value: &str, deadline: &Deadline) -> io::Result<()> {
        check(&self.name)?;
        update(&["-t", "crm_config", "-s", self.set, "-n", &self.name, "-v", value], &self.name, deadline)
    }
}

/// A node attribute that outlives the node's absence, unlike [`super::attribute::Attribute`]; anybody may write any node's.
#[derive(Debug, Clone)]
pub struct Lasting {
    /// Its name, as location rules have it: letters, digits, `_`, `-`, `.`.
    pub name: String,
}

impl Lasting {
    /// Makes `value` that of `node`; true when it was another before. An unchanged value changes nothing in the cluster.
    ///
    /// # Errors
    /// See [`Property::read`]; also when there is no such node.
    pub fn set(&self, node: &str, value: &str, deadline: &Deadline) -> io::Result<bool> {
        check(&self.name)?;
        check(node)?;
        check(value)?;
        let about = [["-N", node], ["-n", &self.name], ["-l", "forever"]].concat();
        // What cannot be asked, or was never set, is written; that says what is wrong, if anything is.
        let known = query(&[&about[..], &["-G", "-q"]].concat(), &self.name, deadline);
        if known.as_ref().is_ok_and(|known| known.as_deref() == Some(value)) {
            return Ok(false);
        }
        if let Err(error) = known
            && matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::TimedOut)
        {
            return Err(error);
        }
        update(&[&about[..], &["-v", value]].concat(), &self.name, deadline)?;
        Ok(true)
    }
}

fn query(arguments: &[&str], name: &str, deadline: &Deadline) -> io::Result<Option<String>> {
    let output = process::run("crm_attribute", arguments, None, deadline)?;
    if output.status.success() {
        return Ok(Some(output.text().trim().to_owned()));
    }
    if is_absent(&output) { Ok(None) } else { Err(failed("read", name, &output)) }
}

fn update(arguments: &[&str], name: &str, deadline: &Deadline) -> io::Result<()> {
    let output = process::run("crm_attribute", arguments, None, deadline)?;
    if output.status.success() { Ok(()) } else { Err(failed("set", name, &output)) }
}

/// Versions differ in the code; the words of the C library are the same in all.
fn is_absent(output: &Output) -> bool {
    output.status.code().is_some_and(|code| NO_SUCH.contains(&code)) || output.reason().contains("No such device")
}

fn failed(act: &str, name: &str, output: &Output) -> io::Error {
    io::Error::other(format!("{act} {name} in the cluster: {}", output.reason()))
}

fn check(text: &str) -> io::Result<()> {
    if is_name(text) {
        return Ok(());
    }
    let reason = format!("{text:?} is not made of letters, digits, _ - .");
    Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    fn ended(code: i32, errors: &str) -> Output {
        let status = ExitStatus::from_raw(code << 8);
        Output { status, stdout: Vec::new(), stderr: errors.into(), truncated: false }
    }

    #[test]
    fn nobody_has_written_it_and_nobody_answers_are_two_things() {
        assert!(is_absent(&ended(105, "crm_attribute: Error performing operation: No such device or address")));
        assert!(is_absent(&ended(6, "Error performing operation: No such device or address")));
        assert!(is_absent(&ended(1, "Error performing operation: No such device or address")));
        assert!(!is_absent(&ended(
            102,
            "crm_attribute: Could not connect to the CIB: Transport endpoint is not connected"
        )));
        assert!(!is_absent(&ended(107, "")));
    }

    #[test]
    fn no_option_and_no_quote_gets_through() {
        for text in ["-D", "a b", ""] {
            assert!(check(text).is_err());
        }
    }
}
