//! A Java properties file (java.util.Properties), as Abiquo reads it, with or without a header in brackets.
//!
//! No text of an error holds a value of the file, nor a line of it: passwords are among them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// Bytes of a file at most: real ones have a few thousand.
const CAP: u64 = 1 << 20;
/// What a merge with conflicts leaves at the beginning of lines; the fourth mark has no key at all.
const MERGED: [&str; 3] = ["<<<<<<<", "|||||||", ">>>>>>>"];

/// The keys of a file and their values.
#[derive(Clone, Default)]
pub struct Properties {
    entries: BTreeMap<String, String>,
    doubles: BTreeSet<String>,
}

/// Names the keys, never the values.
impl std::fmt::Debug for Properties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}

impl Properties {
    /// Reads a file.
    ///
    /// # Errors
    /// One line: the file and why it is of no use.
    pub fn read(path: &Path) -> Result<Self, String> {
        let mut bytes = Vec::new();
        // A pipe in its place would keep whoever opens it waiting for somebody to write.
        let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path);
        let read = file.and_then(|file| file.take(CAP + 1).read_to_end(&mut bytes));
        let parsed = match read {
            Err(error) => Err(error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase()),
            Ok(_) if u64::try_from(bytes.len()).is_ok_and(|length| length > CAP) => Err("larger than 1 MiB".to_owned()),
            Ok(_) => Self::parse(&bytes),
        };
        parsed.map_err(|reason| format!("properties {}: {reason}", path.display()))
    }

    /// Takes the content of a file apart. Of a key that is given twice the last value counts, as for Java.
    ///
    /// # Errors
    /// The line that cannot be meant, by its number.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = match str::from_utf8(bytes) {
            Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
            // ISO 8859-1, which Java took it for up to version 8: each byte is a character.
            Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
        };
        let mut all = Self::default();
        for (number, line) in logical_lines(&text) {
            if line.starts_with('[') && line.trim_end().ends_with(']') {
                continue;
            }
            let wrong = || format!("line {number} is no 'key = value'");
            if line.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\u{c}')) {
                return Err(format!("line {number} has control characters: this is no properties file"));
            }
            let (key, value) = split(&line);
            let (key, value) = (plain(key).ok_or_else(wrong)?, plain(value).ok_or_else(wrong)?);
            // What Java takes is no reason against a start, but for what a merge leaves behind: half of such a file is another's.
            if key.is_empty() || MERGED.iter().any(|mark| key.starts_with(mark)) {
                return Err(wrong());
            }
            let before = all.entries.insert(key.clone(), value.clone());
            if before.is_some_and(|before| before != value) {
                all.doubles.insert(key);
            }
        }
        Ok(all)
    }

    /// The value of a key; an empty one counts as none.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The value of a key as Java has it, with the white space at its end: of a password that is a part.
    pub fn get_whole(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All keys with their values, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Keys that are given more than once, with different values.
    pub fn doubles(&self) -> impl Iterator<Item = &str> {
        self.doubles.iter().map(String::as_str)
    }
}

/// The lines with something in them, those that go on behind a backslash as one, each with the number of its first.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut all = Vec::new();
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = text.split('\n').enumerate();
    while let Some((index, line)) = lines.next() {
        let mut line = line.trim_start().to_owned();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        while line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1 {
            line.pop();
            let Some((_, next)) = lines.next() else { break };
            line.push_str(next.trim_start());
        }
        all.push((index + 1, line));
    }
    all
}

/// Key and value, both still with their backslashes: between them is `=`, `:` or white space.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.char_indices().find(|(_, c)| {
        let is_end = !escaped && (matches!(c, '=' | ':') || c.is_whitespace());
        escaped = *c == '\\' && !escaped;
        is_end
    });
    let (key, rest) = line.split_at(end.map_or(line.len(), |(at, _)| at));
    let rest = rest.trim_start();
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (key, value.trim_start())
}

/// Without backslashes; none when one of them means nothing.
fn plain(text: &str) -> Option<String> {
    let mut meant = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            meant.push(c);
            continue;
        }
        match rest.next()? {
            't' => meant.push('\t'),
            'n' => meant.push('\n'),
            'r' => meant.push('\r'),
            'f' => meant.push('\u{c}'),
            'u' => {
                let digits: String = rest.by_ref().take(4).collect();
                let number = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4)?;
                // Half of a pair of surrogates: which character it is does not matter to anybody here.
                meant.push(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => meant.push(other),
        }
    }
    Some(meant)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn get(text: &str, key: &str) -> Option<String> {
        Properties::parse(text.as_bytes()).unwrap().get(key).map(str::to_owned)
    }

    #[test]
    fn with_and_without_a_header_it_is_the_same_file() {
        let guide = "abiquo.datacenter.id = rsha\nabiquo.redis.port=6379\n";
        for text in [guide.to_owned(), format!("[remote-services]\n{guide}"), guide.replace('\n', "\r\n")] {
            assert_eq!(get(&text, "abiquo.datacenter.id").as_deref(), Some("rsha"), "{text:?}");
            assert_eq!(get(&text, "abiquo.redis.port").as_deref(), Some("6379"), "{text:?}");
        }
    }

    #[test]
    fn what_java_understands_is_understood() {
        for (line, value) in [
            ("k=v", "v"),
            ("k:v", "v"),
            ("k v w", "v w"),
            ("  k  =  v = w", "v = w"),
            ("k = a\\\n    b", "ab"),
            ("# k = x\n! k = y\nk = v", "v"),
            ("k = a\\tb\\u0041\\:\\\\", "a\tbA:\\"),
            ("k = \\\\", "\\"),
            ("k = v\\", "v"),
            ("k = one\nk = two", "two"),
            ("\u{feff}k = v", "v"),
            ("a[0] = 1\na/b@c$d = 2\na\\ b = 3\nk\u{e4}y = 4\nk = v", "v"),
        ] {
            assert_eq!(get(line, "k").as_deref(), Some(value), "{line:?}");
        }
        assert_eq!(get("k", "k"), None);
        let spaced = Properties::parse(b"k = v \t\nempty =\n").unwrap();
        assert_eq!(
            (spaced.get("k"), spaced.get_whole("k"), spaced.get_whole("empty")),
            (Some("v"), Some("v \t"), None)
        );
        assert_eq!(Properties::parse(b"k = \xe9").unwrap().get("k"), Some("\u{e9}"));
    }

    #[test]
    fn what_cannot_be_meant_is_named_by_its_line() {
        for (text, line) in [
            ("k = v\n<<<<<<< HEAD\n", 2),
            ("=======\n", 1),
            ("k = \\u00g1", 1),
            ("a = b\n\n\u{0}\u{1}", 3),
            (" = v", 1),
            ("a = b\n>>>>>>> theirs\n", 2),
        ] {
            let said = Properties::parse(text.as_bytes()).unwrap_err();
            assert!(said.contains(&format!("line {line} ")) && said.len() < 70, "{text:?}: {said}");
        }
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
        assert_eq!(Properties::read(&pipe).unwrap().iter().count(), 0);
        let missing = Properties::read(Path::new("/nonexistent/p")).unwrap_err();
        assert_eq!(missing, "properties /nonexistent/p: no such file or directory");
    }

    #[test]
    fn keys_that_are_given_twice_are_known_if_it_matters() {
        let all = Properties::parse(b"a = 1\nb = 2\na = 3\nb = 2\n").unwrap();
        assert_eq!(all.doubles().collect::<Vec<_>>(), ["a"]);
        assert!(!format!("{all:?}").contains('3'));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Err(said) = Properties::parse(&bytes) {
                prop_assert!(said.len() < 80 && !said.contains('\n'));
            }
        }
    }
}
