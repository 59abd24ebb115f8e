//! The table of `ovd-lsyncd`: names only, until the agent itself is merged.

use crate::ocf::spec::{ActionSpec, Kind, Param, Spec};

const fn param(name: &'static str, kind: Kind, default: Option<&'static str>) -> Param {
    Param { name, kind, default, required: false, unique_group: None, reloadable: false, short: "-", long: "-" }
}

/// Parameters, actions and texts.
pub const SPEC: Spec = Spec {
    name: "ovd-lsyncd",
    short: "OVD Session Manager: its files, copied to the other node",
    long: "-",
    params: &[
        Param { required: true, ..param("peer", Kind::Text, None) },
        param("folders", Kind::Text, None),
        param("identity_file", Kind::Path, None),
        param("known_hosts", Kind::Path, None),
        param("user", Kind::Text, Some("root")),
        param("ssh_port", Kind::Integer { min: 1, max: 65535 }, Some("22")),
        param("exclude", Kind::Text, Some(".*")),
        param("delay", Kind::Seconds { min: 1, max: 300 }, Some("5s")),
        param("max_lag", Kind::Seconds { min: 1, max: 3600 }, Some("60s")),
        param("max_queue", Kind::Integer { min: 1, max: 1_000_000 }, Some("10000")),
        param("config", Kind::Path, None),
        param("lsyncd", Kind::Path, None),
        param("pull_timeout", Kind::Seconds { min: 1, max: 3600 }, Some("30s")),
        param("flush_timeout", Kind::Seconds { min: 1, max: 3600 }, Some("20s")),
        param("backup_limit", Kind::Integer { min: 1, max: 1_000_000 }, Some("1024")),
        param("manage_cron", Kind::Boolean, Some("yes")),
        param("cron_link", Kind::Path, Some("/etc/cron.d/lsyncd")),
        param("cron_target", Kind::Path, Some("/etc/lsyncd/lsyncd.cron")),
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
