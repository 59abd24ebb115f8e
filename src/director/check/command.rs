//! A program of the administrator that looks at a server: exit code 0 says that it is well.
//!
//! No shell. Its environment has PATH, `LC_ALL=C`, `ADDRESS` and `PORT` of the server, and what the question adds; its
//! working directory is `/`, its standard input empty. The first line it writes becomes part of the answer. At its limit it
//! is killed with all its process group; what it leaves running in that group is killed, too.
//!
//! A program that cannot be started says nothing of the server.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use super::answer::{Outcome, span};
use crate::ocf::deadline::Deadline;
use crate::probe::line::{first_line, network};
use crate::sys::process::{Manner, Output, run_in};

/// Bytes kept of what a program writes: its first line counts.
const CAP: usize = 4 << 10;
/// Characters of that line in an answer.
const SHOWN: usize = 80;
/// Variables that are ours.
const OWN: [&str; 4] = ["PATH", "LC_ALL", "ADDRESS", "PORT"];

/// Runs the program about the server `to`, at most for `limit` and not beyond the end of the `round`.
pub(super) fn ask(
    to: SocketAddr,
    argv: &[String],
    env: &BTreeMap<String, String>,
    limit: Duration,
    round: &Deadline,
) -> Outcome {
    let (address, port) = (to.ip().to_string(), to.port().to_string());
    let Some((program, arguments)) = argv.split_first() else { return Outcome::unknown("cannot be run: no program") };
    let arguments: Vec<String> = arguments.iter().map(|argument| filled(argument, &address, &port)).collect();
    let mut environment: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    environment.extend([("ADDRESS", address.as_str()), ("PORT", port.as_str())]);
    let manner = Manner { environment: &environment, cap: CAP, group: true, ..Manner::default() };
    let own = round.within(limit);
    match run_in(&manner, program, &arguments, &own) {
        Ok(output) => of_output(&output),
        Err(error) if error.kind() != io::ErrorKind::TimedOut => Outcome::unknown(match error.kind() {
            io::ErrorKind::NotFound => "cannot be run: no such program, or it is not executable".to_owned(),
            _ => format!("cannot be run: {}", network(&error)),
        }),
        Err(_) if own.span() < limit => cut_off(own.used()),
        Err(_) => Outcome::late("not done", limit),
    }
}

/// The round has ended before the question had its time.
pub(super) fn cut_off(after: Duration) -> Outcome {
    Outcome::unknown(format!("no time left after {}", span(after)))
}

fn of_output(output: &Output) -> Outcome {
    let line = |bytes: &[u8]| first_line(&String::from_utf8_lossy(bytes), SHOWN);
    let said = Some(line(&output.stdout)).filter(|said| !said.is_empty()).unwrap_or_else(|| line(&output.stderr));
    let colon = if said.is_empty() { "" } else { ": " };
    match (output.status.code(), output.status.signal()) {
        (Some(0), _) => Outcome::up(format!("ok{colon}{said}")),
        (Some(code), _) => Outcome::down(format!("exit code {code}{colon}{said}")),
        (None, signal) => Outcome::down(format!("ended by signal {}{colon}{said}", signal.unwrap_or_default())),
    }
}

fn filled(argument: &str, address: &str, port: &str) -> String {
    argument.replace("{address}", address).replace("{port}", port)
}

/// Refuses what cannot be run.
pub(super) fn check(argv: &[String], env: &BTreeMap<String, String>) -> Result<(), String> {
    let program = argv.first().map(String::as_str).unwrap_or_default();
    if program.is_empty() || (program.contains('/') && !program.starts_with('/')) {
        return Err(format!("check by program {program:?}: neither an absolute path nor the name of a program"));
    }
    if argv.iter().chain(env.values()).any(|text| text.contains('\0')) {
        return Err(format!("check by program {program}: an argument or variable has a NUL character"));
    }
    for name in env.keys() {
        let usual = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(usual) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("check by program {program}: {name:?} is no name for a variable"));
        }
        if OWN.contains(&name.as_str()) || name.starts_with("LD_") {
            return Err(format!("check by program {program}: variable {name} cannot be set"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_filled_in() {
        assert_eq!(filled("--url=http://[{address}]:{port}/{port}", "::1", "80"), "--url=http://[::1]:80/80");
        assert_eq!(filled("{other}", "::1", "80"), "{other}");
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        let check = |argv: &[&str], name: &str, value: &str| {
            let argv: Vec<String> = argv.iter().map(|text| (*text).to_owned()).collect();
            check(&argv, &BTreeMap::from([(name.to_owned(), value.to_owned())]))
        };
        assert_eq!(check(&["/usr/lib/check", "{address}"], "DATABASE", "a b"), Ok(()));
        assert_eq!(check(&["check_http"], "A_1", ""), Ok(()));
        for (argv, name, value) in [
            (vec![], "A", ""),
            (vec!["lib/check"], "A", ""),
            (vec!["../check"], "A", ""),
            (vec!["check", "a\0"], "A", ""),
            (vec!["check"], "A", "\0"),
            (vec!["check"], "PATH", "/tmp"),
            (vec!["check"], "LD_PRELOAD", "/tmp/a.so"),
            (vec!["check"], "PORT", "1"),
            (vec!["check"], "1A", ""),
            (vec!["check"], "A=B", ""),
            (vec!["check"], "", ""),
        ] {
            assert!(check(&argv, name, value).is_err(), "{argv:?} {name}");
        }
    }
}
