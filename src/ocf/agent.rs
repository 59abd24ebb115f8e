//! What an agent is, and how each action is carried out for every agent alike.

use std::time::Duration;

use super::action::Action;
use super::alone::Alone;
use super::check::{Check, Verdict, heaviest};
use super::exit::{Code, Failure};
use super::operation::Operation;
use super::params::Params;
use super::recorded::Recorded;
use super::spec::Spec;
use super::state::{Lock, State};

/// How long stop waits for another action of the instance before it goes on without the lock: a stuck start must not get
/// the node fenced.
const STOP_WAITS: Duration = Duration::from_secs(2);

/// Where a stop notes that it has begun; gone with the state folder at its end.
const STOPPING: &str = "stopping";

/// An agent. Parse, then act: what needs a `Config` cannot run with parameters nobody checked.
pub trait Agent: Sync {
    /// The parameters of one instance, checked and typed.
    type Config;

    /// The agent's table.
    fn spec(&self) -> &'static Spec;

    /// What becomes of it without Pacemaker.
    fn alone(&self) -> Alone;

    /// Reads the parameters. Pure: it never looks at the host.
    fn configure(&self, params: &Params) -> Result<Self::Config, Failure>;

    /// Looks whether this host can run the resource (validate-all at level 10).
    fn validate(&self, config: &Self::Config, op: &Operation) -> Vec<Check>;

    /// Brings it up; undoes its own steps when it fails.
    fn start(&self, config: &Self::Config, op: &Operation) -> Result<(), Failure>;

    /// Brings it down with whatever parameters there are; Ok only when nothing is left.
    fn stop(&self, op: &Operation) -> Result<(), Failure>;

    /// Looks, changes nothing.
    fn monitor(&self, config: &Self::Config, op: &Operation) -> Vec<Check>;

    /// Looks on a node where the resource is not to run (`role=Stopped`), and puts aside what must not be there. Pacemaker
    /// takes any answer but "stopped" for running, and then stops it on all nodes or on this one.
    fn passive(&self, config: &Self::Config, op: &Operation) -> Vec<Check> {
        self.monitor(config, op)
    }

    /// Whether anything of this instance is on this host: asked when the parameters cannot be read.
    fn is_present(&self, op: &Operation) -> bool;

    /// Makes changed reloadable parameters effective.
    fn reload(&self, config: &Self::Config, op: &Operation) -> Result<(), Failure>;
}

/// What came of an action.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code.
    pub code: Code,
    /// Why it is not 0; none on success and for an expected 7.
    pub reason: Option<String>,
    /// The checks behind it, for monitor and validate-all.
    pub checks: Vec<Check>,
}

impl Outcome {
    fn success() -> Self {
        Self { code: Code::Success, reason: None, checks: Vec::new() }
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        Self { code: failure.code, reason: Some(failure.reason), checks: Vec::new() }
    }
}

/// An agent of which only the table and the protocol are known: what the registry lists.
pub trait Registered: Sync {
    /// The agent's table.
    fn table(&self) -> &'static Spec;
    /// What becomes of it without Pacemaker.
    fn alone(&self) -> Alone;
    /// Whether start would accept these parameters. Pure: it never looks at the host.
    fn check(&self, params: &Params) -> Result<(), Failure>;
    /// Carries out the operation.
    fn perform(&self, op: &Operation) -> Outcome;
}

impl<A: Agent> Registered for A {
    fn table(&self) -> &'static Spec {
        self.spec()
    }

    fn alone(&self) -> Alone {
        Agent::alone(self)
    }

    fn check(&self, params: &Params) -> Result<(), Failure> {
        configured(self, params).map(drop)
    }

    fn perform(&self, op: &Operation) -> Outcome {
        match op.action {
            Action::Start => changing(self, op, |config| self.start(config, op)),
            Action::ReloadAgent => match despite_mistake(self, op) {
                None => changing(self, op, |config| self.reload(config, op)),
                Some((_, mistake)) => {
                    op.log.error(&format!("reload: {mistake}"));
                    Outcome::success()
                }
            },
            Action::Stop => stop(self, op),
            Action::Monitor => monitor(self, op),
            Action::ValidateAll => validate(self, op),
            // Answered before an operation exists.
            Action::MetaData | Action::Help => Outcome::success(),
        }
    }
}

fn configured<A: Agent>(agent: &A, params: &Params) -> Result<A::Config, Failure> {
    params.check()?;
    agent.configure(params)
}

/// The last good configuration, and what is wrong with the parameters given now. None when they are right, or when it was not
/// started here. A reload that fails with 6 makes Pacemaker stop the resource on all nodes, and so does a recurring monitor:
/// a slip of the pen in what runs well must not do that.
fn despite_mistake<A: Agent>(agent: &A, op: &Operation) -> Option<(A::Config, String)> {
    let failure = configured(agent, &op.params).err()?;
    let mut params = Params::none(agent.spec());
    Recorded::find(agent.spec().name, Some(&op.instance))?.fill(&mut params).ok()?;
    let config = configured(agent, &params).ok()?;
    Some((config, format!("{}; the last good parameters stay in force", failure.reason)))
}

fn changing<A: Agent>(agent: &A, op: &Operation, act: impl FnOnce(&A::Config) -> Result<(), Failure>) -> Outcome {
    let run = || {
        let config = configured(agent, &op.params)?;
        op.step("parameters are right");
        let _lock: Lock = op
            .state
            .lock(&op.deadline)
            .map_err(|e| Failure::io(&format!("lock {}", op.state.folder().display()), &e))?
            .ok_or_else(|| {
                let waited = op.deadline.used().as_secs();
                Failure::generic(format!("another action of this resource still runs after {waited} s"))
            })?;
        op.step("lock taken");
        if op.action == Action::Start {
            finish_stop(agent, op)?;
        }
        State::passive(&op.instance).remove();
        Recorded::write(agent.spec().name, &op.instance, &op.params, &op.state)
            .map_err(|e| Failure::io(&format!("write {}", op.state.folder().display()), &e))?;
        let result = act(&config);
        // A start that failed has undone itself, and leaves no memory of a running resource either. Only with the lock: the
        // folder may be another start's.
        if result.is_err() && op.action == Action::Start && !agent.is_present(op) {
            op.state.remove();
        }
        result
    };
    match run() {
        Ok(()) => Outcome::success(),
        Err(failure) => failure.into(),
    }
}

/// A stop that was cut off has told processes to end that may still run: a start would find them well and keep them.
fn finish_stop<A: Agent>(agent: &A, op: &Operation) -> Result<(), Failure> {
    if !op.state.has(STOPPING) {
        return Ok(());
    }
    op.log.warning("an earlier stop has not come to its end: it is finished first");
    if let Err(failure) = agent.stop(op) {
        // What is left beside it is no reason not to serve: start says what is wrong with it.
        if agent.is_present(op) {
            return Err(failure);
        }
        op.log.warning(&failure.reason);
    }
    op.state.clear().map_err(|e| Failure::io(&format!("clear {}", op.state.folder().display()), &e))
}

fn stop<A: Agent>(agent: &A, op: &Operation) -> Outcome {
    // Neither a lock that cannot be had nor a state folder that cannot be made keeps the resource from being stopped.
    let lock = op.state.lock(&op.deadline.within(STOP_WAITS));
    if !matches!(lock, Ok(Some(_))) {
        op.log.warning(
            "stop goes on without the lock: another action of this resource still runs or /run is not writable",
        );
    }
    // A note for the next start, no more: a stop works without it.
    let _ = op.state.write(STOPPING, &true);
    let result = agent.stop(op);
    if result.is_ok() {
        op.state.remove();
        State::passive(&op.instance).remove();
    }
    match result {
        Ok(()) => Outcome::success(),
        Err(failure) => failure.into(),
    }
}

fn monitor<A: Agent>(agent: &A, op: &Operation) -> Outcome {
    // A cleanup has everything probed anew: what a recurring monitor leaves alone must not fail then.
    let asked_by_cluster = (op.is_recurring() && !op.is_passive()) || op.is_probe();
    let despite = || if asked_by_cluster { despite_mistake(agent, op) } else { None };
    let mut mistake = None;
    let found = configured(agent, &op.params).or_else(|failure: Failure| {
        let (config, text) = despite().ok_or(failure)?;
        mistake = Some(text);
        Ok::<_, Failure>(config)
    });
    let config = match found {
        Ok(config) => config,
        // By hand: say what is wrong. A recurring monitor must not ban nodes, and a probe on a node where nothing runs is
        // no error at all: start will tell.
        Err(failure) if !op.is_probe() && !op.is_recurring() => return failure.into(),
        Err(_) if (op.is_probe() || op.is_passive()) && !agent.is_present(op) => {
            return Outcome { code: Code::NotRunning, reason: None, checks: Vec::new() };
        }
        Err(failure) => return Failure::generic(failure.reason).into(),
    };
    let mut checks = if op.is_passive() { agent.passive(&config, op) } else { agent.monitor(&config, op) };
    let is_right = mistake.is_none();
    checks
        .extend(mistake.filter(|_| !op.is_probe()).map(|text| Check::run("parameters", || (Verdict::Degraded, text))));
    let mut outcome = match heaviest(&checks) {
        None => Outcome::success(),
        Some(worst) => {
            let code = worst.verdict.code();
            // A clean stop is an answer, not an error; but a recurring monitor that finds it has found a loss.
            let expected = code == Code::NotRunning && (op.is_passive() || !op.is_recurring());
            let reason = (!expected).then(|| worst.detail.clone());
            Outcome { code, reason, checks: Vec::new() }
        }
    };
    outcome.checks = checks;
    let runs = matches!(outcome.code, Code::Success | Code::Degraded);
    if is_right && runs && op.is_recurring() && !op.is_passive() {
        record_adopted(agent, op);
    }
    outcome
}

/// Nobody has started what a probe has found: a monitor that finds it well records its parameters, for they are the last good
/// ones.
fn record_adopted<A: Agent>(agent: &A, op: &Operation) {
    if !Recorded::is_in(&op.state) {
        // Without them a mistake is what it was before.
        let _ = Recorded::write(agent.spec().name, &op.instance, &op.params, &op.state);
    }
}

fn validate<A: Agent>(agent: &A, op: &Operation) -> Outcome {
    let config = match configured(agent, &op.params) {
        Ok(config) => config,
        Err(failure) => return failure.into(),
    };
    if op.depth < 10 {
        return Outcome::success();
    }
    let checks = agent.validate(&config, op);
    let outcome = match heaviest(&checks).filter(|c| c.verdict >= Verdict::Stopped) {
        None => Outcome::success(),
        Some(worst) => Failure::new(Code::NotInstalled, worst.detail.clone()).into(),
    };
    Outcome { checks, ..outcome }
}
