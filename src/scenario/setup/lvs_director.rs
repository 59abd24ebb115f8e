//! LVS directors: every one keeps its table ready, and one address moves.

use super::host::{From, Host, NOTHING, Names, Port, Ports, ReadFile};
use super::{Count, Params, Place, Service, ServiceKind, SetUp, no_defaults};
use crate::director::farm::{Farm, Simple};
use crate::scenario::virtual_ip::VirtualIp;
use crate::sys::ipvs::Key;
use std::collections::BTreeSet;
use std::net::IpAddr;

pub(super) const SETUP: SetUp = SetUp {
    name: "lvs-director",
    title: "LVS directors",
    role: "director",
    services: &[KIND],
    needs: &[
        "- install pacemaker with its resource agents, corosync, pcs and fence-agents; on directors also resource-agents,",
        "  inuvika-ha, and a kernel with IPVS (modprobe ip_vs). This script asks every director for the agents first;",
        "- stop and disable what has looked after IPVS up to now: ldirectord, keepalived, mon, scripts with ipvsadm;",
    ],
    preference: 200,
    address: &[
        "Only the address moves, from one table that is ready to another. INFINITY: it is only where a director runs.",
        "kind=Optional: where both start, the table is there first, and where both stop, last. A director that is restarted",
        "does not take the address down, and an address that moves restarts no director.",
    ],
    voters: "Nodes that only vote never run it.",
    router: true,
    group: None,
    repository: false,
    volumes: &[],
    unit: None,
    own_address: None,
    address_optional: false,
    by_hand,
};

const KIND: ServiceKind = ServiceKind {
    section: "lvs_director",
    agent: "lvs-director",
    place: Place::Everywhere,
    optional: false,
    critical: true,
    // A director that failed three times is tried again after this time, not only hours later.
    meta: &[("failure-timeout", "10min")],
    before: &[],
    vantage: None,
    replica: None,
    count: Some(count),
    externals: &[],
    left: &["drained"],
    host: Host {
        off: Names {
            deb: &["ldirectord", "keepalived", "mon", "heartbeat"],
            rpm: &["ldirectord", "keepalived", "mon", "heartbeat"],
        },
        ports,
        ..NOTHING
    },
    why: &[
        "The kernel's table of virtual services, and the checks of real servers: on every director, all the time.",
        "failure-timeout: a director that could not start, or failed three times, is tried again after this time.",
        "drained is left as it is: it is set while real servers are under maintenance.",
    ],
    derived,
    defaults: no_defaults,
};

/// A file has its addresses in itself.
fn derived(vip: &VirtualIp, keys: &[&str]) -> Params {
    match keys.contains(&"config") {
        true => Vec::new(),
        false => vec![("virtual_ip", Some(vip.net.addr().to_string()))],
    }
}

/// The farm of a scenario that describes it by parameters.
fn farm(service: &Service) -> Option<Farm> {
    let value = |name| service.read.text(name);
    let address = value("virtual_ip")?.parse().ok()?;
    let simple = Simple::new(address, value("ports")?, value("real_servers")?);
    let forwarding = value("forwarding").unwrap_or(simple.forwarding);
    // The agent has checked the rest, which changes neither servers nor services.
    Farm::simple(&Simple { forwarding, check: Some("none"), ..simple }).ok()
}

/// The agent counts a real server in each of its services.
fn count(service: &Service) -> Count {
    let attribute = service.read.text("attribute").map_or_else(|| format!("{}-healthy", KIND.section), str::to_owned);
    let most = farm(service).map(|farm| farm.services.iter().map(|one| one.servers.len()).sum::<usize>());
    Count { attribute, most: most.and_then(|most| u32::try_from(most).ok()) }
}

/// How real servers are made ready, which nobody can do from here.
fn by_hand(services: &[Service], vip: &VirtualIp) -> Vec<String> {
    let Some(service) = services.iter().find(|service| service.kind.section == KIND.section) else { return Vec::new() };
    let Some(farm) = farm(service) else {
        let way = |way: &str| [vec![format!("{way}:")], preparation(way, vip.net.addr())].concat();
        let head = "On every real server, and so that it lasts, by the forwarding of its services:";
        return [vec![head.into()], ["nat", "dr", "tun"].map(way).concat(), vec![DOCTOR.into()]].concat();
    };
    let servers = farm.services.iter().flat_map(|one| &one.servers).map(|wanted| wanted.server.address);
    let addresses: BTreeSet<IpAddr> = servers.collect();
    let way = service.read.text("forwarding").unwrap_or_default();
    let mut lines = vec![format!("On each of the {} real servers, and so that it lasts:", addresses.len())];
    lines.extend(preparation(way, vip.net.addr()));
    let network = vip.net.trunc();
    let far = addresses.iter().find(|address| !network.contains(*address));
    match far {
        _ if way != "nat" => {}
        Some(far) => lines.push(format!(
            "But {far} is not in {network}: its default route needs an address that moves with virtual_ip."
        )),
        None if service.read.boolean("snat_clients").unwrap_or(false) => {}
        None => lines.push(format!("Clients in {network} itself need snat_clients = true in [lvs_director], too.")),
    }
    lines.push(DOCTOR.into());
    lines
}

/// How to see whether it was done.
const DOCTOR: &str =
    "Then \"inuvika-ha lvs doctor --from CLIENT\" on a director explains how a client's answers get back.";

/// What a real server needs, in commands.
fn preparation(way: &str, address: IpAddr) -> Vec<String> {
    let steps = match (way, address) {
        ("dr", IpAddr::V4(_)) => vec![QUIET.into(), format!("ip address add {address}/32 dev lo")],
        // IPv6 never answers on one link for the address of another.
        ("dr", IpAddr::V6(_)) => vec![format!("ip -6 address add {address}/128 dev lo nodad")],
        ("tun", IpAddr::V4(_)) => vec![
            QUIET.into(),
            "modprobe ipip && ip link set tunl0 up".into(),
            "sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.tunl0.rp_filter=0".into(),
            format!("ip address add {address}/32 dev tunl0"),
        ],
        ("tun", IpAddr::V6(_)) => vec![
            "modprobe ip6_tunnel && ip link set ip6tnl0 up".into(),
            format!("ip -6 address add {address}/128 dev ip6tnl0 nodad"),
        ],
        (_, IpAddr::V4(_)) => vec![format!("ip route replace default via {address}")],
        (_, IpAddr::V6(_)) => vec![
            "sysctl -w net.ipv6.conf.LINK.accept_ra=0, where LINK is its link".into(),
            format!("ip -6 route replace default via {address}"),
        ],
    };
    let forward = match address {
        IpAddr::V4(_) => "sysctl -w net.ipv4.ip_forward=0",
        IpAddr::V6(_) => "sysctl -w net.ipv6.conf.all.forwarding=0",
    };
    // How to see on the real server itself that it was done, also after its next boot.
    let check = match (way, address) {
        ("dr" | "tun", IpAddr::V4(_)) => {
            format!("check: ip -o address show to {address}; sysctl net.ipv4.conf.all.arp_ignore (1)")
        }
        ("dr" | "tun", IpAddr::V6(_)) => format!("check: ip -o -6 address show to {address}"),
        (_, IpAddr::V4(_)) => format!("check: ip route get CLIENT (via {address}); sysctl net.ipv4.ip_forward (0)"),
        (_, IpAddr::V6(_)) => {
            format!("check: ip -6 route get CLIENT (via {address}); sysctl net.ipv6.conf.all.forwarding (0)")
        }
    };
    [vec![forward.into()], steps, vec![check]].concat().into_iter().map(|step| format!("  {step}")).collect()
}

/// A real server must not tell anybody that it has the virtual address; before it has it.
const QUIET: &str = "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2";

/// What IPVS takes passes the filter for the host itself first.
fn ports(service: &Service, read: ReadFile<'_>) -> Ports {
    if let Some(file) = service.read.text("config") {
        return read(file).and_then(|text| Farm::from_toml(&text, file)).map_or_else(
            |reason| Ports {
                untold: vec![format!(
                    "the virtual services of {file} ({reason}; a script written where it is lets them in)"
                )],
                ..Ports::default()
            },
            |farm| ports_of(&farm),
        );
    }
    let port = |word: &str| {
        let (number, protocol) = word.split_once('/').unwrap_or((word, "tcp"));
        let protocol = ["udp", "sctp"].into_iter().find(|known| *known == protocol).unwrap_or("tcp");
        Some(virtual_service(protocol, number.parse().ok()?))
    };
    let words = service.read.text("ports").unwrap_or_default().split([',', ' ', '\t']);
    let mut all: Vec<Port> = words.filter_map(port).collect();
    if service.read.boolean("sync").unwrap_or(false) {
        all.push(told(SYNC_PORT));
    }
    Ports { open: all, ..Ports::default() }
}

/// The ports of a farm, each once.
fn ports_of(farm: &Farm) -> Ports {
    let mut ports = Ports::default();
    for key in farm.keys() {
        match key {
            Key::Address { protocol, address, port: 0 } => {
                ports.untold.push(format!("every port of {address}, {protocol}"));
            }
            Key::Address { protocol, port, .. } => {
                let one = virtual_service(protocol.name(), port);
                if !ports.open.contains(&one) {
                    ports.open.push(one);
                }
            }
            Key::Mark { mark, .. } => ports.untold.push(format!("what the firewall marks with {mark}")),
        }
    }
    ports.open.extend(farm.sync.as_ref().map(|sync| told(sync.port.unwrap_or(SYNC_PORT))));
    ports
}

fn virtual_service(protocol: &'static str, port: u16) -> Port {
    Port { protocol, port, from: From::Everybody, why: "a virtual service" }
}

/// Connections, told to the other directors.
fn told(port: u16) -> Port {
    Port { protocol: "udp", port, from: From::Runners, why: "connections, told by the others" }
}

/// Where the kernel's daemons tell each other their connections, unless a file says otherwise.
const SYNC_PORT: u16 = 8848;
