//! mon's mon.cf: which hosts are asked, how, how often.

use super::File;
use super::lines::{Line, lines};
use super::notes::Notes;

/// What a mon.cf says.
#[derive(Debug, Default)]
pub(super) struct Mon {
    /// Groups of hosts.
    pub groups: Vec<(String, Vec<String>)>,
    /// What is asked.
    pub watches: Vec<Watch>,
}

/// A service of a watch.
#[derive(Debug)]
pub(super) struct Watch {
    /// Where it begins.
    pub place: String,
    /// The group.
    pub group: String,
    /// How its hosts are asked; none: with a monitor that lvs-director does not have.
    pub check: Option<Check>,
    /// Failures in a row until something is done.
    pub after: Option<u32>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    /// As the parameter `check` of lvs-director has it.
    pub word: String,
    /// The port, when it is said.
    pub port: Option<u16>,
}

const GLOBAL: &[&str] = &[
    "cfbasedir",
    "alertdir",
    "mondir",
    "statedir",
    "logdir",
    "basedir",
    "maxprocs",
    "histlength",
    "historicfile",
    "historictime",
    "randstart",
    "authtype",
    "authfile",
    "userfile",
    "dtlogfile",
    "dtlogging",
    "serverport",
    "serverbind",
    "trapport",
    "trapbind",
    "pidfile",
    "cltimeout",
    "snmpport",
    "syslog_facility",
    "startupalerts_on_reset",
    "monremote",
];

/// Reads a mon.cf; what it cannot use is told.
pub(super) fn read(file: &File, notes: &mut Notes) -> Mon {
    let mut mon = Mon::default();
    let mut group = None;
    for line in lines(file) {
        let words = line.words();
        let Some((directive, rest)) = words.split_first() else { continue };
        let (place, text) = (&line.place, &line.text);
        let why = match (directive.as_str(), rest) {
            ("hostgroup", [name, hosts @ ..]) => {
                mon.groups.push((name.clone(), hosts.to_vec()));
                continue;
            }
            ("watch", [name]) => {
                group = Some(name.clone());
                continue;
            }
            ("service", [_]) => {
                let Some(group) = group.clone() else {
                    notes.leave(place, text, "is not in a watch");
                    continue;
                };
                mon.watches.push(Watch { place: place.clone(), group, check: None, after: None });
                continue;
            }
            ("monitor", [program, arguments @ ..]) => {
                monitor(&mut mon, program, arguments, &line, notes);
                continue;
            }
            ("alertafter", [count, ..]) => match (count.parse(), mon.watches.last_mut()) {
                (Ok(count), Some(watch)) => {
                    watch.after = Some(count);
                    if rest.len() == 1 {
                        continue;
                    }
                    "only the number counts: lvs-director looks at failures in a row"
                }
                _ => "is not a number of failures",
            },
            ("interval", _) => "lvs-director asks in its monitor: every 10 s",
            ("alert" | "upalert" | "startupalert" | "disablealert", _) => {
                "lvs-director changes the table by itself; a program to tell is its parameter hook"
            }
            ("alertevery" | "numalerts" | "no_comp_alerts" | "comp_alerts", _) => {
                "a change is told once, when it comes"
            }
            (
                "description" | "period" | "allow_empty_group" | "depend" | "dep_behavior" | "exclude_period"
                | "exclude_hosts" | "randskew" | "traptimeout" | "trapduration" | "unack_summary" | "failure_interval",
                _,
            ) => "lvs-director has no such thing: it always asks every real server",
            (name, _) if GLOBAL.contains(&name) => "is about mon itself, which is not needed any more",
            _ => "is not known",
        };
        notes.leave(place, text, why);
    }
    mon
}

fn monitor(mon: &mut Mon, program: &str, arguments: &[String], line: &Line, notes: &mut Notes) {
    let Some(watch) = mon.watches.last_mut() else {
        return notes.leave(&line.place, &line.text, "is not in a service of a watch");
    };
    let value = |name: &str| {
        let at = arguments.iter().position(|word| word == name)?;
        arguments.get(at + 1)
    };
    let port = value("-p").and_then(|word| super::services::port(word));
    let path = value("-u").map_or("/", String::as_str);
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let clean = path.bytes().all(|b| b.is_ascii_graphic());
    let word = match program.rsplit('/').next().unwrap_or(program) {
        "http.monitor" | "http_tp.monitor" | "http_t.monitor" | "lwp-http.monitor" if clean => format!("http:{path}"),
        "https.monitor" | "http_ssl.monitor" if clean => format!("https:{path}"),
        "tcp.monitor" | "tcpch.monitor" => "tcp".into(),
        _ => {
            let why = "lvs-director has no such check: it asks whether connections are accepted";
            return notes.leave(&line.place, &line.text, why);
        }
    };
    watch.check = Some(Check { word, port });
}
