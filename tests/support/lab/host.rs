//! A machine that is only a network namespace: no service manager, the controller's files.

use std::fs::File;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, setns};

use super::exec::Machine;
use super::net::{NETS, Net, Network, address6};

/// A client or a server beside the cluster.
#[derive(Debug, Clone)]
pub struct Host {
    name: String,
    number: u8,
}

impl Host {
    /// Makes it and plugs it into both networks.
    pub fn new(network: &Arc<Network>, name: &str, number: u8) -> Result<Self> {
        network.plug(name, number, &NETS)?;
        Ok(Self { name: name.to_owned(), number })
    }

    /// Its IPv4 address.
    pub fn address(&self, net: Net) -> IpAddr {
        net.address(self.number)
    }

    /// Its IPv6 address on `ovd-srv`.
    pub fn address6(&self) -> IpAddr {
        address6(self.number)
    }

    /// Starts a thread in its network.
    pub fn thread<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>> {
        in_network(&self.name, work)
    }
}

impl Machine for Host {
    fn name(&self) -> &str {
        &self.name
    }

    fn prefix(&self) -> Result<Vec<String>> {
        Ok(["nsenter", &format!("--net=/run/netns/{}", self.name)].map(str::to_owned).to_vec())
    }
}

/// Starts a thread in the network namespace of `machine`; threads and processes that it starts are there too.
pub fn in_network<T: Send + 'static>(
    machine: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>> {
    let path = format!("/run/netns/{machine}");
    let namespace = File::open(&path).with_context(|| format!("open {path}"))?;
    Ok(std::thread::spawn(move || {
        setns(namespace, CloneFlags::CLONE_NEWNET).unwrap_or_else(|error| panic!("enter {path}: {error}"));
        work()
    }))
}
