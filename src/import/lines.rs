//! Files of lines: what stands where, without comments, and the words in it.

use super::File;

/// A line that says something.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// `FILE:LINE`.
    pub place: String,
    /// Its text, trimmed, without a comment.
    pub text: String,
}

impl Line {
    /// Its words, as white space separates them; what stands in double quotes is one.
    pub fn words(&self) -> Vec<String> {
        words(&self.text)
    }
}

/// The lines of a file: those that end in a backslash go on, comments and empty ones are left out.
pub(super) fn lines(file: &File) -> Vec<Line> {
    let mut all = Vec::new();
    let mut open: Option<Line> = None;
    for (index, text) in file.text.lines().enumerate() {
        let mut line = open
            .take()
            .unwrap_or_else(|| Line { place: format!("{}:{}", file.base(), index + 1), text: String::new() });
        let text = without_comment(text).trim();
        let (text, more) = text.strip_suffix('\\').map_or((text, false), |text| (text, true));
        // In place: a line may go on a hundred thousand times.
        if !line.text.is_empty() && !text.trim().is_empty() {
            line.text.push(' ');
        }
        line.text.push_str(text.trim());
        if more {
            open = Some(line);
        } else if !line.text.is_empty() {
            all.push(line);
        }
    }
    all.extend(open.filter(|line| !line.text.is_empty()));
    all
}

/// A `#` at the beginning of a word, outside quotes, begins a comment.
fn without_comment(line: &str) -> &str {
    let (mut quote, mut before) = (None, ' ');
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if before.is_whitespace() => return line.get(..at).unwrap_or_default(),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if c == open => quote = None,
            _ => {}
        }
        before = c;
    }
    // An apostrophe in a text is no quote: what looks open to the end is looked at again without them.
    match quote {
        None => line,
        Some(_) => line.split(" #").next().filter(|text| !text.starts_with('#')).unwrap_or_default(),
    }
}

pub(super) fn words(text: &str) -> Vec<String> {
    let (mut all, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            c if c.is_whitespace() && !quoted => {
                if any {
                    all.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => {
                word.push(c);
                any = true;
            }
        }
    }
    if any {
        all.push(word);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{lines, words};
    use crate::import::File;

    #[test]
    fn lines_go_on_and_comments_end() {
        let text = "# a\n  node a b # c\n\nres x \\\n  y\\\n\nname \"a # b\"\ndon't # d\n#x'\nlast \\";
        let all = lines(&File { name: "/etc/ha.d/ha.cf".into(), text: text.into() });
        let all: Vec<_> = all.iter().map(|line| (line.place.as_str(), line.text.as_str())).collect();
        let expected = [
            ("ha.cf:2", "node a b"),
            ("ha.cf:4", "res x y"),
            ("ha.cf:7", "name \"a # b\""),
            ("ha.cf:8", "don't"),
            ("ha.cf:10", "last"),
        ];
        assert_eq!(all, expected);
        assert_eq!(words("a \"b  c\"d \"\""), ["a", "b  cd", ""]);
    }
}
