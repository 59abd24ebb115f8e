//! A node dies with files that only it has, and returns.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::replication::{COPIED, KEPT, wait_copied, whole, whole_among};
use crate::settled;
use crate::support::lab::{Lab, Machine, Node, wait_for, wait_idle};
use crate::support::writer::{Sessions, Writer, is_lively};
use crate::support::{lsyncd, ovd};

const LIMIT: Duration = Duration::from_secs(90);
/// The guide's lsyncd gathers changes for 15 s, and asks a node that is down again as often.
const GUIDE: Duration = Duration::from_secs(90);
const FILES: usize = 60;

/// Lets no ssh through to a node, or from it, without an answer to who asks.
pub fn cut_ssh(node: &Node) -> Result<()> {
    let rules = ["input tcp dport 22", "input tcp sport 22", "output tcp dport 22", "output tcp sport 22"];
    let rules: String = rules.iter().map(|rule| format!("nft add rule inet test_cut {rule} drop\n")).collect();
    let chain =
        |hook: &str| format!("nft add chain inet test_cut {hook} '{{ type filter hook {hook} priority -300; }}'\n");
    node.sh(&format!("nft add table inet test_cut\n{}{}{rules}", chain("input"), chain("output")))?;
    Ok(())
}

/// Lets it through again.
pub fn heal_ssh(node: &Node) -> Result<()> {
    node.run(["nft", "delete", "table", "inet", "test_cut"])?;
    Ok(())
}

/// Keeps sessions that the other node gets, then some that it does not get, and cuts the power: what it had got, and what not.
/// No ssh gets through until the heir serves: a node of the lab boots so fast that it would be asked, and give what it has.
/// The names begin with `prefix`: what an earlier trial left in a backup folder must not be taken for these.
fn die_with_unsynced(lab: &Lab, victim: &Node, heir: &Node, prefix: &str) -> Result<(Sessions, Sessions)> {
    let writer = Writer::start(lab, prefix)?;
    writer.more(FILES);
    writer.wait(0, KEPT)?;
    let synced = writer.kept();
    wait_for(COPIED, "the sessions to arrive", || whole(&synced, heir).map(|()| true))?;
    cut_ssh(heir)?;
    writer.more(FILES);
    let wrote = writer.wait(0, KEPT);
    let all = writer.kept();
    drop(writer);
    let there = lsyncd::hashes(heir)?;
    victim.kill()?;
    let serves = ovd::wait_serving(lab, heir, LIMIT).and_then(|_| wait_idle(heir, LIMIT));
    heal_ssh(heir)?;
    wrote?;
    serves?;
    let unsynced: Sessions = all.into_iter().filter(|(name, kept)| synced.get(name) != Some(kept)).collect();
    let arrived = unsynced.iter().filter(|(name, kept)| there.get(*name) == Some(&kept.hash)).count();
    ensure!(arrived == 0 && unsynced.len() > FILES / 2, "{arrived} of {} arrived all the same", unsynced.len());
    let whole: Sessions = synced.into_iter().filter(|(name, _)| !unsynced.contains_key(name)).collect();
    Ok((whole, unsynced))
}

pub fn returns(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (victim, heir) = (ovd::active(lab)?, ovd::passive(lab)?);
    wait_copied(lab, heir)?;
    let (synced, unsynced) = die_with_unsynced(lab, victim, heir, "lost")?;
    ovd::wait_active(lab, heir, LIMIT)?;
    let writer = Writer::start(lab, "heir")?;
    writer.more(FILES);
    writer.wait(0, KEPT)?;
    let later = writer.kept();
    drop(writer);

    ovd::wait_all_online(lab, LIMIT)?;
    wait_idle(heir, LIMIT)?;
    let took = wait_copied(lab, victim)?;
    eprintln!("cluster: the returned node had a whole copy after {:.0} s", took.as_secs_f32());
    ensure!(ovd::active(lab)?.name() == heir.name(), "the services moved back");
    // What the heir has stays, and is what the returned node has, too.
    for node in [heir, victim] {
        whole(&synced, node)?;
        whole(&later, node)?;
    }
    // What only the returned node had is out of the way, and not lost.
    whole_among(&unsynced, &lsyncd::kept(victim)?, victim)?;
    let there = lsyncd::hashes(victim)?;
    let left = unsynced.iter().filter(|(name, kept)| there.get(*name) == Some(&kept.hash)).count();
    ensure!(left == 0, "{left} files of the lost node are still in use on it");
    let journal = heir.sh("journalctl -q -o cat --no-pager | grep -F backup || true")?;
    let named = unsynced.keys().filter(|name| journal.contains(name.as_str())).count();
    ensure!(named > 0, "the log of {} names none of {} files:\n{journal}", heir.name(), unsynced.len());
    let listed = victim.run(["inuvika-ha", "replica", "list"])?;
    ensure!(listed.contains(&format!("{}/backup/", lsyncd::ATTIC)), "{listed}");
    ovd::forget(lab)?;
    settled(lab)
}

/// The test of the test: with the guide's own configuration in the agent's place the same run loses files, on the node that
/// returns, and then on the one that serves.
pub fn guide_loses(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (victim, heir) = (ovd::active(lab)?, ovd::passive(lab)?);
    let role = ["crm_resource", "--resource", ovd::LSYNCD, "--meta", "--set-parameter", "target-role"];
    heir.run_within(LIMIT, &[&role[..], &["--parameter-value", "Stopped"]].concat())?;
    wait_idle(heir, LIMIT)?;
    lsyncd::start_guide(victim)?;
    let (_, unsynced) = die_with_unsynced(lab, victim, heir, "guide")?;
    lsyncd::start_guide(heir)?;
    ovd::wait_all_online(lab, LIMIT)?;
    let found = |name: &str| -> Result<Vec<String>> {
        let files: BTreeSet<String> = unsynced.keys().filter(|name| !is_lively(name)).cloned().collect();
        let listed = lab.node(name).sh("find / -xdev -name 'sess_guide-*' -printf '%p\\n'")?;
        let found = listed.lines().filter(|path| path.rsplit('/').next().is_some_and(|file| files.contains(file)));
        Ok(found.map(str::to_owned).collect())
    };
    wait_for(GUIDE, "the guide's start to delete what the returned node alone had", || {
        let left = found(victim.name())?;
        ensure!(left.is_empty(), "{} are left", left.len());
        Ok(true)
    })?;
    let elsewhere = found(heir.name())?;
    ensure!(elsewhere.is_empty(), "{} has {:?}", heir.name(), &elsewhere[..elsewhere.len().min(5)]);
    let lost = unsynced.keys().filter(|name| !is_lively(name)).count();
    eprintln!("cluster: with the guide's configuration {lost} sessions are lost without a word");

    // Enabled at boot, it does the same to the node that serves.
    let writer = Writer::start(lab, "served")?;
    writer.more(FILES);
    writer.wait(0, KEPT)?;
    let served = writer.kept();
    drop(writer);
    whole(&served, heir)?;
    lsyncd::start_guide(victim)?;
    let gone = || {
        Ok(served.keys().filter(|name| !is_lively(name)).all({
            let there = lsyncd::hashes(heir)?;
            move |name| !there.contains_key(name)
        }))
    };
    let gone = wait_for(GUIDE, "the guide's start to delete what the active node has", gone);
    for node in [victim, heir] {
        lsyncd::stop_guide(node)?;
    }
    gone?;
    heir.run_within(LIMIT, &[&role[..3], &["--meta", "--delete-parameter", "target-role"]].concat())?;
    wait_idle(heir, LIMIT)
}
