//! Several actions at once.

use std::time::{Duration, Instant};

use crate::fixture::Fixture;
use crate::question::is_full;
use crate::{Question, ensure, expect};

pub const QUESTIONS: &[Question] = &[
    ("instances start and stop side by side", side_by_side),
    ("two starts of one instance make one resource", twice_at_once),
    ("start and stop of one instance end in order", start_and_stop),
];

const MANY: usize = 8;
/// How long a stop waits for another action of the instance before it goes on without the lock.
const STOP_WAITS: Duration = Duration::from_secs(2);

fn all(fixture: &Fixture, action: &str) -> Result<(), String> {
    let children: Vec<_> = (0..MANY).map(|n| fixture.number(n).begin(action)).collect();
    for (n, child) in children.into_iter().enumerate() {
        let out = child.wait_with_output().map_err(|e| e.to_string())?;
        ensure(out.status.code() == Some(0), || format!("{action} of instance {n}: {out:?}"))?;
    }
    Ok(())
}

fn side_by_side(fixture: &Fixture) -> Result<(), String> {
    all(fixture, "start")?;
    all(fixture, "monitor")?;
    // One of them stops: the others must not notice.
    expect(&fixture.number(3), "stop", &[0])?;
    for n in 0..MANY {
        expect(&fixture.number(n).probing(), "monitor", &[if n == 3 { 7 } else { 0 }])?;
    }
    all(fixture, "stop")?;
    fixture.nothing_left()
}

fn twice_at_once(fixture: &Fixture) -> Result<(), String> {
    for _ in 0..times(10, 4) {
        let children: Vec<_> = (0..4).map(|_| fixture.subject.begin("start")).collect();
        for child in children {
            let out = child.wait_with_output().map_err(|e| e.to_string())?;
            ensure(out.status.code() == Some(0), || format!("start: {out:?}"))?;
        }
        expect(&fixture.subject.recurring(), "monitor", &[0])?;
        expect(&fixture.subject, "stop", &[0])?;
        fixture.nothing_left()?;
    }
    Ok(())
}

fn start_and_stop(fixture: &Fixture) -> Result<(), String> {
    for _ in 0..times(20, 8) {
        let begun = Instant::now();
        let start = fixture.subject.begin("start");
        let stop = fixture.subject.begin("stop");
        for (name, child) in [("start", start), ("stop", stop)] {
            let out = child.wait_with_output().map_err(|e| e.to_string())?;
            // A stop waits so long for a start; then it ends what that has begun.
            let undone = name == "start" && begun.elapsed() > STOP_WAITS && out.status.code() == Some(1);
            ensure(out.status.code() == Some(0) || undone, || format!("{name}: {out:?}"))?;
        }
        // Whoever came last, the state is whole: running or stopped, never half.
        expect(&fixture.subject.probing(), "monitor", &[0, 7])?;
        expect(&fixture.subject, "stop", &[0])?;
        fixture.nothing_left()?;
    }
    Ok(())
}

/// How often something is tried, in the long form and in the short one.
fn times(long: usize, short: usize) -> usize {
    if is_full() { long } else { short }
}
