//! Programs of every distribution: sh, cat, head, env, sleep.

use std::time::Instant;

use super::*;

fn sh(script: &str, input: Option<&[u8]>, limit_ms: u64) -> io::Result<Output> {
    run("sh", &["-c", script], input, &Deadline::after(Duration::from_millis(limit_ms)))
}

#[test]
fn programs_are_found_by_name_and_never_by_path_variable() {
    assert!(find("sh").is_some_and(|path| path.is_absolute()));
    assert_eq!(find("/bin/sh"), Some("/bin/sh".into()));
    for wrong in ["no-such-program", "../bin/sh", "bin/sh", "", ".", "/etc/passwd", "/bin"] {
        assert_eq!(find(wrong), None, "{wrong:?}");
    }
    let error = run("no-such-program", &[""; 0], None, &Deadline::after(Duration::from_secs(1))).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn the_environment_is_clean() {
    let output = run("env", &[""; 0], None, &Deadline::after(Duration::from_secs(5))).unwrap();
    let text = output.text();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["LC_ALL=C", &format!("PATH={PATH}")]);
}

#[test]
fn failure_is_told_in_one_line() {
    let output = sh("echo; echo 'first  reason' >&2; echo second >&2; exit 3", None, 5000).unwrap();
    assert_eq!((output.status.code(), output.reason().as_str()), (Some(3), "first  reason"));
    assert_eq!(sh("exit 4", None, 5000).unwrap().reason(), "exit code 4");
    assert_eq!(sh("kill -9 $$", None, 5000).unwrap().reason(), "killed by signal 9");
}

#[test]
fn large_input_and_output_at_once_do_not_lock_up() {
    let input: Vec<u8> = (0..3_000_000u32).map(|n| n as u8).collect();
    let output = run("cat", &[""; 0], Some(&input), &Deadline::after(Duration::from_secs(20))).unwrap();
    assert!(output.stdout == input && !output.truncated);
    let output = sh("head -c 10", Some(&input), 5000).unwrap();
    assert_eq!(output.stdout.len(), 10, "a program that stops reading is no error");
}

#[test]
fn output_beyond_the_cap_is_dropped_but_read() {
    let output = sh("head -c 17825792 /dev/zero; echo end >&2", None, 20_000).unwrap();
    assert_eq!((output.stdout.len(), output.truncated), (CAP, true));
    assert_eq!(output.stderr, b"end\n");
}

#[test]
fn the_deadline_kills_and_reaps() {
    let begin = Instant::now();
    let error = sh("echo $$; exec sleep 30", None, 300).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(error.to_string().contains("killed"), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[test]
fn a_grandchild_that_keeps_the_pipes_does_not_keep_us() {
    let begin = Instant::now();
    let output = sh("sleep 3 & echo done", None, 20_000).unwrap();
    assert_eq!(output.text(), "done\n");
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

/// Runs a script in a group of its own that first says its process id.
fn in_a_group(script: &str, limit_ms: u64) -> (io::Result<Output>, Duration) {
    let begin = Instant::now();
    let manner = Manner { group: true, cap: 64, environment: &[("A", "b"), ("PATH", "/none")], ..Manner::default() };
    (run_in(&manner, "sh", &["-c", script], &Deadline::after(Duration::from_millis(limit_ms))), begin.elapsed())
}

fn is_gone(pid: &str) -> bool {
    let ended = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    };
    let deadline = Deadline::after(Duration::from_secs(5));
    while !ended() && deadline.sleep(Duration::from_millis(10)) {}
    ended()
}

#[test]
fn a_group_ends_with_its_leader() {
    let (output, took) = in_a_group("sleep 60 & echo $!", 20_000);
    assert!(is_gone(&output.unwrap().text()) && took < Duration::from_secs(10), "{took:?}");

    let file = tempfile::NamedTempFile::new().unwrap();
    let script = format!("sleep 60 & echo $! > {}; wait", file.path().display());
    let (output, took) = in_a_group(&script, 1000);
    assert_eq!(output.unwrap_err().kind(), io::ErrorKind::TimedOut);
    let pid = std::fs::read_to_string(file.path()).unwrap();
    assert!(!pid.trim().is_empty() && is_gone(&pid) && took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn a_manner_adds_variables_and_lowers_the_cap() {
    let output = in_a_group("echo $A; command -v env; head -c 4096 /dev/zero >&2; exit 3", 20_000).0.unwrap();
    assert_eq!((output.text().lines().next(), output.status.code()), (Some("b"), Some(3)));
    assert!(output.text().contains("/env"), "PATH stays ours");
    assert_eq!((output.stderr.len(), output.truncated), (64, true));
}
