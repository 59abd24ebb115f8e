//! stop copes with everything.

use anyhow::{Result, ensure};

use crate::Body;
use crate::host::{agent, expect, ip, nothing_left, sh};

pub const TRIALS: &[(&str, Body)] = &[
    ("stop works without virtual IP and link", without_address),
    ("stop works without the programs nft and iptables", without_programs),
    ("stop works with /run read-only", read_only),
    ("stop works while another action is stuck", stuck),
    ("stop leaves tables of others alone", others),
    ("nobody but root stops it, and is told so", unprivileged),
];

fn without_address() -> Result<()> {
    expect(&agent(), "start", 0)?;
    ip("address flush dev eth0");
    ip("link set eth0 down");
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn without_programs() -> Result<()> {
    expect(&agent().with_param("backend", "nftables"), "start", 0)?;
    let path = agent().path.display().to_string();
    let stop = format!("OCF_RESOURCE_INSTANCE=vip_src OCF_RESKEY_virtual_ip=10.20.1.10 {path} stop");
    // In mounts of its own, where /usr/sbin has neither.
    sh(&format!("unshare -m bash -c 'mount -t tmpfs none /usr/sbin && ! command -v nft && {stop}'"));
    nothing_left()
}

fn read_only() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let path = agent().path.display().to_string();
    let stop = format!("OCF_RESOURCE_INSTANCE=vip_src OCF_RESKEY_virtual_ip=10.20.1.10 {path} stop");
    sh(&format!(
        "unshare -m bash -c 'mount -o remount,bind,ro /run || mount -t tmpfs -o ro none /run/inuvika-ha; {stop}'"
    ));
    ensure!(!sh("nft list tables").contains("inuvika"));
    Ok(())
}

fn stuck() -> Result<()> {
    expect(&agent(), "start", 0)?;
    // Somebody holds the lock and does not move.
    let mut holder = std::process::Command::new("flock").args(["/run/inuvika-ha/vip_src", "sleep", "60"]).spawn()?;
    std::thread::sleep(std::time::Duration::from_millis(200));
    let begin = std::time::Instant::now();
    let run = expect(&agent(), "stop", 0);
    let took = begin.elapsed();
    // flock execs nothing: it waits for its child, which is ended with it.
    let children = sh(&format!("cat /proc/{0}/task/{0}/children", holder.id()));
    sh(&format!("kill -9 {}", children.trim()));
    let _ = holder.wait();
    run?;
    ensure!(took < std::time::Duration::from_secs(4), "{took:?}");
    nothing_left()
}

fn others() -> Result<()> {
    sh("nft add table ip mine; nft add table ip6 mine; nft add table ip inuvika_vip_src_vip_src2");
    expect(&agent(), "start", 0)?;
    expect(&agent(), "stop", 0)?;
    let tables = sh("nft list tables");
    ensure!(tables.lines().count() == 3 && tables.contains("inuvika_vip_src_vip_src2"), "{tables}");
    Ok(())
}

fn unprivileged() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let path = agent().path.display().to_string();
    for action in ["stop", "start"] {
        let line = format!(
            "OCF_RESOURCE_INSTANCE=vip_src OCF_RESKEY_virtual_ip=10.20.1.10 {path} {action} 2>&1; echo code $?"
        );
        let said = sh(&format!("su nobody -s /bin/sh -c '{line}'"));
        ensure!(
            said.contains("code 4") && said.contains("ot permitted") || said.contains("ermission denied"),
            "{said}"
        );
    }
    expect(&agent(), "stop", 0)?;
    nothing_left()
}
