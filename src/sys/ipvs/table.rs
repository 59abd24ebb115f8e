//! The kernel's table: read as a whole, changed one by one.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;

use crate::ocf::deadline::Deadline;
use crate::sys::netlink::generic::{HEADER, header};
use crate::sys::netlink::{Generic, attribute};
use crate::sys::process;

use super::wire::{command, part, read_server, read_service, write_question};
use super::{Change, Connections, Entry, Key, RealServer, Service};

/// Loading the module takes some 0.1 s.
const LOADING: Duration = Duration::from_secs(5);

/// A connection to IPVS, for the network namespace that it was opened in.
pub struct Ipvs(pub(super) Generic);

/// The kernel has no IPVS and finds no module that would bring it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoIpvs;

impl NoIpvs {
    /// Whether that is what an error of [`Ipvs::open`] says.
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<NoIpvs>())
    }
}

impl fmt::Display for NoIpvs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this kernel has no IPVS: install the package with its module ip_vs (try `modprobe ip_vs`)")
    }
}

impl std::error::Error for NoIpvs {}

fn find() -> io::Result<Option<Generic>> {
    match Generic::open("IPVS") {
        Ok(generic) => Ok(Some(generic)),
        Err(error) if error.raw_os_error() == Some(Errno::ENOENT as i32) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Ipvs {
    /// Opens a connection; the module `ip_vs` is loaded if it is not there yet, which may take 5 s at most.
    ///
    /// # Errors
    /// [`NoIpvs`] inside when there is no such module; else what the kernel says.
    pub fn open() -> io::Result<Self> {
        if let Some(generic) = find()? {
            return Ok(Self(generic));
        }
        // The kernel has looked for the module by its alias, which the modules of some distributions (RHEL) do not have.
        // Whether this has helped shows next.
        let _ = process::run("modprobe", &["-q", "ip_vs"], None, &Deadline::after(LOADING));
        find()?.map(Self).ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, NoIpvs))
    }

    /// Whether the kernel has IPVS now. Does not load it.
    pub fn is_loaded() -> bool {
        Path::new("/proc/net/ip_vs").exists()
    }

    /// The whole table, sorted by key, and the real servers of each service by address and port.
    ///
    /// The kernel lists service after service, and does not say when others change the table meanwhile: a service that
    /// goes in between is listed without real servers, and one real server may be missed. The next look sees them.
    ///
    /// # Errors
    /// What the kernel says, with its errno; EPERM without CAP_NET_ADMIN.
    pub fn list(&mut self) -> io::Result<Vec<Entry>> {
        let reply = self.0.dump(command::GET_SERVICE, |_| {})?;
        let parts = reply.messages().filter_map(|message| attribute(message.attributes(HEADER), part::SERVICE));
        let services: BTreeMap<Key, Service> =
            parts.filter_map(read_service).map(|service| (service.key, service)).collect();
        let mut entries = Vec::with_capacity(services.len());
        for (key, service) in services {
            entries.push(Entry { service, servers: self.servers(&key)? });
        }
        Ok(entries)
    }

    fn servers(&mut self, key: &Key) -> io::Result<Vec<(RealServer, Connections)>> {
        let reply = self.0.dump(command::GET_DEST, |message| write_question(message, key))?;
        let parts = reply.messages().filter_map(|message| attribute(message.attributes(HEADER), part::DEST));
        let mut servers: Vec<_> = parts.filter_map(|server| read_server(server, key.family())).collect();
        servers.sort_by_key(|(server, _)| (server.address, server.port));
        // A list that was changed while it was read may have one twice.
        servers.dedup_by_key(|(server, _)| (server.address, server.port));
        Ok(servers)
    }

    /// Makes changes, in their order. One that fails does not keep the others from being made: the index of each that
    /// failed is returned with its error, for [`super::explain`].
    ///
    /// # Errors
    /// The socket's: then nobody knows how many changes were made.
    pub fn apply(&mut self, changes: &[Change]) -> io::Result<Vec<(usize, io::Error)>> {
        self.0.carry_out_all(changes, |change, message| {
            header(message, change.command());
            change.write(message);
        })
    }
}
