//! `ocf:inuvika:lvs-director` as Pacemaker calls it: what it makes of the kernel's table, and what clients get.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::Body;
use crate::bed::{Host, Site, VIP, ip};
use crate::subject::{Run, Subject};

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

/// The resource on a director, as Pacemaker calls it.
pub struct Resource<'a> {
    host: &'a Host,
    subject: Subject,
}

impl<'a> Resource<'a> {
    /// One that balances port 80 of [`VIP`] over the real servers `first` to `last`, asked over HTTP.
    pub fn new(host: &'a Host, instance: &str, last: u8) -> Self {
        let subject = host.agent("lvs-director", instance).with("OCF_RESKEY_CRM_meta_timeout", "60000");
        let log = log_of(instance);
        let _ = fs::remove_file(&log);
        let subject = subject.with("HA_LOGFILE", &log);
        Self { host, subject }
            .with("virtual_ip", VIP)
            .with("ports", "80")
            .with("real_servers", &format!("10.0.0.11-{}", 10 + last))
            .with("scheduler", "rr")
            .with("check", "http:/")
    }

    /// One that is described by a file alone.
    pub fn of_file(host: &'a Host, instance: &str, file: &Path) -> Self {
        let resource = Self::new(host, instance, 1);
        let subject = resource.subject.without_params().with("OCF_RESKEY_CRM_meta_timeout", "60000");
        Self { subject, ..resource }.with("config", &file.display().to_string())
    }

    /// The same with another parameter.
    pub fn with(&self, name: &str, value: &str) -> Self {
        Self { host: self.host, subject: self.subject.with_param(name, value) }
    }

    /// The same, called with a variable of the cluster manager.
    pub fn called_with(&self, name: &str, value: &str) -> Self {
        Self { host: self.host, subject: self.subject.with(name, value) }
    }

    /// What an action of it is, for who starts the process itself.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    pub fn run(&self, action: &str) -> Run {
        self.host.enter(|| self.subject.run(action))
    }

    /// An action that has to end with this exit code.
    pub fn must(&self, action: &str, code: i32) -> Result<Run> {
        let run = self.run(action);
        ensure!(run.code == code, "{action} gave {run}, wanted {code}; log:\n{}", self.log());
        Ok(run)
    }

    /// A recurring monitor whose round is always due.
    pub fn round(&self, code: i32) -> Result<Run> {
        self.called_with("OCF_RESKEY_CRM_meta_interval", "1").must("monitor", code)
    }

    pub fn probe(&self, code: i32) -> Result<Run> {
        self.called_with("OCF_RESKEY_CRM_meta_interval", "0").must("monitor", code)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(log_of(&self.subject.instance)).unwrap_or_default()
    }

    /// Stops it: nothing of it may be left.
    pub fn stop(&self) -> Result<()> {
        self.must("stop", 0)?;
        self.nothing_left()
    }

    pub fn nothing_left(&self) -> Result<()> {
        let rules = self.host.rules();
        ensure!(rules.is_empty(), "left in the table: {rules:?}");
        let tables = self.host.run("nft list tables");
        ensure!(!tables.contains("inuvika"), "left in nftables: {tables}");
        self.no_state()
    }

    pub fn no_state(&self) -> Result<()> {
        let folder = format!("/run/inuvika-ha/{}", self.subject.instance);
        ensure!(!Path::new(&folder).exists(), "{folder} is left: {:?}", fs::read_dir(&folder)?.collect::<Vec<_>>());
        Ok(())
    }
}

fn log_of(instance: &str) -> String {
    format!("/tmp/{instance}.log")
}

/// The judge's rules of port 80 over NAT with these weights, from real server 1 on.
pub fn rules(weights: &[u32]) -> Vec<String> {
    let mut rules = vec![format!("-A -t {VIP}:80 -s rr")];
    for (number, weight) in (1..).zip(weights) {
        rules.push(format!("-a -t {VIP}:80 -r {}:80 -m -w {weight}", Site::server(number)));
    }
    rules.sort();
    rules
}

fn same(found: &[String], wanted: &[String]) -> Result<()> {
    ensure!(found == wanted, "the judge sees\n  {}\nwanted\n  {}", found.join("\n  "), wanted.join("\n  "));
    Ok(())
}

/// What the client gets from the virtual address: who has answered, in order.
fn answers(site: &Site, times: usize) -> Result<Vec<String>> {
    (0..times).map(|_| site.client.ask(SocketAddr::new(ip(VIP), 80), &[])).collect()
}

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
    let run = moved.with("drained", "x").must("reload-agent", 6)?;
    ensure!(run.stderr.contains("drained"), "{run}");
    same(&site.director.rules(), &wanted)?;
    resource.with("drained", "x").stop()
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
    // What is in the file is in force with the next round, unless it is a mistake.
    fs::write(file, text.replace("-12", "-12@3"))?;
    resource.round(0)?;
    same(&site.director.rules(), &rules(&[3, 3]))?;
    fs::write(file, text.replace("virtual", "vitrual"))?;
    let run = resource.round(190)?;
    ensure!(run.stderr.contains("vitrual"), "{run}");
    site.director.run("ipvsadm -C");
    resource.round(190)?;
    same(&site.director.rules(), &rules(&[3, 3]))?;
    fs::remove_file(file)?;
    resource.round(190)?;
    same(&site.director.rules(), &rules(&[3, 3]))?;
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
