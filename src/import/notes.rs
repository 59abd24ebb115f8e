//! What became of everything that the files say: what was left behind and why, what is different now, what is open.

use crate::scenario::fencing::is_secret;
use std::fmt;

/// The most characters of a line that are shown.
const SHOWN: usize = 100;
/// How many entries are looked back at for one that is alike.
const ALIKE: usize = 200;
/// What stands in place of a secret.
const HIDDEN: &str = "(not shown)";

/// Something that is not carried over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Where it stood: file, or file and line.
    pub place: String,
    /// What it said, without secrets; may be empty.
    pub what: String,
    /// Why it is left behind.
    pub why: String,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Left { place, what, why } = self;
        let separator = if what.is_empty() { "" } else { ": " };
        write!(f, "{place}: {what}{separator}{why}")
    }
}

/// What an import has to tell.
#[derive(Debug, Default)]
pub struct Notes {
    /// Questions without an answer, at which the generator stops.
    pub open: Vec<String>,
    /// What is carried over, but not as it was.
    pub changed: Vec<Left>,
    /// What is not carried over.
    pub left: Vec<Left>,
}

impl Notes {
    pub(super) fn leave(&mut self, place: &str, what: &str, why: impl Into<String>) {
        let left = Left { place: shown(place), what: shown(what), why: why.into() };
        // The same line of one file again, as in many sections that are alike: only the number is added.
        if let Some((file, line)) = left.place.rsplit_once(':')
            && let Some(same) = self.left.iter_mut().rev().take(ALIKE).find(|known| {
                known.what == left.what
                    && known.why == left.why
                    && known.place.len() < SHOWN
                    && known.place.rsplit_once(':').is_some_and(|(known, _)| known == file)
            })
        {
            same.place.push(',');
            same.place.push_str(line);
            return;
        }
        self.left.push(left);
    }

    pub(super) fn change(&mut self, place: &str, what: &str, why: impl Into<String>) {
        self.changed.push(Left { place: shown(place), what: shown(what), why: why.into() });
    }

    pub(super) fn ask(&mut self, question: impl Into<String>) {
        let question = question.into();
        if !self.open.contains(&question) {
            self.open.push(question);
        }
    }

    /// The scenario with what there is to tell around it, as comments.
    pub(super) fn frame(&self, scenario: &str) -> String {
        let mut text = String::new();
        if !self.open.is_empty() {
            text +=
                "# OPEN: the old files do not answer these, and the generator stops until they are answered here:\n";
            text.extend(self.open.iter().map(|question| format!("# - {}\n", comment(question))));
            text += "\n";
        }
        text += scenario;
        let mut list = |title: &str, all: &[Left]| {
            if !all.is_empty() {
                text += &format!("\n# {title}\n");
                text.extend(all.iter().map(|left| format!("# - {}\n", comment(&left.to_string()))));
            }
        };
        list("Carried over, but not as it was:", &self.changed);
        list("Not carried over:", &self.left);
        text
    }

    /// The same for people, one line each.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let open = self.open.iter().map(|question| format!("open: {}", comment(question)));
        let changed = self.changed.iter().map(|left| format!("changed: {}", comment(&left.to_string())));
        let left = self.left.iter().map(|left| format!("not carried over: {}", comment(&left.to_string())));
        open.chain(changed).chain(left)
    }
}

/// A text that stays in its comment, whatever is in it.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What of the words that come is not shown.
#[derive(Clone, Copy)]
enum Hide {
    Nothing,
    Next,
    /// Everything to the end of what stands in quotes.
    Until(char),
}

impl Hide {
    /// After a secret that begins like this.
    fn after(value: &str) -> Hide {
        let quote = value.chars().next().filter(|c| ['"', '\''].contains(c));
        match quote {
            Some(quote) if value.len() < 2 || !value.ends_with(quote) => Hide::Until(quote),
            _ => Hide::Nothing,
        }
    }
}

/// A name and its value as they may be shown: of a secret nothing, however many words it has.
pub(super) fn pair(name: &str, value: &str) -> String {
    let value = if is_secret(name) && !value.is_empty() { HIDDEN } else { value };
    format!("{name}={value}")
}

/// A line of a file as it may be shown: in one line, not too long, without what looks like a secret.
pub(super) fn shown(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut hide = Hide::Nothing;
    for word in text.split_whitespace() {
        match hide {
            Hide::Next if word == "=" => words.push(word.to_owned()),
            Hide::Next => {
                words.push(HIDDEN.into());
                hide = Hide::after(word);
            }
            Hide::Until(quote) if word.ends_with(quote) => hide = Hide::Nothing,
            Hide::Until(_) => {}
            Hide::Nothing => {
                let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
                let bare = name.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                match (is_secret(bare), value) {
                    (true, Some(value)) if !value.is_empty() => {
                        words.push(format!("{name}={HIDDEN}"));
                        hide = Hide::after(value);
                    }
                    (true, _) => {
                        words.push(word.to_owned());
                        // "passwd secret", "--passwd secret", "passwd = secret".
                        hide = Hide::Next;
                    }
                    (false, _) => words.push(word.to_owned()),
                }
            }
        }
    }
    let line: String = words.join(" ").escape_debug().collect();
    let line = line.replace("\\\"", "\"").replace("\\'", "'");
    match line.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}...", line.get(..at).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::{Notes, shown};

    #[test]
    fn no_secret_is_shown() {
        for line in [
            "fencedevice passwd=\"hunter2\" name=\"a\"",
            "--passwd hunter2 x",
            "password = hunter2",
            "password= hunter2",
            "options.secret=hunter2",
            "passwd=\"a hunter2 b\" x=\"y\"",
            "passwd 'a hunter2'",
        ] {
            assert!(!shown(line).contains("hunter2"), "{line}: {}", shown(line));
        }
        assert_eq!(super::pair("passwd", "a hunter2"), "passwd=(not shown)");
        assert_eq!(shown("a\tb\u{7}c"), "a b\\u{7}c");
        assert_eq!(shown(&"x".repeat(300)).len(), 103);
        assert_eq!(shown("say \"it's\""), "say \"it's\"");
    }

    #[test]
    fn nothing_leaves_its_comment() {
        let mut notes = Notes::default();
        notes.ask("a\nb = 1");
        notes.leave("f\n", "x\r\ny", "why\nz = 2");
        let text = notes.frame("setup = 1\n");
        assert!(text.lines().all(|line| line.is_empty() || line.starts_with('#') || line == "setup = 1"), "{text}");
    }
}
