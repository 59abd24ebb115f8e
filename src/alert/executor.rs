//! Who runs this agent: Pacemaker's executor, and since when.

use std::fs;

/// The executor's name, in Pacemaker 2 and later, and before.
const NAMES: [&str; 2] = ["pacemaker-execd", "lrmd"];
/// Ticks of a second in /proc (USER_HZ), the same on every platform that Pacemaker is packaged for.
const TICKS: f64 = 100.0;
/// How long, in seconds, a node that joins may take to see all others: some tenths where all is well. Not longer than needed: what
/// really comes back in that time is told by older members alone.
const JOINING: f64 = 20.0;

/// Whether the cluster was started on this node just now. It then sees every other member for the first time, which Pacemaker
/// reports as if those had just come.
pub fn has_just_begun() -> bool {
    let parent = std::os::unix::process::parent_id();
    let stat = fs::read_to_string(format!("/proc/{parent}/stat")).unwrap_or_default();
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    age(&stat, &uptime).is_some_and(|seconds| seconds < JOINING)
}

/// How old the executor is, in seconds; none when the process is another program.
fn age(stat: &str, uptime: &str) -> Option<f64> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    if !NAMES.contains(&name) {
        return None;
    }
    // The 22nd field of proc(5), of which two stand before.
    let started: f64 = after.split_whitespace().nth(19)?.parse().ok()?;
    let now: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    Some(now - started / TICKS)
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn only_the_executor_has_an_age() {
        let stat = |name: &str| format!("17 ({name}) S 1 17 17 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12000 1 2");
        assert_eq!(age(&stat("pacemaker-execd"), "150.00 99.9\n"), Some(30.0));
        assert_eq!(age(&stat("bash"), "150.00 99.9\n"), None);
        assert_eq!(age("", ""), None);
    }
}
