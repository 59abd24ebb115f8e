//! Files of the configuration: in the guide's set-up they lie on the shared file system, which may hang. So a child reads them, and
//! is left behind when it has to be.

use std::collections::BTreeMap;
use std::path::Path;

use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// The text of a file; none where there is none.
///
/// # Errors
/// One line: the file, and why it cannot be read.
pub fn read(path: &Path, deadline: &Deadline) -> Result<Option<String>, String> {
    let output = process::run("cat", &["--".as_ref(), path.as_os_str()], None, deadline);
    let output = output.map_err(|error| format!("read {}: {error}", path.display()))?;
    if output.status.success() {
        return Ok(Some(output.text()));
    }
    let reason = output.reason();
    let cause = reason.rsplit_once(": ").map_or(reason.as_str(), |(_, cause)| cause).to_lowercase();
    if cause == "no such file or directory" { Ok(None) } else { Err(format!("read {}: {cause}", path.display())) }
}

/// Sections of an INI file with their keys and values: all names in lower case with single spaces, as Samba and CTDB take them.
#[derive(Debug, Default)]
pub struct Ini {
    entries: BTreeMap<(String, String), String>,
}

impl Ini {
    /// Takes a file apart. Of a key that is given twice the last value counts; what is no entry is left out: whether a file is
    /// right altogether is for those to say who read it.
    pub fn parse(text: &str) -> Self {
        let mut section = String::new();
        let mut all = Self::default();
        // A line goes on behind a backslash.
        for line in text.replace("\\\r\n", "").replace("\\\n", "").lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                section = plain(name);
            } else if let Some((key, value)) = line.split_once('=') {
                all.entries.insert((section.clone(), plain(key)), value.trim().to_owned());
            }
        }
        all
    }

    /// The value of a key in a section; an empty one counts as none.
    pub fn get(&self, section: &str, key: &str) -> Option<&str> {
        let value = self.entries.get(&(section.to_owned(), key.to_owned()));
        value.map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The sections that have a value of this key.
    pub fn sections_with<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.entries.keys().filter(move |(_, name)| name == key).map(|(section, _)| section.as_str())
    }
}

/// A name as Samba and CTDB compare it.
pub fn plain(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Variables that a file for shells sets to plain words: `NAME=word`, `NAME="two words"`, `export NAME=word`. What a shell would
/// have to work out is kept as it stands.
pub fn variables(text: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for line in text.lines() {
        if let (Some(name), Some((_, value))) = (name_of_variable(line), line.split_once('=')) {
            all.insert(name.to_owned(), word(value).to_owned());
        }
    }
    all
}

/// The variable that a line sets, if it is such a line.
pub fn name_of_variable(line: &str) -> Option<&str> {
    let line = line.trim();
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    let (name, _) = line.split_once('=')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}

fn word(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            return rest.split(quote).next().unwrap_or_default();
        }
    }
    value.split_whitespace().next().unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn names_are_taken_as_samba_takes_them() {
        let text = "# no\n; no\nlost = 1\n[Global]\n  Clustering=Yes\n idmap   config * :  backend = tdb2\n[ cluster ]\n\
                    recovery lock = /mnt/a b/lock\n cluster lock =\nnodes list = !cat \\\n  /x\nrubbish\n";
        let ini = Ini::parse(text);
        assert_eq!(ini.get("global", "clustering"), Some("Yes"));
        assert_eq!(ini.get("global", "idmap config * : backend"), Some("tdb2"));
        assert_eq!(ini.get("cluster", "recovery lock"), Some("/mnt/a b/lock"));
        assert_eq!(ini.get("cluster", "cluster lock"), None);
        assert_eq!(ini.get("cluster", "nodes list"), Some("!cat   /x"));
        assert_eq!(ini.get("", "lost"), Some("1"));
    }

    #[test]
    fn plain_words_of_a_shell_are_understood() {
        let all = variables(
            "A=b # c\n export B=\"two words\" \nC='x'y\n#D=1\nif [ a = b ]; then\nE=\nCTDB_NODES=/mnt/nfs/ctdb/nodes\n",
        );
        let get = |name: &str| all.get(name).map(String::as_str);
        assert_eq!((get("A"), get("B"), get("C")), (Some("b"), Some("two words"), Some("x")));
        assert_eq!((get("D"), get("E"), get("CTDB_NODES")), (None, Some(""), Some("/mnt/nfs/ctdb/nodes")));
    }

    #[test]
    fn a_missing_file_is_none_and_a_folder_an_error() {
        let limit = Deadline::after(Duration::from_secs(5));
        assert_eq!(read(Path::new("/nonexistent/x"), &limit), Ok(None));
        assert_eq!(read(Path::new("/"), &limit), Err("read /: is a directory".to_owned()));
        assert!(read(Path::new("/proc/self/comm"), &limit).unwrap().is_some());
    }
}
