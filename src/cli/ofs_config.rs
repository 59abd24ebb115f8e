//! `inuvika-ha ofs-config`: the configuration that OVD File Servers share.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use chrono::Utc;
use clap::Args;

use super::{Failure, print};
use crate::agents::ofs_ctdb::arrange::{Arrangement, Places, Release, Wanted};
use crate::ocf::deadline::Deadline;
use crate::scenario::node::Role;
use crate::scenario::{Scenario, read};

/// How long all of it may take.
const LIMIT: Duration = Duration::from_secs(60);
/// The agent whose configuration it is.
const AGENT: &str = "ofs-ctdb";

/// Show what the configuration of CTDB and Samba lacks on this file server, and write it with --write.
///
/// Run it as root on every file server, with the volumes mounted. The files are on the shared volume, with links to them on each node,
/// as in the guide "File Server High Availability", but in the words of the installed CTDB. What was there before is kept below
/// /var/lib/inuvika-ha. It may be run again at any time: what is right already is left alone.
#[derive(Debug, Args)]
pub(super) struct OfsConfig {
    /// The scenario file; see "inuvika-ha init ovd-file-server"
    scenario: PathBuf,
    /// Make the changes that are shown
    #[arg(long)]
    write: bool,
}

impl OfsConfig {
    pub(super) fn run(self) -> Result<(), Failure> {
        let file = self.scenario.display().to_string();
        let text = std::fs::read(&self.scenario).with_context(|| format!("read {file}"))?;
        let text = String::from_utf8(text).map_err(|_| Failure::Input(format!("{file}:1:1: is not UTF-8 text")))?;
        let read = read(&file, &text).map_err(|fault| Failure::Input(fault.to_string()))?;
        let wanted = wanted(&file, &read.scenario)?;
        if !nix::unistd::geteuid().is_root() {
            return Err(anyhow!("run it as root").into());
        }
        let limit = Deadline::after(LIMIT);
        // What CTDB is to run is this program, wherever it was installed.
        let usual = Places::default();
        let places = Places { program: std::env::current_exe().unwrap_or(usual.program), ..usual };
        let release = Release::installed(&limit).map_err(|why| anyhow!(why))?;
        let found = wanted.look(release, &places, self.write, &limit).map_err(|why| anyhow!(why))?;
        print(&shown(&found, release, self.write, &limit))?;
        if !found.may_write() {
            return Err(anyhow!("nothing was written: see what failed above").into());
        }
        if !self.write || found.count() == 0 {
            return Ok(());
        }
        let stamp = Utc::now().format("%Y%m%dT%H%M%SZ").to_string();
        let kept = found.write(&places, &stamp).map_err(|why| anyhow!(why))?;
        if let Some(folder) = kept {
            print(&format!("Done. What was there before is below {}.\n", folder.display()))?;
        }
        print(AFTER)?;
        Ok(wanted.verify(release, &limit).map_err(|why| anyhow!("{AGENT} would not start yet: {why}"))?)
    }
}

const AFTER: &str = "\
A ctdbd that runs reads nodes at 'ctdb reloadnodes', public_addresses at 'ctdb reloadips', and the rest when it is started.
";

/// What the scenario says of file servers.
fn wanted(file: &str, scenario: &Scenario) -> Result<Wanted, Failure> {
    let service = scenario.services.iter().find(|service| service.spec.name == AGENT);
    let (Some(service), Some(vip)) = (service, &scenario.virtual_ip) else {
        let line =
            format!("{file}: a scenario of {} has no CTDB: see inuvika-ha init ovd-file-server", scenario.setup.name);
        return Err(Failure::Input(line));
    };
    let servers = scenario.nodes.iter().filter(|node| node.role == Role::Active);
    // The first address is that of the network of the cluster.
    let nodes = servers.filter_map(|node| node.addresses.first().copied()).collect();
    let link = vip.nic.clone().filter(|_| vip.own);
    Wanted::new(&service.read, nodes, vip.net, link).map_err(|failure| Failure::Input(format!("{file}: {failure}")))
}

/// What was looked at, what is worth knowing, and what is lacking.
fn shown(found: &Arrangement, release: Release, writes: bool, limit: &Deadline) -> String {
    let mut text = format!("CTDB {release}\n");
    let widest = found.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for check in &found.checks {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {:widest$}  {:8}  {}", check.name, check.verdict.word(), check.detail);
    }
    for note in &found.notes {
        let _ = writeln!(text, "note: {note}");
    }
    if !found.may_write() {
        return text;
    }
    text.push_str(&found.show(limit));
    let _ = match (found.count(), writes) {
        (0, _) => writeln!(text, "Everything is as it has to be: nothing to write."),
        (_, true) => Ok(()),
        (count, false) => writeln!(
            text,
            "{count} {}. Nothing was written: run it again with --write. That also tries whether root may write there.",
            if count == 1 { "change" } else { "changes" }
        ),
    };
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests {
    use super::*;

    const FILES: &str = include_str!("../../pcs-examples/ovd-file-server/scenario.toml");
    const OTHER: &str = include_str!("../../pcs-examples/ovd-session-manager/scenario.toml");

    #[test]
    fn a_scenario_says_what_the_file_servers_need() {
        let wanted = |text: &str| wanted("s.toml", &read("s.toml", text).unwrap().scenario);
        let said = format!("{:?}", wanted(FILES).unwrap());
        assert!(said.contains("nodes: [192.168.33.11, 192.168.33.12], address: 172.16.4.26/24"), "{said}");
        assert!(said.contains("link: Some(\"ens32\")") && said.contains("data: Some(\"/mnt/nfs/ovd\")"), "{said}");
        let said = format!("{:?}", wanted(&FILES.replace("# holder = ", "holder = ")).unwrap());
        assert!(said.contains("link: None"), "{said}");
        let Err(Failure::Input(line)) = wanted(OTHER) else { panic!("it has no CTDB") };
        assert!(line.starts_with("s.toml: a scenario of ovd-session-manager has no CTDB"), "{line}");
    }
}
