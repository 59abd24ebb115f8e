//! The parameters of one run: where they come from, and their values by kind.
//!
//! Everything here is untrusted text. A wrong value is named with its parameter and with what is allowed.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::exit::Failure;
use super::spec::{Kind, Param, Spec};

/// The parameters given to an agent, without defaults; an empty value counts as not given (pcs 0.9 writes them).
#[derive(Debug, Clone)]
pub struct Params {
    spec: &'static Spec,
    given: BTreeMap<&'static str, String>,
}

impl Params {
    /// No parameter given.
    pub fn none(spec: &'static Spec) -> Self {
        Self { spec, given: BTreeMap::new() }
    }

    /// Sets a parameter; fails when the agent has none of this name.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let Some(param) = self.spec.param(name) else {
            let known: Vec<_> = self.spec.all_params().map(|p| p.name).collect();
            return Err(Failure::configured(format!("no parameter {}: known are {}", shown(name), known.join(", "))));
        };
        if value.is_empty() {
            self.given.remove(param.name);
        } else {
            self.given.insert(param.name, value.to_owned());
        }
        Ok(())
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// What was given, by name.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.given.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The value or the default.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str).or_else(|| self.spec.param(name).and_then(|p| p.default))
    }

    /// Checks every parameter against the table: required ones given, each value of its kind.
    pub fn check(&self) -> Result<(), Failure> {
        for param in self.spec.all_params() {
            match self.text(param.name) {
                None if param.required => {
                    return Err(Failure::configured(format!("parameter {} is required: {}", param.name, param.short)));
                }
                None => {}
                Some(value) => check_value(param, value)?,
            }
        }
        Ok(())
    }

    /// The address called `name`.
    pub fn address(&self, name: &str) -> Result<Option<IpAddr>, Failure> {
        self.parsed(name, |v| v.trim().parse().ok())
    }

    /// The networks called `name`; none given is an empty list.
    pub fn networks(&self, name: &str) -> Result<Vec<IpNet>, Failure> {
        Ok(self.parsed(name, networks)?.unwrap_or_default())
    }

    /// The boolean called `name`; false when neither given nor defaulted.
    pub fn boolean(&self, name: &str) -> Result<bool, Failure> {
        Ok(self.parsed(name, boolean)?.unwrap_or(false))
    }

    /// The duration called `name`.
    pub fn seconds(&self, name: &str) -> Result<Option<Duration>, Failure> {
        self.parsed(name, |v| seconds(v).map(Duration::from_secs))
    }

    fn parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Failure> {
        let (Some(value), Some(param)) = (self.text(name), self.spec.param(name)) else { return Ok(None) };
        parse(value).map(Some).ok_or_else(|| wrong(param, value))
    }
}

/// Checks one value against its parameter's kind.
fn check_value(param: &Param, value: &str) -> Result<(), Failure> {
    if fits(param.kind, value) { Ok(()) } else { Err(wrong(param, value)) }
}

/// Whether `value` has the shape of `kind`. The generator asks too.
pub fn fits(kind: Kind, value: &str) -> bool {
    match kind {
        Kind::Text => !value.chars().any(char::is_control),
        Kind::Integer { min, max } => value.trim().parse().is_ok_and(|n: i64| (min..=max).contains(&n)),
        Kind::Seconds { min, max } => seconds(value).is_some_and(|n| (min..=max).contains(&n)),
        Kind::Boolean => boolean(value).is_some(),
        Kind::Select(words) => words.contains(&value),
        Kind::Address => value.trim().parse::<IpAddr>().is_ok(),
        Kind::Networks => networks(value).is_some(),
        Kind::Link => link(value),
        Kind::Path => value.starts_with('/') && !value.chars().any(char::is_control),
    }
}

fn wrong(param: &Param, value: &str) -> Failure {
    Failure::configured(format!("parameter {}: {} is not {}", param.name, shown(value), param.kind.allowed()))
}

/// A value as messages show it: quoted, one line, at most 32 characters.
fn shown(value: &str) -> String {
    let short: String = value.chars().take(32).map(|c| if c.is_control() { '?' } else { c }).collect();
    if value.chars().count() > 32 { format!("'{short}...'") } else { format!("'{short}'") }
}

fn networks(value: &str) -> Option<Vec<IpNet>> {
    let mut all = Vec::new();
    for word in value.split(|c: char| c == ',' || c.is_whitespace()).filter(|w| !w.is_empty()) {
        let net = match word.parse::<IpNet>() {
            // Host bits are dropped, as iptables does with the guide's ADDRESS.
            Ok(net) => net.trunc(),
            Err(_) => IpNet::from(word.parse::<IpAddr>().ok()?),
        };
        all.push(net);
    }
    (!all.is_empty()).then_some(all)
}

fn boolean(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" | "1" | "on" => Some(true),
        "no" | "n" | "false" | "0" | "off" => Some(false),
        _ => None,
    }
}

/// A time in whole seconds: `30`, `30s`, `10min`, `4h`. Pacemaker takes nonsense like `10 parsecs` as well; we do not.
pub fn seconds(value: &str) -> Option<u64> {
    let value = value.trim();
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at(digits);
    let factor = match unit.trim() {
        "" | "s" | "sec" => 1,
        "m" | "min" => 60,
        "h" | "hr" => 3600,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// The kernel's rule (dev_valid_name): 1 to 15 bytes, not "." or "..", no slash, colon or white space.
fn link(value: &str) -> bool {
    (1..=15).contains(&value.len())
        && value != "."
        && value != ".."
        && !value.chars().any(|c| c == '/' || c == ':' || c.is_whitespace() || c.is_control())
}

#[cfg(test)]
#[path = "params_tests.rs"]
mod tests;
