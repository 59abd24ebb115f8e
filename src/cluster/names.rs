//! Addresses of node names. corosync.conf may hold names; most clusters resolve them by /etc/hosts.

use std::fs;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::mpsc;

use crate::ocf::deadline::Deadline;

/// /etc/hosts, read once.
#[derive(Debug)]
pub struct Hosts {
    lines: Vec<(IpAddr, Vec<String>)>,
}

impl Hosts {
    /// Reads /etc/hosts; empty when there is none.
    pub fn read() -> Self {
        Self::parse(&String::from_utf8_lossy(&fs::read("/etc/hosts").unwrap_or_default()))
    }

    fn parse(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let address = words.next()?.parse().ok()?;
            Some((address, words.map(str::to_ascii_lowercase).collect()))
        });
        Self { lines: lines.collect() }
    }

    /// The addresses of `name`: itself when it is an address, else what the file says. Asks nobody.
    pub fn addresses(&self, name: &str) -> Vec<IpAddr> {
        if let Ok(address) = name.parse() {
            return vec![address];
        }
        let name = name.to_ascii_lowercase();
        self.lines.iter().filter(|(_, names)| names.contains(&name)).map(|(address, _)| *address).collect()
    }
}

/// The addresses of `name` by the system's resolver, which may ask a name server: given up at `deadline`, because the C
/// library would try for half a minute. Empty when there is no answer.
pub fn resolve(name: &str, deadline: &Deadline) -> Vec<IpAddr> {
    let (send, receive) = mpsc::channel();
    let target = (name.to_owned(), 0u16);
    // The thread cannot be stopped; it ends with the process, which is soon.
    std::thread::spawn(move || {
        let found = target.to_socket_addrs().map(|all| all.map(|a| a.ip()).collect()).unwrap_or_default();
        let _ = send.send(found);
    });
    receive.recv_timeout(deadline.left()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_by_any_of_their_names() {
        let hosts =
            Hosts::parse("127.0.0.1 localhost\n192.168.100.11\tosm1.priv osm1 # first\nfd00::11 osm1.priv\nrubbish\n");
        let show = |name: &str| hosts.addresses(name).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(show("OSM1.priv"), ["192.168.100.11", "fd00::11"]);
        assert_eq!(show("osm1"), ["192.168.100.11"]);
        assert_eq!(show("10.1.1.1"), ["10.1.1.1"]);
        assert!(show("osm").is_empty());
    }
}
