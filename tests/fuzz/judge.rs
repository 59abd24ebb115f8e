//! What every import has to keep, whatever its files hold: it ends with one line, or with a scenario that the generator takes.

use inuvika_ha::import::{Answers, File, Kind, import};
use inuvika_ha::pcs::dialect::{self, Wish};
use inuvika_ha::{pcs, scenario};

/// What begins a file in a text of several.
pub const FILE: &str = "==> ";

/// The files of a text: each begins with a line that has its name.
pub fn files(text: &str) -> Vec<File> {
    let mut all: Vec<File> = Vec::new();
    for line in text.split_inclusive('\n') {
        match (line.strip_prefix(FILE), all.last_mut()) {
            (Some(name), _) => all.push(File { name: name.trim().to_owned(), text: String::new() }),
            (None, Some(last)) => last.text.push_str(line),
            (None, None) => all.push(File { name: "first".into(), text: line.to_owned() }),
        }
    }
    all
}

/// Imports, and panics where something is kept that must not be.
pub fn judge(kind: Kind, files: &[File], accept: bool) {
    let answers = Answers { accept_split_brain: accept, ..Answers::default() };
    let imported = match import(kind, files, &answers) {
        Ok(imported) => imported,
        Err(line) => {
            assert!(!line.is_empty() && !line.chars().any(char::is_control), "not one line: {line:?}");
            return;
        }
    };
    let told: Vec<String> = imported.notes.lines().collect();
    assert!(told.iter().all(|line| !line.chars().any(char::is_control)), "not one line: {told:?}");
    if !imported.notes.open.is_empty() {
        return;
    }
    let read = scenario::read("s.toml", &imported.text);
    let read = read.unwrap_or_else(|fault| panic!("success, but the generator refuses it: {fault}\n{}", imported.text));
    let plan = pcs::plan(&read.scenario);
    for name in ["pcs-0.9.169", "pcs-0.11", "cib", "crmsh"] {
        let dialect = dialect::find(name, &Wish::default()).unwrap_or_else(|reason| panic!("{reason}"));
        assert!(!dialect.render(&plan).is_empty(), "{name}: nothing");
    }
    let written = pcs::cib::configuration(&plan).write(0);
    let again = inuvika_ha::document::element::Element::read(&written);
    assert!(again.is_ok(), "the configuration is no XML: {again:?}\n{written}");
}
