//! The table of `lvs-director`.

use crate::ocf::spec::{ActionSpec, Kind, Param, Spec, param, tunable};

/// Says of an optional parameter without default that a reload makes it effective.
const fn live(param: Param) -> Param {
    Param { reloadable: true, ..param }
}

/// Parameters, actions and texts.
pub const SPEC: Spec = Spec {
    name: "lvs-director",
    short: "Director of LVS: balances connections over real servers",
    long: "Keeps the kernel's table of virtual services (IPVS) as it is wanted: every recurring monitor asks all real \
           servers at once how they are and puts the table right by the fewest changes. Nothing else has to run: it \
           replaces ldirectord, keepalived's checkers, mon with its alert scripts, and ipvsadm.\n\n\
           Small set-ups are given by parameters: virtual_ip, ports, real_servers. Larger ones are a file (config). A real \
           server that fails its check gets no new connections and comes back by itself; connections to the others are \
           never cut. What somebody else changes in the services of this resource is put back and logged; services of \
           others are never touched. stop removes what start and monitor have made, and nothing else. With a wrong parameter or \
           file, what was right before stays in force, and the monitor reports it.\n\n\
           Use it as a clone on every director, and let ocf:heartbeat:IPaddr2 alone move: table and checks are warm \
           everywhere. Each node publishes how many real servers it sees well as the node attribute INSTANCE-healthy: a \
           location rule lets the address go where there are most, or away from a node that sees none.",
    params: &[
        live(param(
            "virtual_ip",
            Kind::Address,
            "Virtual address of the services",
            "The IPv4 or IPv6 address that clients connect to: that of the IPaddr2 resource, without prefix length. This or \
             config is needed.",
        )),
        live(param(
            "ports",
            Kind::Text,
            "Ports of the services",
            "Separated by commas or white space: each is a service with the same real servers, such as '80 443'. TCP, unless \
             they are written like 53/udp or 36412/sctp.",
        )),
        live(param(
            "real_servers",
            Kind::Text,
            "Real servers",
            "Separated by commas or white space: an address or a range, each with :PORT and @WEIGHT if need be, such as \
             '192.0.2.21-26 192.0.2.31@3'. IPv6 with a port: '[2001:db8::21]:80'. Another port than the service's is for \
             forwarding=nat only.",
        )),
        tunable(
            "scheduler",
            Kind::Text,
            "wlc",
            "How a real server is chosen",
            "The name of any scheduler the kernel has a module ip_vs_NAME for: rr, wrr, lc, wlc, sh, mh and so on. While it \
             changes a running service's scheduler, the kernel refuses new connections for some milliseconds.",
        ),
        tunable(
            "forwarding",
            Kind::Select(&["nat", "dr", "tun"]),
            "nat",
            "How packets get to real servers",
            "nat: their destination is rewritten, answers come back through the director, which has to be the real servers' \
             way to the clients. dr: only the hardware address changes, every real server has the virtual IP on a link that \
             answers no ARP. tun: as dr, wrapped in IP, for real servers in other networks.",
        ),
        tunable(
            "check",
            Kind::Text,
            "tcp",
            "How real servers are asked",
            "tcp: whether they accept a connection. http:/PATH or https:/PATH: whether they answer with a status from 200 to \
             299; http://HOST/PATH asks a virtual host. At port 443 http is asked over TLS; certificates are not verified. \
             command:/PROGRAM: run with address and port, exit code 0 is well. none: always taken as well. With UDP or \
             SCTP one has to be chosen; tcp and http ask the same port over TCP.",
        ),
        live(param(
            "sorry",
            Kind::Text,
            "Server of last resort",
            "ADDRESS or ADDRESS:PORT of the server that answers while no real server can.",
        )),
        live(param(
            "persistent",
            Kind::Integer { min: 1, max: 2_678_400 },
            "Seconds that a client stays with its real server",
            "After a client's last connection, so many seconds long, its next one goes to the same real server. Default: each \
             connection is scheduled anew.",
        )),
        Param {
            unique_group: Some("config"),
            ..live(param(
                "config",
                Kind::Path,
                "Configuration file",
                "TOML file with the services, in place of the other parameters about services and checks: any number of them, \
                 TCP, UDP, SCTP or firewall mark, each with its own checks. The same on all directors; 'inuvika-ha lvs check' \
                 tries it. A changed file is in force with the next monitor, from 2 s after it was written on; one that cannot \
                 be understood is reported, and the last good one stays in force.",
            ))
        },
        tunable(
            "check_timeout",
            Kind::Seconds { min: 1, max: 300 },
            "3s",
            "Time limit of one check",
            "What one real server gets from the first packet to the last byte of its answer. Shorter when the monitor's own \
             time would not suffice.",
        ),
        tunable(
            "fall",
            Kind::Integer { min: 1, max: 100 },
            "2",
            "Bad answers until a real server is down",
            "So many checks in a row without a good answer make a real server down. At start the first answer decides.",
        ),
        tunable(
            "rise",
            Kind::Integer { min: 1, max: 100 },
            "1",
            "Good answers until it is back",
            "So many good answers in a row bring a real server back.",
        ),
        tunable(
            "concurrency",
            Kind::Integer { min: 1, max: 10_000 },
            "256",
            "Checks at the same time",
            "Checks that are under way at the same time, at most.",
        ),
        tunable(
            "on_failure",
            Kind::Select(&["quiesce", "remove"]),
            "quiesce",
            "What becomes of a real server that is down",
            "quiesce: it keeps its place with weight 0, connections that are open may end. remove: it is taken out of the \
             table, which is what happens with UDP unless this is given.",
        ),
        tunable(
            "all_down",
            Kind::Select(&["degraded", "failed", "sorry"]),
            "degraded",
            "What is reported when no real server is well",
            "degraded: it is reported (exit code 190), nothing restarts, the node attribute is 0. failed: the monitor fails and \
             Pacemaker acts. sorry: nothing is wrong while the server of the parameter sorry answers.",
        ),
        live(param(
            "drained",
            Kind::Text,
            "Real servers under maintenance",
            "Addresses or ADDRESS:PORT, separated by commas or white space: these get no new connections, whatever their checks \
             say, and open ones may end. 'inuvika-ha lvs drain' and 'enable' set it.",
        )),
        tunable(
            "sync",
            Kind::Boolean,
            "no",
            "Tell connections to the other directors",
            "Runs the kernel's synchronisation daemons, master and backup, so that open connections survive a failover. The same \
             on all directors. For services of which all real servers have the same address family.",
        ),
        live(param(
            "sync_nic",
            Kind::Link,
            "Network link of the synchronisation",
            "The link that the other directors are reached by. Needed with sync=yes.",
        )),
        tunable(
            "sync_id",
            Kind::Integer { min: 0, max: 255 },
            "0",
            "Number of this group of directors",
            "The same on all directors that share connections, another for other groups on the same network.",
        ),
        tunable(
            "snat_clients",
            Kind::Boolean,
            "no",
            "Clients on the real servers' own network",
            "With forwarding=nat, clients on the network of the real servers would be answered past the director. yes: towards \
             real servers the director takes their place as the client (an nftables table of its own).",
        ),
        live(param(
            "hook",
            Kind::Path,
            "Program to tell",
            "Run when the health of real servers changes: PROGRAM INSTANCE HEALTHY ALL, then one argument for each change. No \
             shell; it gets 5 seconds; its failures are only logged.",
        )),
        live(param(
            "attribute",
            Kind::Text,
            "Node attribute",
            "The name of the node attribute with the number of real servers that are well, counted in each service. Letters, \
             digits, _ - and dots. Default: INSTANCE-healthy.",
        )),
        tunable(
            "restore_sysctls",
            Kind::Boolean,
            "no",
            "Put the kernel's settings back at stop",
            "A director needs ip_forward=1, send_redirects=0 and settings of IPVS; start sets what is not so. yes: stop puts \
             back what was there before, unless somebody else has changed it or another director needs it. no: they stay.",
        ),
    ],
    actions: &[
        ActionSpec::plain("start", 40),
        ActionSpec::plain("stop", 20),
        ActionSpec::monitor(30, 10, 0),
        ActionSpec::plain("reload-agent", 40),
        ActionSpec::plain("validate-all", 20),
        ActionSpec::plain("meta-data", 5),
    ],
};
