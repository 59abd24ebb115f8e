//! An agent as a script in /etc/init.d: the same agent, with the verbs and exit codes of the LSB (Core 3.1, "Init Script
//! Actions"), and its parameters from a file.
//!
//! What runs is judged, stopped and compared by the parameters it was started with, so a slip in the file harms nothing
//! before the next start, and that refuses it by file and line.

pub mod keeper;
pub mod line;
pub mod settings;
pub mod text;

use std::time::Duration;

use self::settings::Settings;
use crate::ocf::action::Action;
use crate::ocf::agent::{Outcome, Registered};
use crate::ocf::alone::{Alone, Script};
use crate::ocf::exit::Code;
use crate::ocf::instance::Instance;
use crate::ocf::memory;
use crate::ocf::operation::Operation;
use crate::ocf::params::Params;
use crate::ocf::recorded::Recorded;
use crate::out;

/// The verbs of a script.
pub const VERBS: [&str; 7] = ["start", "stop", "restart", "try-restart", "reload", "force-reload", "status"];

/// No such verb.
const UNIMPLEMENTED: u8 = 3;
/// status: not running.
const STOPPED: u8 = 3;
/// status: what it left is there, but nothing keeps it.
const DEAD: u8 = 1;
/// status: neither; Pacemaker takes 1 to 3 for stopped and this one for failed.
const UNKNOWN: u8 = 4;

/// Does `verb` of `agent`; its exit code. None for an agent that has no script.
pub fn run(agent: &'static dyn Registered, verb: &str) -> Option<u8> {
    let alone = agent.alone();
    let unit = Unit {
        agent,
        script: *alone.script()?,
        instance: Instance::new(agent.table().name),
        loops: matches!(alone, Alone::Loop(_)),
    };
    if !VERBS.contains(&verb) {
        unit.complain(&format!("no verb '{verb}': there are {}", VERBS.join(", ")));
        return Some(UNIMPLEMENTED);
    }
    if !nix::unistd::geteuid().is_root() {
        unit.complain("run it as root");
        return Some(Code::Permission as u8);
    }
    Some(match verb {
        "start" => unit.start(),
        "stop" => unit.stop(),
        "restart" => unit.restart(),
        "try-restart" => unit.if_running(Unit::restart),
        "reload" => unit.reload(false),
        "force-reload" => unit.if_running(|unit| unit.reload(true)),
        _ => unit.status(),
    })
}

/// An agent with its script.
struct Unit {
    agent: &'static dyn Registered,
    script: Script,
    instance: Instance,
    loops: bool,
}

impl Unit {
    fn name(&self) -> &'static str {
        self.agent.table().name
    }

    fn complain(&self, text: &str) {
        out::stderr(&format!("{}: {text}\n", self.name()));
    }

    fn settings(&self) -> Settings {
        settings::read(self.agent.table(), &self.script)
    }

    /// The parameters of its file, all of which have to be right; else the exit code.
    fn wanted(&self) -> Result<Params, u8> {
        let settings = self.settings();
        for fault in &settings.faults {
            out::stderr(&format!("{fault}\n"));
        }
        if !settings.faults.is_empty() {
            return Err(Code::NotConfigured as u8);
        }
        self.agent.check(&settings.params).map_err(|failure| {
            let files = settings::files(self.agent.table(), &self.script);
            let file = settings.file.or_else(|| files.into_iter().next()).unwrap_or_default();
            self.complain(&format!("{} ({})", failure.reason, file.display()));
            failure.code as u8
        })?;
        Ok(settings.params)
    }

    /// The parameters it was started with; none when it was not.
    fn recorded(&self) -> Option<Params> {
        let mut params = Params::none(self.agent.table());
        Recorded::find(self.name(), Some(&self.instance))?.fill(&mut params).ok()?;
        Some(params)
    }

    /// Those it was started with, else what can be understood of its file.
    fn known(&self) -> Params {
        self.recorded().unwrap_or_else(|| {
            let settings = self.settings();
            settings.faults.iter().for_each(|fault| out::stderr(&format!("{fault}\n")));
            settings.params
        })
    }

    /// Carries out an action within the time that the agent's table advises.
    fn act(&self, action: Action, params: &Params, interval: Option<Duration>) -> Outcome {
        let spec = self.agent.table();
        let advised = spec.actions.iter().find(|known| known.name == action.name());
        let limit = Duration::from_secs(advised.map_or(20, |known| u64::from(known.timeout)));
        let op = Operation::of_program(spec, action, &self.instance, params, interval, limit);
        let outcome = self.agent.perform(&op);
        memory::log_outcome(&op, &outcome, false);
        outcome
    }

    /// The exit code of an action that changes something.
    fn done(&self, outcome: &Outcome) -> u8 {
        if let Some(reason) = &outcome.reason {
            self.complain(reason);
        }
        if outcome.code == Code::Degraded { 0 } else { outcome.code as u8 }
    }

    fn start(&self) -> u8 {
        match self.wanted() {
            Ok(params) => self.start_with(&params),
            Err(code) => code,
        }
    }

    fn start_with(&self, params: &Params) -> u8 {
        let code = self.done(&self.act(Action::Start, params, None));
        if code != 0 || !self.loops {
            return code;
        }
        match keeper::begin(&self.instance) {
            Ok(()) => 0,
            Err(error) => {
                self.complain(&error.to_string());
                // A start that fails undoes itself.
                self.done(&self.act(Action::Stop, params, None));
                Code::Generic as u8
            }
        }
    }

    fn stop(&self) -> u8 {
        let params = self.known();
        // First: it would put back what is taken away.
        let ended = if self.loops { keeper::end(&self.instance) } else { Ok(()) };
        let code = self.done(&self.act(Action::Stop, &params, None));
        if let Err(error) = ended {
            self.complain(&error.to_string());
            return Code::Generic as u8;
        }
        code
    }

    /// Nothing is stopped that could not be started again.
    fn restart(&self) -> u8 {
        match self.wanted() {
            Err(code) => code,
            Ok(params) => match self.stop() {
                0 => self.start_with(&params),
                code => code,
            },
        }
    }

    fn if_running(&self, act: impl FnOnce(&Self) -> u8) -> u8 {
        if self.look().0 == STOPPED { 0 } else { act(self) }
    }

    /// Makes changed parameters effective; those that need a restart are refused, or get one.
    fn reload(&self, may_restart: bool) -> u8 {
        let Some(before) = self.recorded() else {
            self.complain("is not running: start it");
            return Code::NotRunning as u8;
        };
        let params = match self.wanted() {
            Ok(params) => params,
            Err(code) => return code,
        };
        let changed =
            self.agent.table().all_params().filter(|param| before.text(param.name) != params.text(param.name));
        let fixed: Vec<&str> = changed.filter(|param| !param.reloadable).map(|param| param.name).collect();
        if fixed.is_empty() {
            return self.done(&self.act(Action::ReloadAgent, &params, None));
        }
        if may_restart {
            return self.restart();
        }
        self.complain(&format!("a new {} needs a restart: use restart or force-reload", fixed.join(", ")));
        Code::Generic as u8
    }

    /// The code of status, and what there is to say.
    fn look(&self) -> (u8, String) {
        // Without a record of a start it is a question what runs, as Pacemaker asks it before it starts anything: a mistake in the
        // file is no failure of what does not run.
        let (params, interval) = match self.recorded() {
            Some(params) => (params, None),
            None => (self.known(), Some(Duration::ZERO)),
        };
        let outcome = self.act(Action::Monitor, &params, interval);
        let reason = outcome.reason.unwrap_or_default();
        let keeper = if self.loops { keeper::process(&self.instance) } else { Ok(None) };
        match (outcome.code, keeper) {
            (_, Err(error)) => (UNKNOWN, format!("cannot tell whether its loop runs: {error}")),
            (Code::Success | Code::Degraded, Ok(None)) if self.loops => {
                (DEAD, "is dead: its table is there, but no loop looks after it".to_owned())
            }
            (Code::Success, _) => (0, "is running".to_owned()),
            (Code::Degraded, _) => (0, format!("is running, degraded: {reason}")),
            (Code::NotRunning | Code::NotInstalled, Ok(Some(pid))) => {
                (UNKNOWN, format!("has failed: its loop, process {pid}, runs without a table"))
            }
            (Code::NotRunning | Code::NotInstalled, Ok(None)) => (STOPPED, "is not running".to_owned()),
            _ => (UNKNOWN, format!("has failed: {reason}")),
        }
    }

    fn status(&self) -> u8 {
        let (code, text) = self.look();
        out::stdout(&format!("{} {text}\n", self.name()));
        code
    }
}
