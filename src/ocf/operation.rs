//! One run of one action: what an agent gets to work with.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::action::Action;
use super::deadline::Deadline;
use super::environment::Environment;
use super::instance::Instance;
use super::log::Log;
use super::params::Params;
use super::spec::{STOPPED, Spec};
use super::state::{ATTIC, State};
use super::trace::Trace;

/// The context of an action.
#[derive(Debug)]
pub struct Operation {
    /// What is asked for.
    pub action: Action,
    /// For which resource.
    pub instance: Instance,
    /// The parameters, as given.
    pub params: Params,
    /// When it has to be over.
    pub deadline: Deadline,
    /// Check level of monitor and validate-all: 0, 10 or 20; another level means the next lower one.
    pub depth: u8,
    /// Interval of the operation; zero is a probe, none a run by hand.
    pub interval: Option<Duration>,
    /// The environment it came with.
    pub env: Environment,
    /// The log.
    pub log: Log,
    /// The step log.
    pub trace: Trace,
    /// The state folder.
    pub state: State,
}

impl Operation {
    /// One that nobody but this program asks for, with the environment of this process, to be over after `limit`.
    pub fn of_program(
        spec: &'static Spec,
        action: Action,
        instance: &Instance,
        params: &Params,
        interval: Option<Duration>,
        limit: Duration,
    ) -> Self {
        let (began, env) = (Instant::now(), Environment::of_process());
        Self {
            action,
            deadline: Deadline::of_operation(began, limit),
            depth: 0,
            interval,
            log: Log::new(spec.name, instance.name(), &env),
            trace: Trace::new(spec.name, instance, action, params, &env, began),
            state: State::of(instance),
            instance: instance.clone(),
            params: params.clone(),
            env,
        }
    }

    /// Whether this is Pacemaker's question what runs before it starts anything.
    pub fn is_probe(&self) -> bool {
        self.action == Action::Monitor && self.interval == Some(Duration::ZERO)
    }

    /// Whether this is a recurring monitor.
    pub fn is_recurring(&self) -> bool {
        self.action == Action::Monitor && self.interval.is_some_and(|i| !i.is_zero())
    }

    /// Whether this is the recurring monitor of a node where the resource is not to run (`role=Stopped`): Pacemaker expects
    /// 7 and takes everything else for running there.
    pub fn is_passive(&self) -> bool {
        self.is_recurring() && self.env.meta("role") == Some(STOPPED)
    }

    /// The folder with what the instance keeps that has to survive a reboot. It need not exist.
    pub fn attic(&self) -> PathBuf {
        Path::new(ATTIC).join(self.instance.file_name())
    }

    /// Notes a step in the step log.
    pub fn step(&self, text: &str) {
        self.trace.step(text);
    }
}
