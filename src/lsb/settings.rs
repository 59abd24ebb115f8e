//! The parameters of an LSB script: /etc/default/NAME, where that sets nothing /etc/sysconfig/NAME, then the file of what the
//! agent takes the place of. The first that sets something counts, so a file as it is shipped, all comments, hides no other.

use std::io;
use std::path::{Path, PathBuf};

use super::line::{self, Line};
use crate::document::fault::Source;
use crate::ocf::alone::Script;
use crate::ocf::params::{Params, fits};
use crate::ocf::spec::{Param, Spec};

/// Where settings files are: of Debian and its relatives, and of Red Hat's.
pub const FOLDERS: [&str; 2] = ["/etc/default", "/etc/sysconfig"];

/// What was read.
#[derive(Debug)]
pub struct Settings {
    /// The parameters that could be understood.
    pub params: Params,
    /// Where they are from; none when no file sets anything.
    pub file: Option<PathBuf>,
    /// What could not be understood, each one line that says where.
    pub faults: Vec<String>,
}

/// The files that may have the parameters, in the order they count in.
pub fn files(spec: &Spec, script: &Script) -> Vec<PathBuf> {
    let names = std::iter::once(spec.name).chain(script.older.map(|older| older.file));
    names.flat_map(|name| FOLDERS.map(|folder| Path::new(folder).join(name))).collect()
}

/// Reads the parameters of an agent.
pub fn read(spec: &'static Spec, script: &Script) -> Settings {
    let mut faults = Vec::new();
    for path in files(spec, script) {
        let file = path.display().to_string();
        let text = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                faults.push(format!("read {file}: {error}"));
                continue;
            }
        };
        let (params, wrong) = parse(spec, script, Source { file: &file, text: &text });
        let counts = !params.is_empty() || !wrong.is_empty();
        faults.extend(wrong);
        if counts {
            return Settings { params, file: Some(path), faults };
        }
    }
    Settings { params: Params::none(spec), file: None, faults }
}

/// The parameters in a text, and what is wrong in it. The last value of a name counts, as in a shell.
fn parse(spec: &'static Spec, script: &Script, source: Source<'_>) -> (Params, Vec<String>) {
    let mut params = Params::none(spec);
    let mut faults = Vec::new();
    let mut at = 0;
    for whole in source.text.split_inclusive('\n') {
        let begin = at;
        at += whole.len();
        let mut fault = |place: usize, key: &str, message: &str| {
            faults.push(source.fault(begin + place, key, message).to_string());
        };
        match line::read(whole.trim_end_matches(['\n', '\r'])) {
            Ok(Line::Nothing) => {}
            Err((place, why)) => fault(place, "", &why),
            Ok(Line::Setting { name, value, name_at, value_at }) => match param(spec, script, &name) {
                None => {
                    let known: Vec<String> = spec.all_params().map(|param| param.name.to_uppercase()).collect();
                    fault(name_at, &name, &format!("unknown name: known are {}", known.join(", ")));
                }
                Some(param) if !value.is_empty() && !fits(param.kind, &value) => {
                    fault(value_at, &name, &format!("must be {}", param.kind.allowed()));
                }
                // Cannot fail: the agent has the parameter.
                Some(param) => drop(params.set(param.name, &value)),
            },
        }
    }
    (params, faults)
}

/// The parameter that a name means: in any case, as such files have capitals by custom.
fn param(spec: &Spec, script: &Script, name: &str) -> Option<&'static Param> {
    let older = script.older.iter().flat_map(|older| older.names).find(|(old, _)| *old == name);
    spec.param(&older.map_or_else(|| name.to_lowercase(), |(_, new)| (*new).to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::agents;

    fn given(text: &str) -> (Vec<(&'static str, String)>, Vec<String>) {
        let agent = agents::find("ovd-vip-src").unwrap();
        let source = Source { file: "f", text };
        let (params, faults) = parse(agent.table(), agent.alone().script().unwrap(), source);
        (params.given().map(|(name, value)| (name, value.to_owned())).collect(), faults)
    }

    #[test]
    fn the_guides_names_work_unchanged() {
        let text = "# NIC\nNIC=eth0\n\nVIRTUAL_IP=10.20.1.10\nADDRESS=10.20.0.0/16,10.30.0.0/16\n";
        let wanted = [("destinations", "10.20.0.0/16,10.30.0.0/16"), ("nic", "eth0"), ("virtual_ip", "10.20.1.10")];
        let (found, faults) = given(text);
        assert_eq!(found, wanted.map(|(name, value)| (name, value.to_owned())));
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(given("virtual_ip=10.0.0.1\nVIRTUAL_IP=10.0.0.2").0, [("virtual_ip", "10.0.0.2".to_owned())]);
        assert_eq!(given("VIRTUAL_IP=10.0.0.1\r\nVIRTUAL_IP=\r\n").0, []);
    }

    #[test]
    fn every_wrong_line_is_named_and_the_others_are_read() {
        let (found, faults) = given("NIC=eth0\nVIRTUAL_IP=10.20.1\nCOLOUR=red\nwhat\nARP_CHECK=no\n");
        assert_eq!(found, [("arp_check", "no".to_owned()), ("nic", "eth0".to_owned())]);
        let starts = [
            "f:2:12: VIRTUAL_IP: must be an IPv4",
            "f:3:1: COLOUR: unknown name: known are VIRTUAL_IP, NIC",
            "f:4:1: is no",
        ];
        assert_eq!(faults.len(), 3, "{faults:?}");
        for (fault, start) in faults.iter().zip(starts) {
            assert!(fault.starts_with(start), "{fault}");
        }
    }
}
