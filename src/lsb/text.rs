//! The files of the LSB scripts, as they are shipped: made from the agents' tables, so that nothing in them can be forgotten.

use std::fmt::Write as _;

use super::VERBS;
use crate::ocf::alone::{Alone, Script};
use crate::ocf::spec::{Param, Spec};

/// Width of the text in comments.
const WIDTH: usize = 78;

/// The script in /etc/init.d: a header for insserv, systemd and Pacemaker, and the call of the program.
///
/// Pacemaker reads each key of the header on one line, of at most 1,023 bytes, and goes on with a description on lines that
/// begin with `#` and two spaces.
pub fn script(spec: &Spec, script: &Script) -> String {
    let name = spec.name;
    let mut text = "#!/bin/sh\n### BEGIN INIT INFO\n".to_owned();
    let long = format!(
        "{}. Its parameters are in /etc/default/{name} or /etc/sysconfig/{name}. Not to be started at boot where Pacemaker runs it.",
        spec.short
    );
    for (key, value) in [
        ("Provides", name),
        ("Required-Start", "$remote_fs $network $syslog"),
        ("Required-Stop", "$remote_fs $network $syslog"),
        ("Should-Start", &script.after.join(" ")),
        ("Should-Stop", &script.after.join(" ")),
        ("Default-Start", "2 3 4 5"),
        ("Default-Stop", "0 1 6"),
        ("Short-Description", spec.short),
    ] {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# {:19}{value}", format!("{key}:"));
    }
    for (index, line) in wrap(&long, WIDTH - 21).iter().enumerate() {
        let key = if index == 0 { "Description:" } else { "" };
        let _ = writeln!(text, "# {key:19}{line}");
    }
    let _ = write!(
        text,
        "### END INIT INFO\n\n# status: 0 running, 3 stopped, 1 its loop is gone, 4 failed. See ocf_inuvika_{name}(7).\n\
         program=/usr/sbin/inuvika-ha\n[ -x $program ] || exit 5\ncase \"$1\" in\n\
         start | stop | restart | try-restart | reload | force-reload | status)\n    exec $program lsb {name} \"$1\"\n    ;;\n\
         *)\n    echo \"usage: $0 {}\" >&2\n    exit 3\n    ;;\nesac\n",
        VERBS.join("|")
    );
    text
}

/// The settings file: every parameter, explained, with its default; all of it comments.
pub fn settings(spec: &Spec, alone: Alone) -> String {
    let name = spec.name;
    let mut text = String::new();
    let mut head = format!(
        "Settings of the script /etc/init.d/{name}: {}. A cluster has its own (pcs resource config) and does not read them.",
        spec.short
    );
    if let Some(older) = alone.script().and_then(|script| script.older) {
        let _ = write!(head, " While all of this is comments, the file {} in the same place counts.", older.file);
    }
    let _ = writeln!(text, "{}#", comment(&head));
    text.push_str(&comment("NAME=value, values with spaces in quotes. No shell reads this file: nothing is expanded."));
    for param in spec.all_params() {
        let _ = write!(text, "\n{}#{}={}\n", comment(&about(param)), param.name.to_uppercase(), example(param));
    }
    text
}

fn about(param: &Param) -> String {
    let mut text = format!("{}. {}", param.short, param.long);
    if param.required {
        text.push_str(" Required.");
    }
    text
}

/// The default as it would be written.
fn example(param: &Param) -> String {
    let value = param.default.unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,@%+".contains(c);
    if value.chars().all(plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}

fn comment(text: &str) -> String {
    text.split("\n\n").flat_map(|part| wrap(part, WIDTH)).map(|line| format!("# {line}\n")).collect()
}

/// The words of `text` in lines of at most `width` bytes.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::agents::REGISTRY;
    use crate::lsb::line::{self, Line};
    use crate::ocf::params::fits;

    #[test]
    fn the_shipped_settings_are_all_comments_and_right_when_they_are_not() {
        for agent in REGISTRY.iter().filter(|agent| agent.alone().script().is_some()) {
            let (spec, text) = (agent.table(), settings(agent.table(), agent.alone()));
            assert!(text.lines().all(|line| line.is_empty() || line.starts_with('#')), "{text}");
            let examples: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix('#')).collect();
            for param in spec.all_params() {
                let start = format!("{}=", param.name.to_uppercase());
                let line = examples.iter().find(|line| line.starts_with(&start)).unwrap();
                let Ok(Line::Setting { value, .. }) = line::read(line) else { unreachable!("{line}") };
                assert_eq!(value, param.default.unwrap_or_default(), "{line}");
                assert!(value.is_empty() || fits(param.kind, &value), "{line}");
            }
        }
    }

    #[test]
    fn pacemaker_can_read_every_header() {
        for agent in REGISTRY.iter() {
            let Some(own) = agent.alone().script().copied() else { continue };
            let text = script(agent.table(), &own);
            let header: Vec<&str> = text
                .lines()
                .skip_while(|l| *l != "### BEGIN INIT INFO")
                .take_while(|l| *l != "### END INIT INFO")
                .collect();
            assert!(header.iter().all(|line| line.starts_with('#') && line.len() < 1024 && line.is_ascii()), "{text}");
            for key in ["Provides", "Required-Start", "Default-Start", "Short-Description", "Description"] {
                assert!(header.iter().any(|line| line.starts_with(&format!("# {key}:"))), "{key} is missing: {text}");
            }
        }
    }
}
