//! The texts of inuvika-ha-scenario(5): every section of the file and its keys.

/// A section of the file: its header, what it is, and its keys with what they say.
pub struct Section(pub &'static str, pub &'static str, pub &'static [(&'static str, &'static str)]);

/// What a service's section says of its agent; the name of the agent follows.
pub const SERVICE: &str = "Parameters of the agent, without those that follow from [virtual_ip] or the nodes. A list is written with \
                       commas or as a list. They are explained in";

/// Sections that stand for an agent: name, agent, what it is.
pub const SERVICES: &[(&str, &str, &str)] = &[
    (
        "vip_src",
        "ovd-vip-src",
        "ovd-session-manager: connections of the active node leave with the virtual address as their source.",
    ),
    ("session_manager", "ovd-osm", "ovd-session-manager: the Session Manager's web server and cron job."),
    (
        "lsyncd",
        "ovd-lsyncd",
        "ovd-session-manager: its files on the other node. Without the section nothing is copied.",
    ),
    ("lvs_director", "lvs-director", "lvs-director: the virtual services and real servers."),
    ("abiquo_rs", "abiquo-rs", "abiquo-remote-services: the Tomcat of the Remote Services."),
    ("ofs_ctdb", "ofs-ctdb", "ovd-file-server: CTDB on every file server."),
];

/// The others.
pub const SECTIONS: &[Section] = &[
    Section(
        "The head",
        "What stands before the first section.",
        &[
            (
                "setup",
                "What is made highly available: ovd-session-manager, lvs-director, abiquo-remote-services, ovd-file-server, or free: \
                 only what [[resource]] says. Needed.",
            ),
            ("fencing", "\"none\", in place of [[fencing]], for a trial. Only together with accept_split_brain."),
            (
                "accept_split_brain",
                "true: you know that without fencing two nodes may run everything at once, and that this may destroy data.",
            ),
            ("properties", "A section of cluster properties by their names, beside those that other sections say."),
            ("defaults", "A section of meta attributes for all resources, beside those of [failover]."),
            ("operation_defaults", "A section of attributes for all operations, as timeout."),
        ],
    ),
    Section(
        "[cluster]",
        "The cluster itself. Needed.",
        &[
            ("name", "Its name: letters, digits, - and _. Needed."),
            (
                "detection",
                "How soon a silent node counts as lost. \"default\": corosync's own token timeout, 3 s and more. \"fast\": about 1 s, \
                 but a host or hypervisor that pauses for longer then loses a healthy node.",
            ),
            (
                "start_at_boot",
                "Whether a node joins by itself when it boots. Default: true. With two nodes false is safer.",
            ),
        ],
    ),
    Section(
        "[[node]]",
        "A node, once for each. At least two may run the services; an odd number of votes is better than an even one.",
        &[
            ("name", "Its name in the cluster, that of its host. Needed."),
            (
                "role",
                "What it is for: osm, director, rs or ofs, by the set-up, for a node that may run the services; \"quorum\" for one that \
                 only votes. Needed.",
            ),
            ("address", "Its address in the network of the cluster, or a list with one for each link. Needed."),
            ("attributes", "Node attributes, as attributes.rack = \"a\"."),
        ],
    ),
    Section(
        "[virtual_ip]",
        "The address that clients have. Needed.",
        &[
            (
                "address",
                "With the length of the network's prefix, as 10.20.1.10/24, or without it beside network. Needed.",
            ),
            ("network", "Its network, as 10.20.1.0/24, when address has no prefix."),
            ("nic", "The link that it is put on. Default: the one that has an address in that network."),
            (
                "holder",
                "Only ovd-file-server. \"ctdb\": CTDB moves it, as in the guide (default). \"pacemaker\": the cluster does.",
            ),
        ],
    ),
    Section(
        "[router]",
        "What lies between the nodes and the clients: a node that alone does not reach it loses the address. Only lvs-director and \
         abiquo-remote-services.",
        &[("address", "Its address, or a list: one that answers is enough. Needed.")],
    ),
    Section(
        "[repository], [ctdb_volume], [data_volume]",
        "File systems. [repository] (abiquo-remote-services): mounted where the services run, before them. [ctdb_volume] and \
         [data_volume] (ovd-file-server): mounted on every file server; without the second the data are on the first.",
        &[
            ("device", "What is mounted, as host:/path. Needed."),
            ("directory", "Where. Needed."),
            ("fstype", "Its type. Default: nfs."),
            (
                "options",
                "As mount(8) takes them. Default with NFS: soft,timeo=50,retrans=3 for the repository, hard for the volumes.",
            ),
        ],
    ),
    Section(
        "[failover]",
        "When services move.",
        &[
            (
                "stickiness",
                "How much what runs stays where it is. Default: 1000. Nothing moves back by itself when a node returns.",
            ),
            ("migration_threshold", "After so many failures on a node another one is tried. Default: 3."),
            ("failure_timeout", "After this time failures are forgotten. Default: \"4h\"."),
        ],
    ),
    Section(
        "[[fencing]]",
        "A device that switches nodes off, so that nothing ever runs twice. Every node needs one.",
        &[
            ("node", "The nodes it can switch off: a name, or a list. Needed."),
            ("agent", "The fence agent, as fence_ipmilan: see pcs stonith list. Needed."),
            (
                "name",
                "The id of the device in the cluster. Default: fence- and the name of the node; needed with several nodes.",
            ),
            (
                "options",
                "The agent's options, as options.ip = \"192.168.200.11\". A secret is { file = \"/path\" }: the first line of a file \
                 that only root may read, on the node where the script runs. It is never in the script.",
            ),
        ],
    ),
    Section(
        "[alerts]",
        "inuvika-alert tells what happens in the cluster: see inuvika-alert(8).",
        &[(
            "recipients",
            "Whom: mail addresses, \"mail\", \"hook\" or \"file\" (sections of its configuration), or the path of another \
             configuration. Default: all that its configuration says.",
        )],
    ),
    Section(
        "[[resource]]",
        "A resource of any agent, in any set-up.",
        &[
            ("id", "Its id in the cluster. Needed."),
            ("agent", "Its agent, as ocf:heartbeat:apache, systemd:nginx or lsb:NAME. Needed."),
            (
                "params",
                "Its parameters, as params.ip = \"10.20.1.20\". A secret is { file = \"/path\" }, as with [[fencing]]. Those of \
                 agents of inuvika-ha are checked.",
            ),
            ("meta", "Its meta attributes, as meta.critical = false."),
            (
                "op",
                "Its operations, a list of tables: name, interval, timeout, depth (the check level), role, on_fail. Default: start, \
                 stop, and a monitor every 30 s; for agents of inuvika-ha what their meta-data say.",
            ),
            ("target", "\"stopped\": it is configured, and does not run. Default: \"started\"."),
            ("clone", "true, or a table of meta attributes: an instance on every node."),
            ("promotable", "true, or a table of meta attributes: a clone some instances of which are promoted."),
        ],
    ),
    Section(
        "[[group]]",
        "Resources that are in one place, start one after the other, and stop the other way round.",
        &[
            ("id", "Its id. Needed."),
            ("members", "The ids of [[resource]]s, in the order they start in. Needed."),
            ("meta", "Its meta attributes."),
            ("clone", "As of a resource."),
            ("promotable", "As of a resource."),
        ],
    ),
    Section(
        "[[colocation]]",
        "A resource runs where another runs.",
        &[
            ("id", "Its id. Needed with sets."),
            ("resource", "What follows. Needed without sets."),
            ("with", "What it follows. Needed without sets."),
            ("role", "\"Promoted\" or \"Unpromoted\": only instances of what follows in this role."),
            ("with_role", "The same of what it follows."),
            ("sets", "In place of the two: a list of tables with resources, sequential and role."),
            ("score", "How strongly: a number, \"INFINITY\" (default) or \"-INFINITY\"."),
        ],
    ),
    Section(
        "[[order]]",
        "A resource starts after another and stops before it.",
        &[
            ("id", "Its id. Needed with sets."),
            ("first", "What starts first. Needed without sets."),
            ("then", "What starts then. Needed without sets."),
            ("first_action", "What is waited for: \"start\" (default), \"stop\", \"promote\" or \"demote\"."),
            ("then_action", "What waits. Default: the same."),
            ("sets", "In place of the two: a list of tables with resources, sequential, require_all and action."),
            ("kind", "\"Mandatory\" (default), \"Optional\" or \"Serialize\"."),
            ("symmetrical", "Whether they stop the other way round."),
        ],
    ),
    Section(
        "[[location]]",
        "Where a resource should be, or must not be.",
        &[
            ("id", "Its id. Needed with a rule."),
            ("resource", "What is placed. Needed."),
            ("node", "A node. Needed without a rule."),
            ("probe", "false: the resource is never probed there. Only with score = \"-INFINITY\"."),
            ("when", "A rule: a list of expressions, as \"pingd lt 1\", \"not_defined pingd\" or \"#uname eq osm1\"."),
            ("match", "\"all\" or \"any\" of them."),
            ("role", "The rule is about instances in this role."),
            ("score", "A number, \"INFINITY\" or \"-INFINITY\"."),
        ],
    ),
    Section(
        "[[remote]]",
        "A node without corosync, that pacemaker_remote runs on: it runs resources and does not vote.",
        &[
            ("name", "Its name. Needed."),
            ("address", "Its address. Needed."),
            ("port", "Default: 3121."),
            ("reconnect_interval", "After what time a lost connection is tried again, as \"60s\"."),
            ("attributes", "Node attributes."),
        ],
    ),
    Section(
        "[[fencing_level]]",
        "What is tried to switch a node off, in which order.",
        &[
            ("node", "The node. Needed."),
            ("level", "1 to 9: the lowest is tried first. Needed."),
            ("devices", "Names of [[fencing]] devices, all of which have to work. Needed."),
        ],
    ),
    Section(
        "[[alert]]",
        "Another alert agent than inuvika-alert.",
        &[
            ("id", "Its id. Needed."),
            ("path", "The program, an absolute path that every node has. Needed."),
            ("options", "What it gets in its environment."),
            ("meta", "Meta attributes, as timeout."),
            ("recipients", "A list of recipients."),
        ],
    ),
    Section(
        "[[tag]]",
        "A name for several resources.",
        &[("id", "The name. Needed."), ("members", "Resources or groups. Needed.")],
    ),
    Section(
        "[[external]]",
        "What resources need outside the cluster, for inuvika-ha simulate and diagram.",
        &[
            ("name", "What it is, for people. Needed."),
            ("needed_by", "The resources that are of no use without it. Needed."),
        ],
    ),
    Section(
        "[quorum_device]",
        "A host outside the cluster with a vote.",
        &[
            ("host", "The host on which corosync-qnetd runs. Needed."),
            ("address", "Its address, when its name does not say."),
            ("algorithm", "\"ffsplit\" or \"lms\": see corosync-qdevice(8)."),
        ],
    ),
    Section(
        "[sbd]",
        "Nodes that the cluster has lost switch themselves off.",
        &[
            ("watchdog", "The watchdog's device. Default: /dev/watchdog."),
            ("devices", "Shared disks, one to three. Without: by the watchdog alone."),
            ("timeout", "The watchdog's time, 1s to 10min. Default: \"5s\"."),
        ],
    ),
];
