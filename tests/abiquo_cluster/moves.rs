//! Planned moves: with the agent, and with the script of the guide in its place. The figures are printed and not judged.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::site::{self, ALL, GROUP, LIMIT, TOMCAT};
use crate::support::abiquo_node::{self, PORT};
use crate::support::lab::{Lab, Machine, Meter, Node, Question, VIP, wait_for, wait_idle};
use crate::support::ovd;

/// The guide's resource.
const SCRIPT: &str = "abiquo_tomcat";

pub fn planned(lab: &Lab) -> Result<()> {
    ovd::forget(lab)?;
    for _ in 0..2 {
        let figures = there(lab, &ALL)?;
        eprintln!("abiquo_cluster: planned move, ocf:inuvika:abiquo-rs: {figures}");
        site::settled(lab)?;
    }
    let failures = ovd::view(lab)?.failures;
    ensure!(failures.is_empty(), "{failures:?}");

    // The same group, with the script in the agent's place.
    let node = lab.node("rsha1");
    lab.nodes().iter().try_for_each(|node| abiquo_node::install_script(node))?;
    let pcs = |words: &str| node.sh_within(LIMIT, &format!("pcs resource {words} 2>&1"));
    pcs(&format!("disable {TOMCAT} --wait=120"))?;
    let measured: Result<()> = (|| {
        pcs(&format!(
            "create {SCRIPT} lsb:abiquo-tomcat op monitor interval=10s start timeout=180s stop timeout=60s \
             --group {GROUP} --before {TOMCAT} --wait=120"
        ))?;
        wait_answer(lab)?;
        for _ in 0..2 {
            let figures = there(lab, &[ALL[0], ALL[1], SCRIPT])?;
            eprintln!("abiquo_cluster: planned move, lsb:abiquo-tomcat: {figures}");
        }
        Ok(())
    })();
    let deleted = pcs(&format!("delete {SCRIPT}"));
    wait_idle(node, LIMIT)?;
    lab.nodes().iter().try_for_each(|node| node.run(["rm", "-f", "/etc/init.d/abiquo-tomcat"]).map(drop))?;
    pcs(&format!("enable {TOMCAT} --wait=120"))?;
    measured?;
    deleted?;
    wait_for(LIMIT, "the agent's Tomcat", || Ok(site::active(lab).is_ok()))?;
    ovd::forget(lab)?;
    site::settled(lab)
}

/// Moves the group to the other node; the last of `ids` is Tomcat. What a client saw, and the time of Tomcat's own actions.
fn there(lab: &Lab, ids: &[&str; 3]) -> Result<String> {
    let from = ovd::active_of(lab, ids)?;
    let target = lab.nodes().iter().find(|node| node.name() != from.name()).context("no other node")?;
    let asked = Question::http(&VIP.to_string(), "/xas/check").with_body("rsha");
    // Tomcat's status line ends with the number.
    let question = Question { expected: " 200".to_owned(), ..asked };
    let meter = Meter::start(&lab.client, (VIP, PORT).into(), question)?;
    let begun = std::time::Instant::now();
    target.run(["crm_resource", "--move", "--resource", GROUP, "--node", &target.cluster_name()])?;
    wait_for(LIMIT, "the group there", || Ok(ovd::active_of(lab, ids)?.name() == target.name()))?;
    wait_idle(target, LIMIT)?;
    // For the cluster it is done; with a script that says "started" at once it is not for the clients.
    let settled = begun.elapsed();
    wait_answer(lab)?;
    std::thread::sleep(Duration::from_millis(500));
    let outage = meter.stop()?;
    target.run(["crm_resource", "--clear", "--resource", GROUP])?;
    wait_idle(target, LIMIT)?;
    ensure!(ovd::active_of(lab, ids)?.name() == target.name(), "it moved back");
    let (stop, start) = (took(from, ids[2], "stop")?, took(target, ids[2], "start")?);
    Ok(format!(
        "a client saw {:.2} s; Tomcat's stop {stop:.2} s and start {start:.2} s of it; the cluster was done after {:.1} s",
        outage.longest.as_secs_f32(),
        settled.as_secs_f32()
    ))
}

fn wait_answer(lab: &Lab) -> Result<()> {
    wait_for(LIMIT, "an answer to a client", || site::answers(lab)).map(drop)
}

/// How long the last operation of that kind took on a node, in seconds, as Pacemaker has recorded it.
fn took(node: &Node, id: &str, operation: &str) -> Result<f32> {
    let path = format!(
        "//node_state[@uname='{}']//lrm_resource[@id='{id}']/lrm_rsc_op[@operation='{operation}']",
        node.cluster_name()
    );
    let text = node.run(["cibadmin", "--query", "--xpath", &path])?;
    let ms = text.split("exec-time=\"").nth(1).and_then(|rest| rest.split('"').next()?.parse::<f32>().ok());
    ms.map(|ms| ms / 1000.0).with_context(|| format!("no {operation} of {id} in the history:\n{text}"))
}
