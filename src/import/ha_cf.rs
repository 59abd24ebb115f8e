//! Heartbeat's ha.cf: nodes, links, whom it pings.

use super::File;
use super::cluster::MOST_NODES;
use super::lines::lines;
use super::notes::Notes;
use std::net::IpAddr;

/// What a ha.cf says that a scenario can hold.
#[derive(Debug, Default)]
pub(super) struct HaCf {
    /// The nodes, in its order.
    pub nodes: Vec<String>,
    /// Addresses by link, in its order.
    pub unicast: Vec<(String, Vec<IpAddr>)>,
    /// Links that are named without addresses.
    pub broadcast: Vec<String>,
    /// Seconds until a silent node is dead, with the place.
    pub deadtime: Option<(String, f64)>,
    /// Whether resources move back to their node, with the place.
    pub failback: Option<(String, bool)>,
    /// What is pinged, with the place.
    pub ping: Vec<(String, String)>,
    /// Whether pingd publishes what is reached: its multiplier.
    pub pingd: Option<u32>,
}

/// What Heartbeat had that corosync and Pacemaker do by themselves or have no need of.
const NEEDLESS: &[(&[&str], &str)] = &[
    (
        &["keepalive", "warntime", "initdead", "deadping", "hopfudge", "realtime", "msgfmt", "compression"],
        "corosync has its own pace: only the time until a node counts as lost is set",
    ),
    (
        &[
            "use_logd",
            "logfacility",
            "logfile",
            "debugfile",
            "debug",
            "coredumps",
            "traditional_compression",
            "log_badpack",
        ],
        "corosync and Pacemaker log by themselves",
    ),
    (&["crm", "pacemaker"], "Pacemaker is always there"),
    (&["udpport", "baud"], "corosync has ports of its own: 5405/udp and those after it"),
    (&["serial"], "corosync has no serial links: give every node a second address instead"),
    (&["watchdog"], "a watchdog needs sbd: see [[fencing]]"),
    (&["apiauth", "uuidfrom", "autojoin", "node_from", "conn_logd_time"], "corosync has no such thing"),
];

/// Reads a ha.cf; what it cannot use is told.
pub(super) fn read(file: &File, notes: &mut Notes) -> HaCf {
    let mut read = HaCf::default();
    for line in lines(file) {
        let words = line.words();
        let Some((directive, rest)) = words.split_first() else { continue };
        let (place, text) = (&line.place, &line.text);
        match directive.as_str() {
            "node" => {
                for node in rest {
                    if read.nodes.len() >= MOST_NODES {
                        notes.leave(place, &format!("node {node}"), "is one more than any cluster has");
                        break;
                    }
                    if read.nodes.contains(node) {
                        notes.leave(place, &format!("node {node}"), "is there already");
                    } else {
                        read.nodes.push(node.clone());
                    }
                }
            }
            "ucast" => match (rest.first(), rest.get(1).map(|address| address.parse::<IpAddr>())) {
                (Some(link), Some(Ok(address))) => match read.unicast.iter_mut().find(|(known, _)| known == link) {
                    Some((_, addresses)) => addresses.push(address),
                    None => read.unicast.push((link.clone(), vec![address])),
                },
                _ => notes.leave(place, text, "is not \"ucast LINK ADDRESS\""),
            },
            "bcast" | "mcast" => {
                let links = if directive == "bcast" { rest } else { rest.get(..1).unwrap_or_default() };
                read.broadcast.extend(links.iter().cloned());
                notes.leave(place, text, "corosync is told the address of every node instead");
            }
            "deadtime" => match rest.first().and_then(|word| seconds(word)) {
                Some(seconds) => read.deadtime = Some((place.clone(), seconds)),
                None => notes.leave(place, text, "is not a time"),
            },
            "auto_failback" => match rest.first().map(String::as_str) {
                Some("on" | "yes" | "true" | "y" | "1") => read.failback = Some((place.clone(), true)),
                Some("off" | "no" | "false" | "n" | "0") => read.failback = Some((place.clone(), false)),
                _ => notes.leave(place, text, "is neither on nor off"),
            },
            "ping" => read.ping.extend(rest.iter().map(|host| (place.clone(), host.clone()))),
            "ping_group" => {
                read.ping.extend(rest.iter().skip(1).map(|host| (place.clone(), host.clone())));
                notes.change(place, text, "one that answers is enough, as before; the group's name is lost");
            }
            "respawn" => match rest.get(1) {
                Some(program) if program.ends_with("/pingd") || program == "pingd" => {
                    let multiplier = option(rest, "-m").and_then(|word| word.parse().ok());
                    read.pingd = Some(multiplier.unwrap_or(1));
                    notes.change(place, text, "ocf:pacemaker:ping asks instead, on every node");
                }
                Some(program) if program.ends_with("/ipfail") || program == "ipfail" => {
                    read.pingd = Some(1);
                    notes.change(place, text, "ocf:pacemaker:ping asks instead, on every node");
                }
                _ => notes.leave(place, text, "a program that Heartbeat kept running: a unit of systemd can do that"),
            },
            "stonith" | "stonith_host" => {
                // What follows is the device's login.
                let device: Vec<&str> = words.iter().take(3).map(String::as_str).collect();
                let why = "Heartbeat's plugin is not a fence agent: describe its device as [[fencing]]";
                notes.leave(place, &format!("{} ...", device.join(" ")), why);
            }
            other => {
                let needless = NEEDLESS.iter().find(|(names, _)| names.contains(&other));
                notes.leave(place, text, needless.map_or("is not known", |(_, why)| why));
            }
        }
    }
    read
}

fn option<'a>(words: &'a [String], name: &str) -> Option<&'a String> {
    words.iter().position(|word| word == name).and_then(|at| words.get(at + 1))
}

/// A time as Heartbeat has it: seconds, or `500ms`.
fn seconds(word: &str) -> Option<f64> {
    let (number, factor) = match word.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (word.strip_suffix('s').unwrap_or(word), 1.0),
    };
    let seconds: f64 = number.parse().ok()?;
    (seconds.is_finite() && (0.0..=86_400.0).contains(&seconds)).then_some(seconds * factor)
}

impl HaCf {
    /// The addresses of every node, where each link has as many as there are nodes. Heartbeat does not say which is whose.
    pub fn addresses(&self, notes: &mut Notes, place: &str) -> Vec<(String, Vec<IpAddr>)> {
        let mut all: Vec<(String, Vec<IpAddr>)> = self.nodes.iter().map(|node| (node.clone(), Vec::new())).collect();
        for (link, addresses) in &self.unicast {
            if addresses.len() != all.len() {
                let why = format!(
                    "{} nodes and {} addresses on {link}: which is whose cannot be told",
                    all.len(),
                    addresses.len()
                );
                notes.leave(place, &format!("ucast {link}"), why);
                continue;
            }
            let pairs: Vec<String> =
                all.iter().zip(addresses).map(|((node, _), address)| format!("{node} {address}")).collect();
            let why = "Heartbeat does not say which address is whose: taken in the order of the nodes; check it";
            notes.change(place, &format!("ucast {link}: {}", pairs.join(", ")), why);
            for ((_, own), address) in all.iter_mut().zip(addresses) {
                own.push(*address);
            }
        }
        all
    }
}
