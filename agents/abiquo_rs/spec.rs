//! The table of `abiquo-rs`.

use crate::ocf::spec::{ActionSpec, Kind, Param, Spec, param, tunable, usual};

/// Parameters, actions and texts.
pub const SPEC: Spec = Spec {
    name: "abiquo-rs",
    short: "Abiquo Remote Services: their Tomcat, judged by what its webapps answer",
    long: "Runs Abiquo's Remote Services on the active node: the Tomcat that they live in. It replaces the resource \
           tomcat-service (lsb:abiquo-tomcat) of the guide 'Remote Services HA Using Pacemaker', which runs on while the webapps \
           are dead.\n\n\
           start wants properties that can be used and the repository mounted where they say, and returns when every webapp \
           answers. The monitor of depth 0 asks the kernel for the Java machine and Tomcat for an answer; depth 10 asks /check of \
           every webapp and compares the answer with abiquo.datacenter.id, as Abiquo's API does: an answer of another site is a \
           failure. The webapp am leaves a file in the repository when it is asked, so it is asked only while that is mounted and \
           answers. Depth 20 asks Redis and RabbitMQ with the credentials of the properties, and the repository. A file system \
           that hangs never makes the agent hang.\n\n\
           When a webapp answers 503 or not at all, Redis, RabbitMQ and the repository are asked in the same operation. If one of \
           them is the cause, that is reported as degraded and moves nothing. Without a cause the first look reports it, and the \
           next look of that depth is a failure: a pool of connections takes a moment to recover. A repository that is not \
           mounted is a failure at the third look: its own resource mounts it. A dependency that only the active node has lost \
           is a reason to move: each node publishes what it sees as the node attribute INSTANCE-dependencies. The \
           attribute INSTANCE-properties is a fingerprint of the properties, made with the secret that the nodes have in \
           /etc/corosync/authkey or /etc/pacemaker/authkey, so that it tells nobody else anything. Nodes whose properties differ, \
           passwords included, are reported as degraded, with the keys and never the values. INSTANCE-stray says whether a Tomcat runs that \
           the cluster has not started; the active node reports it.\n\n\
           The passive nodes publish these with a monitor with role=Stopped. It needs this agent on every node of the cluster: \
           Pacemaker runs such a monitor on all of them, and where the agent is missing it takes the resource for running, tries \
           to stop it, and has the node fenced. So it is not among the actions below.",
    params: &[
        tunable(
            "properties",
            Kind::Path,
            "/opt/abiquo/config/abiquo.properties",
            "Abiquo's properties",
            "The file with Abiquo's properties, with or without a section header, on a disk of this node. start refuses one that \
             cannot be read, has lines that are no properties, or lacks abiquo.datacenter.id. Passwords in it are never logged.",
        ),
        usual(
            "service_manager",
            Kind::Select(&["auto", "systemd", "lsb"]),
            "auto",
            "Who starts Tomcat",
            "systemd: a unit, over systemd's bus. lsb: a script in /etc/init.d. auto: the unit where there is one, else the script.",
        ),
        Param {
            unique_group: Some("service"),
            ..usual(
                "service",
                Kind::Text,
                "abiquo-tomcat",
                "Name of the unit or script",
                "The systemd unit or LSB script of Abiquo's Tomcat. It must not start at boot.",
            )
        },
        Param {
            unique_group: Some("catalina_base"),
            ..usual(
                "catalina_base",
                Kind::Path,
                "/opt/abiquo/tomcat",
                "Folder of the Tomcat instance",
                "The folder with conf and webapps. Without systemd it is how the Java machine is known: by its argument \
                 -Dcatalina.base. No other instance is ever touched.",
            )
        },
        Param {
            reloadable: true,
            ..param(
                "webapps",
                Kind::Text,
                "Webapps that have to answer",
                "Separated by commas. Default: those of am, bpm-async, cpp, nars, nodecollector, ssm, virtualfactory, vsm and xas \
                 that the folder webapps has when the resource starts.",
            )
        },
        tunable(
            "address",
            Kind::Address,
            "127.0.0.1",
            "Address where Tomcat answers on this node",
            "An address of this node. Not the virtual one: that is missing for a moment when it recovers.",
        ),
        tunable(
            "port",
            Kind::Integer { min: 1, max: 65535 },
            "8009",
            "Port where Tomcat answers HTTP",
            "The port of Tomcat's HTTP connector. The monitor of depth 0 asks there with 'OPTIONS *', which Tomcat answers itself; \
             any HTTP answer will do.",
        ),
        Param {
            reloadable: true,
            ..param(
                "repository",
                Kind::Path,
                "Where the template repository is mounted",
                "Default: abiquo.appliancemanager.localRepositoryPath of the properties, else /opt/vm_repository where they have a \
                 repositoryLocation. It has to be mounted from repositoryLocation, unless that is on this host or \
                 checkMountedRepository is false. Without any of these keys no repository is looked at.",
            )
        },
        tunable(
            "repository_port",
            Kind::Integer { min: 0, max: 65535 },
            "2049",
            "Port where the repository's server answers NFS",
            "Every node asks there whether the server still works, as a passive node has nothing mounted that it could look at. \
             0: it is no server of NFS; then only the active node looks at the repository, and nothing moves because of it.",
        ),
        tunable(
            "request_timeout",
            Kind::Seconds { min: 1, max: 60 },
            "3s",
            "Longest time for an answer of Tomcat or a webapp",
            "How long the monitors wait for an answer of Tomcat, and of all webapps together.",
        ),
        tunable(
            "dependency_timeout",
            Kind::Seconds { min: 1, max: 60 },
            "3s",
            "Longest time for an answer of Redis, RabbitMQ and the repository",
            "How long each of them is waited for, name resolution and login included. They are asked at once.",
        ),
        tunable(
            "dependency_failure",
            Kind::Select(&["degraded", "fail"]),
            "degraded",
            "What a dependency that cannot be reached amounts to",
            "degraded: it is reported (exit code 190), nothing restarts, and the node attribute lets the cluster move the service \
             when another node still reaches it. fail: the monitor fails, so that Pacemaker restarts the resource here and after \
             migration-threshold failures elsewhere.",
        ),
        Param {
            reloadable: true,
            ..param(
                "tls_ca",
                Kind::Path,
                "CA certificates for Redis and RabbitMQ over TLS (PEM)",
                "Certificates that theirs must be signed by. Without it the certificates are not looked at, and so no password is \
                 sent: over TLS only whether they are there is found out then.",
            )
        },
        Param {
            reloadable: true,
            ..param(
                "node_keys",
                Kind::Text,
                "Keys of the properties that differ from node to node",
                "Separated by commas. They are left out when the properties of the nodes are compared.",
            )
        },
        tunable(
            "graceful_timeout",
            Kind::Seconds { min: 0, max: 600 },
            "15s",
            "How long stop lets Tomcat finish",
            "At most 60 % of the stop action's own timeout. Two thirds of it are for Tomcat's own shutdown, as the unit \
             does it, else over the port that its server.xml names; the rest for SIGTERM. What then still runs is killed.",
        ),
    ],
    actions: &[
        ActionSpec::plain("start", 180),
        ActionSpec::plain("stop", 60),
        ActionSpec::monitor(10, 5, 0),
        ActionSpec::monitor(20, 20, 10),
        ActionSpec::monitor(20, 15, 20),
        ActionSpec::passive(20, 12),
        ActionSpec::plain("reload-agent", 20),
        ActionSpec::plain("meta-data", 5),
        ActionSpec::plain("validate-all", 20),
    ],
};
