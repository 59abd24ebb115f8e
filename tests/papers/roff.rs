//! A manual page in man(7).

use std::fmt::Write as _;

/// Shown at the foot of each page. Not that of the build: a page is the same whenever it is made.
const DATE: &str = "2026-11-01";
/// Longest line of the source, in bytes.
const WIDTH: usize = 78;

/// A page.
pub struct Page(String);

impl Page {
    /// A page `name`(`section`) about what `about` says in one line.
    pub fn new(name: &str, section: u8, manual: &str, about: &str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let title = name.to_uppercase();
        let mut page = Self(format!(
            ".\\\" Made from the program's own tables: see tests/papers. Do not edit.\n\
             .TH {} {section} {DATE} \"inuvika\\-ha {version}\" \"{manual}\"\n.SH NAME\n",
            escape(&title)
        ));
        page.text(&format!("{name} - {about}"), true);
        page
    }

    /// A section.
    pub fn section(&mut self, title: &str) -> &mut Self {
        let _ = writeln!(self.0, ".SH {}", quote(title));
        self
    }

    /// A section below a section.
    pub fn part(&mut self, title: &str) -> &mut Self {
        let _ = writeln!(self.0, ".SS {}", quote(title));
        self
    }

    /// Paragraphs, which an empty line separates. Indented lines stay lines.
    pub fn paragraphs(&mut self, text: &str) -> &mut Self {
        for (index, paragraph) in text.split("\n\n").filter(|part| !part.trim().is_empty()).enumerate() {
            let begins = self.0.lines().last().is_some_and(|line| line.starts_with(".SH") || line.starts_with(".SS"));
            if index > 0 || !begins {
                self.0.push_str(".PP\n");
            }
            if paragraph.lines().any(|line| line.starts_with("  ")) {
                self.lines(paragraph);
            } else {
                self.text(paragraph, false);
            }
        }
        self
    }

    /// A term in bold, and what it means.
    pub fn term(&mut self, term: &str, text: &str) -> &mut Self {
        let _ = writeln!(self.0, ".TP\n.B {}", quote(term));
        for (index, paragraph) in text.split("\n\n").filter(|part| !part.trim().is_empty()).enumerate() {
            if index > 0 {
                self.0.push_str(".IP\n");
            }
            self.text(paragraph, false);
        }
        self
    }

    /// Lines that stay as they are, as commands do.
    pub fn code(&mut self, text: &str) -> &mut Self {
        self.0.push_str(".PP\n.RS 4\n.nf\n");
        for line in text.lines() {
            let _ = writeln!(self.0, "{}", guard(&escape(line)));
        }
        self.0.push_str(".fi\n.RE\n");
        self
    }

    /// The other pages.
    pub fn see_also(&mut self, pages: &[(String, u8)]) -> &mut Self {
        self.section("SEE ALSO");
        for (index, (name, section)) in pages.iter().enumerate() {
            let comma = if index + 1 < pages.len() { " ," } else { "" };
            let _ = writeln!(self.0, ".BR {} ({section}){}", escape(name), comma.trim());
        }
        self
    }

    /// The source.
    pub fn source(self) -> String {
        self.0
    }

    fn lines(&mut self, text: &str) {
        self.0.push_str(".nf\n");
        for line in text.lines() {
            let _ = writeln!(self.0, "{}", guard(&escape(line)));
        }
        self.0.push_str(".fi\n");
    }

    /// Words in lines that are not too long. `name` keeps the dash between name and text, which programs look for.
    fn text(&mut self, text: &str, name: bool) {
        let mut line = String::new();
        for word in text.split_whitespace() {
            let word = if name && word == "-" { "\\-".to_owned() } else { escape(word) };
            if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
                let _ = writeln!(self.0, "{}", guard(&line));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
        if !line.is_empty() {
            let _ = writeln!(self.0, "{}", guard(&line));
        }
    }
}

/// A text as an argument of a macro.
fn quote(text: &str) -> String {
    format!("\"{}\"", escape(text).replace('"', "\\(dq"))
}

/// Signs that mean something to roff. A minus is written as one that can be copied.
fn escape(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '\\' => safe.push_str("\\e"),
            '-' => safe.push_str("\\-"),
            '^' => safe.push_str("\\(ha"),
            '~' => safe.push_str("\\(ti"),
            '`' => safe.push_str("\\(ga"),
            '\'' => safe.push_str("\\(aq"),
            '…' => safe.push_str("..."),
            '–' => safe.push_str("\\(en"),
            c => safe.push(c),
        }
    }
    safe
}

/// A line that begins like a macro is text all the same.
fn guard(line: &str) -> String {
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() }
}
