//! Several actions at once.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::site::{is_full, node, write_nodes};
use crate::{Body, nothing_left, wanted};

pub const TRIALS: &[(&str, Body)] = &[
    ("several starts at once make one ctdbd", starts),
    ("a start and a stop at once leave nothing half done", start_and_stop),
];

/// How long a stop waits for another action of the instance before it goes on without the lock.
const STOP_WAITS: Duration = Duration::from_secs(2);

fn starts() -> Result<()> {
    let one = node(0);
    // A node that is missing would be degraded.
    write_nodes(&[0]);
    for _ in 0..if is_full() { 5 } else { 1 } {
        let children: Vec<_> = (0..4).map(|_| one.agent().begin("start")).collect();
        for child in children {
            let out = child.wait_with_output()?;
            ensure!(out.status.code() == Some(0), "start: {out:?}");
        }
        let ctdbd = one.sh("pgrep -cx -P 1 ctdbd");
        ensure!(ctdbd.trim() == "1", "{ctdbd} daemons");
        for depth in ["0", "10", "20"] {
            crate::monitor(one, &one.agent(), depth, 0, "")?;
        }
        wanted(&one.agent(), "stop", 0)?;
        nothing_left(one)?;
    }
    Ok(())
}

/// The stop comes at other moments of the start each time.
fn start_and_stop() -> Result<()> {
    let one = node(0);
    write_nodes(&[0]);
    let times = if is_full() { 16 } else { 4 };
    for n in 0..times {
        let begun = Instant::now();
        let start = one.agent().begin("start");
        std::thread::sleep(Duration::from_millis(9000 * n / times));
        let stop = one.agent().begin("stop");
        for (name, child) in [("start", start), ("stop", stop)] {
            let out = child.wait_with_output()?;
            // A stop waits so long for a start; then it ends what that has begun.
            let undone = name == "start" && begun.elapsed() > STOP_WAITS && out.status.code() == Some(1);
            ensure!(out.status.code() == Some(0) || undone, "{name}: {out:?}");
        }
        let run = one.agent().probing().run("monitor");
        ensure!([0, 7].contains(&run.code), "half a ctdbd: {run}");
        wanted(&one.agent(), "stop", 0)?;
        nothing_left(one)?;
    }
    Ok(())
}
