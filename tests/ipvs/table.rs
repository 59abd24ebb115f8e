//! The table: changes and what comes of them.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use inuvika_ha::sys::ipvs::{Change, Forwarding, Key, Persistence, RealServer, Service, Tunnel, explain};
use nix::errno::Errno;

use crate::Body;
use crate::bed::{Host, ip, tcp};
use crate::netns::address_line;

pub const TRIALS: &[(&str, Body)] = &[
    ("edits_are_made_in_place", edits_are_made_in_place),
    ("changes_that_fail_come_back_with_their_index", changes_that_fail_come_back_with_their_index),
    ("what_the_kernel_refuses_is_explained", what_the_kernel_refuses_is_explained),
    ("services_of_others_are_not_touched", services_of_others_are_not_touched),
    ("ten_thousand_real_servers_are_listed", ten_thousand_real_servers_are_listed),
    ("a_hundred_services_with_a_hundred_real_servers_are_listed", a_hundred_services),
    ("a_real_server_on_the_director_is_listed_as_asked_for", a_real_server_on_the_director),
];

pub fn service(key: Key, scheduler: &str) -> Service {
    Service { key, scheduler: scheduler.into(), scheduler_flags: [false; 3], one_packet: false, persistence: None }
}

pub fn server(address: &str, port: u16, forwarding: Forwarding) -> RealServer {
    RealServer { address: ip(address), port, forwarding, weight: 1, upper_threshold: 0, lower_threshold: 0 }
}

pub fn persistence(seconds: u64, prefix: u8, engine: Option<&str>) -> Option<Persistence> {
    Some(Persistence { timeout: Duration::from_secs(seconds), prefix, engine: engine.map(str::to_owned) })
}

pub fn additions(service: &Service, servers: &[RealServer]) -> Vec<Change> {
    let added = servers.iter().map(|server| Change::AddServer(service.key, *server));
    std::iter::once(Change::AddService(service.clone())).chain(added).collect()
}

/// A director whose own routes lead everywhere, so that every address is that of a possible real server.
pub fn director() -> Host {
    let host = Host::new("director");
    let lines = ["link add d0 type dummy", "link set d0 up"].map(str::to_owned);
    let addresses = ["10.255.255.1/8", "fd00::ffff/16"].map(|address| address_line(address, "d0"));
    host.ip_all(&[lines, addresses].concat());
    host
}

/// Says only what differs.
pub fn same<T: PartialEq + std::fmt::Debug>(found: &[T], wanted: &[T]) -> Result<()> {
    let extra: Vec<_> = found.iter().filter(|one| !wanted.contains(one)).collect();
    let missing: Vec<_> = wanted.iter().filter(|one| !found.contains(one)).collect();
    ensure!(
        extra.is_empty() && missing.is_empty(),
        "found and not wanted: {extra:#?}\nwanted and not found: {missing:#?}"
    );
    ensure!(found == wanted, "not in order: {found:#?}");
    Ok(())
}

fn edits_are_made_in_place() -> Result<()> {
    let host = director();
    let key = tcp("192.0.2.1", 80);
    let mut wanted = service(key, "rr");
    let mut real = server("10.0.0.1", 80, Forwarding::Nat);
    host.must(&additions(&wanted, &[real, server("10.0.0.2", 80, Forwarding::Nat)]))?;

    wanted.scheduler = "wlc".into();
    wanted.persistence = persistence(30, 16, None);
    (real.weight, real.upper_threshold, real.lower_threshold) = (7, 9, 8);
    real.forwarding = Forwarding::Tunnel(Tunnel::Gue { port: 6080, checksum: false });
    host.must(&[Change::EditService(wanted.clone()), Change::EditServer(key, real)])?;
    let other = "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1".to_owned();
    let edited = "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -i -w 7 --tun-type gue --tun-port 6080 --tun-nocsum";
    let head = "-A -t 192.0.2.1:80 -s wlc -p 30 -M 255.255.0.0".to_owned();
    same(&host.rules(), &[head, edited.to_owned(), other.clone()])?;
    ensure!(host.thresholds("10.0.0.1:80")? == (9, 8));

    // And back: nothing of it stays.
    let (plain, real) = (service(key, "rr"), server("10.0.0.1", 80, Forwarding::Nat));
    host.must(&[Change::EditService(plain.clone()), Change::EditServer(key, real)])?;
    let first = "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1".to_owned();
    same(&host.rules(), &["-A -t 192.0.2.1:80 -s rr".to_owned(), first, other])?;
    ensure!(host.thresholds("10.0.0.1:80")? == (0, 0));
    let listed = host.list()?.pop().context("nothing listed")?;
    ensure!(listed.service == plain && listed.servers.first().is_some_and(|(found, _)| *found == real), "{listed:?}");

    host.must(&[Change::DeleteServer(key, real.address, real.port)])?;
    ensure!(host.rules().len() == 2, "{:?}", host.rules());
    host.must(&[Change::DeleteService(key)])?;
    ensure!(host.rules().is_empty() && host.list()?.is_empty(), "{:?}", host.rules());
    Ok(())
}

fn changes_that_fail_come_back_with_their_index() -> Result<()> {
    let host = director();
    let key = tcp("192.0.2.1", 80);
    // 300 changes are several messages' worth; every hundredth is made twice.
    let mut changes = vec![Change::AddService(service(key, "rr"))];
    for number in 0..300u16 {
        let address = format!("10.0.{}.{}", number / 100, number % 100 + 1);
        let change = Change::AddServer(key, server(&address, 80, Forwarding::Nat));
        if number % 100 == 50 {
            changes.push(change.clone());
        }
        changes.push(change);
    }
    let failed = host.ipvs()?.apply(&changes)?;
    let errors: Vec<_> = failed.iter().map(|(index, error)| (*index, error.raw_os_error())).collect();
    let exists = Some(Errno::EEXIST as i32);
    ensure!(errors == [(52, exists), (153, exists), (254, exists)], "{errors:?}");
    ensure!(host.rules().len() == 301, "the others are made");

    // All of them fail: no error is lost.
    let failed = host.ipvs()?.apply(&changes)?;
    ensure!(failed.len() == changes.len(), "{} of {} errors", failed.len(), changes.len());
    ensure!(failed.iter().enumerate().all(|(at, (index, error))| at == *index && error.raw_os_error() == exists));
    ensure!(host.ipvs()?.apply(&[])?.is_empty());
    Ok(())
}

fn what_the_kernel_refuses_is_explained() -> Result<()> {
    let host = director();
    let (key, absent) = (tcp("192.0.2.1", 80), tcp("192.0.2.9", 80));
    let nat = |address: &str| server(address, 80, Forwarding::Nat);
    let sip = Service { persistence: persistence(9, 32, Some("none_such")), ..service(absent, "rr") };
    let prefix = Service { persistence: persistence(9, 0, None), ..service(tcp("2001:db8::9", 80), "rr") };
    let upside_down = RealServer { upper_threshold: 5, lower_threshold: 6, ..nat("10.0.0.2") };
    host.must(&additions(&service(key, "rr"), &[nat("10.0.0.1")]))?;
    for (change, errno, part) in [
        (Change::AddService(service(absent, "none_such")), Errno::ENOENT, "modprobe ip_vs_none_such"),
        (Change::EditService(service(key, "none_such")), Errno::ENOENT, "modprobe ip_vs_none_such"),
        (Change::AddService(sip), Errno::ENOENT, "ip_vs_pe_none_such"),
        (Change::AddService(service(key, "rr")), Errno::EEXIST, "there already"),
        (Change::EditService(service(absent, "rr")), Errno::ESRCH, "no such service"),
        (Change::DeleteService(absent), Errno::ESRCH, "no such service"),
        (Change::AddService(prefix), Errno::EINVAL, "1 to 128"),
        (Change::AddServer(absent, nat("10.0.0.1")), Errno::ESRCH, "no such service"),
        (Change::AddServer(key, nat("10.0.0.1")), Errno::EEXIST, "there already"),
        (Change::EditServer(key, nat("10.0.0.2")), Errno::ENOENT, "no such server"),
        (Change::DeleteServer(key, ip("10.0.0.2"), 80), Errno::ENOENT, "no such server"),
        (Change::AddServer(key, nat("224.0.0.1")), Errno::EINVAL, "not the address of one host"),
        (Change::AddServer(key, nat("fd00::1")), Errno::EINVAL, "needs forwarding by tunnel"),
        (Change::AddServer(key, upside_down), Errno::ERANGE, "thresholds"),
    ] {
        let failed = host.ipvs()?.apply(std::slice::from_ref(&change))?;
        let (_, error) = failed.first().with_context(|| format!("{change:?} was taken"))?;
        let text = explain(&change, error);
        ensure!(error.raw_os_error() == Some(errno as i32), "{change:?}: {error}, wanted {errno}");
        ensure!(text.contains(part), "{text:?} lacks {part:?}");
    }
    let rules = ["-A -t 192.0.2.1:80 -s rr", "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1"];
    same(&host.rules(), &rules.map(str::to_owned))
}

fn services_of_others_are_not_touched() -> Result<()> {
    let host = director();
    for line in ["-A -t 192.0.2.7:80 -s lc -p 11", "-a -t 192.0.2.7:80 -r 10.0.0.7:81 -m -w 3", "-A -f 3 -s wrr -o"] {
        host.run(&format!("ipvsadm {line}"));
    }
    let before = host.rules();
    let key = tcp("192.0.2.1", 80);
    host.must(&additions(&service(key, "rr"), &[server("10.0.0.1", 80, Forwarding::Nat)]))?;
    host.must(&[Change::EditService(service(key, "wlc"))])?;
    ensure!(host.list()?.len() == 3 && host.rules().len() == before.len() + 2);
    host.must(&[Change::DeleteService(key)])?;
    same(&host.rules(), &before)
}

fn farm(services: u16, servers: u16) -> Vec<Change> {
    let mut changes = Vec::new();
    for port in 1..=services {
        let key = tcp("192.0.2.1", port);
        changes.push(Change::AddService(service(key, "rr")));
        let address = |number: u16| format!("10.0.{}.{}", number / 250, number % 250 + 1);
        changes.extend((0..servers).map(|n| Change::AddServer(key, server(&address(n), 80, Forwarding::Nat))));
    }
    changes
}

/// Adds a farm and reads it again; says how long that took.
fn listed(services: u16, servers: u16) -> Result<()> {
    let host = director();
    let changes = farm(services, servers);
    let mut ipvs = host.ipvs()?;
    let started = Instant::now();
    let failed = ipvs.apply(&changes)?;
    ensure!(failed.is_empty(), "{} failed: {:?}", failed.len(), failed.first());
    let added = started.elapsed();
    let started = Instant::now();
    let entries = ipvs.list()?;
    let (read, added) = (started.elapsed().as_millis(), added.as_millis());
    eprintln!("ipvs: {services} x {servers}: added in {added} ms, listed in {read} ms");
    ensure!(entries.len() == usize::from(services));
    for entry in &entries {
        ensure!(entry.servers.len() == usize::from(servers), "{}: {}", entry.service.key, entry.servers.len());
        let sorted = entry.servers.is_sorted_by_key(|(server, _)| (server.address, server.port));
        ensure!(sorted, "{} is not sorted", entry.service.key);
    }
    let counted = host.run("ipvsadm -S -n").lines().count();
    ensure!(counted == changes.len(), "the judge counts {counted} of {}", changes.len());
    Ok(())
}

fn ten_thousand_real_servers_are_listed() -> Result<()> {
    listed(1, 1000)?;
    listed(1, 10_000)
}

fn a_hundred_services() -> Result<()> {
    listed(100, 100)
}

fn a_real_server_on_the_director() -> Result<()> {
    let host = director();
    let key = tcp("192.0.2.1", 80);
    let wanted = [server("10.255.255.1", 80, Forwarding::Nat), server("127.0.0.1", 80, Forwarding::Direct)];
    host.must(&additions(&service(key, "rr"), &wanted))?;
    let entry = host.list()?.pop().context("nothing listed")?;
    let found: Vec<_> = entry.servers.into_iter().map(|(server, _)| server).collect();
    same(&found, &wanted)
}
