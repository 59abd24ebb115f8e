//! start and reload-agent.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::Body;
use crate::host::{VIP, VIP6, agent, expect, expect_monitor, ip, nothing_left, rules, sh, source_seen};

pub const TRIALS: &[(&str, Body)] = &[
    ("start gives connections the virtual IP as source", source),
    ("IPv6 alike", source6),
    ("start waits for a virtual IP that comes late", waits),
    ("start fails after five seconds without it", no_address),
    ("start fails when the address is on another link", other_link),
    ("start fails when another host answers for it", duplicate),
    ("a second link of this host on the segment is no other host", arp_flux),
    ("stale rules of the guide's unit end as one rule", stale_nft),
    ("stale rules in the legacy tables too", stale_legacy),
    ("an administrator's own rule stays and is not judged", own_rule),
    ("a table nat that iptables cannot show is no obstacle", native_nat),
    ("a refused start leaves the running one alone", refused),
    ("a quorum device keeps seeing the node", quorum_device),
    ("start twice does nothing the second time", twice),
    ("reload-agent changes destinations without a gap", reload),
    ("destinations and exclude decide who sees it", destinations),
    ("cluster peers keep seeing the node", peers),
    ("the iptables backend does the same", iptables),
    ("a change of backend leaves one of them", other_backend),
];

/// The guide's rule.
const GUIDE: &str = "-t nat -I POSTROUTING -o eth0 -d 0.0.0.0/0 -j SNAT --to-source 10.20.1.10";

fn source() -> Result<()> {
    ensure!(source_seen("10.20.1.21") == "10.20.1.11");
    expect(&agent(), "start", 0)?;
    expect_monitor(&agent(), 0, "")?;
    ensure!(source_seen("10.20.1.21") == VIP);
    expect(&agent(), "stop", 0)?;
    ensure!(source_seen("10.20.1.21") == "10.20.1.11");
    nothing_left()
}

fn source6() -> Result<()> {
    let agent = agent().with_param("virtual_ip", VIP6).with_param("arp_check", "yes");
    // The kernel may choose either address of the link on its own, so the node's own one is preferred here.
    ip("address change fd00:20:1::10/64 dev eth0 preferred_lft 0 nodad");
    ensure!(source_seen("fd00:20:1::21") == "fd00:20:1::11");
    expect(&agent, "start", 0)?;
    expect_monitor(&agent.with("OCF_CHECK_LEVEL", "10"), 0, "")?;
    ensure!(source_seen("fd00:20:1::21") == VIP6 && rules(VIP6) == 1);
    expect(&agent, "stop", 0)?;
    nothing_left()
}

fn waits() -> Result<()> {
    ip("address del 10.20.1.10/24 dev eth0");
    let begin = Instant::now();
    let start = agent().begin("start");
    std::thread::sleep(Duration::from_millis(1000));
    ip("address add 10.20.1.10/24 dev eth0");
    let out = start.wait_with_output()?;
    let took = begin.elapsed();
    ensure!(out.status.code() == Some(0) && took > Duration::from_millis(1000), "{out:?} after {took:?}");
    expect_monitor(&agent(), 0, "")
}

fn no_address() -> Result<()> {
    ip("address del 10.20.1.10/24 dev eth0");
    let begin = Instant::now();
    let run = expect(&agent(), "start", 1)?;
    let took = begin.elapsed();
    ensure!(
        run.stderr
            == "ocf-exit-reason:virtual IP 10.20.1.10 is on no link after 5 s: start its IPaddr2 first, on this node\n",
        "{run}"
    );
    ensure!(took > Duration::from_secs(5) && took < Duration::from_secs(15), "{took:?}");
    nothing_left()
}

fn other_link() -> Result<()> {
    let run = expect(&agent().with_param("nic", "eth1").with("OCF_RESKEY_CRM_meta_timeout", "3000"), "start", 1)?;
    ensure!(run.stderr.contains("is on eth0, not on eth1"), "{run}");
    nothing_left()
}

fn duplicate() -> Result<()> {
    ip("-n peer address add 10.20.1.10/32 dev eth0");
    let run = expect(&agent().with_param("arp_check", "yes"), "start", 1)?;
    let mac = sh("ip netns exec peer cat /sys/class/net/eth0/address");
    ensure!(run.stderr.contains("another host has 10.20.1.10 too") && run.stderr.contains(mac.trim()), "{run}");
    nothing_left()?;
    expect(&agent().with_param("arp_check", "no"), "start", 0)?;
    let deep = agent().with_param("arp_check", "yes").with("OCF_CHECK_LEVEL", "10");
    expect_monitor(&deep, 190, "another host has 10.20.1.10 too")
}

fn arp_flux() -> Result<()> {
    // By default Linux answers for any of its addresses on any of its links.
    ip("address add 10.20.1.31/24 dev eth1");
    sh("sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth1.arp_ignore=0");
    expect(&agent().with_param("arp_check", "yes"), "start", 0)?;
    expect_monitor(&agent().with_param("arp_check", "yes").with("OCF_CHECK_LEVEL", "10"), 0, "")
}

fn stale_nft() -> Result<()> {
    sh(&format!("iptables-nft {GUIDE}; iptables-nft {GUIDE}"));
    expect(&agent(), "start", 0)?;
    let listed = sh("iptables-nft -t nat -S");
    ensure!(!listed.contains("SNAT") && rules(VIP) == 1, "{listed}");
    expect_monitor(&agent(), 0, "")?;
    // It comes back while we run: seen at once, healed by the restart that Pacemaker answers with.
    sh(&format!("iptables-nft {GUIDE}"));
    expect_monitor(&agent(), 1, "another rule gives source 10.20.1.10 too")?;
    expect(&agent(), "stop", 0)?;
    expect(&agent(), "start", 0)?;
    expect_monitor(&agent(), 0, "")
}

fn stale_legacy() -> Result<()> {
    sh(&format!("iptables-legacy {GUIDE}"));
    expect(&agent(), "start", 0)?;
    let listed = sh("iptables-legacy -t nat -S");
    ensure!(!listed.contains("SNAT") && rules(VIP) == 1, "{listed}");
    sh(&format!("iptables-legacy {GUIDE}"));
    expect_monitor(&agent().with("OCF_CHECK_LEVEL", "10"), 1, "another rule gives source 10.20.1.10 too")
}

fn own_rule() -> Result<()> {
    sh("iptables-nft -t nat -A POSTROUTING -s 172.17.0.0/16 -o eth0 -j SNAT --to-source 10.20.1.10");
    expect(&agent(), "start", 0)?;
    ensure!(sh("iptables-nft -t nat -S").contains("172.17.0.0/16"), "a rule that is not ours was removed");
    expect_monitor(&agent(), 0, "")?;
    expect_monitor(&agent().with("OCF_CHECK_LEVEL", "10"), 0, "")
}

fn native_nat() -> Result<()> {
    sh(
        "nft -f - <<'E'\ntable ip nat {\n set s { type ipv4_addr; }\n chain POSTROUTING {\n type nat hook postrouting priority srcnat;\n \
        ip saddr @s oifname eth0 snat to 10.20.1.10\n }\n}\nE",
    );
    expect(&agent(), "start", 0)?;
    expect_monitor(&agent(), 0, "")?;
    expect_monitor(&agent().with("OCF_CHECK_LEVEL", "10"), 0, "")?;
    expect(&agent(), "stop", 0)?;
    ensure!(sh("nft list tables").trim() == "table ip nat");
    Ok(())
}

fn refused() -> Result<()> {
    expect(&agent(), "start", 0)?;
    expect(&agent().with_param("virtual_ip", "nonsense"), "start", 6)?;
    ensure!(std::path::Path::new("/run/inuvika-ha/vip_src/params").exists(), "its memory is gone");
    expect_monitor(&agent(), 0, "")
}

fn quorum_device() -> Result<()> {
    let text = "quorum {\n  device {\n    model: net\n    net {\n      host: 10.20.1.21\n    }\n  }\n}\n# K\u{f6}ln\n";
    // In Latin-1, as an administrator's editor may have left it.
    let bytes: Vec<u8> = text.chars().map(|c| c as u8).collect();
    std::fs::write("/etc/corosync/corosync.conf", bytes)?;
    expect(&agent(), "start", 0)?;
    ensure!(source_seen("10.20.1.21") == "10.20.1.11", "the quorum device sees the virtual IP");
    expect_monitor(&agent(), 0, "")
}

fn twice() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let before = sh("nft -a list ruleset");
    expect(&agent(), "start", 0)?;
    ensure!(sh("nft -a list ruleset") == before, "rules were written again");
    Ok(())
}

fn reload() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let other = agent().with_param("destinations", "10.99.0.0/16");
    expect_monitor(&other, 1, "")?;
    expect(&other, "reload-agent", 0)?;
    expect_monitor(&other, 0, "")?;
    ensure!(source_seen("10.20.1.21") == "10.20.1.11" && rules(VIP) == 1);
    Ok(())
}

fn destinations() -> Result<()> {
    expect(&agent().with_param("destinations", "10.20.1.21,10.99.0.0/16"), "start", 0)?;
    ensure!(source_seen("10.20.1.21") == VIP);
    expect(&agent().with_param("exclude", "10.20.1.16/28"), "reload-agent", 0)?;
    ensure!(source_seen("10.20.1.21") == "10.20.1.11");
    Ok(())
}

fn corosync_conf(address: &str) {
    let text = format!(
        "nodelist {{\n  node {{\n    ring0_addr: 10.20.1.11\n    name: osm1\n  }}\n  node {{\n    ring0_addr: {address}\n    name: osm2\n  }}\n}}\n"
    );
    std::fs::write("/etc/corosync/corosync.conf", text).unwrap();
}

fn peers() -> Result<()> {
    corosync_conf("10.20.1.21");
    expect(&agent(), "start", 0)?;
    ensure!(source_seen("10.20.1.21") == "10.20.1.11", "a cluster peer sees the virtual IP");
    expect_monitor(&agent(), 0, "")?;
    // A node joins: known from then on only after a restart, which is said and moves nothing.
    corosync_conf("10.20.1.22");
    expect_monitor(&agent(), 190, "node osm2 (10.20.1.22) is new: run 'pcs resource restart vip_src'")?;
    expect(&agent(), "stop", 0)?;
    expect(&agent(), "start", 0)?;
    expect_monitor(&agent(), 0, "")
}

fn iptables() -> Result<()> {
    let agent = agent().with_param("backend", "iptables");
    for _ in 0..2 {
        expect(&agent, "start", 0)?;
        expect_monitor(&agent, 0, "")?;
    }
    ensure!(rules(VIP) <= 1 && source_seen("10.20.1.21") == VIP);
    sh("iptables -t nat -F POSTROUTING");
    expect_monitor(&agent, 1, "changed")?;
    expect(&agent, "start", 0)?;
    expect_monitor(&agent.with("OCF_CHECK_LEVEL", "10"), 0, "")?;
    sh("nft flush ruleset; iptables-legacy -t nat -F; iptables-legacy -t nat -X");
    expect_monitor(&agent, 7, "are not there")?;
    expect(&agent, "start", 0)?;
    expect(&agent, "stop", 0)?;
    ensure!(source_seen("10.20.1.21") == "10.20.1.11");
    nothing_left()
}

fn other_backend() -> Result<()> {
    expect(&agent().with_param("backend", "iptables"), "start", 0)?;
    expect(&agent(), "start", 0)?;
    ensure!(rules(VIP) == 1 && !sh("iptables -t nat -S").contains("inuvika"));
    expect_monitor(&agent(), 0, "")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}
