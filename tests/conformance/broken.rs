//! Wrong parameters and missing things.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::fixture::Fixture;
use crate::question::is_full;
use crate::support::subject::Run;
use crate::{Question, ensure, expect};

/// Hundreds of runs: asked where a process is cheap.
pub const HOSTILE: Question = ("values are never read by a shell", hostile_values);

pub const QUESTIONS: &[Question] = &[
    ("stop works without parameters", stop_without),
    ("stop works with wrong parameters", stop_wrong),
    ("a wrong parameter is 6 with a reason", wrong_is_configured),
    ("a missing required parameter is 6 with a reason", missing_is_configured),
    ("a probe with wrong parameters is 7", probe_wrong),
    ("a recurring monitor never bans a node", recurring_wrong),
    HOSTILE,
    ("a failing start ends in time, says why and leaves nothing", in_time),
];

/// A reason as Pacemaker keeps it: the last line with the prefix, at most 128 bytes.
fn reason(run: &Run) -> Result<String, String> {
    let line = run.stderr.lines().rev().find_map(|l| l.strip_prefix("ocf-exit-reason:"));
    let line = line.ok_or_else(|| format!("no exit reason: {run}"))?;
    ensure(!line.is_empty() && line.len() <= 128, || format!("{} bytes: {line}", line.len()))?;
    Ok(line.to_owned())
}

fn stop_without(fixture: &Fixture) -> Result<(), String> {
    expect(&fixture.subject.without_params(), "stop", &[0])?;
    expect(&fixture.subject, "start", &[0])?;
    expect(&fixture.subject.without_params(), "stop", &[0])?;
    expect(&fixture.subject, "monitor", &[7])?;
    fixture.nothing_left()
}

fn stop_wrong(fixture: &Fixture) -> Result<(), String> {
    let (name, value) = fixture.wrong;
    // A wrong path of a state file names another state: that agent cannot know better.
    if fixture.spec.is_none() {
        return Ok(());
    }
    expect(&fixture.subject, "start", &[0])?;
    expect(&fixture.subject.with_param(name, value), "stop", &[0])?;
    expect(&fixture.subject, "monitor", &[7])?;
    fixture.nothing_left()
}

fn wrong_is_configured(fixture: &Fixture) -> Result<(), String> {
    let (name, value) = fixture.wrong;
    for action in ["start", "validate-all"] {
        let run = fixture.subject.with_param(name, value).run(action);
        ensure(run.code == 6, || format!("{action} with {name}={value} gave {run}"))?;
        ensure(reason(&run)?.contains(name), || format!("does not name the parameter: {run}"))?;
    }
    fixture.nothing_left()
}

fn missing_is_configured(fixture: &Fixture) -> Result<(), String> {
    for param in fixture.spec.into_iter().flat_map(|s| s.params).filter(|p| p.required) {
        let run = fixture.subject.with_param(param.name, "").run("start");
        ensure(run.code == 6, || format!("start without {} gave {run}", param.name))?;
        ensure(reason(&run)?.contains(param.name), || format!("does not name the parameter: {run}"))?;
    }
    fixture.nothing_left()
}

fn probe_wrong(fixture: &Fixture) -> Result<(), String> {
    let (name, value) = fixture.wrong;
    let run = fixture.subject.with_param(name, value).probing().run("monitor");
    ensure(run.code == 7 && run.stderr.is_empty(), || format!("gave {run}"))
}

fn recurring_wrong(fixture: &Fixture) -> Result<(), String> {
    let (name, value) = fixture.wrong;
    expect(&fixture.subject.with_param(name, value).recurring(), "monitor", &[0, 1, 7, 190])
}

fn hostile_values(fixture: &Fixture) -> Result<(), String> {
    let Some(spec) = fixture.spec else { return Ok(()) };
    let trap = "/run/trap";
    let traps = [
        format!("$(touch {trap})"),
        format!("`touch {trap}`"),
        format!("a; touch {trap}"),
        format!("\"; touch {trap}; \""),
        format!("'; touch {trap}; '"),
    ];
    let others = [
        "new\nline".to_owned(),
        "x".repeat(100_000),
        "two words".to_owned(),
        "\u{1b}[31mred".to_owned(),
        "\u{fffd}é".to_owned(),
        "%s%n".to_owned(),
        "../../etc/passwd".to_owned(),
    ];
    // A start and a stop for each value and parameter take minutes: the short form asks for them with all traps at once, and with the
    // first two of the others.
    let full = is_full();
    let values: Vec<String> = if full {
        traps.into_iter().chain(others).collect()
    } else {
        std::iter::once(traps.concat()).chain(others).collect()
    };
    let all = ["validate-all", "monitor", "start", "stop"];
    for (number, value) in values.iter().enumerate() {
        let actions = if full || number < 3 { &all[..] } else { &all[..2] };
        for param in spec.params {
            let subject = fixture.subject.with_param(param.name, value);
            for action in actions {
                let run = subject.run(action);
                ensure([0, 1, 5, 6, 7].contains(&run.code), || {
                    format!("{action} {}={value:?} gave {run}", param.name)
                })?;
                ensure(run.stderr.lines().count() <= 1, || format!("more than one line: {run}"))?;
                ensure(!run.stderr.contains('\u{1b}'), || format!("control characters pass: {run}"))?;
            }
        }
        ensure(!Path::new(trap).exists(), || format!("{value} was executed"))?;
    }
    fixture.nothing_left()
}

fn in_time(fixture: &Fixture) -> Result<(), String> {
    let Some((take, give)) = fixture.obstacle else { return Ok(()) };
    take();
    let begin = Instant::now();
    let run = fixture.subject.with("OCF_RESKEY_CRM_meta_timeout", "5000").run("start");
    let took = begin.elapsed();
    let left = fixture.nothing_left();
    let stopped = expect(&fixture.subject, "stop", &[0]);
    give();
    ensure(run.code == 1 && took < Duration::from_millis(4500), || format!("start gave {run} after {took:?}"))?;
    reason(&run)?;
    left.and(stopped)
}
