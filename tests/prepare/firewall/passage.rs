//! A way into a node: from a machine to one of its ports.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::support::lab::{Machine, Node, wait_for};

/// Where the node writes down what it gets.
const SEEN: &str = "/run/passages";

pub struct Passage<'a> {
    /// Who asks.
    pub machine: &'a dyn Machine,
    pub to: IpAddr,
    /// As `tcp:80`.
    pub port: &'static str,
    /// Whether it has to be open once the node is prepared.
    pub open: bool,
}

impl fmt::Display for Passage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {} {}", self.machine.name(), self.to, self.port)
    }
}

impl Passage<'_> {
    /// Whether a connection comes about, or a datagram arrives.
    pub fn is_open(&self, node: &Node) -> Result<bool> {
        let (protocol, port) = self.port.split_once(':').context("no port")?;
        let to = self.to.to_string();
        if protocol == "tcp" {
            let ask = ["nc", "-z", "-w", "1", &to, port];
            return Ok(self.machine.output_with(Duration::from_secs(5), b"", &ask)?.ok());
        }
        node.sh(&format!(": >{SEEN}/{port}"))?;
        self.machine.output_with(Duration::from_secs(5), b"passed\n", &["nc", "-u", "-q", "0", &to, port])?;
        // A datagram is not waited for by who sends it.
        let arrived =
            format!("for i in $(seq 10); do ! grep -qs passed {SEEN}/{port} || exit 0; sleep 0.05; done; exit 1");
        Ok(node.output(["bash", "-c", &arrived])?.ok())
    }
}

/// Ends the listeners when it goes.
pub struct Listeners<'a>(&'a Node);

impl Drop for Listeners<'_> {
    fn drop(&mut self) {
        let _ = self.0.sh("systemctl stop 'passage-*.service'");
    }
}

/// Listens at the ports of all passages, and finds all of them open; at 2224 pcsd does so by itself.
pub fn listen<'a>(node: &'a Node, passages: &[Passage<'_>]) -> Result<Listeners<'a>> {
    let mut ports: Vec<_> = passages.iter().map(|one| one.port).filter(|port| *port != "tcp:2224").collect();
    ports.sort_unstable();
    ports.dedup();
    let listeners = Listeners(node);
    for one in ports {
        let (protocol, port) = one.split_once(':').context("no port")?;
        let option = if protocol == "udp" { "-luk" } else { "-lk" };
        node.sh(&format!(
            "mkdir -p {SEEN}; systemd-run --quiet --collect --unit=passage-{protocol}-{port} \
             sh -c 'exec nc -4 {option} {port} >>{SEEN}/{port}'"
        ))?;
    }
    wait_for(Duration::from_secs(5), "the listeners", || {
        passages.iter().try_fold(true, |all, one| Ok(all && one.is_open(node)?))
    })?;
    Ok(listeners)
}
