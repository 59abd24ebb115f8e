//! The words of a command: pairs, and the parts that begin with a word of their own.

use crate::configuration::{Operation, Pairs};

/// `NAME=VALUE`, and nothing else.
pub(super) fn pairs(words: &[&str]) -> Pairs {
    let pairs = words.iter().filter_map(|word| word.split_once('='));
    let named = pairs.filter(|(name, _)| !name.is_empty() && !name.starts_with('-'));
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The words after a create, by the words that begin a part.
#[derive(Default)]
pub(super) struct Parts<'a> {
    pub params: Vec<&'a str>,
    pub operations: Vec<Vec<&'a str>>,
    pub meta: Vec<&'a str>,
    pub clone: Option<Vec<&'a str>>,
    pub promotable: bool,
    pub group: Option<&'a str>,
    pub disabled: bool,
}

pub(super) fn parts<'a>(words: &[&'a str]) -> Parts<'a> {
    enum At {
        Params,
        Operations,
        Meta,
        Clone,
    }
    let mut parts = Parts::default();
    let mut at = At::Params;
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            "op" => {
                at = At::Operations;
                parts.operations.push(Vec::new());
            }
            "meta" => at = At::Meta,
            "clone" | "--clone" => {
                at = At::Clone;
                parts.clone = Some(Vec::new());
            }
            "master" | "promotable" | "--master" => {
                at = At::Clone;
                parts.clone = Some(Vec::new());
                parts.promotable = true;
            }
            "--group" | "group" => parts.group = words.next(),
            "--disabled" => parts.disabled = true,
            "--after" | "--before" | "after" | "before" => {
                words.next();
            }
            word if word.starts_with("--") => {}
            word => match at {
                At::Params => parts.params.push(word),
                At::Meta => parts.meta.push(word),
                At::Clone => parts.clone.iter_mut().for_each(|all| all.push(word)),
                At::Operations => {
                    // A word without = begins the next operation: "op monitor interval=10s start timeout=20s".
                    if !word.contains('=') && parts.operations.last().is_some_and(|one| !one.is_empty()) {
                        parts.operations.push(Vec::new());
                    }
                    parts.operations.last_mut().into_iter().for_each(|one| one.push(word));
                }
            },
        }
    }
    parts
}

pub(super) fn operations(all: &[Vec<&str>]) -> Vec<Operation> {
    let of = |words: &Vec<&str>| {
        let (name, rest) = words.split_first()?;
        let mut operation = Operation { name: (*name).to_owned(), ..Operation::default() };
        for (key, value) in pairs(rest) {
            match key.as_str() {
                "interval" => operation.interval = Some(value),
                "timeout" => operation.timeout = Some(value),
                "role" => operation.role = Some(role(&value).to_owned()),
                "on-fail" => operation.on_fail = Some(value),
                _ => {}
            }
        }
        Some(operation)
    };
    all.iter().filter_map(of).collect()
}

/// A role by its present name.
pub(super) fn role(word: &str) -> &str {
    match word.to_ascii_lowercase().as_str() {
        "master" | "promoted" => "Promoted",
        "slave" | "unpromoted" => "Unpromoted",
        "started" => "Started",
        "stopped" => "Stopped",
        _ => word,
    }
}
