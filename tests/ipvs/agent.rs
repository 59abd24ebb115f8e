//! `ocf:inuvika:lvs-director` as Pacemaker calls it: what it makes of the kernel's table, and what clients get.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};

use crate::Body;
use crate::bed::{Site, VIP};
use crate::resource::{Resource, answers, rules, same};

pub const TRIALS: &[(&str, Body)] = &[
    ("start_monitor_and_stop_of_an_agent", start_monitor_and_stop_of_an_agent),
    ("connections_are_spread_exactly", connections_are_spread_exactly),
    ("a_real_server_that_dies_and_comes_back", a_real_server_that_dies_and_comes_back),
    ("a_lost_table_is_put_back_by_the_next_monitor", a_lost_table_is_put_back_by_the_next_monitor),
    ("probes_and_runs_by_hand_only_look", probes_and_runs_by_hand_only_look),
    ("services_of_others_stay_through_all_actions", services_of_others_stay_through_all_actions),
    ("nobody_left_and_the_sorry_server", nobody_left_and_the_sorry_server),
    ("drained_and_other_parameters_by_reload", drained_and_other_parameters_by_reload),
    ("a_mistake_in_the_file_changes_nothing", a_mistake_in_the_file_changes_nothing),
    ("settings_are_put_back_when_asked_for", settings_are_put_back_when_asked_for),
];

fn start_monitor_and_stop_of_an_agent() -> Result<()> {
    let site = Site::new(6);
    let _servers = site.serve(80);
    let resource = Resource::new(&site.director, "life", 6);
    resource.probe(7)?;
    resource.must("stop", 0)?;
    resource.no_state()?;
    let run = resource.called_with("OCF_CHECK_LEVEL", "10").must("validate-all", 0)?;
    ensure!(run.stderr.is_empty(), "{run}");

    resource.must("start", 0)?;
    same(&site.director.rules(), &rules(&[1; 6]))?;
    answers(&site, 12)?;
    let counted = |number| site.director.connections(&format!("{}:80", Site::server(number)));
    crate::bed::wait_for(Duration::from_secs(30), "the judge to count", || Ok(counted(6)? == 2))?;
    // A second start changes nothing: what is made anew is counted from zero.
    resource.must("start", 0)?;
    same(&site.director.rules(), &rules(&[1; 6]))?;
    ensure!(counted(6)? == 2, "the second start has made the table anew");
    for _ in 0..2 {
        resource.round(0)?;
        resource.probe(0)?;
        resource.must("monitor", 0)?;
    }
    same(&site.director.rules(), &rules(&[1; 6]))?;
    ensure!(counted(6)? == 2, "a monitor has made the table anew");
    resource.stop()?;
    resource.probe(7)?;
    resource.called_with("OCF_RESKEY_CRM_meta_interval", "10000").must("monitor", 7)?;
    resource.stop()
}

fn connections_are_spread_exactly() -> Result<()> {
    let site = Site::new(6);
    let _servers = site.serve(80);
    let resource = Resource::new(&site.director, "spread", 6);
    resource.must("start", 0)?;
    let answers = answers(&site, 60)?;
    for number in 1..=6 {
        let name = format!("rs{number}");
        let count = answers.iter().filter(|answer| **answer == name).count();
        ensure!(count == 10, "{name} has answered {count} of 60: {answers:?}");
    }
    resource.stop()
}

fn a_real_server_that_dies_and_comes_back() -> Result<()> {
    let site = Site::new(3);
    let mut servers = site.serve(80);
    let resource = Resource::new(&site.director, "dies", 3);
    resource.must("start", 0)?;
    drop(servers.remove(1));
    // One bad answer is none, two are enough.
    resource.round(0)?;
    same(&site.director.rules(), &rules(&[1, 1, 1]))?;
    resource.round(0)?;
    same(&site.director.rules(), &rules(&[1, 0, 1]))?;
    let log = resource.log();
    ensure!(log.contains("real server 10.0.0.12:80 of tcp 198.51.100.100:80 is down"), "{log}");
    // No request fails from now on.
    let answers_now = answers(&site, 20)?;
    ensure!(!answers_now.contains(&"rs2".to_owned()), "{answers_now:?}");
    let again = site.servers[1].serve(80);
    resource.round(0)?;
    same(&site.director.rules(), &rules(&[1, 1, 1]))?;
    let answers_now = answers(&site, 9)?;
    let share = answers_now.iter().filter(|answer| *answer == "rs2").count();
    ensure!(share == 3, "{answers_now:?}");
    // Where it is asked to, it is taken out.
    drop(again);
    let removing = resource.with("on_failure", "remove").with("fall", "1");
    removing.must("reload-agent", 0)?;
    let wanted: Vec<String> = rules(&[1, 1, 1]).into_iter().filter(|rule| !rule.contains("10.0.0.12")).collect();
    same(&site.director.rules(), &wanted)?;
    removing.round(0)?;
    answers(&site, 6)?;
    resource.stop()
}

fn a_lost_table_is_put_back_by_the_next_monitor() -> Result<()> {
    let site = Site::new(2);
    let _servers = site.serve(80);
    let resource = Resource::new(&site.director, "lost", 2);
    resource.must("start", 0)?;
    site.director.run("ipvsadm -C");
    ensure!(site.director.rules().is_empty());
    resource.round(0)?;
    same(&site.director.rules(), &rules(&[1, 1]))?;
    let log = resource.log();
    ensure!(log.contains("service tcp 198.51.100.100:80 was missing"), "{log}");
    // Also by a monitor that has no round to do yet.
    site.director.run("ipvsadm -C");
    resource.called_with("OCF_RESKEY_CRM_meta_interval", "3600000").must("monitor", 0)?;
    same(&site.director.rules(), &rules(&[1, 1]))?;
    answers(&site, 4)?;
    site.director.run(&format!("ipvsadm -e -t {VIP}:80 -r 10.0.0.11:80 -m -w 7"));
    site.director.run(&format!("ipvsadm -a -t {VIP}:80 -r 10.0.0.99:80 -m -w 7"));
    site.director.run(&format!("ipvsadm -E -t {VIP}:80 -s lc"));
    resource.round(0)?;
    same(&site.director.rules(), &rules(&[1, 1]))?;
    resource.stop()
}

fn probes_and_runs_by_hand_only_look() -> Result<()> {
    let site = Site::new(2);
    let servers = site.serve(80);
    let resource = Resource::new(&site.director, "looks", 2);
    resource.must("start", 0)?;
    site.director.run(&format!("ipvsadm -e -t {VIP}:80 -r 10.0.0.11:80 -m -w 7"));
    let before = site.director.rules();
    let asked: Vec<u32> = servers.iter().map(|server| server.answered()).collect();
    resource.probe(0)?;
    resource.must("monitor", 0)?;
    // A recurring monitor that is not due.
    resource.called_with("OCF_RESKEY_CRM_meta_interval", "3600000").must("monitor", 0)?;
    same(&site.director.rules(), &before)?;
    let now: Vec<u32> = servers.iter().map(|server| server.answered()).collect();
    ensure!(asked == now, "real servers were asked: {asked:?}, then {now:?}");
    resource.round(0)?;
    same(&site.director.rules(), &rules(&[1, 1]))?;
    resource.stop()
}

fn services_of_others_stay_through_all_actions() -> Result<()> {
    let site = Site::new(1);
    let _servers = site.serve(80);
    let other = Resource::new(&site.director, "others-second", 1).with("ports", "81").with("check", "none");
    for line in ["-A -t 192.0.2.7:80 -s lc -p 11", "-a -t 192.0.2.7:80 -r 10.0.0.7:81 -m -w 3", "-A -f 3 -s wrr"] {
        site.director.run(&format!("ipvsadm {line}"));
    }
    let foreign = site.director.rules();
    other.must("start", 0)?;
    let before = site.director.rules();
    let resource = Resource::new(&site.director, "others-first", 1);
    resource.must("start", 0)?;
    let untouched = |when: &str| {
        let now = site.director.rules();
        ensure!(before.iter().all(|rule| now.contains(rule)), "{when}: {now:?} lacks some of {before:?}");
        Ok(())
    };
    untouched("after start")?;
    resource.round(0)?;
    untouched("after monitor")?;
    resource.with("ports", "80 82").must("reload-agent", 0)?;
    untouched("after reload")?;
    resource.must("stop", 0)?;
    same(&site.director.rules(), &before)?;
    resource.no_state()?;
    other.must("stop", 0)?;
    same(&site.director.rules(), &foreign)
}

fn nobody_left_and_the_sorry_server() -> Result<()> {
    let site = Site::new(3);
    let mut servers = site.serve(80);
    let resource = Resource::new(&site.director, "sorry", 2).with("fall", "1").with("sorry", "10.0.0.13");
    resource.must("start", 0)?;
    same(&site.director.rules(), &rules(&[1, 1]))?;
    drop(servers.drain(..2));
    let newer = resource.called_with("OCF_RESKEY_crm_feature_set", "3.16.2");
    let run = newer.round(190)?;
    ensure!(run.stderr.contains("the sorry server answers"), "{run}");
    let answers_now = answers(&site, 4)?;
    ensure!(answers_now.iter().all(|answer| answer == "rs3"), "{answers_now:?}");
    newer.with("all_down", "sorry").round(0)?;
    newer.with("all_down", "failed").round(1)?;
    // It has a look at what the last round has seen, and says the same.
    newer.with("all_down", "failed").probe(1)?;
    let _again = site.servers[0].serve(80);
    newer.round(0)?;
    let answers_now = answers(&site, 4)?;
    ensure!(answers_now.iter().all(|answer| answer == "rs1"), "{answers_now:?}");
    resource.stop()?;
    // All down at start: the table is right, the verdict is the monitor's.
    drop(_again);
    let nobody = newer.with("sorry", "");
    nobody.must("start", 0)?;
    same(&site.director.rules(), &rules(&[0, 0]))?;
    nobody.round(190)?;
    nobody.stop()
}

fn drained_and_other_parameters_by_reload() -> Result<()> {
    let site = Site::new(3);
    let _servers = site.serve(80);
    let resource = Resource::new(&site.director, "reload", 2);
    resource.must("start", 0)?;
    let drained = resource.with("drained", "10.0.0.12");
    drained.must("reload-agent", 0)?;
    same(&site.director.rules(), &rules(&[1, 0]))?;
    drained.round(0)?;
    same(&site.director.rules(), &rules(&[1, 0]))?;
    let answers_now = answers(&site, 4)?;
    ensure!(answers_now.iter().all(|answer| answer == "rs1"), "{answers_now:?}");
    let other = resource.with("real_servers", "10.0.0.12-13@5").with("scheduler", "wlc");
    other.must("reload-agent", 0)?;
    let wanted = [
        format!("-A -t {VIP}:80 -s wlc"),
        format!("-a -t {VIP}:80 -r 10.0.0.12:80 -m -w 5"),
        format!("-a -t {VIP}:80 -r 10.0.0.13:80 -m -w 5"),
    ];
    same(&site.director.rules(), &wanted)?;
    // Another port: the old service goes.
    let moved = resource.with("ports", "8080").with("real_servers", "10.0.0.11:80");
    moved.must("reload-agent", 0)?;
    let wanted = [format!("-A -t {VIP}:8080 -s rr"), format!("-a -t {VIP}:8080 -r 10.0.0.11:80 -m -w 1")];
    same(&site.director.rules(), &wanted)?;
    // A slip of the pen: Pacemaker would stop the resource on all nodes for a 6.
    let wrong = moved.with("drained", "x").called_with("OCF_RESKEY_crm_feature_set", "3.16.2");
    wrong.must("validate-all", 6)?;
    wrong.must("reload-agent", 0)?;
    ensure!(resource.log().contains("reload: parameter drained: "), "{}", resource.log());
    same(&site.director.rules(), &wanted)?;
    site.director.run("ipvsadm -C");
    let run = wrong.round(190)?;
    ensure!(run.stderr.contains("drained") && run.stderr.contains("the last good parameters"), "{run}");
    same(&site.director.rules(), &wanted)?;
    // The same for a file that nobody has copied here.
    let file = Resource::of_file(&site.director, "reload", Path::new("/tmp/nowhere.toml"));
    let file = file.called_with("OCF_RESKEY_crm_feature_set", "3.16.2");
    file.must("reload-agent", 0)?;
    site.director.run(&format!("ipvsadm -D -t {VIP}:8080"));
    let run = file.round(190)?;
    ensure!(run.stderr.contains("/tmp/nowhere.toml is not there"), "{run}");
    same(&site.director.rules(), &wanted)?;
    resource.with("drained", "x").stop()
}

/// Writes a file as of so many seconds ago.
fn write(path: &Path, text: &str, age: u64) -> Result<()> {
    fs::write(path, text)?;
    let changed = SystemTime::now() - Duration::from_secs(age);
    Ok(fs::File::options().append(true).open(path)?.set_modified(changed)?)
}

fn a_mistake_in_the_file_changes_nothing() -> Result<()> {
    let site = Site::new(2);
    let _servers = site.serve(80);
    let file = Path::new("/tmp/mistake.toml");
    let text = format!(
        "scheduler = \"rr\"\ncheck = {{ type = \"http\" }}\n[[service]]\nvirtual = \"{VIP}:80\"\nreal = \"10.0.0.11-12\"\n"
    );
    let resource =
        Resource::of_file(&site.director, "mistake", file).called_with("OCF_RESKEY_crm_feature_set", "3.16.2");
    let _ = fs::remove_file(file);
    let run = resource.must("start", 5)?;
    ensure!(run.stderr.contains("/tmp/mistake.toml"), "{run}");
    resource.nothing_left()?;
    fs::write(file, text.replace("rr", "round robin"))?;
    let run = resource.must("start", 2)?;
    ensure!(run.stderr.contains("/tmp/mistake.toml:1"), "{run}");
    resource.nothing_left()?;

    fs::write(file, &text)?;
    resource.must("start", 0)?;
    same(&site.director.rules(), &rules(&[1, 1]))?;
    // What is in the file is in force with the next round, unless it may be half written, or is a mistake.
    write(file, &text.replace("-12", "-12@3"), 0)?;
    resource.round(0)?;
    same(&site.director.rules(), &rules(&[1, 1]))?;
    write(file, &text.replace("-12", "-12@3"), 5)?;
    resource.round(0)?;
    same(&site.director.rules(), &rules(&[3, 3]))?;
    write(file, &text.replace("virtual", "vitrual"), 5)?;
    let run = resource.round(190)?;
    ensure!(run.stderr.contains("vitrual"), "{run}");
    site.director.run("ipvsadm -C");
    resource.round(190)?;
    same(&site.director.rules(), &rules(&[3, 3]))?;
    fs::remove_file(file)?;
    resource.round(190)?;
    same(&site.director.rules(), &rules(&[3, 3]))?;
    // Nor does it keep anybody from draining a server.
    resource.with("drained", "10.0.0.12").must("reload-agent", 0)?;
    same(&site.director.rules(), &rules(&[3, 0]))?;
    resource.stop()
}

fn settings_are_put_back_when_asked_for() -> Result<()> {
    let site = Site::new(1);
    let _servers = site.serve(80);
    let read = || -> Vec<String> {
        let names = ["ip_forward", "conf/all/send_redirects", "conf/eth0/send_redirects", "conf/eth1/send_redirects"];
        site.director.enter(|| {
            names
                .iter()
                .map(|name| fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap().trim().to_owned())
                .collect()
        })
    };
    site.director.sysctl("net.ipv4.ip_forward", "0");
    let before = read();
    ensure!(before == ["0", "1", "1", "1"], "{before:?}");
    let resource = Resource::new(&site.director, "settings", 1).with("restore_sysctls", "yes");
    resource.must("start", 0)?;
    ensure!(read() == ["1", "0", "0", "0"], "{:?}", read());
    answers(&site, 1)?;
    // Somebody puts one back: the next round sets it again.
    site.director.sysctl("net.ipv4.ip_forward", "0");
    resource.round(0)?;
    ensure!(read() == ["1", "0", "0", "0"], "{:?}", read());
    resource.stop()?;
    ensure!(read() == before, "{:?}", read());
    resource.with("restore_sysctls", "no").must("start", 0)?;
    resource.with("restore_sysctls", "no").stop()?;
    ensure!(read() == ["1", "0", "0", "0"], "{:?}", read());
    Ok(())
}
