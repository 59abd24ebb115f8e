//! `inuvika-ha lvs` on a director.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use inuvika_ha::ocf::instance::Instance;

use crate::Body;
use crate::bed::{Site, VIP, ip, wait_for};
use crate::resource::{Resource, rules, same};
use crate::wider::program;

pub const TRIALS: &[(&str, Body)] = &[
    ("show_has_wanted_and_found_side_by_side", show_has_wanted_and_found_side_by_side),
    ("check_asks_and_changes_nothing", check_asks_and_changes_nothing),
    ("run_is_the_same_loop_in_the_foreground", run_is_the_same_loop_in_the_foreground),
    ("the_script_has_a_loop_in_the_background", the_script_has_a_loop_in_the_background),
    ("drain_waits_for_the_last_connection", drain_waits_for_the_last_connection),
    ("doctor_tells_who_answers_past_the_director", doctor_tells_who_answers_past_the_director),
];

/// What it printed; it has to end with this exit code.
fn said(output: &Output, code: i32) -> Result<String> {
    ensure!(output.status.code() == Some(code), "{output:?}");
    Ok(String::from_utf8_lossy(if code == 2 { &output.stderr } else { &output.stdout }).into_owned())
}

fn show_has_wanted_and_found_side_by_side() -> Result<()> {
    let site = Site::new(2);
    let mut servers = site.serve(80);
    let shown = |words: &[&str], code| said(&site.director.ha(&[&["lvs", "show"], words].concat()), code);
    ensure!(shown(&[], 0)?.contains("no director was started"));
    let resource = Resource::new(&site.director, "shown", 2).with("fall", "1");
    resource.must("start", 0)?;
    drop(servers.remove(1));
    resource.round(0)?;
    site.director.run(&format!("ipvsadm -e -t {VIP}:80 -r 10.0.0.11:80 -m -w 7"));
    let table = shown(&[], 0)?;
    for part in
        ["shown: 1 of 2 real servers are well", "tcp 198.51.100.100:80 (rr): ok, 1 usable", "7, wanted 1", "down"]
    {
        ensure!(table.contains(part), "{part:?} is not in\n{table}");
    }
    let json: serde_json::Value = serde_json::from_str(&shown(&["--json", "--instance", "shown"], 0)?)?;
    let rows = &json[0]["services"][0]["servers"];
    ensure!(json[0]["instance"] == "shown" && json[0]["healthy"] == 1, "{json}");
    ensure!(rows[0]["weight_found"] == 7 && rows[0]["weight_wanted"] == 1 && rows[0]["health"] == "up", "{rows}");
    ensure!(rows[1]["weight_found"] == 0 && rows[1]["health"] == "down", "{rows}");
    ensure!(rows[1]["answer"].as_str().is_some_and(|answer| answer.contains("10.0.0.12:80")), "{rows}");
    ensure!(site.director.ha(&["lvs", "show", "--instance", "other"]).status.code() == Some(1));
    resource.stop()
}

fn check_asks_and_changes_nothing() -> Result<()> {
    let site = Site::new(2);
    let mut servers = site.serve(80);
    let file = "/tmp/checked.toml";
    let text = format!("check = {{ type = \"http\" }}\n[[service]]\nvirtual = \"{VIP}:80\"\nreal = \"10.0.0.11-12\"\n");
    fs::write(file, &text)?;
    let check = || site.director.ha(&["lvs", "check", "--config", file]);
    let lines = said(&check(), 0)?;
    ensure!(lines.lines().count() == 2 && lines.lines().all(|line| line.starts_with("up ")), "{lines}");
    drop(servers.remove(0));
    let lines = said(&check(), 1)?;
    ensure!(lines.contains("down     http 10.0.0.11:80/"), "{lines}");
    ensure!(site.director.rules().is_empty() && !fs::exists("/run/inuvika-ha")?);
    let by_parameters = ["virtual_ip=198.51.100.100", "ports=80", "real_servers=10.0.0.12", "check=http:/"];
    let words: Vec<&str> = by_parameters.iter().flat_map(|pair| ["--param", pair]).collect();
    said(&site.director.ha(&[&["lvs", "check"], words.as_slice()].concat()), 0)?;
    fs::write(file, text.replace("real", "rael"))?;
    let line = said(&check(), 2)?;
    ensure!(line.contains("/tmp/checked.toml:") && line.lines().count() == 1, "{line}");
    Ok(())
}

fn run_is_the_same_loop_in_the_foreground() -> Result<()> {
    let site = Site::new(2);
    let mut servers = site.serve(80);
    let pairs = [
        "virtual_ip=198.51.100.100",
        "ports=80",
        "real_servers=10.0.0.11-12",
        "check=http:/",
        "scheduler=rr",
        "fall=1",
    ];
    let begin = |more: &[&str]| -> Result<Child> {
        let mut command = site.director.command("inuvika-ha");
        command.args(["lvs", "run", "--instance", "ran", "--interval", "1"]).args(more);
        Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
    };
    let first = pairs.iter().flat_map(|pair| ["--param", pair]).collect::<Vec<_>>();
    let mut child = begin(&first)?;
    let limit = Duration::from_secs(60);
    wait_for(limit, "the table", || Ok(site.director.rules() == rules(&[1, 1])))?;
    drop(servers.remove(0));
    wait_for(limit, "a dead real server to be seen", || Ok(site.director.rules() == rules(&[0, 1])))?;
    site.director.run("ipvsadm -C");
    wait_for(limit, "a lost table to be healed", || Ok(site.director.rules() == rules(&[0, 1])))?;
    end(&mut child)?;
    same(&site.director.rules(), &rules(&[0, 1]))?;
    // With the parameters of its last start; and it removes what is left.
    let mut child = begin(&["--remove"])?;
    let _again = site.servers[0].serve(80);
    wait_for(limit, "a real server that is back", || Ok(site.director.rules() == rules(&[1, 1])))?;
    // What the cluster changes meanwhile, it follows.
    let resource = Resource::new(&site.director, "ran", 2);
    resource.with("drained", "10.0.0.12").must("reload-agent", 0)?;
    std::thread::sleep(Duration::from_secs(5));
    same(&site.director.rules(), &rules(&[1, 0]))?;
    end(&mut child)?;
    resource.nothing_left()
}

fn the_script_has_a_loop_in_the_background() -> Result<()> {
    let site = Site::new(2);
    let _servers = site.serve(80);
    fs::create_dir_all("/etc/default")?;
    let text = "VIRTUAL_IP=198.51.100.100\nPORTS=80\nREAL_SERVERS=10.0.0.11-12\nCHECK=http:/\nSCHEDULER=rr\nFALL=1\n";
    fs::write("/etc/default/lvs-director", text)?;
    let script = |verb: &str, code: i32| -> Result<()> {
        let output = site.director.ha(&["lsb", "lvs-director", verb]);
        ensure!(output.status.code() == Some(code), "{verb}: {output:?}");
        Ok(())
    };
    let keeper = || inuvika_ha::lsb::keeper::process(&Instance::new("lvs-director"));
    script("status", 3)?;
    script("start", 0)?;
    let first = keeper()?.context("no loop")?;
    script("start", 0)?;
    ensure!(keeper()? == Some(first), "a second start has made a second loop");
    script("status", 0)?;
    let limit = Duration::from_secs(60);
    wait_for(limit, "the table", || Ok(site.director.rules() == rules(&[1, 1])))?;
    site.director.run("ipvsadm -C");
    wait_for(limit, "a lost table to be healed", || Ok(site.director.rules() == rules(&[1, 1])))?;
    let output = site.director.ha(&["lvs", "run", "--instance", "lvs-director"]);
    ensure!(output.status.code() == Some(1) && String::from_utf8_lossy(&output.stderr).contains("has a loop already"));
    // Without its loop it serves on, and is dead all the same; a start gives it a new one.
    kill(first, Signal::SIGKILL)?;
    wait_for(limit, "the loop to be gone", || Ok(keeper()?.is_none()))?;
    script("status", 1)?;
    script("start", 0)?;
    script("status", 0)?;
    script("restart", 0)?;
    ensure!(keeper()?.is_some_and(|pid| pid != first), "no loop after a restart");
    script("stop", 0)?;
    script("stop", 0)?;
    script("status", 3)?;
    ensure!(keeper()?.is_none() && site.director.rules().is_empty() && !fs::exists("/run/inuvika-ha")?);
    Ok(fs::remove_file("/etc/default/lvs-director")?)
}

/// Asks a program to end, which has to be a success.
fn end(child: &mut Child) -> Result<()> {
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM)?;
    let status = child.wait()?;
    ensure!(status.success(), "{status}");
    Ok(())
}

fn drain_waits_for_the_last_connection() -> Result<()> {
    let site = Site::new(2);
    let _servers = site.serve(80);
    // The cluster's memory of the parameter.
    let memory = "/tmp/drained.parameter";
    let _ = fs::remove_file(memory);
    let cluster = || {
        program(
            "/usr/sbin/crm_resource",
            &format!(
                "case \"$3\" in\n--get-parameter) cat {memory} 2>/dev/null || exit 105 ;;\n--set-parameter) printf '%s' \"$6\" > {memory} ;;\n\
             --delete-parameter) rm {memory} ;;\n*) exit 9 ;;\nesac"
            ),
        )
    };
    cluster()?;
    let resource = Resource::new(&site.director, "emptied", 2);
    resource.must("start", 0)?;
    let value = || fs::read_to_string(memory).unwrap_or_default();
    let verb = |words: &[&str]| site.director.ha(&[&["lvs"], words].concat());
    said(&verb(&["drain", "10.0.0.12"]), 0)?;
    said(&verb(&["drain", "10.0.0.12"]), 0)?;
    ensure!(value() == "10.0.0.12", "{}", value());
    said(&verb(&["drain", "10.0.0.11:80"]), 0)?;
    ensure!(value() == "10.0.0.12 10.0.0.11:80", "{}", value());
    said(&verb(&["enable", "10.0.0.11:80"]), 0)?;
    said(&verb(&["enable", "10.0.0.11:80"]), 2)?;
    said(&verb(&["drain", "rs2"]), 2)?;

    // A client that stays: one connection to each real server.
    let to = SocketAddr::new(ip(VIP), 80);
    let open: Vec<TcpStream> = site
        .client
        .enter(|| (0..2).map(|_| TcpStream::connect(to)).collect::<std::io::Result<_>>())
        .context("connect")?;
    resource.with("drained", &value()).must("reload-agent", 0)?;
    same(&site.director.rules(), &rules(&[1, 0]))?;
    let wait = |seconds: &str| verb(&["drain", "10.0.0.12", "--wait", "--timeout", seconds]);
    let output = wait("2");
    said(&output, 1)?;
    ensure!(String::from_utf8_lossy(&output.stderr).contains("1 connections are open"), "{output:?}");
    // Another director's table would look empty at once.
    site.director.ip(&format!("address del {VIP}/24 dev eth0"));
    let output = wait("2");
    said(&output, 1)?;
    ensure!(String::from_utf8_lossy(&output.stderr).contains("198.51.100.100 is not on this host"), "{output:?}");
    site.director.ip(&format!("address add {VIP}/24 dev eth0"));
    drop(open);
    let line = said(&wait("60"), 0)?;
    ensure!(line.contains("10.0.0.12: no connection is open"), "{line}");
    // What cannot be read is not overwritten.
    program("/usr/sbin/crm_resource", "echo 'Could not connect' >&2; exit 102")?;
    let output = verb(&["drain", "10.0.0.11"]);
    said(&output, 1)?;
    ensure!(String::from_utf8_lossy(&output.stderr).contains("ask the cluster for drained"), "{output:?}");
    cluster()?;
    said(&verb(&["enable", "10.0.0.12"]), 0)?;
    ensure!(!fs::exists(memory)?, "{}", value());
    fs::remove_file("/usr/sbin/crm_resource")?;
    resource.stop()
}

fn doctor_tells_who_answers_past_the_director() -> Result<()> {
    let site = Site::new(2);
    let _servers = site.serve(80);
    let resource = Resource::new(&site.director, "doctor", 2);
    resource.must("start", 0)?;
    let doctor = |from: &str| said(&site.director.ha(&["lvs", "doctor", "--from", from]), 0);
    let far = doctor("198.51.100.9")?;
    ensure!(far.contains("198.51.100.100 is here, on eth0"), "{far}");
    ensure!(far.contains("10.0.0.11 on eth1 has to answer through this director"), "{far}");
    ensure!(!far.contains("snat_clients"), "{far}");
    let near = doctor("10.0.0.200")?;
    ensure!(near.contains("10.0.0.12 is in the client's network") && near.contains("set snat_clients=yes"), "{near}");
    // What a director lacks comes first.
    site.director.sysctl("net.ipv4.ip_forward", "0");
    ensure!(doctor("198.51.100.9")?.contains("net.ipv4.ip_forward is 0, not 1"));
    resource.stop()
}
