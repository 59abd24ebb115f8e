//! What else a director does: checks of several kinds, sync daemons, near clients, whom it tells.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::Body;
use crate::bed::{Host, Site, VIP, VIP6, ip, wait_for};
use crate::resource::{Resource, answers, rules, same};

pub const TRIALS: &[(&str, Body)] = &[
    ("https_alone_failing_takes_out_https_alone", https_alone_failing_takes_out_https_alone),
    ("sync_daemons_run_and_those_of_others_stay", sync_daemons_run_and_those_of_others_stay),
    ("near_clients_are_answered_through_the_director", near_clients_are_answered_through_the_director),
    ("the_hook_and_the_cluster_are_told_of_changes", the_hook_and_the_cluster_are_told_of_changes),
    ("many_kinds_of_services_from_a_file", many_kinds_of_services_from_a_file),
];

/// A web server over TLS of its own process, ended with this value.
struct Tls(Child);

impl Tls {
    fn start(host: &Host) -> Result<Self> {
        let (key, cert) = ("/tmp/tls.key", "/tmp/tls.crt");
        if !Path::new(cert).exists() {
            fs::write("/tmp/tls.conf", "[req]\ndistinguished_name = name\n[name]\n")?;
            let mut make = Command::new("openssl");
            make.args(["req", "-x509", "-config", "/tmp/tls.conf", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=rs"]);
            let made = make.args(["-days", "2", "-keyout", key, "-out", cert]).output().context("openssl")?;
            ensure!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
        }
        let mut serve = host.command("openssl");
        serve.args(["s_server", "-accept", "443", "-cert", cert, "-key", key, "-www", "-quiet"]);
        let server = Self(serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        let listens = || Ok(host.run("ss -Htln").contains(":443 "));
        wait_for(Duration::from_secs(30), "a web server over TLS", listens)?;
        Ok(server)
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn https_alone_failing_takes_out_https_alone() -> Result<()> {
    let site = Site::new(2);
    let _servers = site.serve(80);
    let mut tls = site.servers.iter().map(Tls::start).collect::<Result<Vec<_>>>()?;
    // The clock of the guest may be anywhere: certificates are not verified unless that is asked for.
    let resource = Resource::new(&site.director, "https", 2)
        .with("ports", "80 443")
        .with("on_failure", "remove")
        .with("fall", "1")
        .with("check_timeout", "20s");
    resource.must("start", 0)?;
    let https = |number: u8| format!("-a -t {VIP}:443 -r {}:443 -m -w 1", Site::server(number));
    let mut wanted = rules(&[1, 1]);
    wanted.extend([format!("-A -t {VIP}:443 -s rr"), https(1), https(2)]);
    wanted.sort();
    same(&site.director.rules(), &wanted)?;
    drop(tls.remove(0));
    resource.round(0)?;
    wanted.retain(|rule| *rule != https(1));
    same(&site.director.rules(), &wanted)?;
    let answers_now = answers(&site, 4)?;
    ensure!(answers_now.contains(&"rs1".to_owned()), "http of rs1 is well: {answers_now:?}");
    // The article's complaint the other way round: a page that is gone while the port is open.
    resource.with("check", "http:/none").with("check_timeout", "5s").with("ports", "80").must("reload-agent", 0)?;
    resource.stop()
}

fn sync_daemons_run_and_those_of_others_stay() -> Result<()> {
    let site = Site::new(1);
    let _servers = site.serve(80);
    let resource = Resource::new(&site.director, "sync", 1)
        .with("sync", "yes")
        .with("sync_nic", "eth1")
        .with("sync_id", "7")
        .called_with("OCF_RESKEY_crm_feature_set", "3.16.2");
    let daemons = || site.director.run("ipvsadm -L --daemon");
    resource.must("start", 0)?;
    let listed = daemons();
    for part in ["master sync daemon (mcast=eth1, syncid=7", "backup sync daemon (mcast=eth1, syncid=7"] {
        ensure!(listed.contains(part), "{listed}");
    }
    // One that somebody has stopped runs again.
    site.director.run("ipvsadm --stop-daemon backup");
    resource.round(0)?;
    ensure!(daemons() == listed, "{}", daemons());
    let moved = resource.with("sync_id", "8");
    moved.must("reload-agent", 0)?;
    ensure!(daemons().contains("master sync daemon (mcast=eth1, syncid=8"), "{}", daemons());
    resource.with("sync", "no").must("reload-agent", 0)?;
    ensure!(daemons().trim().is_empty(), "{}", daemons());
    resource.must("reload-agent", 0)?;
    resource.stop()?;
    ensure!(daemons().trim().is_empty(), "{}", daemons());

    // Somebody else's is reported, and left alone.
    site.director.run("ipvsadm --start-daemon master --mcast-interface eth0 --syncid 3");
    resource.must("start", 0)?;
    let run = resource.round(190)?;
    ensure!(run.stderr.contains("somebody else runs the master sync daemon on eth0"), "{run}");
    resource.stop()?;
    ensure!(daemons().contains("master sync daemon (mcast=eth0, syncid=3"), "{}", daemons());
    ensure!(!daemons().contains("backup"), "{}", daemons());
    Ok(())
}

fn near_clients_are_answered_through_the_director() -> Result<()> {
    let site = Site::new(2);
    let _servers = site.serve(80);
    let near = Host::new("near");
    site.inside.plug(&near, "eth0", &["10.0.0.200/24"], &["10.0.0.1"]);
    let resource = Resource::new(&site.director, "near", 2);
    resource.must("start", 0)?;
    let to = SocketAddr::new(ip(VIP), 80);
    ensure!(near.ask(to, &[]).is_err(), "a near client is answered without help: this trial shows nothing");
    let helping = resource.with("snat_clients", "yes");
    helping.must("reload-agent", 0)?;
    let near_answers: Vec<String> = (0..4).map(|_| near.ask(to, &[])).collect::<Result<_>>()?;
    ensure!(near_answers.contains(&"rs1".to_owned()) && near_answers.contains(&"rs2".to_owned()), "{near_answers:?}");
    answers(&site, 4)?;
    // A table that somebody has removed is there again.
    site.director.run("nft flush ruleset");
    helping.round(0)?;
    near.ask(to, &[])?;
    helping.stop()
}

/// Programs of Pacemaker that write down how they are called, until the value is dropped.
struct Cluster;

impl Cluster {
    const CALLS: &str = "/tmp/attrd.calls";

    fn new() -> Result<Self> {
        let _ = fs::remove_file(Self::CALLS);
        program("/usr/sbin/crm_node", "echo director1")?;
        Self::answer()?;
        Ok(Self)
    }

    fn answer() -> Result<()> {
        program("/usr/sbin/attrd_updater", &format!("printf '%s\\n' \"$*\" >> {}", Self::CALLS))
    }

    /// The values that were published.
    fn published() -> Vec<String> {
        let calls = fs::read_to_string(Self::CALLS).unwrap_or_default();
        let value = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let place = words.iter().position(|word| *word == "-B")?;
            Some(format!("{}={}", words.get(1)?, words.get(place + 1)?))
        };
        calls.lines().filter_map(value).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for name in ["crm_node", "attrd_updater"] {
            let _ = fs::remove_file(format!("/usr/sbin/{name}"));
        }
    }
}

/// Puts a script there.
pub fn program(path: &str, line: &str) -> Result<()> {
    fs::write(path, format!("#!/bin/bash\n{line}\n"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn the_hook_and_the_cluster_are_told_of_changes() -> Result<()> {
    let site = Site::new(2);
    let mut servers = site.serve(80);
    let _cluster = Cluster::new()?;
    let calls = "/tmp/hook.calls";
    let _ = fs::remove_file(calls);
    program("/tmp/hook", &format!("printf '%s|' \"$@\" >> {calls}; echo >> {calls}; exit 3"))?;
    let resource = Resource::new(&site.director, "told", 2).with("hook", "/tmp/hook").with("fall", "1");
    resource.must("start", 0)?;
    ensure!(Cluster::published() == ["told-healthy=2"], "{:?}", Cluster::published());
    let heard = || fs::read_to_string(calls).unwrap_or_default();
    ensure!(heard().is_empty(), "all is well at start, and yet: {}", heard());
    resource.round(0)?;
    resource.round(0)?;
    drop(servers.remove(0));
    resource.round(0)?;
    ensure!(Cluster::published() == ["told-healthy=2", "told-healthy=1"], "{:?}", Cluster::published());
    let said = heard();
    let wanted = "told|1|2|real server 10.0.0.11:80 of tcp 198.51.100.100:80 is down: ";
    ensure!(said.starts_with(wanted) && said.lines().count() == 1, "{said}");
    ensure!(resource.log().contains("hook /tmp/hook: exit code 3"), "{}", resource.log());
    resource.round(0)?;
    ensure!(heard() == said, "told again: {}", heard());
    // After a restart of Pacemaker it is gone, and is told again after a while.
    let state = "/run/inuvika-ha/told/lvs.told";
    ensure!(
        fs::read_to_string(state)?.contains("\"told-healthy\",\"healthy\":1,\"at\""),
        "{}",
        fs::read_to_string(state)?
    );
    fs::write(state, "{\"name\":\"told-healthy\",\"healthy\":1,\"at\":{\"secs\":99999999,\"nanos\":0}}")?;
    resource.round(0)?;
    let again = ["told-healthy=2", "told-healthy=1", "told-healthy=1"];
    ensure!(Cluster::published() == again, "{:?}", Cluster::published());
    servers.push(site.servers[0].serve(80));
    resource.round(0)?;
    ensure!(heard().contains("told|2|2|real server 10.0.0.11:80 of tcp 198.51.100.100:80 is up: "), "{}", heard());
    // What is back has to last before the cluster is told.
    ensure!(Cluster::published() == again, "{:?}", Cluster::published());
    let held = fs::read_to_string(state)?;
    ensure!(held.contains("\"held\":{\"since\":{\"secs\":"), "{held}");
    let (before, since) = held.split_once("\"since\":{\"secs\":").context("no time")?;
    let (_, rest) = since.split_once(',').context("no time")?;
    fs::write(state, format!("{before}\"since\":{{\"secs\":0,{rest}"))?;
    if uptime()? < 60 {
        std::thread::sleep(Duration::from_secs(60));
    }
    resource.round(0)?;
    let all = [&again[..], &["told-healthy=2"]].concat();
    ensure!(Cluster::published() == all, "{:?}", Cluster::published());
    // A director that sees nothing says so at once, and again when it was not heard.
    servers.clear();
    program("/usr/sbin/attrd_updater", "echo it hangs >&2; exit 1")?;
    let degraded = resource.called_with("OCF_RESKEY_crm_feature_set", "3.16.2");
    degraded.round(190)?;
    ensure!(resource.log().contains("publish told-healthy: "), "{}", resource.log());
    Cluster::answer()?;
    degraded.round(190)?;
    degraded.round(190)?;
    let all = [&all[..], &["told-healthy=0"]].concat();
    ensure!(Cluster::published() == all, "{:?}", Cluster::published());
    let _servers = site.serve(80);
    resource.round(0)?;
    resource.stop()?;
    ensure!(Cluster::published() == all, "{:?}", Cluster::published());
    Ok(())
}

/// Seconds since the guest has booted.
fn uptime() -> Result<u64> {
    let text = fs::read_to_string("/proc/uptime")?;
    Ok(text.split('.').next().context("no seconds")?.parse()?)
}

fn many_kinds_of_services_from_a_file() -> Result<()> {
    let site = Site::new(2);
    let _servers = site.serve(80);
    let text = format!(
        r#"
        check = {{ type = "http" }}
        [[service]]
        virtual = "{VIP}:80"
        scheduler = "sh"
        persistent = 60
        real = "10.0.0.11-12"
        [[service]]
        virtual = "[{VIP6}]:80"
        scheduler = "mh"
        scheduler_flags = ["mh-port"]
        real = "fd00:10::11-12"
        [[service]]
        mark = 7
        forwarding = "dr"
        check = {{ type = "http", port = 80 }}
        real = "10.0.0.11@3"
        [[service]]
        virtual = "{VIP}:53"
        protocol = "udp"
        one_packet = true
        scheduler = "rr"
        check = {{ type = "none" }}
        real = [{{ address = "10.0.0.12", port = 5353, upper_threshold = 9 }}]
        "#
    );
    let file = Path::new("/tmp/many.toml");
    fs::write(file, text)?;
    let resource = Resource::of_file(&site.director, "many", file);
    resource.must("start", 0)?;
    let wanted = [
        "-A -f 7 -s wlc",
        "-A -t 198.51.100.100:80 -s sh -p 60",
        "-A -t [2001:db8:51::100]:80 -s mh -b mh-port",
        "-A -u 198.51.100.100:53 -s rr -o",
        "-a -f 7 -r 10.0.0.11:0 -g -w 3",
        "-a -t 198.51.100.100:80 -r 10.0.0.11:80 -m -w 1",
        "-a -t 198.51.100.100:80 -r 10.0.0.12:80 -m -w 1",
        "-a -t [2001:db8:51::100]:80 -r [fd00:10::11]:80 -m -w 1",
        "-a -t [2001:db8:51::100]:80 -r [fd00:10::12]:80 -m -w 1",
        "-a -u 198.51.100.100:53 -r 10.0.0.12:5353 -m -w 1",
    ];
    same(&site.director.rules(), &wanted.map(str::to_owned))?;
    ensure!(site.director.thresholds("10.0.0.12:5353")?.0 == 9);
    resource.round(0)?;
    same(&site.director.rules(), &wanted.map(str::to_owned))?;
    site.client.ask(SocketAddr::new(ip(VIP6), 80), &[])?;
    resource.stop()?;
    // UDP by parameters.
    let resource = Resource::new(&site.director, "udp", 1).with("ports", "80 53/udp").with("check", "none");
    resource.must("start", 0)?;
    let mut wanted = rules(&[1]);
    wanted.extend([format!("-A -u {VIP}:53 -s rr"), format!("-a -u {VIP}:53 -r 10.0.0.11:53 -m -w 1")]);
    wanted.sort();
    same(&site.director.rules(), &wanted)?;
    resource.stop()
}
