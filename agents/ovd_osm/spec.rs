//! The table of `ovd-osm`.

use crate::agents::cron;
use crate::ocf::spec::{ActionSpec, Kind, Param, Spec, param, tunable, usual};

/// Parameters, actions and texts.
pub const SPEC: Spec = Spec {
    name: "ovd-osm",
    short: "OVD Session Manager: its web server and its cron job, on one node only",
    long: "Runs the OVD Session Manager on the active node: the Apache web server that it lives in, and the link under \
           /etc/cron.d that makes its cron job run here and nowhere else. It replaces the resources httpd \
           (ocf:heartbeat:apache) and osm_cron (ocf:heartbeat:symlink) of the OVD Session Manager failover guide.\n\n\
           A Session Manager that runs already is adopted without a restart. When the cluster's first look finds it running, \
           it never starts it: until the next start ('pcs resource restart') systemd may restart it behind the cluster's \
           back and end it before the cluster does at shutdown, and the cron link is the package's. That look logs it, and \
           validate-all at level 10 says it. The monitor of depth 0 asks the kernel for \
           the web server's processes and the web server for an answer; depth 10 reads a page of the Session Manager and \
           compares its content, because it reports errors with status 200; depth 20 asks the database, as the Session \
           Manager would.\n\n\
           A database that nobody reaches is reported as degraded and moves nothing. One that only the active node has \
           lost is a reason to move: each node publishes what it sees as the node attribute INSTANCE-database, and the \
           generated location rule weighs it. A monitor with role=Stopped publishes it for the passive node and puts a \
           cron link aside that a package upgrade has brought back there. It needs this agent on every node of the \
           cluster: Pacemaker runs such a monitor on all of them, and where the agent is missing it takes the resource \
           for running, tries to stop it, and has the node fenced. So it is not among the actions below; \
           'inuvika-ha pcs' writes it and asks every node first.",
    params: &[
        tunable(
            "session_manager_config",
            Kind::Path,
            "/var/spool/ovd/session-manager/config",
            "Settings of the Session Manager (JSON)",
            "The file with the settings of the Session Manager, in JSON. start refuses a file that is missing, is no \
             JSON or names no database host (general.sql.host): the service would only answer with errors. The \
             database is asked with the credentials in it; they are never logged.",
        ),
        usual(
            "service_manager",
            Kind::Select(&["auto", "systemd", "lsb", "direct"]),
            "auto",
            "Who starts the web server",
            "systemd: a unit, over systemd's bus. lsb: a script in /etc/init.d. direct: the program itself, with the \
             file httpd_config. auto: direct when httpd_config is given, systemd where it runs, else lsb.",
        ),
        Param {
            unique_group: Some("service"),
            ..param(
                "service",
                Kind::Text,
                "Name of the unit or script",
                "The systemd unit or LSB script of the web server. Default: apache2 or httpd, whichever is installed.",
            )
        },
        param(
            "httpd",
            Kind::Path,
            "Program of the web server",
            "For service_manager lsb and direct. Default: /usr/sbin/apache2 or /usr/sbin/httpd, whichever is installed.",
        ),
        Param {
            unique_group: Some("httpd_config"),
            ..param(
                "httpd_config",
                Kind::Path,
                "Configuration file of the web server",
                "For service_manager direct: the program runs as 'HTTPD -f FILE -k start'. The file must not need variables \
                 of a shell, as Debian's own does (/etc/apache2/envvars).",
            )
        },
        Param {
            unique_group: Some("vhost"),
            ..tunable(
                "vhost",
                Kind::Text,
                "127.0.0.1:1111",
                "Address and port where this node's Session Manager answers",
                "An address of this node and the port of the Session Manager's virtual host, without TLS. The monitor of \
                 depth 0 asks there with 'OPTIONS *', which the web server answers itself; any HTTP answer will do.",
            )
        },
        tunable(
            "request_timeout",
            Kind::Seconds { min: 1, max: 60 },
            "3s",
            "Longest time for an answer of the web server",
            "How long the monitors of depth 0 and 10 wait for an answer before they call the web server hung.",
        ),
        Param {
            reloadable: true,
            ..param(
                "service_url",
                Kind::Text,
                "Page of the Session Manager that the monitor of depth 10 reads",
                "An http or https URL on this node. It must change nothing: /server/name, for one, registers its caller as \
                 a server. Default: http://VHOST/server/status, which answers an empty request with XML and writes nothing. \
                 Every request carries the same session cookie, so that no session files pile up.",
            )
        },
        tunable(
            "service_match",
            Kind::Text,
            "<error id=\"1\"",
            "What the page must contain",
            "A regular expression, matched anywhere in the page. A page that says in_maintenance counts as healthy, too. \
             While neither service_url nor service_match is given and the default has never matched on this node with the \
             files that /usr/share/ovd/session-manager has now, a page without it is reported as degraded, not as a \
             failure: another version may answer in other words.",
        ),
        Param {
            reloadable: true,
            ..param(
                "service_ca",
                Kind::Path,
                "CA certificates for an https service_url (PEM)",
                "Certificates that the web server's must be signed by. Default: it is not checked, as this node asks itself.",
            )
        },
        tunable(
            "manage_cron",
            Kind::Boolean,
            "yes",
            "Whether the cron job belongs to this resource",
            "no: cron_link is neither made nor removed, and the job runs wherever the package has put it.",
        ),
        cron::link_param("/etc/cron.d/sessionmanager", "Link that makes cron run the job"),
        cron::target_param(
            "/etc/ovd/session-manager/sessionmanager.cron",
            "The Session Manager's cron table",
            "The file that the package links to from /etc/cron.d.",
        ),
        tunable(
            "graceful_timeout",
            Kind::Seconds { min: 0, max: 600 },
            "3s",
            "How long stop lets requests finish",
            "Requests that run when the resource stops get this long, at most 60 % of the stop action's own timeout, and so \
             does a cron job of cron_target that runs. What then still runs is ended: one slow client must not hold a \
             failover, and the job must not run on two nodes. A process counts as such a job when its parent is cron and \
             its user and arguments are those of a line of the table; others are left alone.",
        ),
        tunable(
            "database_timeout",
            Kind::Seconds { min: 1, max: 60 },
            "3s",
            "Longest time for an answer of the database",
            "How long the monitor of depth 20 waits for the database, name resolution included.",
        ),
        tunable(
            "dependency_failure",
            Kind::Select(&["degraded", "fail"]),
            "degraded",
            "What a database that cannot be reached amounts to",
            "degraded: it is reported (exit code 190), nothing restarts, and the node attribute lets the cluster move the \
             service when another node still reaches the database. fail: the monitor of depth 20 fails, so that Pacemaker \
             restarts the resource here and after migration-threshold failures elsewhere.",
        ),
    ],
    actions: &[
        ActionSpec::plain("start", 60),
        ActionSpec::plain("stop", 60),
        ActionSpec::monitor(10, 3, 0),
        ActionSpec::monitor(20, 20, 10),
        ActionSpec::monitor(20, 15, 20),
        ActionSpec::passive(20, 12),
        ActionSpec::plain("reload-agent", 20),
        ActionSpec::plain("meta-data", 5),
        ActionSpec::plain("validate-all", 20),
    ],
};
