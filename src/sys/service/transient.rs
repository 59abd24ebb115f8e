//! A program as a transient unit of systemd: made with its start, gone with its end.

use std::io;
use std::path::Path;
use std::time::Duration;

use zbus::zvariant::Value;

use super::bus::{Bus, Job, ask, is_taken};
use super::systemd::{control_group, or_else, systemctl, tell_stop};
use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// At shutdown systemd stops in the opposite order: Pacemaker first, whose stop ends this one in its own way. The same as
/// the drop-in of a unit that is claimed.
pub(super) const BEFORE: [&str; 2] = ["pacemaker.service", "pacemaker_remote.service"];
/// For people, in `systemctl status`.
const DESCRIPTION: &str = "run by inuvika-ha for the cluster";
/// How long systemd may take to forget a unit of the same name that has just ended.
const FORGET: Duration = Duration::from_secs(1);
/// How long the journal may take to hand out what the program has said.
const JOURNAL: Duration = Duration::from_secs(1);

/// What systemd made of a start.
#[derive(Debug)]
pub(super) struct Started {
    /// The control group; none when the unit is gone again.
    pub group: Option<String>,
    /// The main process, also when it has ended; 0 when nobody knows.
    pub main: i32,
}

/// Makes the unit and starts it; its main process may not have become the program yet.
///
/// # Errors
/// What systemd said.
pub(super) fn start(unit: &str, program: &Path, arguments: &[String], deadline: &Deadline) -> io::Result<Started> {
    let asked = ask(deadline, async |bus: Bus| {
        // One that failed before stays until somebody has seen it, and its name with it.
        bus.reset_failed(unit).await;
        let limit = deadline.within(FORGET);
        let body = (unit, "replace", properties(program, arguments), Vec::<(&str, Vec<(&str, Value<'_>)>)>::new());
        let job = loop {
            match bus.job_of("StartTransientUnit", &body, deadline).await {
                Err(error) if is_taken(&error) && !limit.passed() => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                other => break other?,
            }
        };
        match job {
            Job::Ended(result) if result == "done" => {}
            Job::Ended(result) => return Err(zbus::Error::Failure(format!("job ended as {result}"))),
            Job::Late => return Err(zbus::Error::Failure("not started in time, job cancelled".to_owned())),
        }
        let Some(object) = bus.loaded(unit).await? else { return Ok(Started { group: None, main: 0 }) };
        let main = bus.main_process(&object).await?.cast_signed();
        Ok(Started { group: bus.control_group(&object).await?, main })
    });
    or_else(asked, || start_by_hand(unit, program, arguments, deadline))
}

/// The same over systemd-run, which needs no bus as root.
fn start_by_hand(unit: &str, program: &Path, arguments: &[String], deadline: &Deadline) -> io::Result<Started> {
    // Refused when there is nothing to reset.
    let _ = systemctl(&["reset-failed", unit], deadline);
    let mut line = vec![
        format!("--unit={unit}"),
        format!("--description={DESCRIPTION}"),
        format!("--property=Before={}", BEFORE.join(" ")),
        "--property=KillMode=mixed".to_owned(),
        "--".to_owned(),
        program.display().to_string(),
    ];
    line.extend(arguments.iter().map(|argument| literal(argument)));
    let output = process::run("systemd-run", &line, None, deadline)?;
    if !output.status.success() {
        return Err(io::Error::other(output.reason()));
    }
    let shown = systemctl(&["show", "--property=ExecMainPID", unit], deadline)?;
    let main = shown.trim().strip_prefix("ExecMainPID=").and_then(|pid| pid.parse().ok()).unwrap_or(0);
    Ok(Started { group: control_group(unit, deadline)?, main })
}

/// The properties of the unit: those that systemd 219 takes already. Not `CollectMode=`, which it does not: so that a unit
/// that failed can be asked why; start and stop clear its memory. Type is simple, output goes to the journal.
fn properties<'a>(program: &Path, arguments: &[String]) -> Vec<(&'a str, Value<'a>)> {
    let program = program.display().to_string();
    let mut line = vec![program.clone()];
    line.extend(arguments.iter().map(|argument| literal(argument)));
    let before: Vec<String> = BEFORE.iter().map(|&unit| unit.to_owned()).collect();
    vec![
        ("Description", Value::from(DESCRIPTION)),
        ("Before", Value::from(before)),
        // Where systemd itself has to stop it: the main process may end its work, then all else is killed.
        ("KillMode", Value::from("mixed")),
        ("Environment", Value::from(vec!["LC_ALL=C".to_owned()])),
        ("ExecStart", Value::from(vec![(program, line, false)])),
    ]
}

/// systemd takes `$` in a command line for the begin of a variable.
fn literal(argument: &str) -> String {
    argument.replace('$', "$$")
}

/// Why a unit whose main process has ended did so: its last words in the journal, then what systemd says.
pub(super) fn epitaph(unit: &str, main: i32, deadline: &Deadline) -> String {
    let known = ask(deadline, async |bus: Bus| match bus.loaded(unit).await? {
        Some(object) => bus.failure(&object).await,
        // systemd forgets at once what ended well.
        None => Ok("exit code 0".to_owned()),
    });
    let known = known.unwrap_or_else(|_| format!("systemctl status {unit}"));
    match last_words(unit, main, deadline) {
        Some(words) => format!("{words} ({known})"),
        None => known,
    }
}

/// The last line of the process in the journal, which may need a moment to take it down.
fn last_words(unit: &str, main: i32, deadline: &Deadline) -> Option<String> {
    let limit = deadline.within(JOURNAL);
    let matches = [format!("_SYSTEMD_UNIT={unit}"), format!("_PID={main}")];
    let options = ["--quiet", "--no-pager", "--output=cat", "--lines=20"].map(str::to_owned);
    let line = [options.as_slice(), matches.as_slice()].concat();
    for _ in 0..3 {
        let output = process::run("journalctl", &line, None, &limit).ok()?;
        let words = super::launch::last_line(&output.text());
        if words.is_some() || !limit.sleep(Duration::from_millis(50)) {
            return words;
        }
    }
    None
}

/// Makes systemd agree that the unit is down, and forget that it failed: one that had to be killed did.
///
/// # Errors
/// When it cannot be told.
pub(super) fn end(unit: &str, deadline: &Deadline) -> io::Result<()> {
    let told = ask(deadline, async |bus: Bus| {
        tell_stop(&bus, unit, deadline).await?;
        bus.reset_failed(unit).await;
        Ok(())
    });
    or_else(told, || {
        // Both are refused for a unit that is not there.
        let known = !matches!(state(unit, deadline)?, (state, _) if state == "inactive");
        let words = ["stop", "reset-failed"].into_iter().filter(|_| known);
        words.for_each(|word| drop(systemctl(&[word, unit], deadline)));
        Ok(())
    })
}

/// What systemd says of the unit, `inactive` also when it does not know it; and its control group.
///
/// # Errors
/// When it cannot be asked.
pub(super) fn state(unit: &str, deadline: &Deadline) -> io::Result<(String, Option<String>)> {
    let asked = ask(deadline, async |bus: Bus| match bus.loaded(unit).await? {
        Some(object) => Ok((bus.active_state(&object).await?, bus.control_group(&object).await?)),
        None => Ok(("inactive".to_owned(), None)),
    });
    or_else(asked, || {
        let shown = systemctl(&["show", "--property=ActiveState", unit], deadline)?;
        let state = shown.trim().strip_prefix("ActiveState=").unwrap_or_default().to_owned();
        Ok((state, control_group(unit, deadline)?))
    })
}
