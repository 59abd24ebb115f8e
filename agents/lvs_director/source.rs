//! What is wanted: from the parameters, from the file, or from the last good copy of the file.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::config::{Config, Source};
use crate::director::farm::Farm;
use crate::ocf::exit::{Code, Failure};
use crate::ocf::operation::Operation;

/// The file in the state folder with the text that was last in force.
const COPY: &str = "lvs.config";
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
    let size = fs::metadata(path).map(|metadata| metadata.len());
    let text = size
        .and_then(|size| if size > LONGEST { Err(ErrorKind::FileTooLarge.into()) } else { fs::read_to_string(path) });
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
        Ok((farm, text)) => {
            // Probes and runs by hand change nothing.
            if op.is_recurring() {
                keep(text.as_deref(), op);
            }
            return Ok((farm, None));
        }
        Err(failure) => failure,
    };
    let Some(mut farm) = copy(op) else { return Err(failure) };
    drain(&mut farm, config)?;
    Ok((farm, Some(format!("{}; the last good one stays in force", failure.reason))))
}

/// Remembers what is in force now.
pub fn remember(config: &Config, op: &Operation) {
    if let Ok((_, text)) = now(config) {
        keep(text.as_deref(), op);
    }
}

/// Remembers the text that is in force; none: what is wanted is in the parameters.
pub fn keep(text: Option<&str>, op: &Operation) {
    match text {
        None => op.state.forget(COPY),
        Some(text) if op.state.read::<String>(COPY).as_deref() == Some(text) => {}
        // Without the copy a later mistake in the file is a failure: no reason for one now.
        Some(text) => drop(op.state.write(COPY, &text)),
    }
}

fn copy(op: &Operation) -> Option<Farm> {
    Farm::from_toml(&op.state.read::<String>(COPY)?, "the copy of config").ok()
}

/// What was wanted last, as far as that can be known when the parameters need not be right.
pub fn last(op: &Operation) -> Option<Farm> {
    let from_parameters = || now(&Config::new(&op.params).ok()?).ok().map(|(farm, _)| farm);
    copy(op).or_else(from_parameters)
}
