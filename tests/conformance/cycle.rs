//! A resource's life: what ocf-tester asks, in its order, then the actions it leaves out.

use std::time::Duration;

use crate::fixture::Fixture;
use crate::{Question, ensure, expect};

pub const QUESTIONS: &[Question] = &[
    ("the life that ocf-tester asks for", life),
    ("an unknown action is 3 before anything else", unknown_action),
    ("actions that are not advertised are 3", not_advertised),
    ("further words are ignored", further_words),
    ("every check level answers", levels),
    ("success is silent", silent),
    ("clone instances share one state", clones),
    ("reload-agent keeps it running", reload),
    ("a wrong parameter does not take away what runs", mistake),
    ("a monitor of depth 0 starts no process", no_process),
];

fn life(fixture: &Fixture) -> Result<(), String> {
    let subject = &fixture.subject;
    let recurring = &subject.recurring();
    let probe = &subject.probing();
    expect(subject, "validate-all", &[0])?;
    expect(subject, "stop", &[0])?;
    expect(recurring, "monitor", &[7])?;
    expect(probe, "monitor", &[7])?;
    for _ in 0..2 {
        expect(subject, "start", &[0])?;
        expect(recurring, "monitor", &[0])?;
        expect(probe, "monitor", &[0])?;
    }
    for _ in 0..2 {
        expect(subject, "stop", &[0])?;
        expect(recurring, "monitor", &[7])?;
        expect(probe, "monitor", &[7])?;
        fixture.nothing_left()?;
    }
    Ok(())
}

fn unknown_action(fixture: &Fixture) -> Result<(), String> {
    let (name, value) = fixture.wrong;
    for subject in [
        fixture.subject.clone(),
        fixture.subject.without_params(),
        fixture.subject.with_param(name, value),
        fixture.subject.with("OCF_RA_VERSION_MAJOR", "7"),
    ] {
        expect(&subject, "frobnicate", &[3])?;
    }
    let run = fixture.subject.run("frobnicate");
    ensure(run.stderr.contains("frobnicate"), || format!("does not name the action: {run}"))
}

fn not_advertised(fixture: &Fixture) -> Result<(), String> {
    let advertised = fixture.subject.run("meta-data").stdout;
    for action in ["promote", "demote", "notify", "migrate_to", "migrate_from", "reload", "recover"] {
        if !advertised.contains(&format!("name=\"{action}\"")) {
            expect(&fixture.subject, action, &[3])?;
        }
    }
    Ok(())
}

fn further_words(fixture: &Fixture) -> Result<(), String> {
    for words in [["monitor", "now"], ["monitor", "--force"], ["stop", "first"]] {
        let wanted = if words[0] == "stop" { 0 } else { 7 };
        let run = fixture.subject.call(&words);
        ensure(run.code == wanted, || format!("{words:?} gave {run}"))?;
    }
    Ok(())
}

fn levels(fixture: &Fixture) -> Result<(), String> {
    let all = ["0", "7", "10", "15", "20", "99", "deep"];
    expect(&fixture.subject, "start", &[0])?;
    for level in all {
        expect(&fixture.subject.recurring().with("OCF_CHECK_LEVEL", level), "monitor", &[0])?;
    }
    for level in ["0", "10"] {
        expect(&fixture.subject.with("OCF_CHECK_LEVEL", level), "validate-all", &[0])?;
    }
    expect(&fixture.subject, "stop", &[0])?;
    for level in all {
        expect(&fixture.subject.recurring().with("OCF_CHECK_LEVEL", level), "monitor", &[7])?;
    }
    Ok(())
}

fn silent(fixture: &Fixture) -> Result<(), String> {
    for (action, probing) in [
        ("validate-all", false),
        ("monitor", true),
        ("start", false),
        ("monitor", false),
        ("monitor", true),
        ("stop", false),
    ] {
        let subject = match (action, probing) {
            (_, true) => fixture.subject.probing(),
            ("monitor", false) => fixture.subject.recurring(),
            _ => fixture.subject.clone(),
        };
        let run = subject.run(action);
        let quiet = run.stdout.is_empty() && run.stderr.is_empty();
        ensure(quiet, || format!("{action} said {:?} {:?}", run.stdout, run.stderr))?;
    }
    Ok(())
}

fn clones(fixture: &Fixture) -> Result<(), String> {
    expect(&fixture.subject.named("first:0"), "start", &[0])?;
    expect(&fixture.subject.named("first"), "monitor", &[0])?;
    expect(&fixture.subject.named("first:1"), "monitor", &[0])?;
    expect(&fixture.subject.named("first"), "stop", &[0])?;
    fixture.nothing_left()
}

fn reload(fixture: &Fixture) -> Result<(), String> {
    if !fixture.subject.run("meta-data").stdout.contains("name=\"reload-agent\"") {
        return Ok(());
    }
    expect(&fixture.subject, "start", &[0])?;
    expect(&fixture.subject, "reload-agent", &[0])?;
    expect(&fixture.subject.recurring(), "monitor", &[0])?;
    expect(&fixture.subject, "stop", &[0])?;
    fixture.nothing_left()
}

/// As after `pcs resource update` with a slip of the pen.
fn mistake(fixture: &Fixture) -> Result<(), String> {
    let (name, value) = fixture.wrong;
    let wrong = fixture.subject.with_param(name, value);
    if fixture.spec.is_none() {
        return Ok(());
    }
    expect(&fixture.subject, "start", &[0])?;
    expect(&wrong, "reload-agent", &[0])?;
    let run = wrong.recurring().run("monitor");
    ensure(run.code == 190, || format!("monitor gave {run}"))?;
    ensure(run.stderr.contains(name) && run.stderr.contains("the last good parameters"), || format!("{run}"))?;
    // `pcs resource cleanup` has it probed anew.
    expect(&wrong.probing(), "monitor", &[0])?;
    expect(&fixture.subject.recurring(), "monitor", &[0])?;
    expect(&wrong, "stop", &[0])?;
    fixture.nothing_left()
}

/// In a PID namespace of its own (the lab's), ids are handed out one by one: their distance counts what was started.
fn no_process(fixture: &Fixture) -> Result<(), String> {
    let marker = || {
        let mut child = std::process::Command::new("/bin/true").spawn().map_err(|e| e.to_string())?;
        child.wait().map_err(|e| e.to_string())?;
        Ok::<u32, String>(child.id())
    };
    expect(&fixture.subject, "start", &[0])?;
    let count = || {
        let before = marker()?;
        expect(&fixture.subject.recurring(), "monitor", &[0])?;
        Ok::<u32, String>(marker()? - before - 1)
    };
    // What the service itself starts counts, too: it has something to do at times only.
    let mut started = count()?;
    for _ in 0..20 {
        if started == 1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
        started = started.min(count()?);
    }
    expect(&fixture.subject, "stop", &[0])?;
    ensure(started == 1, || format!("monitor is {started} processes or threads, itself included"))
}
