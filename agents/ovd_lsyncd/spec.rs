//! The table of `ovd-lsyncd`.

use crate::agents::cron;
use crate::ocf::spec::{ActionSpec, Kind, Param, Spec, param, tunable, usual};

/// Parameters, actions and texts.
pub const SPEC: Spec = Spec {
    name: "ovd-lsyncd",
    short: "OVD Session Manager: its files, copied to the other node, never backwards",
    long: "Copies folders of the active node to the other one as they change, with an lsyncd of its own: it runs as \
           inuvika-ha-INSTANCE.service (without systemd: as a daemon in a session of its own), with a configuration that is \
           written below /run at each start. It replaces the resource lsyncd of the OVD Session Manager failover guide and \
           its configuration file.\n\n\
           Newer data never give way to older. The cluster keeps an epoch, which every takeover raises, and each node keeps \
           a stamp in /var/lib/inuvika-ha/INSTANCE that says which epoch it has all files of. A start fetches newer files \
           first when the other node has them and can be reached. When it cannot be, the resource starts all the same, and \
           where the files here are known to be older nothing is pushed: the monitor says which node has the newer ones \
           ('inuvika-ha replica' shows and settles it). A node that has gone on refuses what another one still pushes of an \
           epoch before: then that one pauses, and its monitor says so. Until the first push of an epoch is through, the other node keeps \
           every file that this push overwrites or deletes, in /var/lib/inuvika-ha/INSTANCE/backup. stop pushes what is \
           still queued before it returns.\n\n\
           The monitor of depth 0 looks at lsyncd, its status file and the age and length of its queue, and starts no \
           process; depth 10 asks the other node by one ssh whether the file that the last such monitor wrote has arrived, \
           and writes the next one; depth 20 looks at the ssh server there and at the limit of inotify watches. What the \
           other node causes (unreachable, disk full) is degraded and never a failure: a restart here would not heal it. \
           The node attribute INSTANCE-replica of each node is ok, stale or never: how good the files there are.\n\n\
           An lsyncd outside of the cluster, as the package starts it at boot, pushes old files over new ones when a lost \
           node comes back: start refuses where one runs or is enabled.",
    params: &[
        Param {
            required: true,
            ..param(
                "peer",
                Kind::Text,
                "The other node",
                "Its host name or address, as ssh is to use it. Or those of both nodes, separated by a comma: each leaves \
                 its own out, which it knows by its name in the cluster, its host name, or its addresses.",
            )
        },
        Param {
            unique_group: Some("folders"),
            ..param(
                "folders",
                Kind::Text,
                "What is copied",
                "Absolute paths separated by commas, the same on both nodes; none may contain another. Default: those of \
                 the guide, /var/spool/ovd/session-manager, /etc/ovd/session-manager, and the folder of PHP's sessions \
                 (/var/lib/php/sessions or /var/lib/php/session, whichever is there).",
            )
        },
        param(
            "identity_file",
            Kind::Path,
            "Private key for ssh",
            "It has to belong to root and must not be readable for anybody else. Default: /root/.ssh/sync_rsa, the \
             guide's, where it exists, else what ssh uses by itself.",
        ),
        param(
            "known_hosts",
            Kind::Path,
            "Where ssh finds the other node's host key",
            "Nobody is asked: a key that is not there is refused. Default: ssh's own files, /root/.ssh/known_hosts first.",
        ),
        usual(
            "user",
            Kind::Text,
            "root",
            "User on the other node",
            "Who logs in there. Owners of files are kept for root only.",
        ),
        usual("ssh_port", Kind::Integer { min: 1, max: 65_535 }, "22", "Port of the ssh server there", "A TCP port."),
        usual(
            "exclude",
            Kind::Text,
            ".*",
            "What is not copied",
            "Patterns of lsyncd (and rsync) separated by commas, within each folder; a leading / stands for the folder \
             itself. Default as in the guide: files whose name begins with a dot.",
        ),
        usual(
            "delay",
            Kind::Seconds { min: 1, max: 300 },
            "5s",
            "How long changes are collected",
            "Changes are pushed together when the oldest is this old, or when there are a thousand. A lost node takes the \
             changes of this time with it. The guide has 15 s.",
        ),
        tunable(
            "max_lag",
            Kind::Seconds { min: 1, max: 86_400 },
            "60s",
            "How long changes may wait",
            "When changes have waited this long without a push that went through, the monitor of depth 0 is degraded, with \
             what rsync says.",
        ),
        tunable(
            "max_queue",
            Kind::Integer { min: 1, max: 10_000_000 },
            "10000",
            "How many changes may wait",
            "When more wait, the monitor of depth 0 is degraded.",
        ),
        Param {
            unique_group: Some("config"),
            ..param(
                "config",
                Kind::Path,
                "Your own configuration of lsyncd",
                "lsyncd runs with this file as it is; it must not set pidfile and must not run as rsyncssh on lsyncd 2.1.5, \
                 which a moved file crashes. Then it cannot be guaranteed, and start logs it: that ssh ends when the other \
                 node does not answer; that lsyncd goes on when a push fails (insist); that the first push keeps what it \
                 overwrites; that the other node refuses what is older than its own; that the monitor sees the queue, or a push that hangs; that the other node is known to have \
                 everything before the resource has been stopped once in good order, so that after the loss of a node the \
                 other one does not push before you say so. The folders are still those of 'folders': they are fetched at \
                 start and flushed at stop.",
            )
        },
        param(
            "lsyncd",
            Kind::Path,
            "Program of lsyncd",
            "Versions 2.1.5 to 2.3 are known to work. Default: lsyncd in the usual folders of programs.",
        ),
        tunable(
            "pull_timeout",
            Kind::Seconds { min: 1, max: 3600 },
            "30s",
            "Longest time for fetching newer files at start",
            "At most what the start action's own timeout leaves.",
        ),
        tunable(
            "flush_timeout",
            Kind::Seconds { min: 1, max: 3600 },
            "20s",
            "Longest time for the last push at stop",
            "At most 60 % of the stop action's own timeout. What could not be pushed is logged and listed in \
             /var/lib/inuvika-ha/INSTANCE/unflushed; it never makes stop fail.",
        ),
        tunable(
            "backup_limit",
            Kind::Integer { min: 1, max: 1_000_000 },
            "1024",
            "Size of kept files in MiB",
            "What the folders below /var/lib/inuvika-ha/INSTANCE/backup of a node may have together. The oldest goes first; \
             the newest stays whatever its size.",
        ),
        tunable(
            "manage_cron",
            Kind::Boolean,
            "yes",
            "Whether the cron job belongs to this resource",
            "no: cron_link is neither made nor removed.",
        ),
        cron::link_param("/etc/cron.d/lsyncd", "Link that makes cron run a job on the active node only"),
        cron::target_param(
            "/etc/lsyncd/lsyncd.cron",
            "The cron table of that job",
            "When neither this nor cron_link is given and the file is missing, there is no job and nothing is done.",
        ),
    ],
    actions: &[
        ActionSpec::plain("start", 90),
        ActionSpec::plain("stop", 60),
        ActionSpec::monitor(10, 5, 0),
        ActionSpec::monitor(20, 20, 10),
        ActionSpec::monitor(20, 60, 20),
        ActionSpec::passive(20, 12),
        ActionSpec::plain("reload-agent", 20),
        ActionSpec::plain("meta-data", 5),
        ActionSpec::plain("validate-all", 20),
    ],
};
