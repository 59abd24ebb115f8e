//! A director in a world of its own, for tests: a table in memory, a state folder, real servers that answer or do not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use super::check::{Answer, Question, Verdict as Said};
use super::farm::Farm;
use super::kernel::Kernel;
use super::memory_kernel::MemoryKernel;
use super::report::Report;
use super::round::{look, round};
use super::{name, owned};
use crate::ocf::state::State;
use crate::sys::ipvs::{Change, Key, Service};

pub const FARM: &str = r#"
all_down = "sorry"
[[service]]
virtual = "192.0.2.10"
ports = [80, 443]
scheduler = "rr"
real = "10.0.0.1-3"
sorry = "10.0.0.9"
quorum = 2
"#;

/// A director in a world of its own.
pub struct World {
    pub folder: tempfile::TempDir,
    pub farm: Farm,
    pub kernel: MemoryKernel,
    /// Who does not answer, `ADDRESS:PORT`.
    pub down: BTreeSet<String>,
    /// Of whom nothing can be said.
    pub unknown: BTreeSet<String>,
    pub asked: usize,
    pub now: u64,
}

impl World {
    pub fn new(text: &str) -> Self {
        let (folder, farm) = (tempfile::tempdir().unwrap(), Farm::from_toml(text, "t").unwrap());
        let (down, unknown) = Default::default();
        Self { folder, farm, kernel: MemoryKernel::default(), down, unknown, asked: 0, now: 1000 }
    }

    pub fn state(&self) -> State {
        State::at(&self.folder.path().join("lvs"))
    }

    pub fn try_round(&mut self) -> std::io::Result<Report> {
        self.now += 10;
        let (state, now) = (self.state(), Duration::from_secs(self.now));
        let Self { farm, kernel, down, unknown, asked, .. } = self;
        let ask = |questions: &[Question]| {
            *asked = questions.len();
            let answer = |question: &Question| {
                let to = question.to().to_string();
                let verdict = match (unknown.contains(&to), down.contains(&to)) {
                    (true, _) => Said::Unknown,
                    (false, true) => Said::Down,
                    (false, false) => Said::Up,
                };
                let detail = if verdict == Said::Up { "answers" } else { "connection refused" };
                Answer { verdict, detail: detail.into(), took: Duration::from_millis(3) }
            };
            questions.iter().map(answer).collect()
        };
        round(farm, &state, ask, kernel, now)
    }

    pub fn round(&mut self) -> Report {
        self.try_round().unwrap()
    }

    /// All that can be seen now.
    pub fn look(&self) -> Report {
        look(&self.farm, &self.state(), &self.kernel.entries(), Duration::from_secs(self.now))
    }

    pub fn stop(&mut self) -> Vec<String> {
        let (state, kernel) = (self.state(), &mut self.kernel);
        owned::stop(&state, Vec::new, || Ok(Some(Borrowed(kernel)))).unwrap()
    }

    pub fn weight(&self, port: u16, server: u8) -> Option<u32> {
        self.kernel.weight(service(port), IpAddr::from([10, 0, 0, server]), port)
    }

    pub fn spoil(&self, file: &str, content: &str) {
        fs::write(self.state().folder().join(file), content).unwrap();
    }
}

pub struct Borrowed<'a>(pub &'a mut MemoryKernel);

impl Kernel for Borrowed<'_> {
    fn list(&mut self) -> std::io::Result<Vec<crate::sys::ipvs::Entry>> {
        self.0.list()
    }

    fn apply(&mut self, changes: &[Change]) -> std::io::Result<Vec<(usize, std::io::Error)>> {
        self.0.apply(changes)
    }

    fn explain(change: &Change, error: &std::io::Error) -> String {
        MemoryKernel::explain(change, error)
    }
}

/// Changes in words.
pub fn words(changes: &[Change]) -> Vec<String> {
    changes.iter().map(name::change).collect()
}

pub fn service(port: u16) -> Key {
    name::key(&format!("tcp 192.0.2.10:{port}")).unwrap()
}

pub fn foreign() -> Service {
    let (scheduler, scheduler_flags) = ("lc".into(), [false; 3]);
    Service {
        key: name::key("udp 192.0.2.99:53").unwrap(),
        scheduler,
        scheduler_flags,
        one_packet: false,
        persistence: None,
    }
}
