//! OVD File Servers: CTDB on all of them, and one address that it moves.

use super::host::{From, Host, NOTHING, Names, Port, Ports, ReadFile};
use super::{Params, Place, Service, ServiceKind, SetUp, Unit, VolumeKind, no_defaults};
use crate::scenario::virtual_ip::VirtualIp;

pub(super) const SETUP: SetUp = SetUp {
    name: "ovd-file-server",
    title: "OVD File Server",
    role: "ofs",
    services: &[KIND],
    needs: &[
        "- install pacemaker, corosync, pcs, fence-agents. On file servers also resource-agents, inuvika-ha, ctdb, samba,",
        "  ovd-slaveserver with the role of file server, and the client of the volumes (nfs-common or nfs-utils);",
        "- on file servers: ctdb, smbd, nmbd, samba-ad-dc and ovd-slaveserver switched off at boot (systemctl disable --now),",
        "  and the volumes not in /etc/fstab: the cluster mounts and starts them;",
        "- on every file server, with the volumes mounted: \"inuvika-ha ofs-config SCENARIO\" shows what the configuration of",
        "  CTDB and Samba lacks, and \"--write\" writes it;",
    ],
    preference: 1,
    address: &[
        "The scenario says holder = \"pacemaker\": CTDB has no public address. INFINITY: it is only where CTDB runs. CTDB tells",
        "each change of a node's health to Pacemaker (ofs-ctdb-state): the address leaves a node that is not well for one that",
        "is. What CTDB would do for its own address is missing: clients are not made to connect again at once.",
    ],
    voters: "Nodes that only vote never run it.",
    router: false,
    group: None,
    repository: false,
    volumes: &[
        VolumeKind {
            section: "ctdb_volume",
            optional: false,
            why: &["The recovery lock of CTDB, and the configuration that all file servers share."],
        },
        VolumeKind { section: "data_volume", optional: true, why: &["The users' data."] },
    ],
    unit: Some(&SLAVESERVER),
    own_address: Some("ctdb"),
    address_optional: false,
    by_hand: |_, _| Vec::new(),
};

const KIND: ServiceKind = ServiceKind {
    section: "ofs_ctdb",
    agent: "ofs-ctdb",
    place: Place::Everywhere,
    optional: false,
    critical: true,
    // What all nodes have (a volume that is gone) is tried again after this time, not only hours later.
    meta: &[("failure-timeout", "10min")],
    before: &[],
    vantage: None,
    replica: None,
    count: None,
    externals: &[],
    left: &[],
    host: Host {
        packages: Names { deb: &["ctdb", "samba"], rpm: &["ctdb", "samba"] },
        off: Names {
            deb: &["ctdb", "smbd", "nmbd", "samba-ad-dc", "ovd-slaveserver"],
            rpm: &["ctdb", "smb", "nmb", "ovd-slaveserver"],
        },
        ports,
        ..NOTHING
    },
    why: &[
        "ctdbd on every file server. It starts and stops Samba there, and has the address on one that is well. With the line",
        "holder = \"pacemaker\" in [virtual_ip] of the scenario, the address is a resource of the cluster instead.",
        "failure-timeout: a file server that could not start is tried again after this time.",
        "It runs only where the volumes are mounted, starts after them and stops before them.",
    ],
    derived,
    defaults: no_defaults,
};

const SLAVESERVER: Unit = Unit {
    id: "ovd_slaveserver",
    name: "ovd-slaveserver",
    // Its stop waits up to 600 s for sessions (stop_timeout of slaveserver.conf); its start runs chown over all data.
    timeout: 660,
    meta: &[("failure-timeout", "30min")],
    why: &[
        "ovd-slaveserver on every file server, a resource of its own: whatever becomes of it, CTDB goes on. Its stop waits up",
        "to 600 s for sessions, and its start runs chown over all data: hence 660 s for both.",
        "kind=Optional after ofs_ctdb: where both start, CTDB is there first, and where both stop, last. A CTDB that has failed",
        "is restarted at once, without waiting ten minutes for this one.",
        "It runs only where the data are mounted, and never outlives that.",
    ],
};

/// CTDB reads its addresses from a file of its own.
fn derived(_vip: &VirtualIp, _keys: &[&str]) -> Params {
    Vec::new()
}

fn ports(service: &Service, _: ReadFile<'_>) -> Ports {
    let port = |port, from, why| Port { protocol: "tcp", port, from, why };
    let mut all = vec![port(4379, From::Runners, "CTDB"), port(445, From::Everybody, "SMB")];
    let webdav = service.read.text("webdav_port").and_then(|text| text.parse().ok()).filter(|number| *number > 0);
    all.extend(webdav.map(|number| port(number, From::Everybody, "WebDAV")));
    Ports { open: all, ..Ports::default() }
}
