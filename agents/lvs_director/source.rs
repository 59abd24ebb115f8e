//! What is wanted: from the parameters, from the file, or from the last good copy of the file.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use super::config::{Config, Source};
use super::spec::SPEC;
use crate::director::farm::Farm;
use crate::ocf::exit::{Code, Failure};
use crate::ocf::operation::Operation;
use crate::ocf::params::Params;
use crate::probe::mount;

/// The file in the state folder with the text that was last in force.
const COPY: &str = "lvs.config";
/// The same for parameters: in place of the text when there was no file.
const PARAMS: &str = "lvs.params";
/// A file that was changed so short a while ago may be half written: what is in force stays for a round.
const SETTLED: Duration = Duration::from_secs(2);
/// How long the file system of the configuration may take to answer where it is not needed.
const ANSWER: Duration = Duration::from_secs(1);
/// A configuration file is at most so long: 10,000 real servers, each with its own table, are some 2 MB.
const LONGEST: u64 = 16 << 20;

/// What is wanted now, with the text of its file.
///
/// # Errors
/// The file cannot be read, or what is wrong in it: reasons of this host, as the others have files of their own.
pub fn now(config: &Config) -> Result<(Farm, Option<String>), Failure> {
    let (mut farm, text) = match &config.source {
        Source::Parameters(farm) => ((**farm).clone(), None),
        Source::File(path) => {
            let text = read(path)?;
            let farm = Farm::from_toml(&text, &path.display().to_string());
            (farm.map_err(|reason| Failure::new(Code::Args, reason))?, Some(text))
        }
    };
    drain(&mut farm, config)?;
    Ok((farm, text))
}

fn read(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    // A pipe or a device could be read for ever.
    let text = fs::metadata(path).and_then(|metadata| match metadata.len() {
        _ if !metadata.is_file() => Err(io::Error::other("it is not a file")),
        size if size > LONGEST => Err(ErrorKind::FileTooLarge.into()),
        _ => fs::read_to_string(path),
    });
    text.map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            Failure::new(Code::NotInstalled, format!("config {shown} is not there: copy it to every director"))
        }
        _ => Failure::new(Code::NotInstalled, format!("read config {shown}: {error}")),
    })
}

fn drain(farm: &mut Farm, config: &Config) -> Result<(), Failure> {
    farm.drain(&config.drained).map_err(|reason| Failure::configured(format!("parameter drained: {reason}")))
}

/// The same for a monitor: while the file cannot be used, the copy of what was last in force, and why.
///
/// # Errors
/// There is no copy either.
pub fn in_force(config: &Config, op: &Operation) -> Result<(Farm, Option<String>), Failure> {
    let failure = match now(config) {
        // Half of a file may be a right file that lacks services. A reload is somebody's word that it is whole.
        Ok((_, Some(text))) if op.is_recurring() && is_young(config) && is_other(&text, op) => None,
        Ok((farm, text)) => {
            // Probes and runs by hand change nothing.
            if op.is_recurring() {
                keep(config, text.as_deref(), op);
            }
            return Ok((farm, None));
        }
        Err(failure) => Some(failure),
    };
    let (mut farm, trouble) = match (copy(op), failure) {
        (Some(farm), failure) => (farm, failure.map(|it| format!("{}; the last good one stays in force", it.reason))),
        (None, Some(failure)) => return Err(failure),
        (None, None) => return now(config).map(|(farm, _)| (farm, None)),
    };
    drain(&mut farm, config)?;
    Ok((farm, trouble))
}

/// Whether the file may be being written just now. A time to come says nothing.
fn is_young(config: &Config) -> bool {
    let Source::File(path) = &config.source else { return false };
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age < SETTLED)
}

/// Whether another text is in force.
fn is_other(text: &str, op: &Operation) -> bool {
    op.state.read::<String>(COPY).is_some_and(|copy| copy != text)
}

/// Remembers what is in force now.
pub fn remember(config: &Config, op: &Operation) {
    if let Ok((_, text)) = now(config) {
        keep(config, text.as_deref(), op);
    }
}

/// Remembers the text that is in force; none: what is wanted is in the parameters.
pub fn keep(config: &Config, text: Option<&str>, op: &Operation) {
    // Without the copy a later mistake is worse: no reason for a failure now.
    let written = match text {
        Some(text) if op.state.read::<String>(COPY).as_deref() == Some(text) => return,
        Some(text) => op.state.write(COPY, &text).map(|()| PARAMS),
        None if op.state.read::<BTreeMap<String, String>>(PARAMS).as_ref() == Some(&config.given) => return,
        None => op.state.write(PARAMS, &config.given).map(|()| COPY),
    };
    written.into_iter().for_each(|old| op.state.forget(old));
}

fn copy(op: &Operation) -> Option<Farm> {
    if let Some(text) = op.state.read::<String>(COPY) {
        return Farm::from_toml(&text, "the copy of config").ok();
    }
    let mut params = Params::none(&SPEC);
    for (name, value) in op.state.read::<BTreeMap<String, String>>(PARAMS)? {
        params.set(&name, &value).ok()?;
    }
    params.check().ok()?;
    match Config::new(&params).ok()?.source {
        Source::Parameters(farm) => Some(*farm),
        Source::File(_) => None,
    }
}

/// What was wanted last, as far as that can be known when the parameters need not be right.
pub fn last(op: &Operation) -> Option<Farm> {
    let from_parameters = || {
        let config = Config::new(&op.params).ok()?;
        if let Source::File(path) = &config.source {
            // A stop that waits for a dead file server would end by the fencing of this node.
            mount::answers(path, &op.deadline.within(ANSWER)).ok()?;
        }
        now(&config).ok().map(|(farm, _)| farm)
    };
    copy(op).or_else(from_parameters)
}
