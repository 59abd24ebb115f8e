//! What monitor says of each state.

use anyhow::{Result, ensure};

use crate::Body;
use crate::host::{VIP, agent, expect, expect_monitor, ip, rules, sh};

pub const TRIALS: &[(&str, Body)] = &[
    ("a lost table is 7", lost),
    ("whatever was changed in the table is 1 and named", changed),
    ("a missing virtual IP is 190", address_missing),
    ("an old Pacemaker gets 0 for it and a warning in the log", old_pacemaker),
    ("the link of the virtual IP is gone", link_gone),
    ("lost state changes no verdict", state_lost),
    ("the log says things once", log_once),
];

const TABLE: &str = "ip inuvika_vip_src_vip_src";

fn lost() -> Result<()> {
    expect(&agent(), "start", 0)?;
    sh("nft flush ruleset");
    expect_monitor(&agent(), 7, "source address rules for 10.20.1.10 are not there")
}

fn changed() -> Result<()> {
    for (edit, reason) in [
        (format!("nft add rule {TABLE} postrouting counter"), "rules instead of"),
        (format!("nft flush chain {TABLE} postrouting"), "rules instead of"),
        (format!("nft add element {TABLE} keep '{{ 10.20.1.99 }}'"), "10.20.1.99"),
        (format!("nft delete element {TABLE} keep '{{ 224.0.0.0/4 }}'"), "224.0.0.0"),
        (format!("nft add chain {TABLE} more"), "changed"),
        (format!("nft add table {TABLE} '{{ flags dormant; }}'"), "dormant"),
    ] {
        expect(&agent(), "start", 0)?;
        expect_monitor(&agent(), 0, "")?;
        sh(&edit);
        expect_monitor(&agent(), 1, reason).map_err(|e| e.context(edit))?;
        // A start over it repairs it, as the restart does.
        expect(&agent(), "start", 0)?;
        expect_monitor(&agent(), 0, "")?;
        ensure!(rules(VIP) == 1);
    }
    Ok(())
}

fn address_missing() -> Result<()> {
    expect(&agent(), "start", 0)?;
    ip("address del 10.20.1.10/24 dev eth0");
    expect_monitor(&agent(), 190, "virtual IP 10.20.1.10 is on no link")?;
    ip("address add 10.20.1.10/24 dev eth0");
    expect_monitor(&agent(), 0, "")
}

fn old_pacemaker() -> Result<()> {
    let log = "/run/agents/ha.log";
    let agent = agent().with("HA_LOGFILE", log).with("OCF_RESKEY_crm_feature_set", "3.0.14");
    expect(&agent, "start", 0)?;
    ip("address del 10.20.1.10/24 dev eth0");
    expect_monitor(&agent, 0, "")?;
    let text = std::fs::read_to_string(log)?;
    ensure!(text.contains("WARNING: ") && text.contains("is on no link"), "{text}");
    Ok(())
}

fn link_gone() -> Result<()> {
    ip("link add veth8 type veth peer name veth9");
    ip("link set veth8 up");
    ip("address add 10.8.0.1/24 dev veth8");
    let agent = agent().with_param("virtual_ip", "10.8.0.1");
    expect(&agent, "start", 0)?;
    ip("link del veth8");
    expect_monitor(&agent, 190, "is on no link")?;
    expect(&agent, "stop", 0)?;
    crate::host::nothing_left()
}

fn state_lost() -> Result<()> {
    expect(&agent(), "start", 0)?;
    std::fs::remove_dir_all("/run/inuvika-ha")?;
    expect_monitor(&agent(), 0, "")?;
    ip("address del 10.20.1.10/24 dev eth0");
    expect_monitor(&agent(), 190, "is on no link")?;
    expect(&agent(), "stop", 0)?;
    crate::host::nothing_left()
}

fn log_once() -> Result<()> {
    let log = "/run/agents/once.log";
    let agent = agent().with("HA_LOGFILE", log);
    expect(&agent, "start", 0)?;
    ip("address del 10.20.1.10/24 dev eth0");
    for _ in 0..3 {
        expect_monitor(&agent, 190, "is on no link")?;
    }
    ip("address add 10.20.1.10/24 dev eth0");
    for _ in 0..2 {
        expect_monitor(&agent, 0, "")?;
    }
    let text = std::fs::read_to_string(log)?;
    let lines: Vec<&str> = text.lines().skip(1).collect();
    ensure!(lines.len() == 2 && lines[0].contains("is on no link") && lines[1].contains("ok again"), "{text}");
    ensure!(lines[0].starts_with("ovd-vip-src(vip_src)["), "{text}");
    Ok(())
}
