//! Every key of a director's configuration file, and what it means: the reader allows these and no others.

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it means, its values, its default.
    pub text: &'static str,
}

const fn key(name: &'static str, text: &'static str) -> Key {
    Key { name, text }
}

/// Keys of the file as a whole. Those that a service or a real server has too are the default for all of them.
pub const TOP: &[Key] = &[
    key(
        "interval",
        "for \"inuvika-ha lvs run\": seconds from one round to the next, 1 to 3600; default 10. In a cluster its monitor's counts",
    ),
    key("check_timeout", "seconds that one check may take from its first packet to its last byte, 1 to 300; default 3"),
    key("fall", "checks without a good answer, one after the other, that make a real server down, 1 to 100; default 2"),
    key("rise", "good answers, one after the other, that bring it back, 1 to 100; default 1"),
    key("concurrency", "checks that are under way at the same time, 1 to 10000; default 256"),
    key("scheduler", "the default of services, such as \"rr\"; default \"wlc\", the kernel's own"),
    key("forwarding", "the default of real servers: \"nat\", \"dr\" or \"tun\"; default \"nat\""),
    key("tunnel", "the default of real servers with forwarding \"tun\", a table"),
    key("on_failure", "the default of services"),
    key("all_down", "the default of services"),
    key("check", "the default of services, a table"),
    key("drained", "real servers that get no new connections: addresses, or address:port; a text or a list"),
    key("snat_clients", "true: clients on the real servers' own network are masqueraded (NAT only); default false"),
    key(
        "timeouts",
        "how long the kernel remembers connections, a table; the first director of a host sets it; default: the kernel's",
    ),
    key("sync", "connections are told to the other directors, so that they survive a failover: a table"),
    key("service", "a virtual service: one table [[service]] for each"),
];

/// Keys of `[[service]]`.
pub const SERVICE: &[Key] = &[
    key(
        "virtual",
        "where clients connect to: \"192.0.2.10:80\", \"[2001:db8::10]:80\", an address beside ports, or a list",
    ),
    key(
        "ports",
        "the ports of virtual, a number or a list: each is a service with the same real servers; 0 is every port",
    ),
    key("mark", "in place of virtual: packets with this firewall mark, 1 to 4294967295"),
    key("family", "\"ipv4\" or \"ipv6\": that of the packets with the mark; default: that of the first real server"),
    key("protocol", "\"tcp\" (default), \"udp\" or \"sctp\""),
    key("scheduler", "how a real server is chosen: any that the kernel has a module ip_vs_NAME for"),
    key(
        "scheduler_flags",
        "a list of \"sh-fallback\", \"sh-port\", \"mh-fallback\", \"mh-port\", \"flag-1\" to \"flag-3\"",
    ),
    key("persistent", "seconds that a client stays with its real server after its last connection, 1 to 2678400"),
    key(
        "persistent_prefix",
        "clients that agree in so many leading bits of their address are one; default 32, IPv6 128",
    ),
    key("persistence_engine", "such as \"sip\" (UDP): what tells clients apart in place of their address"),
    key("one_packet", "true: each UDP datagram is scheduled anew; default false"),
    key(
        "real",
        "the real servers: \"192.0.2.21-26\", \"192.0.2.31:8080@3\" (port, weight), a list, or [[service.real]] tables",
    ),
    key("weight", "the weight of real servers that have none of their own, 0 to 65535; default 1"),
    key("forwarding", "\"nat\", \"dr\" or \"tun\": how packets get to its real servers"),
    key("tunnel", "how they are wrapped with forwarding \"tun\", a table"),
    key(
        "sorry",
        "the server that answers when no real server can: \"192.0.2.9:80\", or a table with keys of a real server",
    ),
    key("quorum", "real servers that have to be usable: with fewer the director reports a degraded state; default 1"),
    key(
        "on_failure",
        "a failed real server is \"quiesce\"d (weight 0) or \"remove\"d; default: removed with UDP, else quiesced",
    ),
    key(
        "all_down",
        "what is reported without a usable real server: \"degraded\" (default), \"failed\", or \"sorry\": ok with sorry",
    ),
    key("check", "how its real servers are asked, a table; default for TCP: whether they accept a connection"),
];

/// Keys of `[[service.real]]` and of a table `sorry`.
pub const REAL: &[Key] = &[
    key("address", "\"192.0.2.21\", a range \"192.0.2.21-26\", or a list of these"),
    key("port", "its port; default: that of the service. Another one is for forwarding \"nat\" only"),
    key("weight", "its share of the connections, 0 (none) to 65535"),
    key("forwarding", "\"nat\", \"dr\" or \"tun\""),
    key("tunnel", "how packets are wrapped with forwarding \"tun\", a table"),
    key("upper_threshold", "connections above which it gets no more; default: no limit"),
    key("lower_threshold", "connections below which it gets some again; default: three quarters of upper_threshold"),
    key("check", "how it is asked, a table: in place of the service's"),
];

/// Keys of a table `check`. The nearest table is used as a whole: nothing is taken from the one further up.
pub const CHECK: &[Key] = &[
    key("type", "\"tcp\", \"http\" (at port 443: over TLS), \"https\", \"command\", or \"none\": always taken as well"),
    key("port", "the port that is asked; default: the real server's"),
    key("path", "http: path and query; default \"/\""),
    key("host", "http: the virtual host; default: the real server's address and port"),
    key("method", "http: \"GET\" (default) or \"HEAD\""),
    key("status", "http: statuses that are well: 200, \"200-399\" or a list of these; default 200 to 299"),
    key("body", "http: a text that the body has to contain"),
    key("body_regex", "http: a regular expression that the body has to match"),
    key("sni", "https: the server name in the handshake; default: the virtual host"),
    key("verify", "https: true: the certificate has to be valid; default false"),
    key("ca", "https: PEM file with the authorities of valid certificates; default: the system's"),
    key("command", "command: program and arguments as a list, {address} and {port} are replaced; exit code 0 is well"),
    key("environment", "command: a table of variables for its environment"),
];

/// Keys of a table `tunnel`.
pub const TUNNEL: &[Key] = &[
    key("type", "\"ipip\" (default), \"gue\" or \"gre\""),
    key("port", "gue: the UDP port"),
    key("checksum", "gue, gre: true: with checksums; default false"),
];

/// Keys of `[sync]`.
pub const SYNC: &[Key] = &[
    key("interface", "the network link that the other directors are reached by"),
    key("id", "the same number on all directors that share connections, 0 (a backup takes all) to 255; default 0"),
    key("max_length", "bytes in a message, 52 to 65515; default: what the link carries"),
    key("group", "the multicast group; default: the kernel's"),
    key("port", "the UDP port; default: the kernel's"),
    key("ttl", "how many routers may be on the way, 1 to 255; default: the kernel's"),
];

/// Keys of `[timeouts]`, all in seconds.
pub const TIMEOUTS: &[Key] = &[
    key("tcp", "an established TCP connection, 1 to 2678400"),
    key("tcp_fin", "a TCP connection that was closed, 1 to 2678400"),
    key("udp", "UDP from one address and port, 1 to 2678400"),
];

/// The names of these keys.
pub(super) fn names(keys: &[Key]) -> Vec<&'static str> {
    keys.iter().map(|key| key.name).collect()
}
