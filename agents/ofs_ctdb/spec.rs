//! The table of `ofs-ctdb`.

use crate::ocf::spec::{ActionSpec, Kind, Param, Spec, param, tunable, usual};

/// Parameters, actions and texts.
pub const SPEC: Spec = Spec {
    name: "ofs-ctdb",
    short: "OVD File Server: Samba's CTDB on every file server, judged by what it says and does",
    long: "Runs ctdbd on a node of a cluster of OVD File Servers, as a clone. The public addresses and Samba stay with CTDB, as in the \
           guide 'File Server High Availability'. ovd-slaveserver is a resource of its own after this one: its stop may take ten \
           minutes, and its end must never end CTDB.\n\n\
           The configuration is the administrator's: start looks at it, changes nothing, and refuses \
           what CTDB or Samba would not do, such as the file of CTDB 4.8 and older under a newer one, which then ignores it. start \
           also wants the shared file system mounted and answering, and Samba switched off at boot. It returns when the node takes \
           part in the cluster of CTDB and is healthy.\n\n\
           The monitor of depth 0 asks ctdbd itself over its socket, without a child process. Depth 10 asks for the state of all \
           nodes, with 'ctdb -X status' as soon as one of them is not well: a node that is disabled, stopped, banned or has lost an \
           interface is reported as degraded, never restarted, as an administrator or CTDB itself wants it so; an unhealthy one is \
           a failure after unhealthy_timeout. It also reports public addresses that no node serves, and asks Samba (and WebDAV, with \
           webdav_port) on those that are served here. Depth 20 looks at the shared file system, the recovery lock, the other nodes \
           and the clock. What another node has lost is never a failure of this one.\n\n\
           stop lets ctdbd shut down, ends what is left of it and of the Samba that it has started, and takes the public addresses \
           from this node. It does so without the shared file system, too.",
    params: &[
        usual(
            "shared",
            Kind::Path,
            "/mnt/nfs/ctdb",
            "Shared folder of CTDB",
            "A folder on a file system that all nodes have mounted: with the recovery lock, and in the guide's set-up with all \
             configuration. It has to be, or lie below, a mount point; nothing is started while it is not mounted or does not answer.",
        ),
        param(
            "data",
            Kind::Path,
            "Shared folder with the users' data",
            "data_dir of slaveserver.conf, such as /mnt/nfs/ovd. When it is given, start wants it mounted and answering as well.",
        ),
        Param {
            unique_group: Some("service"),
            ..usual(
                "service",
                Kind::Text,
                "ctdb",
                "Name of the unit or script",
                "The systemd unit or LSB script of CTDB. It must not start at boot.",
            )
        },
        usual(
            "service_manager",
            Kind::Select(&["auto", "systemd", "lsb"]),
            "auto",
            "Who starts ctdbd",
            "systemd: a unit, over systemd's bus. lsb: a script in /etc/init.d. auto: the unit where systemd runs, else the script.",
        ),
        usual(
            "config_dir",
            Kind::Path,
            "/etc/ctdb",
            "CTDB's folder of configuration",
            "With ctdb.conf, nodes, public_addresses and events (CTDB 4.9 and later).",
        ),
        usual("smb_conf", Kind::Path, "/etc/samba/smb.conf", "Samba's configuration", "It needs 'clustering = yes'."),
        tunable(
            "socket",
            Kind::Path,
            "/run/ctdb/ctdbd.socket",
            "Socket of ctdbd",
            "Where the monitor of depth 0 asks. CTDB 4.8 and older may have another one (CTDB_SOCKET).",
        ),
        tunable(
            "unhealthy_timeout",
            Kind::Seconds { min: 0, max: 3600 },
            "60s",
            "How long the node may be unhealthy",
            "Until then it is reported as degraded: CTDB has moved the addresses to the other nodes, and tries again. After that it \
             is a failure, and Pacemaker restarts it. The same holds for a Samba that does not answer on an address served here: \
             CTDB starts Samba only when it starts itself. Neither is a failure while a shared folder does not answer on this node, \
             unless another node reaches it: a restart would wait for it as well.",
        ),
        tunable(
            "smb_port",
            Kind::Integer { min: 1, max: 65535 },
            "445",
            "Port of Samba",
            "Where depth 10 asks for SMB on every public address that this node serves.",
        ),
        tunable(
            "webdav_port",
            Kind::Integer { min: 0, max: 65535 },
            "0",
            "Port of WebDAV",
            "1113 where ovd-slaveserver serves WebDAV: depth 10 asks there, too, and reports it when nobody has answered for a \
             minute. 0: nobody is asked.",
        ),
        tunable(
            "request_timeout",
            Kind::Seconds { min: 1, max: 60 },
            "3s",
            "Longest time for one answer",
            "Of ctdbd, of the command ctdb, of Samba and WebDAV together, and of the shared file system.",
        ),
        tunable(
            "time_sync",
            Kind::Boolean,
            "yes",
            "Whether the clock has to be synchronised",
            "Depth 20 reports a clock that nothing keeps right, as the kernel sees it. no: where the host does that in another way.",
        ),
        tunable(
            "graceful_timeout",
            Kind::Seconds { min: 0, max: 600 },
            "20s",
            "How long stop lets ctdbd shut down",
            "At most 60 % of the stop action's own timeout. What then still runs is killed, and the addresses are taken away.",
        ),
    ],
    actions: &[
        ActionSpec::plain("start", 120),
        ActionSpec::plain("stop", 60),
        ActionSpec::monitor(20, 5, 0),
        ActionSpec::monitor(20, 20, 10),
        ActionSpec::monitor(30, 60, 20),
        ActionSpec::plain("reload-agent", 20),
        ActionSpec::plain("meta-data", 5),
        ActionSpec::plain("validate-all", 20),
    ],
};
