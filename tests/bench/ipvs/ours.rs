//! Ours, in the guest: a round within one process, and the agent's actions as Pacemaker runs them.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, anyhow, ensure};
use inuvika_ha::director::check::{Answer, Verdict};
use inuvika_ha::director::farm::Farm;
use inuvika_ha::director::kernel::Kernel;
use inuvika_ha::director::report::Report;
use inuvika_ha::director::round::{now, round};
use inuvika_ha::ocf::state::State;
use inuvika_ha::sys::ipvs::{Change, Entry, Ipvs, explain};

use crate::Figures;
use crate::farm::Size;
use crate::judge::complete;
use crate::netns::Namespace;
use crate::timed;

const AGENT: &str = "/usr/lib/ocf/resource.d/inuvika/lvs-director";
const FILE: &str = "/run/bench.toml";
const STATE: &str = "/run/bench";

/// The kernel's table, with a clock.
struct Watched {
    table: Ipvs,
    spent: Duration,
}

impl Watched {
    fn timed<T>(&mut self, act: impl FnOnce(&mut Ipvs) -> T) -> T {
        let begun = Instant::now();
        let result = act(&mut self.table);
        self.spent += begun.elapsed();
        result
    }
}

impl Kernel for Watched {
    fn list(&mut self) -> io::Result<Vec<Entry>> {
        self.timed(Ipvs::list)
    }

    fn apply(&mut self, changes: &[Change]) -> io::Result<Vec<(usize, io::Error)>> {
        self.timed(|table| table.apply(changes))
    }

    fn explain(change: &Change, error: &io::Error) -> String {
        explain(change, error)
    }
}

/// What an agent's round does when all answers are in: health, plan, changes, state files, report. All real servers are asked
/// over HTTP; here the answers are at hand.
pub fn in_process(size: Size) -> Result<Figures> {
    let host = Namespace::new();
    let farm = Farm::from_toml(&size.toml("http", 1), "the bench's file").map_err(|reason| anyhow!(reason))?;
    ensure!(farm.questions.len() == size.all(), "{} questions", farm.questions.len());
    let _ = fs::remove_dir_all(STATE);
    let state = State::at(Path::new(STATE));
    let mut kernel = Watched { table: host.enter(Ipvs::open)?, spent: Duration::ZERO };
    let mut one = |lost: usize| -> Result<(f64, f64, Report)> {
        let well = farm.questions.len() - lost;
        let answers = farm.questions.iter().enumerate().map(|(place, question)| Answer {
            verdict: if place < well { Verdict::Up } else { Verdict::Down },
            detail: format!("{question}: status 200 in 1.2 ms"),
            took: Duration::from_micros(1200),
        });
        let answers: Vec<Answer> = answers.collect();
        kernel.spent = Duration::ZERO;
        let begun = Instant::now();
        let report = round(&farm, &state, |_| answers, &mut kernel, now())?;
        let took = begun.elapsed();
        ensure!(report.failures.is_empty() && report.pending.is_empty(), "{:?}", report.failures.first());
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        Ok((ms(took), ms(took - kernel.spent), report))
    };
    let (empty, share_empty, report) = one(0)?;
    ensure!(report.changes.len() == size.services + size.all(), "{} changes", report.changes.len());
    complete(&host, size, 0)?;
    let (nothing, share, report) = one(0)?;
    ensure!(report.changes.is_empty() && report.drift.is_empty(), "{:?}", report.changes.first());
    let (change, _, report) = one(1)?;
    ensure!(report.changes.len() == 1, "{:?}", report.changes);
    complete(&host, size, 1)?;
    fs::remove_dir_all(STATE).context("remove the state")?;
    let (share_empty, share) = (Some(share_empty), Some(share));
    Ok(Figures { empty, nothing: Some(nothing), change: Some(change), share_empty, share, memory: None })
}

/// start, a monitor that finds all as it should be, and one after the file was changed: each a process of the shipped binary.
pub fn agent(size: Size) -> Result<Figures> {
    let host = Namespace::new();
    let act = |action: &str| timed::run(&host, Path::new("/dev/null"), &[AGENT, action], &environment());
    write(&size.toml("none", 1))?;
    let start = act("start")?;
    complete(&host, size, 0)?;
    let nothing = act("monitor")?;
    complete(&host, size, 0)?;
    write(&size.toml("none", 2))?;
    let change = act("monitor")?;
    complete(&host, size, 1)?;
    act("stop")?;
    ensure!(host.run("ipvsadm -S -n").is_empty(), "stop has left something");
    let all = [start, nothing, change];
    let memory = all.iter().map(|timed| timed.memory_kib).fold(0.0, f64::max);
    let [empty, nothing, change] = all.map(|timed| timed.wall_ms);
    Ok(Figures { empty, nothing: Some(nothing), change: Some(change), memory: Some(memory), ..Figures::default() })
}

/// Writes the configuration, as some time ago: what has just been written may be half of it, and waits for the next round.
fn write(text: &str) -> Result<()> {
    fs::write(FILE, text)?;
    Ok(fs::File::options().append(true).open(FILE)?.set_modified(SystemTime::now() - Duration::from_secs(10))?)
}

/// What Pacemaker gives the agent, for a monitor whose round is always due.
fn environment() -> Vec<(String, String)> {
    let pairs = [
        ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        ("OCF_ROOT", "/usr/lib/ocf"),
        ("OCF_RA_VERSION_MAJOR", "1"),
        ("OCF_RESOURCE_INSTANCE", "bench"),
        ("OCF_RESOURCE_TYPE", "lvs-director"),
        ("OCF_RESKEY_CRM_meta_timeout", "120000"),
        ("OCF_RESKEY_CRM_meta_interval", "1"),
        ("HA_LOGFACILITY", "none"),
        ("HA_LOGFILE", "/dev/null"),
        ("OCF_RESKEY_config", FILE),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}
