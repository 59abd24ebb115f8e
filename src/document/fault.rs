//! What is wrong with a file, and where: always one line.

use std::fmt;

/// A file's name and text: what positions refer to.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The name shown in messages.
    pub file: &'a str,
    /// The whole text.
    pub text: &'a str,
}

impl Source<'_> {
    /// A fault at byte `at`; `key` is the full name of the key, or empty.
    pub fn fault(&self, at: usize, key: &str, message: impl fmt::Display) -> Fault {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        let message = message.to_string().replace('\n', ", ");
        Fault { file: self.file.to_owned(), line, column, key: key.to_owned(), message }
    }
}

/// One fault, or one warning: `file:line:column: key: message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    file: String,
    line: usize,
    column: usize,
    key: String,
    message: String,
}

impl Fault {
    /// The line for a fault that is only a warning.
    pub fn warning(&self) -> String {
        self.line("warning: ")
    }

    fn line(&self, kind: &str) -> String {
        let Fault { file, line, column, key, message } = self;
        let separator = if key.is_empty() { "" } else { ": " };
        format!("{file}:{line}:{column}: {kind}{key}{separator}{message}")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line(""))
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn positions_count_lines_and_characters() {
        let source = Source { file: "s.toml", text: "a = 1\nü = 22\n" };
        assert_eq!(source.fault(0, "a", "is odd").to_string(), "s.toml:1:1: a: is odd");
        assert_eq!(source.fault(11, "ü", "is\neven").to_string(), "s.toml:2:5: ü: is, even");
        assert_eq!(source.fault(999, "", "end").to_string(), "s.toml:3:1: end");
    }
}
