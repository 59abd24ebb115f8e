//! Synchronisation daemons and timeouts.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use inuvika_ha::sys::ipvs::{Change, Forwarding, Role, SyncDaemon, Timeouts, Tunnel, explain, explain_sync};
use nix::errno::Errno;

use crate::Body;
use crate::bed::{Host, Network, ip, tcp};
use crate::table::{server, service};

pub const TRIALS: &[(&str, Body)] = &[
    ("sync_daemons_start_with_their_options_and_stop", sync_daemons_start_with_their_options_and_stop),
    ("a_sync_daemon_that_is_stopped_at_once_is_gone", a_sync_daemon_that_is_stopped_at_once_is_gone),
    ("sync_daemons_and_mixed_families_exclude_each_other", sync_daemons_and_mixed_families_exclude_each_other),
    ("timeouts_are_set_and_read", timeouts_are_set_and_read),
];

fn daemon(role: Role) -> SyncDaemon {
    SyncDaemon { role, interface: "eth0".into(), id: 42, max_len: None, group: None, port: None, ttl: None }
}

fn director() -> (Network, Host) {
    let (network, host) = (Network::new(), Host::new("director"));
    network.plug(&host, "eth0", &["10.0.0.1/24", "fd00:10::1/64"], &[]);
    (network, host)
}

fn sync_daemons_start_with_their_options_and_stop() -> Result<()> {
    let (_network, host) = director();
    let mut ipvs = host.ipvs()?;
    ensure!(ipvs.sync_daemons()?.is_empty());
    let mut master = daemon(Role::Master);
    (master.max_len, master.group) = (Some(1000), Some(ip("224.0.0.90")));
    (master.port, master.ttl) = (Some(9848), Some(3));
    let backup = daemon(Role::Backup);
    ipvs.start_sync(&master)?;
    ipvs.start_sync(&backup)?;
    let judged = host.run("ipvsadm -L --daemon");
    for part in [
        "master sync daemon (mcast=eth0, syncid=42, maxlen=1000, group=224.0.0.90, port=9848, ttl=3)",
        "backup sync daemon (mcast=eth0, syncid=42",
    ] {
        ensure!(judged.contains(part), "{judged}");
    }
    let listed = ipvs.sync_daemons()?;
    ensure!(listed.len() == 2 && listed[0] == master, "{listed:?}");
    ensure!(backup.is_run_by(&listed[1]) && !backup.is_run_by(&listed[0]), "{listed:?}");
    ensure!(listed[1].group == Some(ip("224.0.0.81")) && listed[1].port == Some(8848), "{listed:?}");

    let again = ipvs.start_sync(&master).unwrap_err();
    ensure!(explain_sync(&master, &again) == "start the sync master on eth0: one runs already", "{again}");
    ipvs.stop_sync(Role::Master)?;
    ensure!(ipvs.sync_daemons()? == [listed[1].clone()]);
    ipvs.stop_sync(Role::Backup)?;
    ensure!(ipvs.stop_sync(Role::Backup).unwrap_err().raw_os_error() == Some(Errno::ESRCH as i32));
    ensure!(host.run("ipvsadm -L --daemon").trim().is_empty() && ipvs.sync_daemons()?.is_empty());

    let v6 = SyncDaemon { group: Some(ip("ff02::90")), ..daemon(Role::Master) };
    ipvs.start_sync(&v6)?;
    ensure!(v6.is_run_by(&ipvs.sync_daemons()?[0]), "{:?}", ipvs.sync_daemons()?);
    ipvs.stop_sync(Role::Master)?;
    let nowhere = SyncDaemon { interface: "eth7".into(), ..daemon(Role::Master) };
    let error = ipvs.start_sync(&nowhere).unwrap_err();
    ensure!(explain_sync(&nowhere, &error).contains("no link eth7"), "{error}");
    Ok(())
}

/// The kernel leaves a stop without an answer when the daemon's thread has not begun to run.
fn a_sync_daemon_that_is_stopped_at_once_is_gone() -> Result<()> {
    let (_network, host) = director();
    let mut ipvs = host.ipvs()?;
    for round in 0..100 {
        let role = if round % 2 == 0 { Role::Backup } else { Role::Master };
        ipvs.start_sync(&daemon(role)).with_context(|| format!("start {role:?}, round {round}"))?;
        ipvs.stop_sync(role).with_context(|| format!("stop {role:?}, round {round}"))?;
        ensure!(ipvs.sync_daemons()?.is_empty(), "round {round}");
    }
    Ok(())
}

fn sync_daemons_and_mixed_families_exclude_each_other() -> Result<()> {
    let (_network, host) = director();
    let mut ipvs = host.ipvs()?;
    let key = tcp("192.0.2.1", 80);
    host.must(&[Change::AddService(service(key, "rr"))])?;
    let mixed = Change::AddServer(key, server("fd00:10::2", 80, Forwarding::Tunnel(Tunnel::Ipip)));
    ipvs.start_sync(&daemon(Role::Backup))?;
    let failed = ipvs.apply(std::slice::from_ref(&mixed))?;
    ensure!(failed.len() == 1 && explain(&mixed, &failed[0].1).contains("stop the sync daemon"), "{failed:?}");
    ipvs.stop_sync(Role::Backup)?;
    host.must(&[mixed])?;
    let error = ipvs.start_sync(&daemon(Role::Backup)).unwrap_err();
    ensure!(explain_sync(&daemon(Role::Backup), &error).contains("both address families"), "{error}");
    Ok(())
}

fn timeouts_are_set_and_read() -> Result<()> {
    let (_network, host) = director();
    let mut ipvs = host.ipvs()?;
    let seconds = Duration::from_secs;
    ensure!(ipvs.timeouts()? == Timeouts { tcp: seconds(900), tcp_fin: seconds(120), udp: seconds(300) });
    // Zero leaves what is set.
    ipvs.set_timeouts(&Timeouts { tcp: seconds(77), tcp_fin: seconds(0), udp: seconds(99) })?;
    ensure!(ipvs.timeouts()? == Timeouts { tcp: seconds(77), tcp_fin: seconds(120), udp: seconds(99) });
    let judged = host.run("ipvsadm -L --timeout");
    ensure!(judged.trim() == "Timeout (tcp tcpfin udp): 77 120 99", "{judged}");
    let forever = Timeouts { tcp: Duration::MAX, tcp_fin: seconds(0), udp: seconds(0) };
    let error = ipvs.set_timeouts(&forever).unwrap_err();
    ensure!(error.raw_os_error() == Some(Errno::EINVAL as i32), "{error}");
    Ok(())
}
