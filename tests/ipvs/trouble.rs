//! A director when things go wrong: killed actions, a kernel without IPVS, changes under load, real servers that hang.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use nix::mount::{MsFlags, mount};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::Body;
use crate::bed::{Site, VIP, ip};
use crate::life::{Configured, unload};
use crate::resource::{Resource, answers, rules, same};
use crate::wider::program;

pub const TRIALS: &[(&str, Body)] = &[
    ("an_agent_without_ipvs_says_what_to_do", an_agent_without_ipvs_says_what_to_do),
    ("an_unloaded_module_is_loaded_again", an_unloaded_module_is_loaded_again),
    ("a_scheduler_without_a_module_is_named_and_nothing_is_left", a_scheduler_without_a_module),
    ("a_check_that_cannot_be_made_is_told", a_check_that_cannot_be_made_is_told),
    ("a_full_run_takes_no_service_away", a_full_run_takes_no_service_away),
    ("after_a_kill_at_any_instant_stop_leaves_nothing", after_a_kill_at_any_instant_stop_leaves_nothing),
    ("no_request_fails_while_rounds_change_the_table", no_request_fails_while_rounds_change_the_table),
    ("real_servers_that_hang_do_not_hold_up_a_monitor", real_servers_that_hang_do_not_hold_up_a_monitor),
];

fn an_agent_without_ipvs_says_what_to_do() -> Result<()> {
    let site = Site::new(1);
    let _servers = site.serve(80);
    let resource = Resource::new(&site.director, "without", 1);
    unload()?;
    let configured = Configured::new("install ip_vs /usr/bin/false\n")?;
    resource.probe(7)?;
    let run = resource.must("start", 5)?;
    ensure!(run.stderr.contains("modprobe ip_vs"), "{run}");
    let run = resource.called_with("OCF_CHECK_LEVEL", "10").must("validate-all", 5)?;
    ensure!(run.stderr.contains("modprobe ip_vs"), "{run}");
    resource.must("stop", 0)?;
    resource.probe(7)?;
    resource.no_state()?;
    drop(configured);
    // Neither probe nor stop loads it.
    resource.probe(7)?;
    resource.must("stop", 0)?;
    ensure!(!inuvika_ha::sys::ipvs::Ipvs::is_loaded(), "a probe or a stop has loaded IPVS");
    resource.must("start", 0)?;
    same(&site.director.rules(), &rules(&[1]))?;
    resource.stop()
}

fn an_unloaded_module_is_loaded_again() -> Result<()> {
    let site = Site::new(2);
    let _servers = site.serve(80);
    let resource = Resource::new(&site.director, "unloaded", 2);
    resource.must("start", 0)?;
    site.director.run("ipvsadm -C");
    unload()?;
    resource.probe(7)?;
    resource.round(0)?;
    same(&site.director.rules(), &rules(&[1, 1]))?;
    answers(&site, 2)?;
    site.director.run("ipvsadm -C");
    unload()?;
    resource.must("stop", 0)?;
    ensure!(!inuvika_ha::sys::ipvs::Ipvs::is_loaded(), "stop has loaded IPVS");
    resource.no_state()
}

fn a_scheduler_without_a_module() -> Result<()> {
    let site = Site::new(1);
    let _servers = site.serve(80);
    let resource = Resource::new(&site.director, "scheduler", 1);
    let wrong = resource.with("scheduler", "none_such");
    let run = wrong.must("start", 1)?;
    ensure!(run.stderr.contains("modprobe ip_vs_none_such"), "{run}");
    resource.nothing_left()?;
    let run = wrong.called_with("OCF_CHECK_LEVEL", "10").must("validate-all", 5)?;
    ensure!(run.stderr.contains("ip_vs_none_such"), "{run}");
    // A mistake in a reload does not take away what runs, not even for a restart: the monitor tells.
    resource.must("start", 0)?;
    let wrong = wrong.called_with("OCF_RESKEY_crm_feature_set", "3.16.2");
    wrong.must("reload-agent", 0)?;
    same(&site.director.rules(), &rules(&[1]))?;
    let run = wrong.round(190)?;
    ensure!(run.stderr.contains("modprobe ip_vs_none_such"), "{run}");
    // Nor does one in a service that is to come.
    let more = format!(
        "[[service]]\nvirtual = \"{VIP}:80\"\nscheduler = \"rr\"\nreal = \"10.0.0.11\"\n\
         [[service]]\nvirtual = \"{VIP}:81\"\nscheduler = \"none_such\"\nreal = \"10.0.0.11:80\"\n"
    );
    let file = Path::new("/tmp/scheduler.toml");
    fs::write(file, more)?;
    let of_file = Resource::of_file(&site.director, "scheduler", file);
    let run = of_file.called_with("OCF_RESKEY_crm_feature_set", "3.16.2").round(190)?;
    ensure!(run.stderr.contains("modprobe ip_vs_none_such"), "{run}");
    same(&site.director.rules(), &rules(&[1]))?;
    answers(&site, 2)?;
    wrong.stop()?;
    // Not even at start, as after an update of the kernel: the others serve.
    let of_file = of_file.called_with("OCF_RESKEY_crm_feature_set", "3.16.2");
    of_file.must("start", 0)?;
    ensure!(resource.log().contains("modprobe ip_vs_none_such"), "{}", resource.log());
    same(&site.director.rules(), &rules(&[1]))?;
    let run = of_file.round(190)?;
    ensure!(run.stderr.contains("modprobe ip_vs_none_such"), "{run}");
    of_file.stop()
}

/// What nobody can ask is not taken for well, and somebody is told.
fn a_check_that_cannot_be_made_is_told() -> Result<()> {
    let site = Site::new(2);
    let resource = Resource::new(&site.director, "unasked", 2)
        .with("check", "command:/tmp/ask")
        .called_with("OCF_RESKEY_crm_feature_set", "3.16.2");
    let cannot = "2 of 2 checks could not be made: /tmp/ask for 10.0.0.11:80: cannot be run";
    let _ = fs::remove_file("/tmp/ask");
    let run = resource.called_with("OCF_CHECK_LEVEL", "10").must("validate-all", 5)?;
    ensure!(run.stderr.contains("program /tmp/ask of a check is not there"), "{run}");
    resource.must("start", 0)?;
    same(&site.director.rules(), &rules(&[0, 0]))?;
    let run = resource.round(190)?;
    ensure!(run.stderr.contains(cannot), "{run}");
    program("/tmp/ask", "exit 0")?;
    resource.called_with("OCF_CHECK_LEVEL", "10").must("validate-all", 0)?;
    resource.round(0)?;
    same(&site.director.rules(), &rules(&[1, 1]))?;
    // Who served goes on; that nobody asks any more is no secret.
    fs::remove_file("/tmp/ask")?;
    let run = resource.round(190)?;
    ensure!(run.stderr.contains(cannot), "{run}");
    same(&site.director.rules(), &rules(&[1, 1]))?;
    let log = resource.log();
    ensure!(log.matches("2 of 2 checks could not be made").count() <= 6, "{log}");
    resource.stop()
}

/// A state folder that cannot be written is no reason to take away what serves.
fn a_full_run_takes_no_service_away() -> Result<()> {
    let site = Site::new(2);
    let _servers = site.serve(80);
    let resource = Resource::new(&site.director, "full", 2).called_with("OCF_RESKEY_crm_feature_set", "3.16.2");
    resource.must("start", 0)?;
    let remount = |flags| mount(None::<&str>, "/run", None::<&str>, MsFlags::MS_REMOUNT | flags, None::<&str>);
    remount(MsFlags::MS_RDONLY)?;
    let run = resource.round(190);
    remount(MsFlags::empty())?;
    let run = run?;
    ensure!(run.stderr.contains("Read-only file system"), "{run}");
    same(&site.director.rules(), &rules(&[1, 1]))?;
    resource.round(0)?;
    resource.stop()
}

fn after_a_kill_at_any_instant_stop_leaves_nothing() -> Result<()> {
    const KILLS: u32 = 10;
    let site = Site::new(2);
    let _servers = site.serve(80);
    site.director.run("ipvsadm -A -t 192.0.2.7:80 -s lc");
    let foreign = site.director.rules();
    let resource = Resource::new(&site.director, "killed", 2);
    let due = resource.called_with("OCF_RESKEY_CRM_meta_interval", "1");
    for action in ["start", "monitor", "stop"] {
        // How long it takes when left alone.
        if action != "start" {
            resource.must("start", 0)?;
        }
        if action == "monitor" {
            site.director.run(&format!("ipvsadm -D -t {VIP}:80"));
        }
        let begun = Instant::now();
        due.must(action, 0)?;
        let whole = begun.elapsed();
        resource.must("stop", 0)?;
        for number in 0..KILLS {
            if action != "start" {
                resource.must("start", 0)?;
            }
            if action == "monitor" {
                // So that it has something to do.
                site.director.run(&format!("ipvsadm -D -t {VIP}:80"));
            }
            let mut child = site.director.enter(|| due.subject().begin(action));
            std::thread::sleep(whole * number / KILLS * 6 / 5);
            // It may have ended by itself.
            let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
            child.wait()?;
            let context = format!("after kill {number} of {action}");
            if number % 2 == 0 {
                resource.must("start", 0).map_err(|error| error.context(context.clone()))?;
                resource.round(0).map_err(|error| error.context(context.clone()))?;
                let found: Vec<String> =
                    site.director.rules().into_iter().filter(|rule| !foreign.contains(rule)).collect();
                same(&found, &rules(&[1, 1])).map_err(|error| error.context(context.clone()))?;
            }
            resource.must("stop", 0).map_err(|error| error.context(context.clone()))?;
            same(&site.director.rules(), &foreign).map_err(|error| error.context(context.clone()))?;
            resource.no_state().map_err(|error| error.context(context))?;
        }
    }
    Ok(())
}

fn no_request_fails_while_rounds_change_the_table() -> Result<()> {
    const ROUNDS: u32 = 200;
    let site = Site::new(4);
    let _servers = site.serve(80);
    let resource = Resource::new(&site.director, "load", 4);
    resource.must("start", 0)?;
    let (done, asked) = (AtomicBool::new(false), AtomicU32::new(0));
    let client = || -> Result<()> {
        while !done.load(Ordering::Relaxed) {
            site.client.ask(SocketAddr::new(ip(VIP), 80), &[])?;
            asked.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    let rounds = || -> Result<()> {
        for number in 0..ROUNDS {
            let changed = match number % 8 {
                2 => resource.with("drained", "10.0.0.14"),
                4 => resource.with("real_servers", "10.0.0.11-13,10.0.0.14@9"),
                // Not the scheduler: the kernel itself refuses connections while it changes that.
                6 => resource.with("real_servers", "10.0.0.11-12,10.0.0.13:80@2,10.0.0.14"),
                _ => {
                    site.director.run(&format!("ipvsadm -e -t {VIP}:80 -r 10.0.0.11:80 -m -w {}", number % 5));
                    resource.with("fall", "3")
                }
            };
            changed.round(0)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..2).map(|_| scope.spawn(client)).collect();
        let made = rounds();
        done.store(true, Ordering::Relaxed);
        let failed = clients.into_iter().map(|client| client.join().unwrap()).find(|result| result.is_err());
        made.and(failed.unwrap_or(Ok(())))
    })?;
    let asked = asked.load(Ordering::Relaxed);
    eprintln!("ipvs: {asked} requests during {ROUNDS} rounds");
    ensure!(asked > ROUNDS, "only {asked} requests in {ROUNDS} rounds");
    resource.round(0)?;
    same(&site.director.rules(), &rules(&[1, 1, 1, 1]))?;
    resource.stop()
}

fn real_servers_that_hang_do_not_hold_up_a_monitor() -> Result<()> {
    let site = Site::new(1);
    // It accepts connections, and never answers.
    let _silent = site.servers[0].enter(|| TcpListener::bind("0.0.0.0:80"))?;
    for number in 0..4 {
        site.servers[0].ip(&format!("address add 10.0.{}.1/16 dev eth0", 100 + number));
    }
    site.director.ip("route add 10.0.0.0/16 dev eth1");
    let file = "/tmp/hang.toml";
    // 100 at a time, each for 2 s: that would take 20 s, and the action has 10.
    let text = format!(
        "concurrency = 100\ncheck_timeout = 2\nscheduler = \"rr\"\ncheck = {{ type = \"http\", path = \"/\" }}\n\
         [[service]]\nvirtual = \"{VIP}:80\"\nreal = [\"10.0.104.1-250\", \"10.0.105.1-250\", \"10.0.106.1-250\", \
         \"10.0.107.1-250\", \"10.0.0.11\"]\n"
    );
    fs::write(file, text)?;
    let resource = Resource::of_file(&site.director, "hang", file.as_ref())
        .called_with("OCF_RESKEY_CRM_meta_timeout", "10000")
        .called_with("OCF_RESKEY_crm_feature_set", "3.16.2");
    let begun = Instant::now();
    resource.must("start", 0)?;
    let started = begun.elapsed();
    let begun = Instant::now();
    resource.round(190)?;
    let monitored = begun.elapsed();
    eprintln!(
        "ipvs: 1,001 real servers that hang: start {} ms, monitor {} ms",
        started.as_millis(),
        monitored.as_millis()
    );
    ensure!(started.max(monitored) < Duration::from_secs(10), "start {started:?}, monitor {monitored:?}");
    ensure!(site.director.rules().len() == 1002);
    resource.stop()
}
