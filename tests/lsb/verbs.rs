//! Every verb, on ovd-vip-src and on the director's loop as far as it goes without IPVS.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::host::{VIP, call, expect, sh, sources, write};
use crate::support::suite::Body;

pub const TRIALS: &[(&str, Body)] = &[
    ("twice_is_as_good_as_once", twice_is_as_good_as_once),
    ("restart_and_its_kind", restart_and_its_kind),
    ("what_is_no_verb", what_is_no_verb),
    ("a_host_without_ipvs_has_no_director", a_host_without_ipvs_has_no_director),
];

const SCRIPT: &str = "ovd-vip-src";
const GOOD: &str = "VIRTUAL_IP=10.20.1.10\nARP_CHECK=no\n";

fn twice_is_as_good_as_once() -> Result<()> {
    write("/etc/default/ovd-vip-src", GOOD);
    expect(SCRIPT, "stop", 0, "")?;
    expect(SCRIPT, "status", 3, "ovd-vip-src is not running\n")?;
    expect(SCRIPT, "start", 0, "")?;
    let first = sh("nft list ruleset");
    ensure!(sources() == [VIP], "{first}");
    expect(SCRIPT, "start", 0, "")?;
    ensure!(sh("nft list ruleset") == first, "a second start has changed the rules");
    expect(SCRIPT, "status", 0, "ovd-vip-src is running\n")?;
    // What somebody else takes away is gone.
    sh("nft flush ruleset");
    expect(SCRIPT, "status", 3, "is not running")?;
    expect(SCRIPT, "start", 0, "")?;
    sh("ip address del 10.20.1.10/24 dev eth0");
    expect(SCRIPT, "status", 0, "is running, degraded: ")?;
    sh("ip address add 10.20.1.10/24 dev eth0");
    expect(SCRIPT, "stop", 0, "")?;
    expect(SCRIPT, "stop", 0, "")?;
    expect(SCRIPT, "status", 3, "is not running")?;
    ensure!(sources().is_empty() && !Path::new("/run/inuvika-ha").exists(), "left: {}", sh("find /run/inuvika-ha"));
    Ok(())
}

fn restart_and_its_kind() -> Result<()> {
    write("/etc/default/ovd-vip-src", GOOD);
    expect(SCRIPT, "try-restart", 0, "")?;
    expect(SCRIPT, "force-reload", 0, "")?;
    ensure!(sources().is_empty(), "a stopped one was started");
    expect(SCRIPT, "reload", 7, "is not running")?;
    expect(SCRIPT, "restart", 0, "")?;
    ensure!(sources() == [VIP], "restart starts");
    // A reloadable parameter, then one that is not.
    write("/etc/default/ovd-vip-src", &format!("{GOOD}DESTINATIONS=10.20.0.0/16\n"));
    expect(SCRIPT, "reload", 0, "")?;
    ensure!(sh("nft list ruleset").contains("10.20.0.0/16"), "the new destinations are not there");
    sh("ip address add 10.20.1.12/24 dev eth0");
    write("/etc/default/ovd-vip-src", "VIRTUAL_IP=10.20.1.12\nARP_CHECK=no\n");
    expect(SCRIPT, "reload", 1, "a new virtual_ip needs a restart")?;
    // What runs is judged by what it was started with.
    expect(SCRIPT, "status", 0, "is running\n")?;
    expect(SCRIPT, "force-reload", 0, "")?;
    ensure!(sources() == ["10.20.1.12"], "{:?}", sources());
    write("/etc/default/ovd-vip-src", GOOD);
    expect(SCRIPT, "try-restart", 0, "")?;
    ensure!(sources() == [VIP], "{:?}", sources());
    sh("ip address del 10.20.1.12/24 dev eth0");
    expect(SCRIPT, "stop", 0, "")
}

fn what_is_no_verb() -> Result<()> {
    expect(SCRIPT, "frobnicate", 3, "usage: /etc/init.d/ovd-vip-src start|stop|restart")?;
    let run = call(SCRIPT, &[]);
    ensure!(run.code == 3 && run.stderr.starts_with("usage: "), "{run}");
    let said = sh("inuvika-ha lsb ovd-vip-src frobnicate 2>&1 || echo $?");
    ensure!(
        said.starts_with("ovd-vip-src: no verb 'frobnicate': there are start, stop") && said.ends_with("\n3\n"),
        "{said}"
    );
    let line = "setpriv --reuid=65534 --regid=65534 --clear-groups /etc/init.d/ovd-vip-src status || echo $?";
    let said = sh(&format!("({line}) 2>&1"));
    ensure!(said == "ovd-vip-src: run it as root\n4\n", "{said}");
    let run = sh("inuvika-ha lsb ofs-ctdb start 2>&1 || echo $?");
    ensure!(
        run.starts_with("inuvika-ha: no script for ofs-ctdb: there are ovd-vip-src,") && run.ends_with("\n2\n"),
        "{run}"
    );
    Ok(())
}

/// With IPVS: suite ipvs.
fn a_host_without_ipvs_has_no_director() -> Result<()> {
    write("/etc/default/lvs-director", "VIRTUAL_IP=10.20.1.10\nPORTS=80\nREAL_SERVERS='10.20.1.51 10.20.1.52'\n");
    expect("lvs-director", "status", 3, "is not running")?;
    if !Path::new("/proc/net/ip_vs").exists() {
        let run = call("lvs-director", &["start"]);
        ensure!([1, 5].contains(&run.code) && run.stderr.starts_with("lvs-director: "), "{run}");
        expect("lvs-director", "status", 3, "is not running")?;
    }
    expect("lvs-director", "stop", 0, "")?;
    ensure!(!Path::new("/run/inuvika-ha").exists(), "left: {}", sh("find /run/inuvika-ha"));
    Ok(())
}
