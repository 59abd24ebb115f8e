//! Addresses that are none: their agent would find out at the start.

use super::{Found, Subject};
use crate::configuration::value;
use std::net::IpAddr;

pub(super) fn wrong(subject: &Subject) -> Vec<Found> {
    let mut found = Vec::new();
    for resource in
        subject.configuration.resources.iter().filter(|one| ["IPaddr2", "IPaddr", "IPv6addr"].contains(&one.kind()))
    {
        let ip = value(&resource.params, "ip").or_else(|| value(&resource.params, "ipv6addr"));
        match ip {
            None => found.push(Found::error(resource.id.clone(), "has no ip: it never starts", "ip=ADDRESS")),
            Some(ip) if ip.parse::<IpAddr>().is_err() => {
                let text = format!("ip={ip} is no address: it never starts (names are not looked up)");
                found.push(Found::error(resource.id.clone(), text, "the address itself"));
            }
            Some(_) => {}
        }
        let widest = if ip.is_some_and(|ip| ip.contains(':')) { 128 } else { 32 };
        let prefix = value(&resource.params, "cidr_netmask");
        if let Some(prefix) = prefix
            .filter(|prefix| !prefix.parse::<u8>().is_ok_and(|n| (1..=widest).contains(&n)) && !prefix.contains('.'))
        {
            let text = format!("cidr_netmask={prefix} is no length of a prefix");
            found.push(Found::error(resource.id.clone(), text, "such as cidr_netmask=24"));
        }
    }
    found
}
