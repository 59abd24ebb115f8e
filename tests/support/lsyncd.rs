//! lsyncd in nodes of the lab: what it needs, the failover guide's own configuration of it, and what came of the files.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::lab::{Lab, Machine, Node};
use super::session_manager::SESSIONS;
use super::sshd;
use super::writer::{Sessions, is_lively};

/// The instance's folder on a node, which survives a reboot.
pub const ATTIC: &str = "/var/lib/inuvika-ha/lsyncd";
/// The node attribute that says how good a copy is.
pub const REPLICA: &str = "lsyncd-replica";

/// The configuration of the guide for Debian and Ubuntu, as it stands there.
const GUIDE: &str = r#"host = "the-other-osm"
folders = {
    "/var/spool/ovd/session-manager",
    "/etc/ovd/session-manager",
    "/var/lib/php/sessions",
}
settings {
    logfile = "/var/log/lsyncd.log",
    insist = true,
}
for _, folder in ipairs( folders ) do
    sync {
        default.rsyncssh,
        source = folder,
        host = host,
        targetdir = folder,
        exclude = {'.*'},
        rsync = {
            archive = true,
            prune_empty_dirs = true,
            _extra = {'--rsh=ssh -i /root/.ssh/sync_rsa'},
        },
        ssh = {
            identityFile = '/root/.ssh/sync_rsa',
        },
    }
end
"#;
/// Its name in the guide's cluster is lsyncd.service; here it must not be taken for what the agent refuses.
const GUIDE_UNIT: &str = "guide-lsyncd.service";

/// sshd, keys and the folders, on the two nodes that may run it. The distribution's lsyncd is switched off.
pub fn install(lab: &Lab, pair: [&str; 2]) -> Result<()> {
    for name in pair {
        lab.node(name).sh("systemctl disable --now lsyncd 2>/dev/null || true")?;
    }
    sshd::install(lab, pair)
}

/// Starts the guide's lsyncd, as its cluster does on the active node.
pub fn start_guide(node: &Node) -> Result<()> {
    node.write_file("/etc/lsyncd/lsyncd.conf.lua", GUIDE, 0o644)?;
    let run = "/usr/bin/lsyncd -nodaemon /etc/lsyncd/lsyncd.conf.lua";
    node.sh(&format!("rm -f /var/log/lsyncd.log; systemd-run --quiet --unit={GUIDE_UNIT} {run}"))?;
    Ok(())
}

/// Stops it, as its cluster does.
pub fn stop_guide(node: &Node) -> Result<()> {
    node.sh(&format!("systemctl stop {GUIDE_UNIT} 2>/dev/null || true; rm -rf /etc/lsyncd"))?;
    Ok(())
}

/// The hash of every session file of a node, by name.
pub fn hashes(node: &Node) -> Result<BTreeMap<String, String>> {
    hashes_below(node, SESSIONS)
}

/// The same of the sessions that a backup on that node has kept.
pub fn kept(node: &Node) -> Result<BTreeMap<String, String>> {
    hashes_below(node, &format!("{ATTIC}/backup"))
}

fn hashes_below(node: &Node, folder: &str) -> Result<BTreeMap<String, String>> {
    let find = format!("[ -d {folder} ] || exit 0; find {folder} -type f -name 'sess_*' -print0 | xargs -0r sha256sum");
    let text = node.sh(&format!("set +o pipefail; {find} 2>/dev/null || true"))?;
    let file = |line: &str| {
        let (hash, path) = line.split_once("  ")?;
        Some((path.rsplit('/').next()?.to_owned(), hash.to_owned()))
    };
    text.lines().map(|line| file(line).with_context(|| format!("sha256sum said {line:?}"))).collect()
}

/// The sessions that are not among those files of a node, byte for byte. One that is written again and again may be newer
/// than its last acknowledgement, when the answer got lost.
pub fn missing(sessions: &Sessions, files: &BTreeMap<String, String>, node: &Node) -> Result<Vec<String>> {
    let differs = |name: &str, hash: &str| files.get(name).is_none_or(|found| found != hash);
    let mut missing = Vec::new();
    for (name, kept) in sessions.iter().filter(|(name, kept)| differs(name, &kept.hash)) {
        let newer = files.contains_key(name) && is_lively(name) && number(node, name)? > kept.number;
        if !newer {
            missing.push(name.clone());
        }
    }
    Ok(missing)
}

/// The number in a session's file.
fn number(node: &Node, file: &str) -> Result<usize> {
    let text = node.read_file(&format!("{SESSIONS}/{file}"))?;
    let number = text.split("number|i:").nth(1).and_then(|rest| rest.split(';').next());
    number.and_then(|digits| digits.parse().ok()).with_context(|| format!("{file} holds {text:.40}"))
}

/// What the cluster knows of a node's copy; empty when nothing.
pub fn replica(lab: &Lab, of: &Node) -> Result<String> {
    let asked = lab.nodes().iter().find(|node| node.is_on()).context("every node is off")?;
    let ask = ["crm_attribute", "--node", &of.cluster_name(), "--name", REPLICA, "--query", "--quiet"];
    Ok(asked.output(ask)?.stdout.trim().to_owned())
}
