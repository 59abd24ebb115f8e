//! The lab proves itself: a cluster forms, fails over, fences and recovers, and nothing is left behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

#[path = "lab/stand_in.rs"]
mod stand_in;
mod support;
#[path = "lab/trace.rs"]
mod trace;

use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use libtest_mimic::{Arguments, Trial};
use support::lab::{Lab, Machine, Net, PASSWORD, Proto, VIP, enter, trial, wait_for, wait_idle};

const NODES: [&str; 3] = ["osm1", "osm2", "pcs3"];
static LAB: LazyLock<Lab> = LazyLock::new(|| Lab::new(&NODES).unwrap());

fn main() {
    if let Ok(way) = std::env::var(trace::WAY) {
        enter();
        trace::small_lab(&way);
        return;
    }
    let mut args = Arguments::from_args();
    if !args.list {
        enter();
    }
    // The trials build on each other: one cluster, one after the other.
    args.test_threads = Some(1);
    let over = |name: &str, body: fn(&Lab) -> Result<()>| trial(name, || &LAB, body);
    let trials = vec![
        Trial::test("nothing_is_left_after_end_and_panic", || Ok(trace::after_end_and_panic()?)),
        Trial::test("nothing_is_left_after_sigint_and_sigkill", || Ok(trace::after_sigint_and_sigkill()?)),
        over("commands_have_an_end_and_say_why", commands_have_an_end_and_say_why),
        over("server_sees_who_connects", server_sees_who_connects),
        over("meter_finds_a_known_outage", meter_finds_a_known_outage),
        over("power_switch_speaks_the_fencing_api", power_switch_speaks_the_fencing_api),
        over("stand_in_answers_as_documented", stand_in::answers_as_documented),
        over("sessions_pile_up_without_a_cookie", stand_in::sessions_pile_up_without_a_cookie),
        over("database_trouble_is_seen_where_it_is", stand_in::database_trouble_is_seen_where_it_is),
        over("meter_asks_the_session_manager", stand_in::meter_asks_the_session_manager),
        over("cluster_forms", cluster_forms),
        over("planned_move", planned_move),
        over("cron_runs_where_it_is_linked", stand_in::cron_runs_where_it_is_linked),
        over("killed_node_is_fenced_and_returns", killed_node_is_fenced_and_returns),
        over("reboot_starts_cron_and_not_apache", stand_in::reboot_starts_cron_and_not_apache),
        over("partitioned_node_is_fenced_and_returns", partitioned_node_is_fenced_and_returns),
        over("node_without_cluster_link_is_fenced", node_without_cluster_link_is_fenced),
        over("clean_shutdown_moves_without_fencing", clean_shutdown_moves_without_fencing),
    ];
    libtest_mimic::run(&args, trials).exit();
}

fn commands_have_an_end_and_say_why(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    let error = node.sh("echo said; echo complained >&2; exit 3").unwrap_err().to_string();
    for part in ["osm1", "exit code 3", "stdout: said", "stderr: complained"] {
        ensure!(error.contains(part), "{part:?} is missing in {error}");
    }
    let error = node.run_within(Duration::from_millis(300), &["sleep", "60"]).unwrap_err().to_string();
    ensure!(error.contains("time limit"), "{error}");
    ensure!(!node.output(["pgrep", "-x", "sleep"])?.ok(), "a command survived its time limit");

    node.write_file("/tmp/folder/file", "content\n", 0o750)?;
    ensure!(node.read_file("/tmp/folder/file")? == "content\n");
    ensure!(node.run(["stat", "-c", "%a", "/tmp/folder/file"])?.trim() == "750");
    node.copy_in("/etc/hostname", "/tmp/hostname", 0o600)?;
    ensure!(node.run(["hostname"])?.trim() == "osm1");
    ensure!(node.run(["getent", "hosts", "the-other-osm"])?.contains("192.168.100.12"));

    std::fs::write(lab.shared().join("note"), "for all\n")?;
    ensure!(lab.node("pcs3").read_file("/srv/shared/note")? == "for all\n");
    lab.client.run(["ping", "-c1", "-W2", "10.20.1.11"])?;
    lab.client.run(["ping", "-c1", "-W2", "fd00:20:1::11"])?;
    node.run(["ping", "-c1", "-W2", "dbmy.priv"])?;
    Ok(())
}

fn server_sees_who_connects(lab: &Lab) -> Result<()> {
    let node = lab.node("osm2");
    for proto in [Proto::Tcp, Proto::Udp] {
        for (target, expected) in [
            (lab.dbmy.address(Net::Srv), node.address(Net::Srv)),
            (lab.dbmy.address(Net::Priv), node.address(Net::Priv)),
            (lab.dbmy.address6(), node.address6()),
        ] {
            let seen = lab.source_seen_by_server(node, proto, target)?;
            ensure!(seen == expected, "{proto:?} to {target}: seen from {seen}, expected {expected}");
        }
    }
    Ok(())
}

fn meter_finds_a_known_outage(lab: &Lab) -> Result<()> {
    let meter = lab.measure(lab.node("osm1").address(Net::Srv))?;
    std::thread::sleep(Duration::from_millis(300));
    lab.net.link_down("osm1", Net::Srv)?;
    std::thread::sleep(Duration::from_secs(1));
    lab.net.link_up("osm1", Net::Srv)?;
    std::thread::sleep(Duration::from_millis(300));
    let outage = meter.stop()?;
    eprintln!("lab: link out for 1.00 s: {outage}");
    ensure!(outage.answers == ["osm1"], "{outage}");
    ensure!(outage.longest >= Duration::from_secs(1) && outage.longest < Duration::from_millis(1500), "{outage}");
    ensure!(outage.lost >= 40 && outage.lost <= 75, "{outage}");
    Ok(())
}

fn power_switch_speaks_the_fencing_api(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    ensure!(node.run(["pcs", "stonith", "describe", "fence_lab"])?.contains("Switches the power"));
    ensure!(node.sh("echo action=list | fence_lab")?.contains("pcs3.priv"));
    ensure!(node.output(["fence_lab", "-o", "status", "-n", "pcs3.priv"])?.code == Some(0));
    let unknown = node.output(["fence_lab", "-o", "off", "-n", "nobody"])?;
    ensure!(unknown.code == Some(1) && unknown.stderr.contains("no node nobody"), "{}", unknown.describe());
    lab.fencing.set_broken(true);
    let broken = node.output(["fence_lab", "-o", "monitor"])?;
    lab.fencing.set_broken(false);
    ensure!(broken.code == Some(1) && broken.stderr.contains("does not work"), "{}", broken.describe());

    let pcs3 = lab.node("pcs3");
    node.run(["fence_lab", "-o", "off", "-n", "pcs3.priv"])?;
    ensure!(!pcs3.is_on() && pcs3.leader_pid().is_err(), "switched off, but something is left");
    ensure!(node.output(["fence_lab", "-o", "status", "-n", "pcs3.priv"])?.code == Some(2));
    ensure!(!node.output(["ping", "-c1", "-W1", "pcs3.priv"])?.ok(), "a node without power answers");
    node.run(["fence_lab", "-o", "on", "-n", "pcs3.priv"])?;
    pcs3.boot()
}

fn cluster_forms(lab: &Lab) -> Result<()> {
    let first = lab.node("osm1");
    let names = lab.nodes().iter().map(|node| node.cluster_name()).collect::<Vec<_>>();
    let members = lab.nodes().iter().map(|node| format!("{} addr={}", node.cluster_name(), node.address(Net::Priv)));
    let members = members.collect::<Vec<_>>().join(" ");
    lab.phase("authenticated", || first.sh(&format!("pcs host auth -u hacluster -p {PASSWORD} {members}")))?;
    let setup = format!("pcs cluster setup lab {} totem token=1500 --enable --start --wait=120", names.join(" "));
    lab.phase("set up a cluster", || first.sh_within(Duration::from_secs(150), &setup))?;
    let all = names.join(",");
    lab.phase("configured it", || {
        let script = format!(
            "pcs cluster cib /root/cib
            pcs -f /root/cib resource defaults update resource-stickiness=100
            pcs -f /root/cib stonith create fence_x fence_lab pcmk_host_list={all}
            pcs -f /root/cib resource create vip ocf:heartbeat:IPaddr2 ip={VIP} cidr_netmask=24 nic=eth0 \
                op monitor interval=5s
            pcs -f /root/cib constraint location vip prefers osm1.priv=10
            pcs cluster cib-push /root/cib --wait=60"
        );
        first.sh_within(Duration::from_secs(90), &script)
    })?;
    let status = lab.status("pcs3")?;
    ensure!(status.online().len() == 3 && status.quorum, "{status:?}");
    ensure!(status.runs_only_on("vip", first), "{status:?}");
    ensure!(status.failures.is_empty(), "{:?}", status.failures);
    Ok(())
}

fn planned_move(lab: &Lab) -> Result<()> {
    let meter = lab.measure(VIP)?;
    lab.phase("moved", || {
        lab.node("osm1").run(["pcs", "resource", "move", "vip", "osm2.priv"])?;
        wait_idle(lab.node("osm1"), Duration::from_secs(30))
    })?;
    let outage = meter.stop()?;
    eprintln!("lab: planned move: {outage}");
    ensure!(outage.answers == ["osm1", "osm2"], "{outage}");
    ensure!(outage.longest < Duration::from_secs(2), "{outage}");
    ensure!(lab.status("osm2")?.runs_only_on("vip", lab.node("osm2")));
    Ok(())
}

fn killed_node_is_fenced_and_returns(lab: &Lab) -> Result<()> {
    loses_service(lab, "osm2", "killed node", |lab| lab.node("osm2").kill())?;
    back_to_three(lab, "osm2")
}

fn partitioned_node_is_fenced_and_returns(lab: &Lab) -> Result<()> {
    let victim = holder(lab)?;
    loses_service(lab, &victim, "partition", |lab| lab.net.partition(Net::Priv, &[&holder(lab)?]))?;
    lab.net.heal()?;
    back_to_three(lab, &victim)
}

fn node_without_cluster_link_is_fenced(lab: &Lab) -> Result<()> {
    let victim = holder(lab)?;
    loses_service(lab, &victim, "cluster link down", |lab| lab.net.link_down(&holder(lab)?, Net::Priv))?;
    lab.net.link_up(&victim, Net::Priv)?;
    back_to_three(lab, &victim)
}

fn clean_shutdown_moves_without_fencing(lab: &Lab) -> Result<()> {
    let victim = holder(lab)?;
    let off = lab.fencing.times_off(&victim);
    let meter = lab.measure(VIP)?;
    lab.phase("shut down", || lab.node(&victim).shutdown())?;
    wait_for(Duration::from_secs(20), "the service elsewhere", || Ok(holder(lab)? != victim))?;
    let outage = meter.stop()?;
    eprintln!("lab: clean shutdown: {outage}");
    ensure!(outage.longest < Duration::from_secs(5), "{outage}");
    ensure!(lab.fencing.times_off(&victim) == off, "a node that was shut down was fenced");
    lab.node(&victim).boot()?;
    back_to_three(lab, &victim)
}

/// Does harm to the node that runs the service, and expects it fenced and the service elsewhere.
fn loses_service(lab: &Lab, victim: &str, what: &str, harm: impl FnOnce(&Lab) -> Result<()>) -> Result<()> {
    ensure!(holder(lab)? == victim, "the service does not run on {victim}");
    let off = lab.fencing.times_off(victim);
    let meter = lab.measure(VIP)?;
    std::thread::sleep(Duration::from_millis(300));
    harm(lab)?;
    let name = format!("{what}: fenced");
    let limit = Duration::from_secs(40);
    lab.phase(&name, || wait_for(limit, "fencing", || Ok(lab.fencing.times_off(victim) > off)))?;
    wait_for(limit, "the service elsewhere", || Ok(holder(lab)? != victim))?;
    // The client's view lags behind by the announcement of the address.
    std::thread::sleep(Duration::from_millis(500));
    let outage = meter.stop()?;
    eprintln!("lab: {what}: {outage}");
    // Nobody else may have the address before the node is off; a partitioned one goes on answering until then.
    ensure!(outage.longest > Duration::from_millis(40) && outage.longest < Duration::from_secs(30), "{outage}");
    ensure!(outage.answers.len() == 2 && outage.answers[0] == victim, "{outage}");
    let witness = lab.node(&holder(lab)?);
    let seen = |status: support::lab::Status| status.times_fenced(lab.node(victim)) > 0;
    wait_for(limit, "the fencing history", || Ok(seen(support::lab::Status::seen_by(witness)?)))?;
    Ok(())
}

/// Waits until the node that was lost takes part again, and nothing more is to be done.
fn back_to_three(lab: &Lab, victim: &str) -> Result<()> {
    let limit = Duration::from_secs(60);
    lab.phase(&format!("{victim} is back"), || {
        wait_for(limit, "three nodes online", || {
            let status = lab.status(&holder(lab)?)?;
            Ok(status.online().len() == 3)
        })
    })?;
    let witness = holder(lab)?;
    wait_idle(lab.node(&witness), limit)?;
    let failures = lab.status(&witness)?.failures;
    ensure!(failures.is_empty(), "{failures:?}");
    Ok(())
}

/// The short name of the node that runs the service, as the majority sees it.
fn holder(lab: &Lab) -> Result<String> {
    for node in lab.nodes().iter().filter(|node| node.is_on()) {
        let Ok(status) = support::lab::Status::seen_by(node) else { continue };
        if !status.quorum {
            continue;
        }
        if let [name] = status.nodes_of("vip")[..] {
            return Ok(name.trim_end_matches(".priv").to_owned());
        }
    }
    bail!("no node with quorum knows one place of the service")
}
