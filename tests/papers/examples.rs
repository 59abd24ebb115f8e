//! What the examples' own texts tell a reader to type and to look at: commands that the program takes, files that exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::error::ErrorKind;

use super::command::command;

/// What a reader makes himself with the commands before.
const MADE: &[&str] = &["cluster.sh", "cib.xml"];

/// The text of an example.
struct Readme {
    folder: PathBuf,
    text: String,
}

impl Readme {
    fn all() -> Vec<Readme> {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcs-examples");
        let folders = std::fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
        folders
            .map(|folder| Readme { text: std::fs::read_to_string(folder.join("README.md")).unwrap(), folder })
            .collect()
    }

    /// What stands between backticks, on one line each.
    fn spans(&self) -> Vec<String> {
        let prose = self.text.lines().filter(|line| !line.starts_with("    ")).collect::<Vec<_>>().join("\n");
        assert_eq!(prose.matches('`').count() % 2, 0, "{}: a backtick is missing", self.folder.display());
        prose.split('`').skip(1).step_by(2).map(|span| span.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    /// Lines to type, without what follows the command.
    fn lines(&self) -> Vec<String> {
        let lines = self.text.lines().filter_map(|line| line.strip_prefix("    "));
        lines.map(|line| line.split([';', '#', '>', '|']).next().unwrap_or_default().trim().to_owned()).collect()
    }

    fn commands(&self, program: &str) -> Vec<String> {
        let all = self.lines().into_iter().chain(self.spans());
        all.filter(|line| line.starts_with(program)).collect()
    }
}

#[test]
fn every_command_is_one_that_the_program_takes() {
    let mut found = 0;
    for readme in Readme::all() {
        let typed = readme.lines();
        for line in readme.commands("inuvika-ha ") {
            if let Err(error) = command().try_get_matches_from(line.split(' ')) {
                // In a sentence a command may stand without what it is for.
                let named = !typed.contains(&line) && error.kind() == ErrorKind::MissingRequiredArgument;
                assert!(named, "{}: {line}: {error}", readme.folder.display());
            }
            found += 1;
        }
    }
    assert!(found > 30, "{found}");
}

/// A row of the table of files: the file is what the command prints.
#[test]
fn files_are_what_the_named_command_prints() {
    let mut found = 0;
    for readme in Readme::all() {
        for row in readme.text.lines().filter(|line| line.starts_with("| ")) {
            let Some((file, what)) = row.trim_start_matches('|').split_once('|') else { continue };
            let spans: Vec<&str> = what.split('`').skip(1).step_by(2).collect();
            let (Some(file), Some(line)) = (file.split('`').nth(1), spans.first()) else { continue };
            let Some(words) = line.strip_prefix("inuvika-ha ").filter(|_| spans.len() == 1) else { continue };
            let mut program = Command::new(env!("CARGO_BIN_EXE_inuvika-ha"));
            let output = program.current_dir(&readme.folder).args(words.split(' ')).output().unwrap();
            assert!(output.status.success(), "{line}: {output:?}");
            let same = std::fs::read(readme.folder.join(file)).unwrap() == output.stdout;
            assert!(same, "{}: {file} is not what \"{line}\" prints", readme.folder.display());
            found += 1;
        }
    }
    assert!(found > 10, "{found}");
}

/// The script of commands, under the name that it has in the texts.
#[test]
fn every_option_of_the_script_is_one_that_it_takes() {
    let mut found = 0;
    for readme in Readme::all() {
        let script = readme.folder.join("pcs-0.11.sh");
        let output = Command::new("bash").arg(&script).arg("--help").output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        for line in readme.commands("bash cluster.sh") {
            for option in line.split(' ').filter(|word| word.starts_with("--")) {
                assert!(help.contains(&format!(" {option} ")), "{}: {line}: {help}", readme.folder.display());
                found += 1;
            }
        }
    }
    assert!(found > 3, "{found}");
}

#[test]
fn every_file_that_is_named_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for readme in Readme::all() {
        let links =
            readme.text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(link, _)| link.to_owned()));
        let names: BTreeSet<String> = links.chain(readme.spans()).collect();
        for name in names.iter().filter(|name| is_file(name) && !MADE.contains(&name.as_str())) {
            let from = if name.starts_with("tests/") || name.starts_with("src/") { root } else { &readme.folder };
            assert!(from.join(name).exists(), "{}: there is no {name}", readme.folder.display());
        }
        let has_table = readme.text.contains("| file |");
        for file in super::files(&readme.folder).iter().filter(|file| has_table && *file != "README.md") {
            assert!(names.contains(file), "{}: nothing is said about {file}", readme.folder.display());
        }
        for test in readme.commands("").iter().filter_map(|line| line.split_once("cargo test --test ")) {
            let name = test.1.split(' ').next().unwrap_or_default();
            let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
            let there = manifest.contains(&format!("name = \"{name}\"")) || root.join("tests").join(name).exists();
            assert!(there, "{}: there is no suite {name}", readme.folder.display());
        }
    }
}

/// Whether this is the name of a file of the project: not a command, not a path on a host.
fn is_file(name: &str) -> bool {
    let ends = [".sh", ".svg", ".toml", ".md", ".rs"].iter().any(|end| name.ends_with(end));
    let begins = ["tests/", "src/", "../"].iter().any(|begin| name.starts_with(begin));
    !name.contains([' ', ':', '*']) && !name.starts_with('/') && (ends || begins)
}
