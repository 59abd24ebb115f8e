//! What happens when: one trial after the other on one cluster.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::Body;
use crate::lab::{FOREIGN, LAB, LONG, Lab, NODES, VIP, said, wait_for};
use crate::node::Node;
use crate::traffic::{Slow, Traffic};
use crate::view::View;

pub const ALL: &[(&str, Body)] = &[
    ("the_generated_configuration_runs", || with(serves)),
    ("a_dead_real_server_gets_nothing_more", || with(real_server_dies)),
    ("a_lost_table_is_put_back_by_the_monitor", || with(table_is_lost)),
    ("the_address_leaves_a_director_that_alone_sees_nothing", || with(blind)),
    ("a_planned_move_keeps_open_connections_and_foreign_services", || with(standby)),
    ("the_address_leaves_a_director_that_is_lost", || with(lost)),
    ("a_stopped_clone_leaves_nothing_of_ours", || with(stopped)),
];

/// A trial on the cluster, which is made first when there is none.
fn with(body: fn(&'static Lab) -> Result<()>) -> Result<()> {
    let result = LAB.start().and_then(|()| body(&LAB));
    if result.is_err() {
        LAB.report();
    }
    result
}

/// All is as it should be: directors everywhere, their tables, what they see, no failure.
fn ready(lab: &Lab) -> Result<()> {
    let all: Vec<&str> = lab.directors().iter().map(|node| node.name.as_str()).collect();
    let begun = Instant::now();
    wait_for(LONG, "all directors to run and to see all real servers", || {
        let view = lab.view()?;
        let sees = |name: &str| view.attribute(name, "lvs_director-healthy") == "3";
        Ok(view.nodes_of("lvs_director") == all && all.iter().all(|name| sees(name)))
    })?;
    lab.settle()?;
    lab.wait_rules([1, 1, 1])?;
    // A director that could not reach its real servers has told so; Pacemaker lists that until it is cleaned up.
    let failures: Vec<_> = lab.view()?.failures().into_iter().filter(|line| !line.contains(" gave 190: ")).collect();
    ensure!(failures.is_empty(), "{failures:?}");
    said("all was well after", begun.elapsed());
    Ok(())
}

/// How often each director was started.
fn starts(lab: &Lab) -> Result<Vec<usize>> {
    lab.directors().iter().map(|node| lab.started(node)).collect()
}

fn serves(lab: &'static Lab) -> Result<()> {
    ready(lab)?;
    ensure!(lab.holder()?.name == NODES[0].0, "the address is on {}", lab.holder()?.name);
    let mut answers: Vec<String> = (0..6).map(|_| lab.ask()).collect::<Result<_>>()?;
    answers.sort();
    ensure!(answers == ["rs1", "rs1", "rs2", "rs2", "rs3", "rs3"], "{answers:?}");
    Ok(())
}

fn real_server_dies(lab: &'static Lab) -> Result<()> {
    ready(lab)?;
    let (before, holder, traffic) = (starts(lab)?, lab.holder()?, Traffic::start(lab));
    let dead = &lab.servers[1];
    dead.ip("link set eth0 down");
    let took = lab.wait_rules([1, 0, 1])?;
    let removed = Instant::now();
    std::thread::sleep(Duration::from_secs(15));
    let record = traffic.end();
    dead.ip_all(&["link set eth0 up".to_owned(), format!("route add default via {VIP}")]);
    let late = record.failures_since(removed);
    ensure!(late.is_empty(), "after it was taken out everywhere: {late:?}");
    ensure!(record.answered() > 50, "only {} answers", record.answered());
    said("a dead real server was taken out by both directors after", took);
    said("a real server that is back was taken in by both directors after", lab.wait_rules([1, 1, 1])?);
    ensure!(lab.holder()?.name == holder.name, "the address has moved to {}", lab.holder()?.name);
    ensure!(starts(lab)? == before, "a director was restarted");
    Ok(())
}

fn table_is_lost(lab: &'static Lab) -> Result<()> {
    ready(lab)?;
    let (before, holder) = (starts(lab)?, lab.holder()?);
    let table = holder.host()?;
    table.run("ipvsadm -C");
    ensure!(table.rules().is_empty() && lab.ask().is_err(), "it is not lost: {:?}", table.rules());
    said("a lost table was put back after", lab.wait_rules([1, 1, 1])?);
    lab.ask()?;
    ensure!(starts(lab)? == before && lab.holder()?.name == holder.name, "something was restarted");
    Ok(())
}

fn blind(lab: &'static Lab) -> Result<()> {
    ready(lab)?;
    let (before, old, traffic) = (starts(lab)?, lab.holder()?, Traffic::start(lab));
    let host = old.host()?;
    host.nft(
        "table inet blind {\n chain out {\n  type filter hook output priority 0;\n  \
         ip daddr { 192.168.71.121, 192.168.71.150, 192.168.71.220 } tcp dport 80 drop\n }\n}",
    );
    let (new, took) = lab.wait_moved(old)?;
    let seen = lab.view()?.attribute(&old.name, "lvs_director-healthy").to_owned();
    ensure!(seen == "0", "{} sees {seen}", old.name);
    said("the address left a director that alone sees nothing after", took);
    let since = Instant::now();
    std::thread::sleep(Duration::from_secs(5));
    host.nft("delete table inet blind");
    ready(lab)?;
    let record = traffic.end();
    let late = record.failures_since(since);
    ensure!(late.is_empty() && record.is_framed(), "after it moved: {late:?}");
    said("clients were without an answer for", record.outage());
    ensure!(lab.holder()?.name == new.name, "the address has moved on to {}", lab.holder()?.name);
    ensure!(starts(lab)? == before, "a director was restarted");
    Ok(())
}

fn standby(lab: &'static Lab) -> Result<()> {
    ready(lab)?;
    let old = lab.holder()?;
    let host = old.host()?;
    host.run(&format!("ipvsadm {FOREIGN}"));
    let traffic = Traffic::start(lab);
    let open = Slow::start(lab)?;
    let port = open.port.to_string();
    wait_for(LONG, "the other directors to know the open connection", || {
        let known = |node: &&Node| Ok(node.host()?.run("ipvsadm -L -n -c").contains(&format!("198.51.100.9:{port}")));
        let others = lab.directors().iter().filter(|node| node.name != old.name);
        Ok(others.map(|node| known(&node)).collect::<Result<Vec<_>>>()?.iter().all(|known| *known))
    })?;
    let begun = Instant::now();
    let set = |value| {
        old.run(&["crm_attribute", "--type", "nodes", "--node", &old.name, "--name", "standby", "--update", value])
    };
    set("on")?;
    let (new, _) = lab.wait_moved(old)?;
    said("a planned move was over after", begun.elapsed());
    let answer = open.end()?;
    ensure!(answer.starts_with("rs"), "{answer}");
    lab.settle()?;
    let since = Instant::now();
    // What is left on the old one is not ours.
    ensure!(old.rules()? == [FOREIGN], "left on {}: {:?}", old.name, old.rules()?);
    let daemons = host.run("ipvsadm -L --daemon");
    ensure!(daemons.trim().is_empty(), "left on {}: {daemons}", old.name);
    let state = old.said("ls /run/inuvika-ha");
    ensure!(!state.contains("lvs_director"), "left on {}: {state}", old.name);
    set("off")?;
    host.run("ipvsadm -D -t 192.0.2.7:80");
    ready(lab)?;
    let record = traffic.end();
    let late = record.failures_since(since);
    ensure!(late.is_empty() && record.is_framed(), "after it moved: {late:?}");
    said("clients were without an answer for", record.outage());
    ensure!(lab.holder()?.name == new.name, "the address has moved back to {}", lab.holder()?.name);
    Ok(())
}

fn lost(lab: &'static Lab) -> Result<()> {
    ready(lab)?;
    let (old, traffic) = (lab.holder()?, Traffic::start(lab));
    let others: Vec<&Node> = lab.directors().iter().filter(|node| node.name != old.name).collect();
    let warm: Vec<usize> = others.iter().map(|node| lab.started(node)).collect::<Result<_>>()?;
    let begun = Instant::now();
    old.cut();
    let (new, took) = lab.wait_moved(old)?;
    said("the address left a lost director after", took);
    let fenced = lab.fenced.lock().unwrap().clone();
    let [(name, at)] = &fenced[..] else { bail!("{} was lost, fenced: {fenced:?}", old.name) };
    ensure!(*name == old.name, "{name} was fenced, {} was lost", old.name);
    said("it was fenced after", *at - begun);
    // Its table was there before.
    let now: Vec<usize> = others.iter().map(|node| lab.started(node)).collect::<Result<_>>()?;
    ensure!(now == warm, "a director was restarted");
    wait_for(LONG, "all nodes online", || Ok(lab.view()?.online().len() == 3))?;
    ready(lab)?;
    said("it was back, with its table, after", begun.elapsed());
    let record = traffic.end();
    ensure!(record.is_framed(), "clients are not served");
    said("clients were without an answer for", record.outage());
    // A node that was off itself hears of it later.
    let told = View::of(others[0])?;
    ensure!(told.fenced() == [old.name.as_str()], "fenced: {:?}", told.fenced());
    ensure!(lab.holder()?.name == new.name, "the address has moved back to {}", lab.holder()?.name);
    Ok(())
}

fn stopped(lab: &'static Lab) -> Result<()> {
    ready(lab)?;
    for node in lab.directors() {
        node.host()?.run(&format!("ipvsadm {FOREIGN}"));
    }
    let node = &lab.directors()[0];
    let role = ["crm_resource", "--resource", "lvs_director-clone", "--meta"];
    node.run(&[&role[..], &["--set-parameter", "target-role", "--parameter-value", "Stopped"]].concat())?;
    lab.settle()?;
    let view = lab.view()?;
    ensure!(view.nodes_of("lvs_director").is_empty() && view.nodes_of("virtual_ip").is_empty(), "something runs");
    for node in lab.directors() {
        ensure!(node.rules()? == [FOREIGN], "left on {}: {:?}", node.name, node.rules()?);
        ensure!(node.host()?.ip(&format!("-o address show to {VIP}")).is_empty(), "{} has the address", node.name);
        node.host()?.run("ipvsadm -D -t 192.0.2.7:80");
    }
    node.run(&[&role[..], &["--delete-parameter", "target-role"]].concat())?;
    ready(lab)?;
    lab.holder()?;
    lab.ask().map(drop)
}
