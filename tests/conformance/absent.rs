//! An agent whose kernel lacks what it is about: `lvs-director` where there is no IPVS. What it does elsewhere is asked in the
//! guest of `ipvs`, by the same list.

use inuvika_ha::sys::ipvs::Ipvs;

use crate::broken::HOSTILE;
use crate::fixture::Fixture;
use crate::{Question, cycle, description, ensure, expect};

const QUESTIONS: &[Question] = &[
    ("a start without IPVS is 5 with the remedy, and leaves nothing", start),
    ("nothing runs without IPVS, and stop is 0", nothing_runs),
    ("the shape of parameters is judged without IPVS", shape),
];

/// Those of the whole list that need no start.
pub fn anywhere() -> Vec<Question> {
    let anywhere = ["an unknown action is 3 before anything else", "actions that are not advertised are 3"];
    let anywhere = cycle::QUESTIONS.iter().filter(|(name, _)| anywhere.contains(name));
    description::QUESTIONS.iter().chain(anywhere).chain([&HOSTILE]).copied().collect()
}

/// The same, and what happens without IPVS.
pub fn questions() -> Vec<Question> {
    anywhere().into_iter().chain(QUESTIONS.iter().copied()).collect()
}

fn start(fixture: &Fixture) -> Result<(), String> {
    // This kernel decides: one that has IPVS must start.
    let has_ipvs = Ipvs::open().is_ok();
    let run = fixture.subject.run("start");
    let good = if has_ipvs { run.code == 0 } else { run.code == 5 && run.stderr.contains("modprobe ip_vs") };
    ensure(good, || format!("this kernel has IPVS: {has_ipvs}; start gave {run}"))?;
    expect(&fixture.subject, "stop", &[0])?;
    fixture.nothing_left()
}

fn nothing_runs(fixture: &Fixture) -> Result<(), String> {
    let (name, value) = fixture.wrong;
    for subject in [fixture.subject.clone(), fixture.subject.with_param(name, value), fixture.subject.without_params()]
    {
        expect(&subject.probing(), "monitor", &[7])?;
        expect(&subject, "stop", &[0])?;
    }
    expect(&fixture.subject.recurring(), "monitor", &[7])?;
    fixture.nothing_left()
}

fn shape(fixture: &Fixture) -> Result<(), String> {
    let (name, value) = fixture.wrong;
    expect(&fixture.subject, "validate-all", &[0])?;
    for action in ["validate-all", "start"] {
        let run = fixture.subject.with_param(name, value).run(action);
        ensure(run.code == 6 && run.stderr.contains(name), || format!("{action} with {name}={value} gave {run}"))?;
    }
    fixture.nothing_left()
}
