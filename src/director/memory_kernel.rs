//! A table in memory with the kernel's rules, for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;

use nix::errno::Errno;

use super::kernel::Kernel;
use super::name;
use crate::sys::ipvs::{Change, Connections, Entry, Family, Forwarding, Key, RealServer, Service, Tunnel};

/// Real servers by address and port.
pub type Servers = BTreeMap<(IpAddr, u16), RealServer>;

/// The table.
#[derive(Debug, Clone, Default)]
pub struct MemoryKernel {
    /// Services and their real servers.
    pub table: BTreeMap<Key, (Service, Servers)>,
    /// The host's own addresses.
    pub local: BTreeSet<IpAddr>,
    /// Schedulers without a module.
    pub missing: BTreeSet<String>,
    /// Whether it balances no IPv6, as some kernels.
    pub lacks_v6: bool,
    /// Services that it does not let go.
    pub keeps: BTreeSet<Key>,
    /// Whether it takes all tunnels for IP in IP, as before 5.2.
    pub lacks_tunnels: bool,
    /// Every change that was made, with the table after it.
    pub history: Vec<(Change, Vec<Entry>)>,
    /// What another program does just before the next changes.
    pub meanwhile: Vec<Change>,
    /// So many changes from now, the caller dies: the others are not made.
    pub dies_after: Option<usize>,
}

impl MemoryKernel {
    /// The table as the kernel lists it.
    pub fn entries(&self) -> Vec<Entry> {
        let listed = |server: &RealServer| {
            let own = self.local.contains(&server.address);
            let forwarding = if own { Forwarding::Local } else { server.forwarding };
            (RealServer { forwarding, ..*server }, Connections::default())
        };
        let entry = |(service, servers): &(Service, Servers)| Entry {
            service: service.clone(),
            servers: servers.values().map(listed).collect(),
        };
        self.table.values().map(entry).collect()
    }

    /// Makes changes that cannot fail.
    pub fn has(changes: &[Change]) -> Self {
        let mut kernel = Self::default();
        assert!(changes.iter().all(|change| kernel.make(change).is_ok()), "{changes:?}");
        kernel
    }

    /// Weight of a real server.
    pub fn weight(&self, key: Key, address: IpAddr, port: u16) -> Option<u32> {
        Some(self.table.get(&key)?.1.get(&(address, port))?.weight)
    }

    fn make(&mut self, change: &Change) -> Result<(), Errno> {
        let plain = |server: &RealServer| match server.forwarding {
            Forwarding::Tunnel(_) if self.lacks_tunnels => {
                RealServer { forwarding: Forwarding::Tunnel(Tunnel::Ipip), ..*server }
            }
            _ => *server,
        };
        match change {
            _ if self.lacks_v6 && change.key().family() == Family::V6 => return Err(Errno::EAFNOSUPPORT),
            Change::DeleteService(key) if self.keeps.contains(key) => return Err(Errno::EBUSY),
            Change::AddService(service) | Change::EditService(service) if self.missing.contains(&service.scheduler) => {
                return Err(Errno::ENOENT);
            }
            Change::AddService(service) => {
                if self.table.contains_key(&service.key) {
                    return Err(Errno::EEXIST);
                }
                self.table.insert(service.key, (service.clone(), BTreeMap::new()));
            }
            Change::EditService(service) => {
                self.table.get_mut(&service.key).ok_or(Errno::ESRCH)?.0 = service.clone();
            }
            Change::DeleteService(key) => {
                self.table.remove(key).ok_or(Errno::ESRCH)?;
            }
            Change::AddServer(key, server) => {
                let server = plain(server);
                let servers = &mut self.table.get_mut(key).ok_or(Errno::ESRCH)?.1;
                if servers.contains_key(&(server.address, server.port)) {
                    return Err(Errno::EEXIST);
                }
                servers.insert((server.address, server.port), server);
            }
            Change::EditServer(key, server) => {
                let server = plain(server);
                let servers = &mut self.table.get_mut(key).ok_or(Errno::ESRCH)?.1;
                let place = (server.address, server.port);
                *servers.get_mut(&place).ok_or(Errno::ENOENT)? = server;
            }
            Change::DeleteServer(key, address, port) => {
                let servers = &mut self.table.get_mut(key).ok_or(Errno::ESRCH)?.1;
                servers.remove(&(*address, *port)).ok_or(Errno::ENOENT)?;
            }
        }
        let after = self.entries();
        self.history.push((change.clone(), after));
        Ok(())
    }
}

impl Kernel for MemoryKernel {
    fn list(&mut self) -> io::Result<Vec<Entry>> {
        let mut entries = self.entries();
        // The kernel's order is nobody's business.
        entries.reverse();
        entries.iter_mut().for_each(|entry| entry.servers.reverse());
        Ok(entries)
    }

    fn apply(&mut self, changes: &[Change]) -> io::Result<Vec<(usize, io::Error)>> {
        for change in std::mem::take(&mut self.meanwhile) {
            self.make(&change)?;
        }
        let mut failed = Vec::new();
        for (place, change) in changes.iter().enumerate() {
            match self.dies_after.as_mut() {
                Some(0) => return Err(io::Error::other("killed")),
                Some(left) => *left -= 1,
                None => {}
            }
            if let Err(errno) = self.make(change) {
                failed.push((place, errno.into()));
            }
        }
        Ok(failed)
    }

    fn explain(change: &Change, error: &io::Error) -> String {
        format!("{}: {error}", name::change(change))
    }
}
