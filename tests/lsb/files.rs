//! Where parameters come from, and what becomes of a file that is broken.

use anyhow::{Result, ensure};

use crate::host::{VIP, call, expect, packaging, sh, sources, write};
use crate::support::suite::Body;

pub const TRIALS: &[(&str, Body)] = &[
    ("the_file_that_sets_something_counts", the_file_that_sets_something_counts),
    ("the_guides_file_is_found_and_read", the_guides_file_is_found_and_read),
    ("a_broken_file_harms_nothing_that_runs", a_broken_file_harms_nothing_that_runs),
];

const SCRIPT: &str = "ovd-vip-src";
/// As the guide has it, with the address filled in.
const GUIDE: &str = "# Configuration of the *cluster-vip-src* service\n#\n# NIC\nNIC=eth0\n\n# VIRTUAL_IP\n#\n# Example: 10.20.1.10\n#\n\
                     VIRTUAL_IP=10.20.1.10\n\n# ADDRESS\n# Comma separated list\nADDRESS=0.0.0.0/0\n";

fn the_file_that_sets_something_counts() -> Result<()> {
    let shipped = packaging("default").join(SCRIPT);
    expect(SCRIPT, "start", 6, "parameter virtual_ip is required: Virtual IP address (/etc/default/ovd-vip-src)")?;
    std::fs::copy(&shipped, "/etc/default/ovd-vip-src")?;
    expect(SCRIPT, "start", 6, "parameter virtual_ip is required")?;
    // As it is shipped it sets nothing; Red Hat's place is the next.
    write("/etc/sysconfig/ovd-vip-src", "VIRTUAL_IP=\"10.20.1.10\"   # quoted\nexport ARP_CHECK=no\n");
    expect(SCRIPT, "start", 0, "")?;
    ensure!(sources() == [VIP], "{:?}", sources());
    expect(SCRIPT, "stop", 0, "")?;
    write("/etc/default/ovd-vip-src", "VIRTUAL_IP=10.20.1.11\nARP_CHECK=no\n");
    expect(SCRIPT, "start", 0, "")?;
    ensure!(sources() == ["10.20.1.11"], "{:?}", sources());
    expect(SCRIPT, "stop", 0, "")
}

fn the_guides_file_is_found_and_read() -> Result<()> {
    std::fs::copy(packaging("default").join(SCRIPT), "/etc/default/ovd-vip-src")?;
    write("/etc/default/cluster-vip-src", &GUIDE.replace("=10.20.1.10", "="));
    expect(SCRIPT, "start", 6, "virtual_ip is required: Virtual IP address (/etc/default/cluster-vip-src)")?;
    write("/etc/default/cluster-vip-src", GUIDE);
    expect(SCRIPT, "start", 0, "")?;
    ensure!(sources() == [VIP], "{:?}", sources());
    ensure!(sh("nft list ruleset").contains("\"eth0\""), "not by the guide's NIC");
    expect(SCRIPT, "status", 0, "is running")?;
    expect(SCRIPT, "stop", 0, "")
}

fn a_broken_file_harms_nothing_that_runs() -> Result<()> {
    let broken = "VIRTUAL_IP=10.20.1.10\nNIC=$(ip route)\nCOLOUR=red\nARP_CHECK=no\n";
    write("/etc/default/ovd-vip-src", broken);
    let run = call(SCRIPT, &["start"]);
    let lines: Vec<&str> = run.stderr.lines().collect();
    ensure!(run.code == 6 && lines.len() == 2 && sources().is_empty(), "{run}");
    ensure!(lines[0].starts_with("/etc/default/ovd-vip-src:2:5: no shell reads this file"), "{run}");
    ensure!(lines[1].starts_with("/etc/default/ovd-vip-src:3:1: COLOUR: unknown name"), "{run}");
    // Not running is not running, and a stop finds nothing to do.
    expect(SCRIPT, "status", 3, "is not running")?;
    expect(SCRIPT, "stop", 0, "/etc/default/ovd-vip-src:2:5")?;
    write("/etc/default/ovd-vip-src", "VIRTUAL_IP=10.20.1.10\nARP_CHECK=no\n");
    expect(SCRIPT, "start", 0, "")?;
    write("/etc/default/ovd-vip-src", broken);
    expect(SCRIPT, "status", 0, "is running\n")?;
    for verb in ["restart", "try-restart", "reload", "force-reload"] {
        expect(SCRIPT, verb, 6, "/etc/default/ovd-vip-src:2:5")?;
        ensure!(sources() == [VIP], "{verb} with a broken file has stopped it");
    }
    expect(SCRIPT, "stop", 0, "")?;
    ensure!(sources().is_empty(), "{:?}", sources());
    Ok(())
}
