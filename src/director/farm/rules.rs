//! From what was written to what is wanted: every refusal that looks at more than one word is here.
//!
//! The kernel itself takes direct routing to another port, port 0 without persistence and much else that then does nothing.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use super::check::{CheckDraft, Kind};
use super::draft::{At, Draft, Said, Servers, Target};
use super::questions::Questions;
use super::words::{self, Method};
use super::{Farm, OnFailure, Pace, Sync, Timeouts, VirtualService, WantedServer, is_nobody, is_own};
use crate::director::name;
use crate::sys::ipvs::{Family, Forwarding, Key, Persistence, Protocol, RealServer, Service, Tunnel};

/// Seconds that a client may stay with its server, and a connection be remembered: what ipvsadm takes too.
pub(super) const MONTH: u32 = 31 * 24 * 60 * 60;

/// What is said of the farm as a whole.
#[derive(Debug)]
pub(super) struct Settings<'a> {
    pub pace: Pace,
    pub sync: Option<Sync>,
    pub timeouts: Timeouts,
    /// The place where it is asked for.
    pub snat_clients: Option<At<'a>>,
}

/// Makes a farm of what was written.
pub(super) fn build(drafts: Vec<Draft<'_>>, settings: Settings<'_>) -> Result<Farm, String> {
    let mut questions = Questions::default();
    let mut services: Vec<VirtualService> = Vec::new();
    let mut seen = HashSet::new();
    for draft in &drafts {
        for (at, key) in keys(draft)? {
            if !seen.insert(key) {
                return Err(at.fault(format!("service {key} is there twice: each is given once")));
            }
            services.push(One { draft, key, synced: settings.sync.is_some() }.build(at, &mut questions)?);
        }
    }
    let Settings { pace, sync, timeouts, snat_clients } = settings;
    let snat = snat_clients.is_some();
    let questions = questions.all;
    let (warnings, drained) = Default::default();
    let farm = Farm { services, questions, pace, sync, timeouts, snat_clients: snat, warnings, drained, source: 0 };
    match snat_clients {
        Some(at) if !farm.forwards(|method| method == Forwarding::Nat) => {
            Err(at.fault("is for forwarding nat only: with dr and tun real servers answer clients by themselves"))
        }
        _ => Ok(farm),
    }
}

/// The keys of the services that a draft stands for.
fn keys<'a, 'b>(draft: &'b Draft<'a>) -> Result<Vec<(&'b At<'a>, Key)>, String> {
    let mut all = Vec::new();
    for target in &draft.targets {
        match target.value {
            Target::Mark(mark) => {
                if let Some(port) = draft.ports.first() {
                    return Err(port.fault("is for virtual: what has the mark is of every port that the filter marks"));
                }
                let first = draft.servers.first().and_then(|servers| servers.addresses.first());
                let of_servers = first.map_or(Family::V4, |address| Family::of(*address));
                all.push((&target.at, Key::Mark { mark, family: draft.family.unwrap_or(of_servers) }));
            }
            Target::Address(address, port) => {
                if is_nobody(address) {
                    return Err(target.fault(format!("{address} cannot be the address of a service")));
                }
                let key = |port| Key::Address { protocol: draft.protocol, address, port };
                match (port, draft.ports.first()) {
                    (Some(_), Some(ports)) => {
                        return Err(ports.fault(format!("{address} has a port already: give it here or there")));
                    }
                    (None, None) => {
                        let shown = name::server(address, 80);
                        return Err(target.fault(format!("has no port: write {shown}, or give ports = [80] as well")));
                    }
                    (Some(port), None) => all.push((&target.at, key(port))),
                    (None, Some(_)) => all.extend(draft.ports.iter().map(|port| (&port.at, key(port.value)))),
                }
            }
        }
    }
    Ok(all)
}

/// One service of a draft.
struct One<'a, 'b> {
    draft: &'b Draft<'a>,
    key: Key,
    synced: bool,
}

impl<'a, 'b> One<'a, 'b> {
    fn build(&self, at: &At<'a>, questions: &mut Questions) -> Result<VirtualService, String> {
        let draft = self.draft;
        let service = self.service(at)?;
        let default = Rc::new(CheckDraft { at: draft.at.clone(), port: None, kind: Kind::Tcp });
        let check = match (&draft.check, draft.protocol) {
            (Some(check), _) => Some(check),
            (None, Protocol::Tcp) => Some(&default),
            (None, _) => None,
        };
        let mut servers: Vec<WantedServer> = Vec::new();
        let mut seen = HashSet::new();
        for written in &draft.servers {
            for server in self.servers(written)? {
                if matches!(self.key, Key::Address { address, port, .. } if (address, port) == (server.address, server.port))
                {
                    let name = name::server(server.address, server.port);
                    return Err(written
                        .at
                        .fault(format!("{name} is the service itself: give the real server's own address")));
                }
                if !seen.insert((server.address, server.port)) {
                    let name = name::server(server.address, server.port);
                    return Err(written.at.fault(format!("real server {name} is there twice: each is given once")));
                }
                let Some(check) = written.check.as_ref().or(check) else {
                    let protocol = if draft.protocol == Protocol::Udp { "UDP" } else { "SCTP" };
                    let what = "give it a check of type \"command\", \"tcp\" with a port, or \"none\"";
                    return Err(draft.at.fault(format!("has no check, and {protocol} has no usual one: {what}")));
                };
                let question = self.question(check, &server, written, questions)?;
                servers.push(WantedServer { server, question });
            }
        }
        if servers.is_empty() {
            return Err(draft.at.fault("has no real server: give real = \"192.0.2.21\" or [[service.real]]"));
        }
        let sorry = draft.sorry.as_ref().map(|written| self.sorry(written, &seen)).transpose()?;
        let quorum = match &draft.quorum {
            Some(quorum) if quorum.value > servers.len() => {
                return Err(quorum.fault(format!("is {}, but there are only {}", quorum.value, servers.len())));
            }
            quorum => quorum.as_ref().map_or(1, |quorum| quorum.value),
        };
        // A UDP client that goes on sending would stay with a quiesced server for ever.
        let usual = if draft.protocol == Protocol::Udp { OnFailure::Remove } else { OnFailure::Quiesce };
        let on_failure = draft.on_failure.unwrap_or(usual);
        Ok(VirtualService { service, servers, sorry, quorum, on_failure, all_down: draft.all_down })
    }

    fn service(&self, at: &At<'a>) -> Result<Service, String> {
        let draft = self.draft;
        let mut scheduler_flags = [false; 3];
        for flag in &draft.flags {
            let bit =
                words::scheduler_flag(&flag.value, &draft.scheduler.value).map_err(|reason| flag.fault(reason))?;
            if let Some(place) = scheduler_flags.get_mut(bit) {
                *place = true;
            }
        }
        let is_mark = matches!(self.key, Key::Mark { .. });
        if let Some(at) = draft.one_packet.as_ref().filter(|_| draft.protocol != Protocol::Udp && !is_mark) {
            return Err(at.fault("is for protocol = \"udp\" only"));
        }
        if matches!(self.key, Key::Address { port: 0, .. }) && draft.persistent.is_none() {
            let what = "give persistent = 300 as well, so that a client's ports stay together";
            return Err(at.fault(format!("port 0 (every port) does nothing without persistence: {what}")));
        }
        let persistence = self.persistence()?;
        let (scheduler, one_packet) = (draft.scheduler.value.clone(), draft.one_packet.is_some());
        Ok(Service { key: self.key, scheduler, scheduler_flags, one_packet, persistence })
    }

    fn persistence(&self) -> Result<Option<Persistence>, String> {
        let draft = self.draft;
        let Some(seconds) = &draft.persistent else {
            let place = draft.prefix.as_ref().map(|said| &said.at).or(draft.engine.as_ref().map(|said| &said.at));
            return place
                .map_or(Ok(None), |at| Err(at.fault("is for persistent services: give persistent = 300 as well")));
        };
        if !(1..=MONTH).contains(&seconds.value) {
            let what = "leave it out for a service without persistence";
            return Err(seconds.fault(format!("{} is not 1 to {MONTH} seconds: {what}", seconds.value)));
        }
        let bits = self.key.family().bits();
        let prefix = draft.prefix.as_ref().map_or(bits, |said| said.value);
        if let Some(said) = draft.prefix.as_ref().filter(|said| !(1..=bits).contains(&said.value)) {
            return Err(said.fault(format!("{} is not 1 to {bits} bits", said.value)));
        }
        let is_udp = draft.protocol == Protocol::Udp || matches!(self.key, Key::Mark { .. });
        if let Some(said) = draft.engine.as_ref().filter(|said| said.value == "sip" && !is_udp) {
            return Err(said.fault("\"sip\" understands protocol = \"udp\" only"));
        }
        let engine = draft.engine.as_ref().map(|said| said.value.clone());
        Ok(Some(Persistence { timeout: Duration::from_secs(seconds.value.into()), prefix, engine }))
    }

    fn port(&self) -> u16 {
        if let Key::Address { port, .. } = self.key { port } else { 0 }
    }

    /// The real servers that were written in one place.
    fn servers(&self, written: &Servers<'a>) -> Result<Vec<RealServer>, String> {
        let at = &written.at;
        let forwarding = self.forwarding(written)?;
        let (wanted, own) = (self.port(), written.port);
        let port = own.unwrap_or(wanted);
        let changes_port = forwarding == Forwarding::Nat;
        if !changes_port && port != wanted {
            let what = if wanted == 0 { "leave the port out".to_owned() } else { format!("it must be port {wanted}") };
            let method = name::forwarding(forwarding);
            return Err(at.fault(format!("forwarding {method} cannot change the port to {port}: {what}, or use nat")));
        }
        if port == 0 && wanted != 0 {
            return Err(at.fault("port 0 is for services of every port: leave the port out"));
        }
        let lower = written.lower.as_ref().map_or(0, |said| said.value);
        if let Some(said) = written.lower.as_ref().filter(|said| said.value > written.upper) {
            let what = "real servers get connections again below it";
            return Err(said.fault(format!("{} is above upper_threshold {}: {what}", said.value, written.upper)));
        }
        let weight = written.weight.unwrap_or(self.draft.weight);
        let served_here = matches!(self.key, Key::Address { address, .. } if is_own(address));
        let mut servers = Vec::with_capacity(written.addresses.len());
        for &address in &written.addresses {
            if is_nobody(address) {
                return Err(at.fault(format!("{address} cannot be the address of a server")));
            }
            if is_own(address) && !served_here {
                let what = "clients elsewhere get no answer from it; use an address of the director's network";
                return Err(at.fault(format!("{address} is only for this host itself: {what}")));
            }
            if Family::of(address) != self.key.family() {
                let service = self.key;
                if !matches!(forwarding, Forwarding::Tunnel(_)) {
                    let what = "only forwarding tun takes packets from one address family to the other";
                    return Err(at.fault(format!("{address} is not of the family of {service}: {what}")));
                }
                if self.synced {
                    let what = "the kernel's sync daemon refuses that; leave out [sync] or this server";
                    return Err(at.fault(format!("{address} is not of the family of {service}: {what}")));
                }
            }
            let (upper_threshold, lower_threshold) = (written.upper, lower);
            servers.push(RealServer { address, port, forwarding, weight, upper_threshold, lower_threshold });
        }
        Ok(servers)
    }

    fn forwarding(&self, written: &Servers<'a>) -> Result<Forwarding, String> {
        let method = written.forwarding.as_ref().unwrap_or(&self.draft.forwarding);
        let tunnel: Option<&Said<'_, Tunnel>> = written.tunnel.as_ref().or(self.draft.tunnel.as_ref());
        match (method.value, &written.tunnel) {
            (Method::Tunnel, _) => Ok(Forwarding::Tunnel(tunnel.map_or(Tunnel::Ipip, |said| said.value))),
            (_, Some(own)) => Err(own.fault("is for forwarding = \"tun\"")),
            (Method::Nat, None) => Ok(Forwarding::Nat),
            (Method::Direct, None) => Ok(Forwarding::Direct),
        }
    }

    fn question(
        &self,
        check: &Rc<CheckDraft<'a>>,
        server: &RealServer,
        written: &Servers<'a>,
        questions: &mut Questions,
    ) -> Result<Option<usize>, String> {
        let Some(question) = check.question(server.address, server.port, self.port()) else { return Ok(None) };
        if question.to().port() == 0 {
            let what = "give its check a port";
            return Err(written
                .at
                .fault(format!("its service is of every port, so it is not known whom to ask: {what}")));
        }
        // Compiling a regular expression for each of 10,000 servers would take longer than asking them.
        let port = check.port.or(Some(self.port()));
        if questions.is_first(Rc::as_ptr(check).addr(), port) {
            question.check().map_err(|reason| check.at.fault(reason))?;
        }
        Ok(Some(questions.place(question)))
    }

    fn sorry(&self, written: &Servers<'a>, seen: &HashSet<(std::net::IpAddr, u16)>) -> Result<RealServer, String> {
        let servers = self.servers(written)?;
        let [server] = servers.as_slice() else {
            return Err(written.at.fault("there is one sorry server for a service, not a range"));
        };
        if let Some(check) = &written.check {
            return Err(check.at.fault("is for real servers: nobody asks how the last one is"));
        }
        if written.weight == Some(0) {
            return Err(written.at.fault("with weight 0 it would answer nobody: leave its weight out"));
        }
        if seen.contains(&(server.address, server.port)) {
            let name = name::server(server.address, server.port);
            return Err(written
                .at
                .fault(format!("{name} is a real server of the same service: it cannot be sorry too")));
        }
        Ok(RealServer { weight: written.weight.unwrap_or(1), ..*server })
    }
}
