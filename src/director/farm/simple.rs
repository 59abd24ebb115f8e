//! A small set-up by parameters: one virtual address, some ports, the same real servers for all of them.

use std::net::IpAddr;
use std::rc::Rc;

use super::check::{CheckDraft, Kind, Page};
use super::draft::{At, Draft, Said, Servers, Target};
use super::rules::{self, Settings};
use super::{AllDown, Farm, OnFailure, Pace, Sync, words};
use crate::sys::ipvs::Protocol;

/// The parameters, as texts that somebody has typed.
#[derive(Debug, Clone, Copy)]
pub struct Simple<'a> {
    /// The virtual address.
    pub virtual_ip: IpAddr,
    /// Ports, separated by commas or white space; `53/udp` and `36412/sctp` where it is not TCP.
    pub ports: &'a str,
    /// Real servers, separated by commas or white space: `ADDRESS`, `FIRST-LAST`, each with `:PORT` and `@WEIGHT`.
    pub real_servers: &'a str,
    /// The scheduler.
    pub scheduler: &'a str,
    /// `nat`, `dr` or `tun`.
    pub forwarding: &'a str,
    /// `tcp`, `http:/PATH`, `https:/PATH`, `http://HOST/PATH`, `none`, or `command:/PROGRAM`,
    /// which gets address and port as its arguments. None: `tcp`, which is not for other protocols.
    pub check: Option<&'a str>,
    /// The server that answers when no real server can: `ADDRESS` or `ADDRESS:PORT`.
    pub sorry: Option<&'a str>,
    /// Seconds that a client stays with its real server.
    pub persistent: Option<u32>,
    /// What becomes of a real server that is down; none: what is usual with its protocol.
    pub on_failure: Option<OnFailure>,
    /// What is reported when no real server is usable.
    pub all_down: AllDown,
    /// When and how often real servers are asked.
    pub pace: Pace,
    /// The daemons that tell connections to the other directors.
    pub sync: Option<&'a Sync>,
    /// Whether clients on the real servers' own network are masqueraded.
    pub snat_clients: bool,
}

impl<'a> Simple<'a> {
    /// A set-up of which no more is said.
    pub fn new(virtual_ip: IpAddr, ports: &'a str, real_servers: &'a str) -> Self {
        Self {
            virtual_ip,
            ports,
            real_servers,
            scheduler: "wlc",
            forwarding: "nat",
            check: None,
            sorry: None,
            persistent: None,
            on_failure: None,
            all_down: AllDown::Degraded,
            pace: Pace::default(),
            sync: None,
            snat_clients: false,
        }
    }
}

/// Reads the parameters.
pub(super) fn read(simple: &Simple<'_>) -> Result<Farm, String> {
    let parameter = At::Parameter;
    let fault = |name, reason: String| parameter(name).fault(reason);
    let mut draft = Draft::new(parameter("virtual_ip"));
    draft.targets.push(Said { at: parameter("virtual_ip"), value: Target::Address(simple.virtual_ip, None) });
    let ports = split(simple.ports).map(words::service_port).collect::<Result<Vec<_>, _>>();
    let ports = ports.map_err(|reason| fault("ports", reason))?;
    if ports.is_empty() {
        return Err(fault("ports", "is empty: at least one port is needed, such as 80".into()));
    }
    for word in split(simple.real_servers) {
        let read = words::servers(word).map_err(|reason| fault("real_servers", reason))?;
        let (port, weight) = (read.port, read.weight);
        draft.servers.push(Servers { port, weight, ..Servers::new(parameter("real_servers"), read.addresses) });
    }
    if draft.servers.is_empty() {
        return Err(fault("real_servers", "is empty: at least one real server is needed".into()));
    }
    let scheduler = words::module(simple.scheduler, "scheduler").map_err(|reason| fault("scheduler", reason))?;
    draft.scheduler = Said { at: parameter("scheduler"), value: scheduler };
    let method = words::method(simple.forwarding).map_err(|reason| fault("forwarding", reason))?;
    draft.forwarding = Said { at: parameter("forwarding"), value: method };
    match (simple.check, ports.iter().find(|(_, protocol)| *protocol != Protocol::Tcp)) {
        (Some(word), _) => {
            let kind = check(word).map_err(|reason| fault("check", reason))?;
            draft.check = Some(Rc::new(CheckDraft { at: parameter("check"), port: None, kind }));
        }
        (None, Some((port, protocol))) => {
            let what = "give command:/PROGRAM, tcp (asks the same port over TCP) or none";
            return Err(fault("check", format!("is needed with port {port}/{protocol}: {what}")));
        }
        (None, None) => {}
    }
    if let Some(word) = simple.sorry {
        let (address, port) = words::endpoint(word).map_err(|reason| fault("sorry", reason))?;
        draft.sorry = Some(Servers { port, ..Servers::new(parameter("sorry"), vec![address]) });
    }
    draft.persistent = simple.persistent.map(|value| Said { at: parameter("persistent"), value });
    (draft.on_failure, draft.all_down) = (simple.on_failure, simple.all_down);
    let settings = Settings {
        pace: simple.pace,
        sync: simple.sync.cloned(),
        timeouts: Default::default(),
        snat_clients: simple.snat_clients.then(|| parameter("snat_clients")),
    };
    let of_protocol = |protocol| {
        let own = ports.iter().filter(|(_, of)| *of == protocol);
        let ports: Vec<_> = own.map(|(value, _)| Said { at: parameter("ports"), value: *value }).collect();
        (!ports.is_empty()).then(|| Draft { ports, protocol, ..draft.clone() })
    };
    let protocols = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];
    rules::build(protocols.into_iter().filter_map(of_protocol).collect(), settings)
}

fn split(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty())
}

/// The begin of a word that may be a URL with secrets in it.
fn harmless(word: &str) -> String {
    let plain = word.split(['?', '@']).next().unwrap_or_default();
    let scheme = plain.split_once("//").map_or(plain, |(scheme, _)| scheme);
    // What stands before an @ may be a user with a password.
    let shown = if word.contains('@') { scheme } else { plain };
    if shown.len() < word.len() { format!("{shown}...") } else { shown.to_owned() }
}

fn check(word: &str) -> Result<Kind, String> {
    let wrong = || {
        format!("{:?} must be tcp, none, http:/PATH, https:/PATH, http://HOST/PATH or command:/PROGRAM", harmless(word))
    };
    let (kind, rest) = word.split_once(':').unwrap_or((word, ""));
    match kind {
        "tcp" | "none" if kind.len() < word.len() => Err(wrong()),
        "tcp" => Ok(Kind::Tcp),
        "none" => Ok(Kind::None),
        "http" | "https" => {
            let https = kind == "https";
            let Some(named) = rest.strip_prefix("//") else {
                return Ok(Kind::Http(Page::new(https, if rest.is_empty() { "/" } else { rest })));
            };
            let (host, path) = named.find('/').map_or((named, "/"), |slash| named.split_at(slash));
            Ok(Kind::Http(Page { host: Some(host.to_owned()), ..Page::new(https, path) }))
        }
        "command" if rest.starts_with('/') => {
            // No shell, no quoting: who needs arguments writes a file.
            let argv = [rest, "{address}", "{port}"].map(str::to_owned).to_vec();
            Ok(Kind::Command { argv, env: Default::default() })
        }
        _ => Err(wrong()),
    }
}
