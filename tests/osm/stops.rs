//! stop copes with everything.

use std::io::Read;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::Body;
use crate::host::{agent, download, expect, nothing_left, sh, timed};
use crate::support::osm_host;

pub const TRIALS: &[(&str, Body)] = &[
    ("a download gets its time, then is cut", running_download),
    ("a download that ends in time is not cut", short_download),
    ("a client that never reads holds nothing up", never_reads),
    ("graceful_timeout=0 stops at once", at_once),
    ("stop never takes more than 60 % of its time for grace", short_time),
    ("stop works with configuration, settings and table gone", without_files),
    ("stop works while another action is stuck", stuck),
    ("stop of what the cluster never started", never_started),
];

fn running_download() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let mut client = download();
    // Reads slowly for as long as it is served.
    let reader = std::thread::spawn(move || {
        let mut total = 0;
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = client.read(&mut buffer) {
            total += length;
            std::thread::sleep(Duration::from_millis(5));
        }
        total
    });
    let (_, took) = timed(|| expect(&agent(), "stop", 0))?;
    let read = reader.join().unwrap();
    ensure!(took >= Duration::from_millis(2900) && took < Duration::from_secs(15), "stop took {took:?}");
    ensure!(read > 100_000, "the client was served {read} bytes only");
    nothing_left()
}

fn short_download() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let mut client = download();
    let reader = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        let mut all = Vec::new();
        client.read_to_end(&mut all).map(|_| all.len())
    });
    let (_, took) = timed(|| expect(&agent().with_param("graceful_timeout", "10"), "stop", 0))?;
    let read = reader.join().unwrap()?;
    ensure!(read > 64 << 20 || read + 4096 > 64 << 20, "cut after {read} bytes");
    ensure!(took < Duration::from_secs(9), "stop took {took:?} although all was done");
    nothing_left()
}

fn never_reads() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let clients: Vec<_> = (0..2).map(|_| download()).collect();
    let (_, took) = timed(|| expect(&agent(), "stop", 0))?;
    drop(clients);
    ensure!(took < Duration::from_secs(15), "stop took {took:?}");
    nothing_left()
}

fn at_once() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let client = download();
    let (_, took) = timed(|| expect(&agent().with_param("graceful_timeout", "0"), "stop", 0))?;
    drop(client);
    ensure!(took < Duration::from_millis(2900), "stop took {took:?}");
    nothing_left()
}

fn short_time() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let client = download();
    let agent = agent().with_param("graceful_timeout", "600").with_param("CRM_meta_timeout", "8000");
    let (_, took) = timed(|| expect(&agent, "stop", 0))?;
    drop(client);
    ensure!(took < Duration::from_millis(7800), "stop took {took:?} of 8 s");
    nothing_left()
}

fn without_files() -> Result<()> {
    expect(&agent(), "start", 0)?;
    sh("rm -rf /run/osm/0/httpd.conf /run/osm/0/www /run/osm/0/table /run/osm/0/httpd.pid");
    osm_host::hide();
    let run = expect(&agent(), "stop", 0);
    osm_host::show();
    run?;
    nothing_left()?;
    // The same without a memory of the start.
    crate::host::clean();
    expect(&agent(), "start", 0)?;
    sh("rm -rf /run/inuvika-ha /run/osm/0/httpd.conf");
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn stuck() -> Result<()> {
    expect(&agent(), "start", 0)?;
    // Somebody holds the lock and does not move; -o: the child does not.
    let mut holder =
        std::process::Command::new("flock").args(["-F", "/run/inuvika-ha/session_manager", "sleep", "60"]).spawn()?;
    std::thread::sleep(Duration::from_millis(200));
    let result = timed(|| expect(&agent(), "stop", 0));
    holder.kill()?;
    holder.wait()?;
    let (_, took) = result?;
    ensure!(took < Duration::from_secs(15), "stop took {took:?}");
    nothing_left()
}

fn never_started() -> Result<()> {
    crate::host::start_apache();
    std::os::unix::fs::symlink(crate::host::TABLE, crate::host::LINK)?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}
