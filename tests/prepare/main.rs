//! The script that prepares nodes, on two nodes of the lab: a real Debian 12 with its packages, sshd, PAM, systemd and nft.
//! `INUVIKA_TEST_FULL=1` tries refusals and firewalls as well, with the real ufw and firewalld. Judges: pcsd, which takes the password; ssh, which logs in; apt and dpkg; systemctl; time stamps after a second run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

#[path = "../support/mod.rs"]
mod support;

mod file_server;
mod firewall;
mod refusals;
mod script;
mod session_manager;

use std::process::ExitCode;
use std::sync::LazyLock;

use anyhow::Result;
use libtest_mimic::Arguments;
use script::PASSWORD;
use support::lab::{self, Lab, Machine, trial};

/// An archive with one package, which is not installed.
const ARCHIVE: &str = r#"
    mkdir -p /srv/archive/new/DEBIAN
    printf 'Package: ipmitool\nVersion: 1\nArchitecture: all\nMaintainer: t <t@example.com>\nDescription: t\n' >/srv/archive/new/DEBIAN/control
    dpkg-deb -b /srv/archive/new /srv/archive/ipmitool.deb >/dev/null
    cd /srv/archive
    { cat new/DEBIAN/control; echo "Filename: ./ipmitool.deb"; echo "Size: $(stat -c %s ipmitool.deb)"
      echo "SHA256: $(sha256sum ipmitool.deb | cut -d' ' -f1)"; } >Packages
    rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
    echo 'deb [trusted=yes] file:/srv/archive ./' >/etc/apt/sources.list
"#;

static LAB: LazyLock<Lab> = LazyLock::new(|| {
    let lab = Lab::new(&["osm1", "osm2"]).unwrap();
    for node in lab.nodes() {
        node.copy_in(env!("CARGO_BIN_EXE_inuvika-ha"), "/usr/sbin/inuvika-ha", 0o755).unwrap();
        node.sh("for agent in ovd-osm ovd-lsyncd ovd-vip-src ofs-ctdb; do
            install -d /usr/lib/ocf/resource.d/inuvika
            ln -sf /usr/sbin/inuvika-ha /usr/lib/ocf/resource.d/inuvika/$agent; done")
            .unwrap();
        node.sh(ARCHIVE).unwrap();
        // A login without logind, with host keys of its own; everything that a fresh host has otherwise.
        node.sh("sed -i /pam_systemd/d /etc/pam.d/common-session
            rm -rf /etc/ssh/ssh_host_* /root/.ssh
            ssh-keygen -q -A
            systemctl disable pcsd 2>/dev/null
            usermod -p '!' hacluster
            systemctl unmask apache2 lsyncd smbd 2>/dev/null
            systemctl enable apache2 lsyncd smbd 2>/dev/null
            systemctl start smbd 2>/dev/null || true")
            .unwrap();
        node.write_file("/root/secret", format!("{PASSWORD}\n"), 0o600).unwrap();
    }
    // As an installer leaves it, and as somebody has begun it.
    lab.node("osm1").sh("sed -i '/osm2/d; /osm1.priv/d; s/^127.0.1.1.*/127.0.1.1 osm1.priv osm1/' /etc/hosts").unwrap();
    lab
});

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let full = std::env::var_os("INUVIKA_TEST_FULL").is_some();
    if !arguments.list {
        if full && std::env::var_os(lab::STAGE).is_none() {
            firewall::fetch();
        }
        lab::enter();
    }
    arguments.test_threads = Some(1);
    let on = |name: &str, body: fn(&Lab) -> Result<()>| trial(name, || &LAB, body);
    let more = |name: &str, body: fn(&Lab) -> Result<()>| on(name, body).with_ignored_flag(!full);
    let trials = vec![
        more("what must not be is refused in one line, and nothing is changed", refusals::refused),
        on("two Session Managers are prepared, and a second run changes nothing", session_manager::prepared),
        on("a file server is prepared, and a second run changes nothing", file_server::prepared),
        more("rules of a firewall that somebody has written are named until they are there", firewall::by_hand),
        more("ufw lets in whom it has to, and nobody else", firewall::ufw),
        more("firewalld lets in whom it has to, in the zone of each link, and nobody else", firewall::firewalld),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}
