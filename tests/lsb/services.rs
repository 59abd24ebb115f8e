//! The agents with daemons, started and stopped by their scripts for real.

use std::fmt::Write as _;

use anyhow::{Result, ensure};

use crate::host::{expect, sh, write};
use crate::support::suite::Body;
use crate::support::{abiquo_host, apache, lsyncd_host, osm_host};

pub const TRIALS: &[(&str, Body)] = &[
    ("the_session_manager", the_session_manager),
    ("lsyncd_copies_and_flushes", lsyncd_copies_and_flushes),
    ("abiquos_tomcat", abiquos_tomcat),
];

/// Parameters as a settings file has them.
fn settings(params: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, value) in params {
        let name = name.trim_start_matches("OCF_RESKEY_").to_uppercase();
        writeln!(text, "{name}='{}'", value.replace('\'', r"'\''")).unwrap();
    }
    text
}

/// start and stop, twice each, with status between.
fn cycle(script: &str, runs: impl Fn() -> bool) -> Result<()> {
    expect(script, "status", 3, "is not running")?;
    for _ in 0..2 {
        expect(script, "start", 0, "")?;
        ensure!(runs(), "{script} start: nothing runs");
        expect(script, "status", 0, "is running")?;
    }
    for _ in 0..2 {
        expect(script, "stop", 0, "")?;
        ensure!(!runs(), "{script} stop: it runs still");
        expect(script, "status", 3, "is not running")?;
    }
    Ok(())
}

fn the_session_manager() -> Result<()> {
    write("/etc/sysconfig/ovd-osm", &settings(&osm_host::params(0)));
    cycle("ovd-osm", || !apache::processes().is_empty())?;
    ensure!(osm_host::left().is_empty(), "left: {:?}", osm_host::left());
    Ok(())
}

fn lsyncd_copies_and_flushes() -> Result<()> {
    lsyncd_host::clean();
    write("/etc/default/ovd-lsyncd", &settings(&lsyncd_host::params(0)));
    let file = lsyncd_host::folders(0)[0].join("written");
    std::fs::write(&file, "before")?;
    let runs = || sh("ps -e -o comm=").lines().any(|name| name.starts_with("lsyncd"));
    cycle("ovd-lsyncd", runs)?;
    let there = std::fs::read_to_string(lsyncd_host::there(&file))?;
    ensure!(there == "before", "{there}");
    expect("ovd-lsyncd", "start", 0, "")?;
    std::fs::write(&file, "at the last moment")?;
    expect("ovd-lsyncd", "stop", 0, "")?;
    let there = std::fs::read_to_string(lsyncd_host::there(&file))?;
    ensure!(there == "at the last moment", "{there}");
    Ok(())
}

fn abiquos_tomcat() -> Result<()> {
    write("/etc/default/abiquo-rs", &settings(&abiquo_host::params(0)));
    cycle("abiquo-rs", || !abiquo_host::processes().is_empty())
}
