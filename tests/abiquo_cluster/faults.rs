//! What breaks on the active node: said where administrators look, and healed or moved as it should.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::servers::{RABBIT_PASSWORD, WRONG_PASSWORD};
use crate::site::{self, LIMIT, NOTICED, TOMCAT};
use crate::support::abiquo_node::{BASE, FOLDER, PROPERTIES, main_process};
use crate::support::lab::{Failure, Lab, Machine, Node, wait_for, wait_idle};
use crate::support::ovd;

/// Two monitors of depth 20.
const SEEN: Duration = Duration::from_secs(60);

pub fn stopped(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let node = site::active(lab)?;
    let before = main_process(node)?;
    node.run(["kill", "-STOP", &before])?;
    let begun = Instant::now();
    let restarted = || {
        let now = main_process(node)?;
        Ok(now != before && now != "0" && site::active(lab).is_ok() && site::answers(lab)?)
    };
    wait_for(LIMIT, "Tomcat to be started again", restarted)?;
    eprintln!("abiquo_cluster: a stopped Tomcat served again after {:.1} s", begun.elapsed().as_secs_f32());
    wait_idle(node, LIMIT)?;
    ensure!(site::active(lab)?.name() == node.name(), "the group moved");
    let told = site::reasons(lab)?;
    ensure!(told.iter().any(|(code, text)| *code == 1 && text.contains("is stopped (SIGSTOP)")), "{told:?}");
    ovd::forget(lab)?;
    site::settled(lab)
}

/// Breaks something that a restart does not mend: it has to be told by the monitor, and the group to go to the other node.
fn moves(lab: &Lab, reason: &str, break_it: &str, mend: &str) -> Result<()> {
    ovd::forget(lab)?;
    let (node, other) = (site::active(lab)?, site::passive(lab)?);
    node.sh(break_it)?;
    let moved: Result<()> = (|| {
        let told = site::wait_reason(lab, 1, reason, SEEN)?;
        let took = site::wait_active(lab, other, LIMIT)?;
        eprintln!(
            "abiquo_cluster: {reason:?}: told after {:.0} s, on the other node {:.0} s later",
            told.as_secs_f32(),
            took.as_secs_f32()
        );
        let failures = ovd::view(lab)?.failures;
        // Where it went all is well; where it was the restart was tried and says why it did not help.
        // The first look of each depth only reports it.
        let said = |f: &Failure| [1, 190].contains(&f.code) && f.reason.contains(reason);
        let expected = |f: &Failure| f.node == node.cluster_name() && said(f);
        let unexpected = failures.iter().find(|f| !expected(f));
        ensure!(unexpected.is_none() && !failures.is_empty(), "{failures:?}");
        ensure!(failures.iter().any(|f| f.operation == format!("{TOMCAT}_start_0")), "no restart: {failures:?}");
        Ok(())
    })();
    node.sh(mend)?;
    moved?;
    ovd::forget(lab)?;
    ensure!(site::active(lab)?.name() == other.name(), "it moved back");
    site::settled(lab)
}

pub fn undeployed(lab: &Lab) -> Result<()> {
    moves(
        lab,
        "webapp xas: status 404: it is not deployed",
        &format!("mv {BASE}/webapps/xas /root/xas"),
        &format!("mv /root/xas {BASE}/webapps/xas"),
    )
}

pub fn wrong_site(lab: &Lab) -> Result<()> {
    moves(
        lab,
        // Quotes come differently from version to version of crm_mon.
        "webapp vsm: it is of datacenter ",
        &format!("echo 200 elsewhere > {FOLDER}/answer-vsm"),
        &format!("rm {FOLDER}/answer-vsm"),
    )
}

pub fn rabbit_password(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let node = site::active(lab)?;
    let (before, cursor) = (main_process(node)?, site::cursor(node)?);
    // Edited everywhere, as administrators do; the running Tomcat has read the old one.
    let edit = |from: &str, to: &str| {
        lab.nodes().iter().try_for_each(|node| node.sh(&format!("sed -i 's/{from}/{to}/' {PROPERTIES}")).map(drop))
    };
    edit(RABBIT_PASSWORD, WRONG_PASSWORD)?;
    let told = site::wait_reason(lab, 190, "RabbitMQ 10.20.1.21:5672 refuses: ACCESS_REFUSED", SEEN);
    let visible = visible(lab);
    edit(WRONG_PASSWORD, RABBIT_PASSWORD)?;
    told?;
    let visible = visible?;
    ensure!(!visible.contains(WRONG_PASSWORD) && !visible.contains(RABBIT_PASSWORD), "a password can be seen");
    ensure!(visible.contains("ACCESS_REFUSED"), "this proves nothing: {visible}");
    // A refusal is everybody's: it is no view of this node alone.
    ensure!(site::published(node, "dependencies")? == "ok");
    ok_again(node, &cursor, "ACCESS_REFUSED")?;
    stays(lab, node, &before)
}

pub fn properties_differ(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    let (node, other) = (site::active(lab)?, site::passive(lab)?);
    let (before, cursor) = (main_process(node)?, site::cursor(node)?);
    let equal = || -> Result<bool> {
        let both = [site::published(node, "properties")?, site::published(other, "properties")?];
        Ok(both[0].starts_with("p2.") && both[0] == both[1])
    };
    wait_for(SEEN, "equal fingerprints", equal)?;
    node.sh(&format!("echo 'abiquo.stand.in = aubergine' >> {PROPERTIES}"))?;
    other.sh(&format!("echo 'abiquo.stand.in = tangerine' >> {PROPERTIES}"))?;
    let reason = format!("properties differ from those of {}: abiquo.stand.in", other.cluster_name());
    let told = site::wait_reason(lab, 190, &reason, SEEN);
    // The cluster's own tool, for all nodes at once, as the agent asks it.
    let all = node.run(["attrd_updater", "-n", "abiquo_rs-properties", "-A", "-Q"]);
    let visible = visible(lab);
    lab.nodes().iter().try_for_each(|node| node.sh(&format!("sed -i '/^abiquo.stand.in/d' {PROPERTIES}")).map(drop))?;
    told?;
    let (all, visible) = (all?, visible?);
    ensure!(all.lines().filter(|line| line.contains("value=\"p2.")).count() == 2, "{all}");
    ensure!(visible.contains("abiquo.stand.in"), "this proves nothing: {visible}");
    ensure!(!visible.contains("aubergine") && !visible.contains("tangerine"), "a value can be seen");
    ok_again(node, &cursor, "properties differ")?;
    wait_for(SEEN, "equal fingerprints again", equal)?;
    other_secret(node, other)?;
    wait_for(SEEN, "equal fingerprints at the end", equal)?;
    stays(lab, node, &before)
}

/// The fingerprint is made with corosync's key: with another one nobody can tell values from it, and it is not taken for equal.
fn other_secret(node: &Node, other: &Node) -> Result<()> {
    let cursor = site::cursor(node)?;
    let before = site::published(other, "properties")?;
    other.sh("cd /etc/corosync; cp -p authkey authkey.kept; head -c 256 /dev/urandom > authkey")?;
    let said = |what: &str| {
        let journal = site::journal_since(node, &cursor)?;
        Ok(journal.lines().any(|line| line.contains(what) && line.contains("its properties cannot be compared")))
    };
    let about = format!("the cluster's secret on {} (authkey)", other.cluster_name());
    let told = wait_for(SEEN, "the other secret", || said(&about));
    let with_other = site::published(other, "properties");
    other.sh("cd /etc/corosync; mv authkey.kept authkey")?;
    told?;
    let (before, with_other) = (before, with_other?);
    let parts = |text: &str| text.split('.').nth(2).map(str::to_owned).unwrap_or_default();
    ensure!(parts(&before).len() == parts(&with_other).len(), "{before} {with_other}");
    ensure!(!parts(&before).is_empty() && parts(&before) != parts(&with_other), "a value can be tried out: {before}");
    wait_for(SEEN, "the end of that", || said("no longer: "))?;
    Ok(())
}

/// Everything that others than root's own files can show: cluster status, configuration, state, and the logs.
fn visible(lab: &Lab) -> Result<String> {
    let mut all = String::new();
    for node in lab.nodes() {
        all += &node.run(["crm_mon", "-1", "-A", "-r", "-f", "--output-as=xml"])?;
        all += &node.run(["pcs", "status", "--full"])?;
        all += &node.run(["cibadmin", "--query"])?;
        all += &node.run(["journalctl", "-q", "--no-pager", "-o", "cat"])?;
        all += &node.read_file("/var/log/pacemaker/pacemaker.log")?;
    }
    Ok(all)
}

/// Waits until the agent says in the log that what it complained about is over.
fn ok_again(node: &Node, cursor: &str, what: &str) -> Result<()> {
    let said = || {
        let journal = site::journal_since(node, cursor)?;
        Ok(journal.lines().any(|line| line.contains("ok again, was: ") && line.contains(what)))
    };
    wait_for(NOTICED, &format!("ok after {what:?}"), said).map(drop)
}

/// Nothing has been restarted or moved.
fn stays(lab: &Lab, node: &Node, before: &str) -> Result<()> {
    let failures = ovd::view(lab)?.failures;
    ensure!(failures.iter().all(|f| f.code == 190), "{failures:?}");
    ensure!(site::active(lab)?.name() == node.name() && main_process(node)? == before, "something has moved");
    ovd::forget(lab)?;
    site::settled(lab).context("afterwards")
}
