//! The database, as the monitor of depth 20 sees it.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::Body;
use crate::host::{agent, expect, expect_monitor, expect_monitor_of, timed};
use crate::support::{mariadb, osm_host};

pub const TRIALS: &[(&str, Body)] = &[
    ("a database that is down is degraded, or a failure when asked for", down),
    ("a database that hangs costs no more than its timeout", frozen),
    ("a database that refuses is degraded and says why, without the password", refused),
    ("settings that break while it runs are a failure", settings_break),
];

fn down() -> Result<()> {
    expect(&agent(), "start", 0)?;
    osm_host::database().stop()?;
    let degraded = expect_monitor("20", 190, "127.0.0.1:3307");
    let failed = expect_monitor_of(&agent().with_param("dependency_failure", "fail"), "20", 1, "127.0.0.1:3307");
    // Executors before Pacemaker 2.1 do not know 190.
    let old = agent().with_param("crm_feature_set", "3.0.14");
    let unknown = expect_monitor_of(&old, "20", 0, "");
    osm_host::database().start_again()?;
    degraded.and(failed).and(unknown)?;
    expect_monitor("20", 0, "")?;
    expect(&agent(), "stop", 0).map(|_| ())
}

fn frozen() -> Result<()> {
    expect(&agent(), "start", 0)?;
    osm_host::database().freeze()?;
    let (result, took) = timed(|| Ok(expect_monitor("20", 190, "127.0.0.1:3307")))?;
    let (short, short_took) =
        timed(|| Ok(expect_monitor_of(&agent().with_param("database_timeout", "1s"), "20", 190, "127.0.0.1:3307")))?;
    osm_host::database().thaw()?;
    result.and(short)?;
    ensure!(took < Duration::from_secs(15) && short_took < took, "{took:?} {short_took:?}");
    expect_monitor("20", 0, "")?;
    expect(&agent(), "stop", 0).map(|_| ())
}

fn refused() -> Result<()> {
    expect(&agent(), "start", 0)?;
    osm_host::write_settings(&mariadb::settings("127.0.0.1:3307", "another secret").to_string());
    expect_monitor("20", 190, "Access denied")?;
    // Refused by the database is refused on every node: also with dependency_failure=fail nothing is to move.
    expect_monitor_of(&agent().with_param("dependency_failure", "fail"), "20", 190, "Access denied")?;
    osm_host::write_settings(&osm_host::settings());
    expect_monitor("20", 0, "")?;
    expect(&agent(), "stop", 0).map(|_| ())
}

fn settings_break() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let good = osm_host::settings();
    osm_host::write_settings(&good[..good.len() - 9]);
    expect_monitor("20", 1, "/run/osm/settings")?;
    expect_monitor("0", 0, "")?;
    osm_host::write_settings(&good);
    expect(&agent(), "stop", 0).map(|_| ())
}
