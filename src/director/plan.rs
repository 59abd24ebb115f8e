//! From what is wanted and what is there to the fewest changes between. Nothing here has an effect.
//!
//! The order keeps service: what takes connections comes first, what takes none any more last. A real server that is well
//! before and after is never away in between, and a service with a usable server before and after always has one.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::farm::{Farm, OnFailure, VirtualService};
use crate::sys::ipvs::{Change, Connections, Entry, Forwarding, Key, RealServer, Service};

/// A service as it is to stand in the kernel's table now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The service.
    pub service: Service,
    /// Its real servers, the sorry server among them when nobody else can answer.
    pub servers: Vec<RealServer>,
    /// Real servers of the farm that take new connections.
    pub usable: usize,
    /// Whether the sorry server is among them.
    pub is_sorry: bool,
}

/// What a table holds, by name.
pub struct Found<'a>(HashMap<Key, (&'a Service, Servers<'a>)>);

impl<'a> Found<'a> {
    /// Reads a table in any order.
    pub fn new(table: &'a [Entry]) -> Self {
        Self(table.iter().map(|entry| (entry.service.key, (&entry.service, Servers::new(entry)))).collect())
    }

    /// The service of this key.
    pub fn service(&self, key: Key) -> Option<&'a Service> {
        self.0.get(&key).map(|(service, _)| *service)
    }

    /// The real servers of the service of this key, if that is there.
    pub(super) fn servers(&self, key: Key) -> Option<&Servers<'a>> {
        self.0.get(&key).map(|(_, servers)| servers)
    }

    /// This real server of the service of this key.
    pub fn server(&self, key: Key, address: IpAddr, port: u16) -> Option<&'a RealServer> {
        let servers = self.servers(key)?;
        servers.find(&mut 0, (address, port)).and_then(|place| servers.get(place)).map(|(server, _)| server)
    }
}

/// The real servers of one service of a table, by address and port. There may be thousands, in the configuration mostly in this
/// order, so that who goes through both finds one just behind the one before.
pub(super) struct Servers<'a>(Vec<&'a (RealServer, Connections)>);

/// Where a real server is found.
type Place = (IpAddr, u16);

impl<'a> Servers<'a> {
    fn new(entry: &'a Entry) -> Self {
        let mut servers: Vec<_> = entry.servers.iter().collect();
        servers.sort_by_key(|(server, _)| (server.address, server.port));
        Self(servers)
    }

    /// The place of this real server. `next` is where it is probably, and afterwards where the next one is.
    pub fn find(&self, next: &mut usize, wanted: Place) -> Option<usize> {
        let of = |(server, _): &&(RealServer, Connections)| (server.address, server.port);
        let place = match self.0.get(*next) {
            Some(likely) if of(likely) == wanted => *next,
            _ => self.0.binary_search_by_key(&wanted, of).ok()?,
        };
        *next = place + 1;
        Some(place)
    }

    /// The real server at a place, and what it has to do.
    pub fn get(&self, place: usize) -> Option<&'a (RealServer, Connections)> {
        self.0.get(place).copied()
    }

    /// All that are not `known`, one mark for each place.
    pub fn others(&self, known: &[bool]) -> impl Iterator<Item = &'a (RealServer, Connections)> {
        self.0.iter().zip(known).filter(|(_, known)| !**known).map(|(pair, _)| *pair)
    }

    /// One mark for each place, none of them set.
    pub fn marks(&self) -> Vec<bool> {
        vec![false; self.0.len()]
    }
}

/// What is to stand in the table. `up` says of each of the farm's questions what is known; a real server of which nothing is
/// known stays as it was found.
pub fn wanted(farm: &Farm, up: &[Option<bool>], found: &Found<'_>) -> Vec<Wanted> {
    farm.services.iter().map(|service| one(farm, service, up, found)).collect()
}

fn one(farm: &Farm, virtual_service: &VirtualService, up: &[Option<bool>], found: &Found<'_>) -> Wanted {
    let VirtualService { service, servers: all, sorry, on_failure, .. } = virtual_service;
    let mut servers = Vec::with_capacity(all.len() + 1);
    let mut usable = 0;
    for wanted in all {
        let server = &wanted.server;
        let known = wanted.question.map_or(Some(true), |place| up.get(place).copied().flatten());
        let is_up = known.unwrap_or_else(|| {
            found.server(service.key, server.address, server.port).is_some_and(|found| found.weight > 0)
        });
        if is_up && !farm.is_drained(server) {
            usable += usize::from(server.weight > 0);
            servers.push(*server);
        } else if is_up || farm.is_drained(server) || *on_failure == OnFailure::Quiesce {
            servers.push(RealServer { weight: 0, ..*server });
        }
    }
    let sorry = sorry.iter().filter(|_| usable == 0);
    let is_sorry = sorry.clone().next().is_some();
    servers.extend(sorry.copied());
    Wanted { service: service.clone(), servers, usable, is_sorry }
}

/// The changes that make `found` what is wanted. A service in `owned` that nobody wants is deleted, any other stays.
pub fn plan(wanted: &[Wanted], found: &Found<'_>, owned: &BTreeSet<Key>) -> Vec<Change> {
    let mut changes = Vec::new();
    for wanted in wanted {
        service(wanted, found, &mut changes);
    }
    let kept: BTreeSet<Key> = wanted.iter().map(|wanted| wanted.service.key).collect();
    let gone = owned.difference(&kept).filter(|key| found.service(**key).is_some());
    changes.extend(gone.map(|key| Change::DeleteService(*key)));
    changes
}

fn service(wanted: &Wanted, found: &Found<'_>, changes: &mut Vec<Change>) {
    let key = wanted.service.key;
    let Some((service, servers)) = found.0.get(&key) else {
        changes.push(Change::AddService(wanted.service.clone()));
        changes.extend(wanted.servers.iter().map(|server| Change::AddServer(key, *server)));
        return;
    };
    if **service != wanted.service {
        changes.push(Change::EditService(wanted.service.clone()));
    }
    let mut last = Vec::new();
    let (mut next, mut asked) = (0, servers.marks());
    for server in &wanted.servers {
        let place = servers.find(&mut next, (server.address, server.port));
        if let Some(mark) = place.and_then(|place| asked.get_mut(place)) {
            *mark = true;
        }
        match place.and_then(|place| servers.get(place)) {
            None => changes.push(Change::AddServer(key, *server)),
            Some((found, _)) if same(found, server) => {}
            Some((found, _)) => {
                let edit = Change::EditServer(key, *server);
                if server.weight < found.weight { last.push(edit) } else { changes.push(edit) }
            }
        }
    }
    changes.append(&mut last);
    let unasked = servers.others(&asked);
    changes.extend(unasked.map(|(server, _)| Change::DeleteServer(key, server.address, server.port)));
}

/// Whether a listed real server is the wanted one. The kernel lists one on an address of its own as local, whatever was
/// asked for.
fn same(found: &RealServer, wanted: &RealServer) -> bool {
    let forwarding = if found.forwarding == Forwarding::Local { found.forwarding } else { wanted.forwarding };
    *found == RealServer { forwarding, ..*wanted }
}
