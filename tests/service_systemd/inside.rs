//! Both sides of a call: what runs in the node, and how the trial asks it.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use inuvika_ha::ocf::deadline::Deadline;
use inuvika_ha::sys::service::{Service, others, unit_exists, unit_masked};
use nix::sys::signal::Signal;

use crate::support::lab::{Machine, Node};

/// The first argument of the program inside.
pub const MARK: &str = "--in-node";
pub const UNIT: &str = "apache2.service";
pub const PROGRAM: &str = "/root/service";

/// `ACTION UNIT [GRACEFUL [TIMEOUT]]`, in ms; for a program of our own UNIT is `own UNIT PROGRAM ARGUMENT...` with tabs
/// between. Prints what came of it, and how many ms that took.
pub fn main(words: &[String]) -> ExitCode {
    let word = |index: usize| words.get(index).map_or("", String::as_str);
    let ms = |index: usize, default| Duration::from_millis(word(index).parse().unwrap_or(default));
    let (graceful, deadline) = (ms(2, 3000), Deadline::after(ms(3, 18_000)));
    let fields: Vec<&str> = word(1).split('\t').collect();
    let (mut service, signal) = match fields.as_slice() {
        ["own", unit, program, arguments @ ..] => {
            let arguments = arguments.iter().map(|&word| word.to_owned()).collect();
            let (unit, program) = (unit.to_string(), program.into());
            (Service::Own { unit, program, arguments, cgroup: None }, Signal::SIGTERM)
        }
        _ => (Service::Systemd { unit: word(1).to_owned(), cgroup: None }, Signal::SIGWINCH),
    };
    let started = Instant::now();
    let result = match word(0) {
        "start" => service.start(&deadline).map(|()| format!("{service:?}")),
        "stop" => service.stop(signal, graceful, &deadline).map(|ended| format!("{} {}", ended.ran, ended.killed)),
        "locate" => service.locate(&deadline).map(|()| format!("{service:?}")),
        "processes" => service.processes().map(|all| {
            let ids = all.iter().map(|process| format!("{}{}", process.pid, if process.top { "*" } else { "" }));
            ids.collect::<Vec<_>>().join(" ")
        }),
        "cost" => (0..100).try_for_each(|_| service.processes().map(drop)).map(|()| String::new()),
        "claim" => service.claim(&deadline).map(|new| new.to_string()),
        "release" => service.release(&deadline).map(|()| String::new()),
        "at-boot" => Ok(service.at_boot().unwrap_or_default()),
        "others" => {
            let ids = others(word(2), &service).into_iter().map(|process| process.pid.to_string());
            Ok(ids.collect::<Vec<_>>().join(" "))
        }
        "exists" => Ok(unit_exists(word(1)).to_string()),
        "masked" => Ok(unit_masked(word(1)).to_string()),
        other => panic!("no action {other}"),
    };
    let took = started.elapsed().as_micros();
    match result {
        Ok(text) => println!("{took} {text}"),
        Err(error) => {
            println!("{took} {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// What the program inside said.
#[derive(Debug)]
pub struct Said {
    pub ok: bool,
    pub text: String,
    pub took: Duration,
}

/// Calls the service layer in the node.
pub fn call(node: &Node, words: &[&str]) -> Result<Said> {
    let argv = [&[PROGRAM, MARK], words].concat();
    let output = node.output_with(Duration::from_secs(30), b"", &argv)?;
    let (took, text) = output.stdout.trim_end().split_once(' ').unwrap_or((output.stdout.trim_end(), ""));
    let took = took.parse().with_context(|| format!("{words:?}: {}", output.describe()))?;
    let said = Said { ok: output.ok(), text: text.to_owned(), took: Duration::from_micros(took) };
    let what = if said.ok { &said.text } else { "refused" };
    eprintln!("{} -> {:.1} ms {what}", words.join(" "), took as f64 / 1000.0);
    Ok(said)
}

/// A call that must end well; what it said.
pub fn well(node: &Node, words: &[&str]) -> Result<Said> {
    let said = call(node, words)?;
    ensure!(said.ok, "{words:?}: {}", said.text);
    Ok(said)
}

/// A call that must fail for a reason that contains `part`.
pub fn refused(node: &Node, words: &[&str], part: &str) -> Result<Said> {
    let said = call(node, words)?;
    ensure!(!said.ok && said.text.contains(part), "{words:?}: {said:?}, wanted {part:?}");
    Ok(said)
}

/// Copies this program in, and gives Apache something that takes long to fetch.
pub fn furnish(node: &Node) -> Result<()> {
    node.copy_in(std::env::current_exe()?, PROGRAM, 0o755)?;
    node.sh("mkdir -p /var/www/html; head -c 64M /dev/zero > /var/www/html/large; echo ok > /var/www/html/small")?;
    Ok(())
}

/// As installed, and down.
pub fn clean(node: &Node) -> Result<()> {
    node.sh("systemctl stop apache2 trial.service 2>/dev/null || true
        rm -rf /etc/systemd/system/apache2.service* /run/systemd/system/apache2.service* \
            /etc/systemd/system/trial.service* /etc/apache2/conf-enabled/trial.conf
        systemctl daemon-reload
        systemctl reset-failed
        pkill -9 -x apache2 || true")?;
    Ok(())
}

/// A drop-in of the administrator.
pub fn drop_in(node: &Node, text: &str) -> Result<()> {
    node.write_file("/etc/systemd/system/apache2.service.d/override.conf", text, 0o644)?;
    node.run(["systemctl", "daemon-reload"])?;
    Ok(())
}

/// A unit of the trial's own.
pub fn unit(node: &Node, text: &str) -> Result<()> {
    node.write_file("/etc/systemd/system/trial.service", text, 0o644)?;
    node.run(["systemctl", "daemon-reload"])?;
    Ok(())
}

/// A property of apache2.service, as systemctl shows it.
pub fn shown(node: &Node, property: &str) -> Result<String> {
    shown_of(node, UNIT, property)
}

pub fn shown_of(node: &Node, unit: &str, property: &str) -> Result<String> {
    Ok(node.run(["systemctl", "show", "-P", property, unit])?.trim().to_owned())
}

/// The processes of Apache, by pgrep.
pub fn judged(node: &Node) -> Result<Vec<i32>> {
    let output = node.output(["pgrep", "-x", "-r", "R,S,D,T,t", "apache2"])?;
    Ok(output.stdout.lines().filter_map(|line| line.parse().ok()).collect())
}

/// Nothing runs, and systemd knows.
pub fn is_down(node: &Node) -> Result<()> {
    let (state, left) = (shown(node, "ActiveState")?, judged(node)?);
    if !left.is_empty() || !matches!(state.as_str(), "inactive" | "failed") {
        bail!("{state}, left: {left:?}");
    }
    ensure!(node.run(["systemctl", "list-jobs", "--no-legend"])?.trim().is_empty(), "a job is left");
    Ok(())
}

/// Runs, and serves.
pub fn is_up(node: &Node) -> Result<()> {
    ensure!(shown(node, "ActiveState")? == "active");
    node.sh("curl -sf --retry 20 --retry-delay 0 --retry-connrefused -m 5 http://127.0.0.1/small")?;
    Ok(())
}
