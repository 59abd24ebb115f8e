//! TOML, written.

use std::fmt::Write as _;

/// A scenario file that grows.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
}

impl Writer {
    /// A comment, as it is.
    pub fn comment(&mut self, text: &str) {
        for line in text.lines() {
            let _ = writeln!(self.text, "# {line}");
        }
    }

    /// `[NAME]` or, with `list`, `[[NAME]]`, after an empty line.
    pub fn section(&mut self, name: &str, list: bool) {
        let (open, close) = if list { ("[[", "]]") } else { ("[", "]") };
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
        let _ = writeln!(self.text, "{open}{name}{close}");
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A text. Keys are as they are to stand there: see [`quoted_key`].
    pub fn text(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.text, "{key} = {}", quote(value));
    }

    /// A number, `true`, `false` or whatever else is TOML already.
    pub fn plain(&mut self, key: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.text, "{key} = {value}");
    }

    /// One text, or a list of them.
    pub fn texts(&mut self, key: &str, values: &[String]) {
        match values {
            [one] => self.text(key, one),
            many => self.plain(key, list(many)),
        }
    }

    /// A list of texts, also of one.
    pub fn list(&mut self, key: &str, values: &[String]) {
        self.plain(key, list(values));
    }

    /// What has been written.
    pub fn finish(self) -> String {
        self.text
    }
}

/// A list of texts: in one line when that is short.
fn list(values: &[String]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| quote(value)).collect();
    let line = format!("[{}]", quoted.join(", "));
    if line.len() <= 90 { line } else { format!("[\n    {},\n]", quoted.join(",\n    ")) }
}

/// A part of a key, in which a dot is a dot.
pub(super) fn quoted_key(key: &str) -> String {
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if plain { key.to_owned() } else { quote(key) }
}

/// A text as a TOML basic string.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::{quote, quoted_key};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_comes_back(text in any::<String>()) {
            let document = format!("a = {}\n", quote(&text));
            let table: toml::Table = document.parse().map_err(|error| TestCaseError::fail(format!("{error}: {document}")))?;
            prop_assert_eq!(table.get("a").and_then(toml::Value::as_str), Some(text.as_str()));
        }
    }

    #[test]
    fn keys_are_quoted_where_they_have_to_be() {
        let all = ["a-b_c", "a.b", "a b", ""].map(quoted_key);
        assert_eq!(all, ["a-b_c", "\"a.b\"", "\"a b\"", "\"\""]);
    }
}
