//! The virtual services of directors, and how their real servers are asked.

use std::net::IpAddr;

use super::ipvsadm::Table;
use super::lvs_farm;
use super::mon_cf::{self, Mon};
use super::notes::Notes;

/// What stands in `[lvs_director]`.
pub(super) struct Service {
    /// Parameters with their values.
    pub(super) params: Vec<(&'static str, Vec<String>)>,
    /// A file of the director's own, where parameters do not suffice.
    pub(super) farm: Option<String>,
}

impl Service {
    /// From the kernel's table and what mon asked.
    pub(super) fn of(table: &Table, mon: Option<&(String, Mon)>, notes: &mut Notes) -> Service {
        let services = &table.services;
        let check = check(table, mon, notes);
        let mut params: Vec<(&'static str, Vec<String>)> = Vec::new();
        let simple = lvs_farm::is_simple(services);
        if let (true, Some(first)) = (simple, services.first()) {
            let port = |protocol: &str, port: u16| {
                if protocol == "tcp" { port.to_string() } else { format!("{port}/{protocol}") }
            };
            let ports: Vec<String> = services.iter().map(|one| port(one.protocol, one.port)).collect();
            params.push(("ports", vec![ports.join(" ")]));
            params.push(("real_servers", first.servers.iter().map(|real| lvs_farm::word(real, first.port)).collect()));
            // ipvsadm's default is wlc, as ours.
            params.extend(first.scheduler.iter().map(|scheduler| ("scheduler", vec![scheduler.clone()])));
            let forwarding = first.servers.first().map_or("nat", |real| real.forwarding);
            params.push(("forwarding", vec![forwarding.to_owned()]));
            params.extend(first.persistent.map(|seconds| ("persistent", vec![seconds.to_string()])));
            let needed = services.iter().any(|one| one.protocol != "tcp").then(|| "none".to_owned());
            params.extend(check.word.clone().or(needed).map(|word| ("check", vec![word])));
            params.extend(check.fall.map(|fall| ("fall", vec![fall.to_string()])));
        } else {
            params.push(("config", vec![lvs_farm::PATH.into()]));
        }
        let farm = (!simple).then(|| {
            let why = "the services differ: their file stands at the end and has to be put on every director first";
            notes.change("ipvsadm", "", why);
            lvs_farm::write(services, check.word.as_deref(), check.fall, table.sync.as_deref())
        });
        if let (true, Some(link)) = (simple, &table.sync) {
            params.push(("sync", vec!["yes".into()]));
            params.push(("sync_nic", vec![link.clone()]));
        }
        Service { params, farm }
    }
}

/// How real servers are asked.
#[derive(Default)]
struct Asked {
    word: Option<String>,
    fall: Option<u32>,
}

fn check(table: &Table, mon: Option<&(String, Mon)>, notes: &mut Notes) -> Asked {
    let Some((base, mon)) = mon else {
        notes.change(
            "[lvs_director]",
            "check",
            "nothing says how real servers are asked: whether they accept connections",
        );
        return Asked::default();
    };
    let servers: Vec<IpAddr> = table.services.iter().flat_map(|one| &one.servers).map(|real| real.address).collect();
    let hosts = |group: &str| -> Vec<&String> {
        mon.groups.iter().filter(|(name, _)| name == group).flat_map(|(_, hosts)| hosts).collect()
    };
    let mut asked: Vec<IpAddr> = Vec::new();
    let mut first: Option<&mon_cf::Watch> = None;
    for watch in &mon.watches {
        let real = |host: &&String| host.parse().ok().filter(|address| servers.contains(address));
        let known: Vec<IpAddr> = hosts(&watch.group).iter().filter_map(real).collect();
        if known.is_empty() {
            notes.leave(
                &watch.place,
                &format!("watch {}", watch.group),
                "has no real server of these services by its address",
            );
            continue;
        }
        asked.extend(known);
        match first {
            None => first = Some(watch),
            Some(one) if one.check == watch.check && one.after == watch.after => {}
            Some(one) => {
                let why = format!("all real servers are asked in the same way, which is that of {}", one.place);
                notes.leave(&watch.place, &format!("watch {}", watch.group), why);
            }
        }
    }
    for host in mon.groups.iter().flat_map(|(_, hosts)| hosts).filter(|host| host.parse::<IpAddr>().is_err()) {
        notes.leave(base, &format!("hostgroup {host}"), "a name: real servers are compared by address");
    }
    let mut missing: Vec<String> = servers.iter().filter(|one| !asked.contains(one)).map(ToString::to_string).collect();
    missing.sort();
    missing.dedup();
    if !missing.is_empty() {
        notes.change(base, "", format!("{} were never asked: now they are", missing.join(", ")));
    }
    let Some(watch) = first else { return Asked::default() };
    if let Some(port) = watch.check.as_ref().and_then(|check| check.port) {
        let others = table.services.iter().filter(|service| service.port != port);
        let others: Vec<String> = others.map(|service| service.port.to_string()).collect();
        if !others.is_empty() {
            let why =
                format!("only port {port} was asked; now every service is asked at its own, {} too", others.join(", "));
            notes.change(&watch.place, "", why);
        }
    }
    Asked {
        word: watch.check.as_ref().map(|check| check.word.clone()),
        fall: watch.after.filter(|n| (1..=100).contains(n)),
    }
}
