//! A cron table of /etc/cron.d, and how a process of one of its lines looks.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::{fs, io};

/// How many words the kernel puts before those of a script: its interpreter, and one option.
const INTERPRETER: usize = 2;
/// What the kernel reads of a script's first line, in bytes.
const HEAD: u64 = 256;

/// One line of the table that is a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Who runs it.
    pub user: String,
    /// What cron gives to a shell.
    command: String,
}

/// The jobs of a table; none where there is no such file.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(table: &Path) -> io::Result<Vec<Line>> {
    match fs::read(table) {
        Ok(text) => Ok(String::from_utf8_lossy(&text).lines().filter_map(Line::parse).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

impl Line {
    /// Understands a line (crontab(5)): five fields or an `@word`, the user, the command. None for anything else: empty lines,
    /// comments, variables.
    fn parse(line: &str) -> Option<Self> {
        let first = line.split_whitespace().next().filter(|word| !word.starts_with('#'))?;
        let mut rest = line;
        for _ in 0..if first.starts_with('@') { 1 } else { 5 } {
            let field;
            (field, rest) = next_field(rest)?;
            // NAME=value, NAME = value: no schedule has this character.
            if field.contains('=') {
                return None;
            }
        }
        let (user, rest) = next_field(rest)?;
        let command = command(rest.trim());
        (!command.is_empty()).then(|| Self { user: user.to_owned(), command })
    }

    /// Whether a process with these arguments is the shell that cron gave the command to, or the program that such a shell
    /// has become: one that has nothing more to do starts no child. `arguments` has to be of a child of cron.
    pub fn is(&self, arguments: &[&str]) -> bool {
        let by_shell = matches!(arguments, [_, "-c", command] if command.trim_end() == self.command.trim_end());
        by_shell || self.programs().iter().any(|words| is_program(arguments, words))
    }

    /// The words of each program in the command, without redirections: of those alone whose words the shell passes on as
    /// they stand here.
    fn programs(&self) -> Vec<Vec<&str>> {
        let mut all = vec![Some(Vec::new())];
        let mut words = self.command.split_whitespace();
        while let Some(word) = words.next() {
            let (word, ends) = match word {
                "&&" | "||" | ";" | "|" | "&" => ("", true),
                _ => word.strip_suffix(';').map_or((word, false), |word| (word, true)),
            };
            if word.contains(['<', '>']) {
                // With its file behind a space.
                if word.ends_with(['<', '>']) {
                    words.next();
                }
            } else if word.contains(|c: char| !c.is_ascii_alphanumeric() && !"/._-+:,@%=".contains(c)) {
                // Nobody can say what the shell makes of it.
                all.last_mut().into_iter().for_each(|program| *program = None);
            } else if let Some(Some(program)) = all.last_mut().filter(|_| !word.is_empty()) {
                program.push(word);
            }
            if ends {
                all.push(Some(Vec::new()));
            }
        }
        all.into_iter().flatten().filter(|program| !program.is_empty()).collect()
    }
}

/// Whether a process with these arguments was started with these words: as they are, or as a script. Only a program that is
/// called by its whole path is told from others: `true` or `exit 1` could be the end of any command.
fn is_program(arguments: &[&str], words: &[&str]) -> bool {
    let Some(program) = words.first().filter(|word| word.starts_with('/')) else { return false };
    let Some(before) = arguments.len().checked_sub(words.len()) else { return false };
    if arguments.get(before..) != Some(words) {
        return false;
    }
    before == 0 || before <= INTERPRETER && is_interpreter(program, arguments.get(..before).unwrap_or_default())
}

/// Whether these words are what the first line of a script names (execve(2), "Interpreter scripts").
fn is_interpreter(script: &str, words: &[&str]) -> bool {
    let mut head = Vec::new();
    let read = File::open(script).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    let Some(line) =
        read.ok().and_then(|_| head.strip_prefix(b"#!")).and_then(|rest| rest.split(|b| *b == b'\n').next())
    else {
        return false;
    };
    let line = String::from_utf8_lossy(line);
    let line = line.trim();
    // The kernel passes all after the first word as one.
    let (name, argument) = line.split_once(char::is_whitespace).map_or((line, ""), |(n, a)| (n, a.trim_start()));
    let named: Vec<&str> = [name, argument].into_iter().filter(|word| !word.is_empty()).collect();
    // `env` becomes the program that it is asked for.
    words == named || name.ends_with("/env") && words.len() == 1 && words.first() == Some(&argument)
}

/// The first field and what follows it.
fn next_field(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace)?;
    Some(text.split_at(end))
}

/// What the shell gets: all before the first `%`, which `\%` is not; what comes after is standard input.
fn command(text: &str) -> String {
    let mut command = String::new();
    for c in text.chars() {
        match (c, command.ends_with('\\')) {
            ('%', true) => {
                command.pop();
                command.push('%');
            }
            ('%', false) => break,
            _ => command.push(c),
        }
    }
    command
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn line(command: &str) -> Line {
        Line { user: "www-data".into(), command: command.into() }
    }

    #[test]
    fn jobs_are_told_from_the_rest() {
        let text = "# m h dom mon dow user command\n\nSHELL=/bin/sh\nMAILTO = root\n \
                    * * * * * www-data /usr/bin/php /usr/share/minutely.php >/dev/null 2>&1\n\
                    00 *\t* * * apache\t/bin/date +\\%s %in\n@daily root true\n* * * * root\n@daily root\n* * * * *\n";
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("table");
        assert_eq!(read(&table).unwrap(), []);
        fs::write(&table, text).unwrap();
        let found = read(&table).unwrap();
        let found: Vec<_> = found.iter().map(|line| (line.user.as_str(), line.command.as_str())).collect();
        let minutely = "/usr/bin/php /usr/share/minutely.php >/dev/null 2>&1";
        assert_eq!(found, [("www-data", minutely), ("apache", "/bin/date +%s "), ("root", "true")]);
    }

    #[test]
    fn the_shell_and_the_program_that_it_becomes_are_the_job() {
        let job = line("cd /tmp && /usr/bin/php /x/minutely.php --all=yes > /dev/null 2>&1");
        for arguments in [
            ["/bin/sh", "-c", "cd /tmp && /usr/bin/php /x/minutely.php --all=yes > /dev/null 2>&1"].as_slice(),
            &["/usr/bin/php", "/x/minutely.php", "--all=yes"],
        ] {
            assert!(job.is(arguments), "{arguments:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("job").to_str().unwrap().to_owned();
        let job = line(&format!("{script} now;"));
        for (head, words, is_it) in [
            ("#!/bin/bash -e\n", ["/bin/bash", "-e"].as_slice(), true),
            ("#! /bin/bash -e\n", &["/bin/bash", "-e"], true),
            ("#!/bin/bash\n", &["/bin/bash"], true),
            ("#!/usr/bin/env python3\n", &["python3"], true),
            ("#!/bin/bash\n", &["/bin/bash", "/root/other"], false),
            ("#!/bin/bash\n", &["/bin/ls"], false),
            ("true\n", &["/bin/sh"], false),
        ] {
            fs::write(&script, head).unwrap();
            let arguments = [words, &[script.as_str(), "now"]].concat();
            assert_eq!(job.is(&arguments), is_it, "{head:?} {arguments:?}");
        }
        assert!(line("true; /x/job >>/x/log").is(&["/x/job"]));
    }

    #[test]
    fn anything_else_is_not() {
        let job = line("/usr/bin/php /x/minutely.php >/dev/null");
        for arguments in [
            ["/usr/bin/php", "/x/minutely.php", "once"].as_slice(),
            &["/usr/bin/php", "/x/hourly.php"],
            &["/x/minutely.php"],
            &["php"],
            &["/bin/sh", "-c", "/usr/bin/php /x/minutely.php"],
            &["a", "b", "c", "/usr/bin/php", "/x/minutely.php"],
            &[],
        ] {
            assert!(!job.is(arguments), "{arguments:?}");
        }
        // The end of anybody's command.
        assert!(!line("cd /x || exit 1").is(&["/bin/backup", "exit", "1"]) && !line("true").is(&["true"]));
        // What the shell changes is known by the shell alone.
        for command in ["$PHP /x/job", "echo \"a b\"", "rm *", "a|b", "( /x/job )"] {
            let job = line(command);
            assert!(job.programs().is_empty(), "{command}: {:?}", job.programs());
            assert!(job.is(&["/bin/sh", "-c", command]));
        }
    }
}
