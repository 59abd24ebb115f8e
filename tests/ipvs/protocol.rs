//! The protocol, asked of the director's agent where it can run: the questions of `conformance`.

use anyhow::{Result, bail};

use crate::bed::Site;
use crate::fixture::Fixture;
use crate::{Body, Question, broken, cycle, together};

pub const TRIALS: &[(&str, Body)] = &[
    ("the_protocol_in_a_resources_life", || ask(cycle::QUESTIONS)),
    ("the_protocol_with_wrong_parameters", || ask(broken::QUESTIONS)),
    ("the_protocol_with_several_actions_at_once", || ask(together::QUESTIONS)),
];

/// It counts processes by their ids, of which the kernel's own threads take some here.
const COUNTS: &str = "a monitor of depth 0 starts no process";

fn ask(questions: &[Question]) -> Result<()> {
    let site = Site::new(1);
    let _servers = site.serve(80);
    let fixture = Fixture::new(&site.director);
    for (name, question) in questions.iter().filter(|(name, _)| ![COUNTS, broken::HOSTILE.0].contains(name)) {
        let begun = std::time::Instant::now();
        if let Err(why) = site.director.enter(|| question(&fixture)) {
            bail!("{name}: {why}");
        }
        eprintln!("ipvs: {name}: {:.1} s", begun.elapsed().as_secs_f32());
    }
    Ok(())
}
