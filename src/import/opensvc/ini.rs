//! Files of sections with keys, as OpenSVC has them.

use crate::import::File;
use crate::import::notes::pair;
use std::collections::BTreeMap;

/// How often a value may refer to another one.
const DEEPEST: usize = 8;
/// The most sections of a file.
const MOST: usize = 1000;
/// The longest value, in bytes.
const LONGEST: usize = 4096;

/// A key with its value.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// `FILE:LINE`.
    pub place: String,
    /// Its name, without what is behind an `@`.
    pub name: String,
    /// The nodes that it is for, when not for all: what stands behind the `@`.
    pub scope: Option<String>,
    /// What it says.
    pub value: String,
}

/// A section.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// `FILE:LINE`.
    pub place: String,
    /// Its name, as `fs#0`.
    pub name: String,
    /// Its keys.
    pub keys: Vec<Key>,
}

impl Key {
    /// As it may be shown.
    pub fn told(&self) -> String {
        let scope = self.scope.as_ref().map(|scope| format!("@{scope}")).unwrap_or_default();
        pair(&format!("{}{scope}", self.name), &self.value)
    }
}

impl Section {
    /// What it is about: `fs` of `fs#0`.
    pub fn kind(&self) -> &str {
        self.name.split('#').next().unwrap_or(&self.name)
    }

    /// The value of a key for all nodes.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.first(&[name])
    }

    /// The value of the first of these keys.
    pub fn first(&self, names: &[&str]) -> Option<&str> {
        let of = |name: &&str| self.keys.iter().find(|key| key.name == **name && key.scope.is_none());
        names.iter().find_map(of).map(|key| key.value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether a key says yes.
    pub fn is(&self, name: &str) -> bool {
        self.get(name).is_some_and(|word| ["true", "yes", "y", "1", "t"].contains(&word.to_lowercase().as_str()))
    }
}

/// Reads a file; what is no section and no key is given with its place.
pub(super) fn read(file: &File) -> (Vec<Section>, Vec<(String, String)>) {
    let (mut all, mut odd): (Vec<Section>, Vec<(String, String)>) = (Vec::new(), Vec::new());
    for (index, line) in file.text.lines().enumerate() {
        let place = format!("{}:{}", file.base(), index + 1);
        let text = without_comment(line).trim_end();
        if text.trim().is_empty() {
            continue;
        }
        // White space at its beginning: the value before goes on.
        if line.starts_with([' ', '\t'])
            && let Some(key) = all.last_mut().and_then(|section| section.keys.last_mut())
            && !text.trim_start().starts_with('[')
            && !text.contains('=')
        {
            if !key.value.is_empty() {
                key.value.push(' ');
            }
            key.value.push_str(text.trim());
            continue;
        }
        let text = text.trim();
        if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let name = name.trim().to_owned();
            match all.iter().position(|section| section.name == name) {
                // Said twice: one section.
                Some(at) => {
                    let known = all.remove(at);
                    all.push(known);
                }
                None if all.len() >= MOST => odd.push((place, text.to_owned())),
                None => all.push(Section { place, name, keys: Vec::new() }),
            }
            continue;
        }
        let pair = text.split_once('=').filter(|(name, _)| !name.trim().is_empty());
        match (pair, all.last_mut()) {
            (Some((name, value)), Some(section)) => {
                let (name, scope) = name.trim().split_once('@').map_or((name.trim(), None), |(a, b)| (a, Some(b)));
                let (name, scope) = (name.to_lowercase(), scope.map(str::to_owned));
                section.keys.push(Key { place, name, scope, value: value.trim().to_owned() });
            }
            _ => odd.push((place, text.to_owned())),
        }
    }
    (all, odd)
}

/// A `#` or `;` at the beginning of a line, or behind white space, begins a comment.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with(['#', ';']) {
        return "";
    }
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if ['#', ';'].contains(&c) && before.is_whitespace() {
            return line.get(..at).unwrap_or_default();
        }
        before = c;
    }
    line
}

/// Puts in what `{NAME}` and `{SECTION.KEY}` stand for; what nobody knows stays as it is.
pub(super) fn resolve(sections: &mut [Section], fixed: &BTreeMap<String, String>) {
    let mut known = fixed.clone();
    for section in sections.iter() {
        for key in section.keys.iter().filter(|key| key.scope.is_none()) {
            known.insert(format!("{}.{}", section.name, key.name), key.value.clone());
            if section.name == "DEFAULT" {
                known.entry(key.name.clone()).or_insert_with(|| key.value.clone());
            }
        }
    }
    for key in sections.iter_mut().flat_map(|section| &mut section.keys) {
        for _ in 0..DEEPEST {
            let next = once(&key.value, &known);
            if next == key.value || next.len() > LONGEST {
                break;
            }
            key.value = next;
        }
    }
}

fn once(text: &str, known: &BTreeMap<String, String>) -> String {
    let (mut made, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        made.push_str(before);
        match after.split_once('}').map(|(name, tail)| (known.get(name.trim()), name, tail)) {
            Some((Some(value), _, tail)) => {
                made.push_str(value);
                rest = tail;
            }
            _ => {
                made.push('{');
                rest = after;
            }
        }
    }
    made + rest
}

#[cfg(test)]
mod tests {
    use super::{read, resolve};
    use crate::import::File;
    use std::collections::BTreeMap;

    #[test]
    fn sections_keys_and_references() {
        let text = "stray\n[DEFAULT]\nnodes = a\n  b # two\n; no\n[fs#0]\nmnt = /srv/{svcname}\ndev@a=/x\ndev = {fs#0.mnt}/{what}\n\
                    [env]\nx = {env.x}{env.x}\n[fs#0]\ntype=ext4\n";
        let (mut all, odd) = read(&File { name: "/etc/opensvc/s.env".into(), text: text.into() });
        resolve(&mut all, &BTreeMap::from([("svcname".to_owned(), "s".to_owned())]));
        assert_eq!(odd, [("s.env:1".to_owned(), "stray".to_owned())]);
        let fs = all.iter().find(|one| one.name == "fs#0").map(|one| (one.get("mnt"), one.get("dev"), one.get("type")));
        assert_eq!(fs, Some((Some("/srv/s"), Some("/srv/s/{what}"), Some("ext4"))));
        assert_eq!(all.first().and_then(|one| one.get("nodes")), Some("a b"));
        assert!(all.iter().flat_map(|one| &one.keys).all(|key| key.value.len() < 5000));
    }
}
