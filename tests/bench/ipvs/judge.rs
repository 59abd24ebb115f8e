//! Whether a table is as it was wanted, seen by ipvsadm, and how much of it is there, by a file of the kernel.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::farm::Size;
use crate::netns::Namespace;

/// How long a rival may take.
const LONGEST: Duration = Duration::from_secs(300);
/// How often a table is looked at that somebody else makes.
const LOOK: Duration = Duration::from_millis(10);

/// All real servers have to be there with weight 1, except `other` of them.
pub fn complete(host: &Namespace, size: Size, other: usize) -> Result<()> {
    let listed = host.run("ipvsadm -S -n");
    let count = |wanted: &dyn Fn(&str) -> bool| listed.lines().filter(|line| wanted(line.trim_end())).count();
    let services = count(&|line| line.starts_with("-A ") && line.ends_with("-s rr"));
    let usual = count(&|line| line.starts_with("-a ") && line.ends_with("-m -w 1"));
    let all = count(&|line| line.starts_with("-a "));
    ensure!(
        (services, usual, all) == (size.services, size.all() - other, size.all()),
        "the judge sees {services} services, {usual} usual real servers of {all}"
    );
    Ok(())
}

/// Waits until all real servers are there and get connections; how long that took since `begun`.
pub fn wait(host: &Namespace, size: Size, begun: Instant) -> Result<Duration> {
    host.enter(|| {
        loop {
            let looked = Instant::now();
            // Reading it takes no lock that a change needs.
            let table = fs::read_to_string("/proc/thread-self/net/ip_vs").context("read the table")?;
            let now = begun.elapsed();
            // Such as `-> 0A010001:0050 Masq 1 0 0`. Some add a real server with weight 0 first.
            let is_in_use =
                |line: &&str| line.trim_start().starts_with("->") && line.split_whitespace().nth(3) == Some("1");
            let in_use = table.lines().filter(is_in_use).count();
            if in_use == size.all() {
                return Ok(now);
            }
            ensure!(now < LONGEST, "{in_use} of {} real servers are in use after {} s", size.all(), LONGEST.as_secs());
            // The look is to be no load on who makes it.
            sleep(LOOK.max(looked.elapsed() * 4));
        }
    })
}
