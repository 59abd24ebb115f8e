//! Virtual services that differ, as the file of a director.

use super::ipvsadm::{Real, Virtual};
use super::write::Writer;

/// Where the scenario says that file is.
pub(super) const PATH: &str = "/etc/inuvika-ha/lvs.toml";

/// Whether parameters can say it: one address, the same real servers for every port.
pub(super) fn is_simple(services: &[Virtual]) -> bool {
    let Some(first) = services.first() else { return false };
    let forwarding = first.servers.first().map(|real| real.forwarding);
    let same = |one: &Virtual| {
        let own = |real: &Real| (real.address, real.weight, (real.port != one.port).then_some(real.port));
        one.address == first.address
            && one.scheduler == first.scheduler
            && one.persistent == first.persistent
            && one.servers.len() == first.servers.len()
            && one.servers.iter().all(|real| Some(real.forwarding) == forwarding)
            && one
                .servers
                .iter()
                .zip(&first.servers)
                .all(|(a, b)| own(a) == (b.address, b.weight, (b.port != first.port).then_some(b.port)))
    };
    !first.servers.is_empty() && services.iter().all(same)
}

/// A real server of a service with this port, in a word.
pub(super) fn word(real: &Real, port: u16) -> String {
    let weight = if real.weight == 1 { String::new() } else { format!("@{}", real.weight) };
    match (real.port == port, real.address.is_ipv6()) {
        (true, _) => format!("{}{weight}", real.address),
        (false, true) => format!("[{}]:{}{weight}", real.address, real.port),
        (false, false) => format!("{}:{}{weight}", real.address, real.port),
    }
}

/// The file.
pub(super) fn write(services: &[Virtual], check: Option<&str>, fall: Option<u32>, sync: Option<&str>) -> String {
    let mut text = Writer::default();
    if let Some(fall) = fall {
        text.plain("fall", fall);
    }
    if let Some(link) = sync {
        text.section("sync", false);
        text.text("interface", link);
    }
    for service in services {
        text.section("service", true);
        let host =
            if service.address.is_ipv6() { format!("[{}]", service.address) } else { service.address.to_string() };
        text.text("virtual", &format!("{host}:{}", service.port));
        if service.protocol != "tcp" {
            text.text("protocol", service.protocol);
        }
        if let Some(scheduler) = &service.scheduler {
            text.text("scheduler", scheduler);
        }
        if let Some(seconds) = service.persistent {
            text.plain("persistent", seconds);
        }
        match check.and_then(|word| word.split_once(':')) {
            Some((kind @ ("http" | "https"), path)) => {
                text.plain("check", format!("{{ type = \"{kind}\", path = {} }}", super::write::quote(path)));
            }
            _ if service.protocol != "tcp" => text.plain("check", "{ type = \"none\" }"),
            _ => {}
        }
        for real in &service.servers {
            text.section("service.real", true);
            text.text("address", &real.address.to_string());
            if real.port != service.port {
                text.plain("port", real.port);
            }
            text.plain("weight", real.weight);
            text.text("forwarding", real.forwarding);
        }
    }
    text.finish()
}
