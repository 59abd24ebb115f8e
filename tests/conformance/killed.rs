//! SIGKILL at any instant: what Pacemaker does to an action whose time is up.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::fixture::Fixture;
use crate::{Question, expect};

pub const QUESTIONS: &[Question] =
    &[("a start killed again and again can be repaired", starts), ("so can a stop", stops)];

const TIMES: u32 = 100;
/// An agent whose start and stop take longer than this is killed less often, unless the long form is asked for
/// (INUVIKA_TEST_FULL=1): each kill costs it several of both.
const SLOW: [(Duration, u32); 2] = [(Duration::from_secs(1), TIMES / 10), (Duration::from_millis(250), TIMES / 3)];

fn starts(fixture: &Fixture) -> Result<(), String> {
    kill_many(fixture, "start")
}

fn stops(fixture: &Fixture) -> Result<(), String> {
    kill_many(fixture, "stop")
}

fn kill_many(fixture: &Fixture, action: &str) -> Result<(), String> {
    // How long the action takes when left alone: the kills are spread over that and a little more.
    let round = Instant::now();
    if action == "stop" {
        expect(&fixture.subject, "start", &[0])?;
    }
    let begin = Instant::now();
    expect(&fixture.subject, action, &[0])?;
    let whole = begin.elapsed().max(Duration::from_millis(1));
    expect(&fixture.subject, "stop", &[0])?;
    let round = round.elapsed();
    let few = SLOW.into_iter().find(|(limit, _)| round > *limit && std::env::var_os("INUVIKA_TEST_FULL").is_none());
    let times = few.map_or(TIMES, |(_, times)| times);
    for n in 0..times {
        if action == "stop" {
            expect(&fixture.subject, "start", &[0])?;
        }
        let mut child = fixture.subject.begin(action);
        // Evenly spread with a jitter of its own: the process itself adds the rest.
        std::thread::sleep(whole * ((n * 37) % times) / times * 6 / 5);
        // The whole group at once, as Pacemaker does when the time is up. It may have ended by itself.
        let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
        child.wait().map_err(|e| e.to_string())?;
        let context = |error: String| format!("after kill {n}: {error}");
        // Either repair must do: a start over the remains, or a stop of them.
        if n % 2 == 0 {
            expect(&fixture.subject, "start", &[0]).map_err(context)?;
            expect(&fixture.subject.recurring(), "monitor", &[0]).map_err(context)?;
        }
        expect(&fixture.subject, "stop", &[0]).map_err(context)?;
        expect(&fixture.subject.recurring(), "monitor", &[7]).map_err(context)?;
        fixture.nothing_left().map_err(context)?;
    }
    Ok(())
}
