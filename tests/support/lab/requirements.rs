//! What a host must have for a lab. `tests/support/install` provides it.

use std::path::Path;

use nix::unistd::Uid;

/// Programs, and the Debian packages they come from.
const PROGRAMS: &[(&str, &str)] = &[
    ("systemd-nspawn", "systemd-container"),
    ("nsenter", "util-linux"),
    ("ip", "iproute2"),
    ("corosync", "corosync"),
    ("pacemakerd", "pacemaker"),
    ("crm_mon", "pacemaker-cli-utils"),
    ("pcs", "pcs"),
    ("python3", "python3"),
    ("dbus-daemon", "dbus"),
    ("lsyncd", "lsyncd"),
    ("rsync", "rsync"),
    ("sshd", "openssh-server"),
    ("ssh", "openssh-client"),
];

/// One line that says what is missing and what to do; none when all is there.
pub fn missing() -> Option<String> {
    if !Uid::effective().is_root() {
        return Some("a lab needs root: it makes namespaces, mounts and network links".to_owned());
    }
    let there =
        |name: &str| ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|dir| Path::new(dir).join(name).exists());
    let lacking: Vec<_> = PROGRAMS.iter().filter(|(name, _)| !there(name)).map(|(_, package)| *package).collect();
    (!lacking.is_empty()).then(|| format!("missing packages: {}; run tests/support/install", lacking.join(" ")))
}
