//! The steps, in order.

use super::need::{Need, REMOTE};
use super::system::{Family, System};
use crate::pcs::script::layout::command;
use crate::scenario::Scenario;
use crate::scenario::setup::host::From;

/// A step of the script.
#[derive(Debug)]
pub struct Step {
    /// What it does: one line.
    pub title: String,
    /// Why it does it like this, in lines.
    pub why: Vec<String>,
    /// Its commands.
    pub text: String,
}

fn step(title: &str, why: &[&str], lines: &[(&str, Vec<String>)]) -> Step {
    Step {
        title: title.into(),
        why: why.iter().map(|line| (*line).to_owned()).collect(),
        text: lines.iter().map(|(verb, words)| command("", verb, words)).collect(),
    }
}

/// Whom that concerns which nodes need that may run resources: remote ones may, too.
fn runner(scenario: &Scenario, need: &Need) -> &'static str {
    if need.has_remotes() { "runner" } else { scenario.setup.role }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// All of them.
pub fn steps(scenario: &Scenario, system: System, need: &Need) -> Vec<Step> {
    let role = scenario.setup.role;
    let mut all = vec![packages(scenario, system, need), names(need)];
    all.push(firewall(role, system, need));
    all.push(step(
        "the password of hacluster",
        &[
            "pcs uses it between the nodes: the same on every node. It is asked for, or read from HACLUSTER_PASSWORD_FILE; a",
            "password that is set already, and is not given, stays.",
        ],
        &[("at member set_password", Vec::new())],
    ));
    if let Some(login) = &need.login {
        let values = [login.key.clone(), login.known_hosts.clone(), login.user.clone(), login.port.to_string()];
        all.push(step(
            "the nodes log in on each other",
            &[
                "lsyncd copies files by ssh. Each node has a key of its own and knows the other one's host key; from any other address",
                "that key opens nothing.",
            ],
            &[("at", [words(&[role, "login"]), values.to_vec(), login.peers.clone()].concat())],
        ));
    }
    all.extend(services(runner(scenario, need), need));
    let mut on = vec![("at member on", words(&["pcsd"]))];
    if need.has_remotes() {
        on.push(("at remote on", words(&["pacemaker_remote"])));
        let key = "make it once (dd if=/dev/urandom bs=4096 count=1), then bring it to every node (root:haclient, 640)";
        on.push(("needs", words(&["/etc/pacemaker/authkey", key])));
    }
    if let Some(sbd) = &scenario.free.sbd {
        on.push(("at member watchdog", [vec![sbd.watchdog.clone()], sbd.devices.clone()].concat()));
    }
    if scenario.alert.is_some() {
        let file = "see inuvika-alert(8), then: inuvika-ha alert check && inuvika-ha alert test";
        on.push(("at member needs", words(&["/etc/inuvika-ha/alert.toml", file])));
    }
    let why = [
        "corosync and pacemaker are started, and switched on at boot if the scenario says so, when the cluster is made.",
    ];
    all.push(step("what runs before the cluster", &why, &on));
    all.extend(elsewhere(scenario, system));
    all
}

fn packages(scenario: &Scenario, system: System, need: &Need) -> Step {
    let runner = runner(scenario, need);
    let mut lines = vec![("at member agents", need.agents_everywhere.clone())];
    lines.push(("at", [words(&[runner, "agents"]), need.agents.clone()].concat()));
    lines.retain(|(verb, list)| list.len() > usize::from(*verb == "at") * 2);
    let mut why = vec!["Nothing is removed for it. Daemons that a package starts are looked after below."];
    if system.family == Family::Rpm {
        why.push(
            "The cluster's packages are in a repository of their own (High Availability), which has to be enabled.",
        );
        lines.extend(system.repositories(&need.packages(system)).into_iter().map(|list| match list[0].as_str() {
            "pcs" => ("at member from_repository", list),
            "pacemaker-remote" => ("at remote from_repository", list),
            _ => ("at", [words(&[runner, "from_repository"]), list].concat()),
        }));
    }
    lines.push(("at member packages", need.member.clone()));
    if !need.runner.is_empty() {
        lines.push(("at", [words(&[scenario.setup.role, "packages"]), need.runner.clone()].concat()));
    }
    if need.has_remotes() {
        lines.push(("at", [words(&[REMOTE, "packages"]), need.remote(system)].concat()));
    }
    lines.push(("install_packages", Vec::new()));
    step("packages", &why, &lines)
}

fn names(need: &Need) -> Step {
    let hosts =
        need.nodes.iter().filter_map(|node| Some(("host", vec![node.addresses.first()?.clone(), node.name.clone()])));
    let lines: Vec<_> = hosts.chain([("write_hosts", Vec::new())]).collect();
    let why = [
        "In /etc/hosts: the cluster must not depend on a name server. The address is that of the cluster's first network.",
    ];
    step("the names of the nodes", &why, &lines)
}

fn firewall(role: &'static str, system: System, need: &Need) -> Step {
    let allow = |at: &str, protocol: &str, ports: &str, from: &str, why: &str| {
        ("at", words(&[at, "allow", protocol, ports, "from", from, "for", why]))
    };
    let mut lines = vec![
        ("find_firewall", Vec::new()),
        allow("member", "tcp", "2224", "member", "cluster: pcsd"),
        allow("member", "udp", system.corosync_ports(), "member", "cluster: corosync"),
    ];
    if need.has_remotes() {
        lines.push(allow(REMOTE, "tcp", "3121", "member", "cluster: pacemaker_remote"));
    }
    for port in &need.ports {
        let from = match port.from {
            From::Runners => role,
            From::Everybody => "everybody",
        };
        lines.push(allow(role, port.protocol, &port.port.to_string(), from, port.why));
    }
    lines.extend(need.untold_ports.iter().map(|what| ("at", words(&[role, "allow_by_hand", what]))));
    let corosync = match system.is_old() {
        true => "corosync 2: UDP 5404 and 5405, for one link or two.",
        false => {
            "corosync 3: UDP 5405 for the first link, one port more for each further one; 5404 for those without knet."
        }
    };
    step(
        "the firewall",
        &[
            corosync,
            "firewalld has the service high-availability for all of the cluster; ufw gets a rule for each other node. Rules that",
            "somebody has written by hand (nftables, iptables) are not edited: what they lack is named at the end.",
        ],
        &lines,
    )
}

/// What the cluster starts must not start by itself.
fn services(role: &'static str, need: &Need) -> Option<Step> {
    let mut lines = Vec::new();
    for directory in &need.mounts {
        lines.push(("at", words(&[role, "not_in_fstab", directory])));
    }
    if !need.off.is_empty() {
        lines.push(("at", [words(&[role, "off"]), need.off.clone()].concat()));
    }
    if !need.replaced.is_empty() {
        lines.push(("at", [words(&[role, "replaced"]), need.replaced.clone()].concat()));
    }
    if need.agents.iter().any(|agent| agent == "lvs-director") {
        lines.push(("at", words(&[role, "module", "ip_vs"])));
    }
    let why = [
        "A service that starts at boot may run on two nodes at once. Where there is no cluster yet, all but the first node",
        "stop it, too; the first one serves until the cluster takes over.",
    ];
    (!lines.is_empty()).then(|| step("what the cluster starts", &why, &lines))
}

/// What is to be done on hosts that are no nodes.
fn elsewhere(scenario: &Scenario, system: System) -> Option<Step> {
    let mut lines = Vec::new();
    if let Some(device) = &scenario.free.quorum_device {
        // The package of Debian and Ubuntu makes the certificates, which pcs then would refuse to make.
        let (packages, start) = match system.family {
            Family::Deb => ("pcs corosync-qnetd", "systemctl enable --now pcsd corosync-qnetd"),
            Family::Rpm => {
                ("pcs corosync-qnetd", "systemctl enable --now pcsd, pcs qdevice setup model net --enable --start")
            }
        };
        lines.push(format!(
            "{}: install {packages}, open TCP 2224 and 5403, give hacluster the same password,",
            device.host
        ));
        if system.family == Family::Rpm {
            lines.push("    from the repository High Availability; then".into());
        }
        lines.push(format!("    {start}"));
    }
    if scenario.setup.name == "ovd-file-server" {
        lines.push(
            "every file server, with the volumes mounted: inuvika-ha ofs-config SCENARIO, then again with --write"
                .into(),
        );
    }
    let say: Vec<_> = lines.into_iter().map(|line| ("say", vec![format!("    {line}")])).collect();
    (!say.is_empty()).then(|| step("elsewhere and later, by hand", &[], &say))
}
