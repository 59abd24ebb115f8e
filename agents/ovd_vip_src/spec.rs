//! The table of `ovd-vip-src`.

use crate::ocf::alone::Older;
use crate::ocf::spec::{ActionSpec, Kind, Param, Spec};

/// Parameters, actions and texts.
pub const SPEC: Spec = Spec {
    name: "ovd-vip-src",
    short: "Source address of outgoing connections is the virtual IP",
    long: "Makes new connections that this node opens towards the OVD servers leave with the virtual IP address as \
           their source, so that the servers always see the Session Manager under one address. It replaces the \
           iptables unit cluster-vip-src of the OVD Session Manager failover guide.\n\n\
           The rules live in an nftables table of their own, written and removed in one transaction. Only new \
           connections are rewritten. Traffic to cluster peers, corosync's own addresses, its UDP ports 5404-5412, \
           multicast and the virtual IP itself always keeps its source.\n\n\
           Use it beside ocf:heartbeat:IPaddr2: colocated with the virtual IP and ordered after it.",
    params: &[
        Param {
            name: "virtual_ip",
            kind: Kind::Address,
            default: None,
            required: true,
            unique_group: Some("virtual_ip"),
            reloadable: false,
            short: "Virtual IP address",
            long: "The IPv4 or IPv6 address that new connections get as their source: the address of the IPaddr2 \
                   resource this one is colocated with, without prefix length.",
        },
        Param {
            name: "nic",
            kind: Kind::Link,
            default: None,
            required: false,
            unique_group: None,
            reloadable: false,
            short: "Network link",
            long: "The link connections leave by: one that has the virtual IP. Default: the link that has it when the resource starts.",
        },
        Param {
            name: "destinations",
            kind: Kind::Networks,
            default: None,
            required: false,
            unique_group: None,
            reloadable: true,
            short: "Networks reached with the virtual IP as source",
            long: "Addresses or networks in CIDR notation, separated by commas: all OVD application, file and gateway \
                   servers (ADDRESS in the guide's /etc/default/cluster-vip-src). Default: every destination.",
        },
        Param {
            name: "exclude",
            kind: Kind::Networks,
            default: None,
            required: false,
            unique_group: None,
            reloadable: true,
            short: "Networks that keep the node's own source address",
            long: "Addresses or networks in CIDR notation that are never rewritten, in addition to those that never \
                   are: cluster peers, corosync's own addresses, multicast and the virtual IP itself.",
        },
        Param {
            name: "backend",
            kind: Kind::Select(&["auto", "nftables", "iptables"]),
            default: Some("auto"),
            required: false,
            unique_group: None,
            reloadable: false,
            short: "Who rewrites the source",
            long: "nftables: a table of our own over netlink. iptables: a chain of our own, for kernels before 4.18, \
                   where nftables and iptables cannot both translate addresses; its monitor has to run iptables. \
                   auto: nftables where the kernel can, else iptables.",
        },
        Param {
            name: "arp_check",
            kind: Kind::Boolean,
            default: Some("yes"),
            required: false,
            unique_group: None,
            reloadable: true,
            short: "Ask the network whether another host has the virtual IP",
            long: "Ask by ARP (IPv4) or neighbour solicitation (IPv6) whether another host answers for the virtual \
                   IP: at start, which then fails, and in the monitor of depth 10, which then reports degraded.",
        },
    ],
    actions: &[
        ActionSpec::plain("start", 20),
        ActionSpec::plain("stop", 20),
        ActionSpec::monitor(10, 10, 0),
        ActionSpec::monitor(20, 60, 10),
        ActionSpec::plain("reload-agent", 20),
        ActionSpec::plain("validate-all", 10),
        ActionSpec::plain("meta-data", 5),
    ],
};

/// The settings of the guide's unit, where the guide has them put: NIC and VIRTUAL_IP are names of ours, too.
pub const OLDER: Older = Older { file: "cluster-vip-src", names: &[("ADDRESS", "destinations")] };
