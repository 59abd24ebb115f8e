//! `--part prepare`: a script that makes a host ready to be a node: what the guides have people do by hand before
//! `pcs cluster setup`.
//!
//! It runs on every node and knows by its addresses which one it is. As in the scripts of commands, the fixed parts are
//! files of their own; the steps are one line for each thing that has to be so.

mod need;
mod steps;
mod system;

pub use system::{Family, System};

use super::quote::quote;
use super::script::layout::heading;
use crate::scenario::Scenario;
use crate::scenario::setup::host::ReadFile;
use need::Need;
use steps::steps;

const TOOLS: &str = include_str!("tools.sh");
const DEB: &str = include_str!("packages_deb.sh");
const RPM: &str = include_str!("packages_rpm.sh");
const HOST: &str = include_str!("host.sh");
const FIREWALL: &str = include_str!("firewall.sh");
const PASSWORD: &str = include_str!("password.sh");
const LOGIN: &str = include_str!("login.sh");
const START: &str = include_str!("start.sh");
const END: &str = include_str!("end.sh");

/// Where the script keeps what it replaced, and the public keys of nodes.
const FOLDER: &str = "/var/lib/inuvika-ha/prepare";

/// The script that prepares the nodes of a scenario on a system; `read` reads files that the scenario names. Pure but for
/// these: the same scenario gives the same bytes.
pub fn script(scenario: &Scenario, system: System, read: ReadFile<'_>) -> String {
    let need = Need::of(scenario, system, read);
    let mut text = header(scenario, system, &need);
    text.push_str(TOOLS);
    text.push_str(if system.family == Family::Deb { DEB } else { RPM });
    for part in [HOST, FIREWALL, PASSWORD] {
        text.push_str(part);
    }
    if need.login.is_some() {
        text.push_str(LOGIN);
    }
    let start = START.replace("@SYSTEM@", &system.pattern()).replace("@RELEASE@", system.release.name);
    text.push_str(&start.replace("@PASSWORD@", "[ \"$role\" = remote ] || read_password"));
    for (index, step) in steps(scenario, system, &need).iter().enumerate() {
        text.push_str(&heading(index + 1, &step.title, &step.why));
        text.push_str(&step.text);
    }
    text + END
}

fn header(scenario: &Scenario, system: System, need: &Need) -> String {
    let names: Vec<_> = need.nodes.iter().map(|node| node.name.as_str()).collect();
    let comment = [
        format!("{}: cluster {} of {}.", scenario.setup.title, scenario.cluster.name, names.join(", ")),
        format!(
            "Written by \"inuvika-ha pcs --part prepare\" for {}. Edit the scenario rather than this.",
            system.release.name
        ),
        String::new(),
        "Run it as root on EVERY node, before the script that makes the cluster. It knows by its addresses which node it is.".into(),
        "It may be run again at any time: what is right already is left alone. What it edits is kept in".into(),
        format!("{FOLDER}/backup. With --dry-run it only names what it would do; see --help."),
        String::new(),
        "It gives hosts neither names nor addresses, and installs nothing of OVD, Abiquo or inuvika-ha itself: they".into(),
        "come first.".into(),
    ];
    let mut text = String::from(
        "#!/bin/bash\n# shellcheck disable=SC2034,SC2317,SC2329 # not every scenario needs every function and setting\n#\n",
    );
    for line in comment {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
    let list = |words: Vec<String>| {
        let quoted: Vec<_> = words.iter().map(|word| quote(word)).collect();
        format!("({})", quoted.join(" "))
    };
    let (unit, package) = match system.family {
        Family::Deb => ("ssh", "apt install ./inuvika-ha_*.deb"),
        Family::Rpm => ("sshd", "install ./inuvika-ha-*.rpm"),
    };
    let package = if system.family == Family::Deb { package.into() } else { format!("{} {package}", system.manager()) };
    let settings = [
        ("cluster", quote(&scenario.cluster.name)),
        ("nodes", list(need.nodes.iter().map(|node| node.name.clone()).collect())),
        ("roles", list(need.nodes.iter().map(|node| node.role.to_owned()).collect())),
        ("addresses", list(need.nodes.iter().map(|node| node.addresses.join(" ")).collect())),
        ("first", quote(&need.first)),
        ("virtual_ip", quote(&scenario.virtual_ip.as_ref().map(|vip| vip.net.addr().to_string()).unwrap_or_default())),
        ("folder", FOLDER.into()),
        ("manager", system.manager().into()),
        ("python", python(system.release.name).into()),
        ("ssh_unit", unit.into()),
        ("how_to_install", quote(&package)),
    ];
    text.push_str("\nset -euo pipefail\nexport LC_ALL=C\n\n");
    for (name, value) in settings {
        text.push_str(&format!("{name}={value}\n"));
    }
    text + "\n"
}

/// The Python that is there before any package is installed.
fn python(release: &str) -> &'static str {
    match release {
        "rhel7" => "python",
        "rhel8" => "/usr/libexec/platform-python",
        _ => "python3",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
