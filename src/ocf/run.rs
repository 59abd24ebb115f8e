//! An agent as a program: words and environment in, exit code out.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use super::action::Action;
use super::agent::Registered;
use super::by_hand::{self, ByHand, Format};
use super::deadline::{DEFAULT_TIMEOUT, Deadline};
use super::environment::Environment;
use super::exit::{Code, Failure, one_line};
use super::instance::Instance;
use super::log::Log;
use super::operation::Operation;
use super::params::Params;
use super::recorded::Recorded;
use super::spec::{STOPPED, Spec};
use super::state::State;
use super::trace::Trace;
use super::{memory, metadata, report, voice};
use crate::{contained, out};

/// Runs `agent` with the words after its name.
pub fn run(agent: &dyn Registered, words: &[String]) -> Code {
    let began = Instant::now();
    let spec = agent.table();
    let env = Environment::of_process();
    catch_panics(&env);
    // The action first: an unknown one is 3 whatever else is wrong.
    let Some(name) = words.first() else {
        out::stderr(&usage(spec));
        return Code::Args;
    };
    let Some(action) = Action::parse(name) else {
        return refuse(&env, Failure::new(Code::Unimplemented, format!("no action '{name}': see {} help", spec.name)));
    };
    match action {
        Action::MetaData => {
            out::stdout(&metadata::render(spec));
            return Code::Success;
        }
        Action::Help => {
            out::stdout(&usage(spec));
            return Code::Success;
        }
        _ => {}
    }
    let options = match ByHand::parse(&words[1..]) {
        Ok(options) => options,
        Err(reason) => return refuse(&env, Failure::new(Code::Args, reason)),
    };
    match prepare(spec, action, &options, env.clone(), began) {
        Ok((op, note)) => finish(agent, &op, &options, note.as_deref()),
        Err(failure) => refuse(&env, failure),
    }
}

fn prepare(
    spec: &'static Spec,
    action: Action,
    options: &ByHand,
    env: Environment,
    began: Instant,
) -> Result<(Operation, Option<String>), Failure> {
    if let Some(major) = env.get("OCF_RA_VERSION_MAJOR").filter(|major| *major != "1") {
        let reason = format!("OCF version {major} is asked for: {} speaks version 1.1", spec.name);
        return Err(Failure::new(Code::NotInstalled, reason));
    }
    let mut params = Params::none(spec);
    for (name, value) in env.parameters() {
        // Others than ours are the manager's own (crm_feature_set, OCF_CHECK_LEVEL): not for us to judge.
        if spec.param(name).is_some() {
            params.set(name, value)?;
        }
    }
    for (name, value) in &options.params {
        params.set(name, value)?;
    }
    let named = options.instance.as_deref().or(env.get("OCF_RESOURCE_INSTANCE")).map(Instance::new);
    let mut note = None;
    let mut instance = named.clone();
    let reads_only = matches!(action, Action::Monitor | Action::ValidateAll);
    if reads_only
        && params.is_empty()
        && env.meta("timeout").is_none()
        && let Some(record) = Recorded::find(spec.name, named.as_ref())
    {
        record.fill(&mut params)?;
        instance = Some(Instance::new(&record.instance));
        note = Some("parameters of its last start".to_owned());
    }
    let instance = instance.unwrap_or_else(|| Instance::new("default"));
    let timeout = options
        .timeout
        .map(Duration::from_secs)
        .or(env.meta_ms("timeout").filter(|t| !t.is_zero()))
        .unwrap_or(DEFAULT_TIMEOUT);
    Ok((
        Operation {
            action,
            deadline: Deadline::of_operation(began, timeout),
            depth: options.depth.unwrap_or_else(|| env.check_level()),
            interval: env.meta_ms("interval"),
            log: Log::new(spec.name, instance.name(), &env),
            trace: Trace::new(spec.name, &instance, action, &params, &env, began),
            state: State::of(&instance),
            instance,
            params,
            env,
        },
        note,
    ))
}

fn finish(agent: &dyn Registered, op: &Operation, options: &ByHand, note: Option<&str>) -> Code {
    let name = agent.table().name;
    let mut outcome = agent.perform(op);
    let by_person = std::io::stderr().is_terminal();
    op.step(&format!("exit code {} {}", outcome.code, outcome.reason.as_deref().unwrap_or_default()));
    let format = options.format.or(match op.env.get("OCF_OUTPUT_FORMAT") {
        // With XML on stdout crm_resource leaves stderr out, which is what pcs shows of a validation.
        Some("xml") if op.action == Action::ValidateAll => None,
        Some("xml") => Some(Format::Xml),
        // crm_resource captures our output and shows it to the person who called it.
        Some("text") => Some(Format::Table),
        _ if std::io::stdout().is_terminal() => Some(Format::Table),
        _ => None,
    });
    if let Some(format) = format {
        out::stdout(&report::render(format, name, op, &outcome, note));
    }
    if by_person && !options.ignored.is_empty() {
        out::stderr(&format!("ignored: {}\n", options.ignored.join(" ")));
    }
    let told = by_person && format == Some(Format::Table);
    memory::log_outcome(op, &outcome, told);
    // Older Pacemaker takes 190 for a failure. The log has the reason.
    let may_speak = voice::may_speak(op, &outcome);
    if outcome.code == Code::Degraded && !(may_speak && op.env.knows_degraded()) {
        outcome.code = Code::Success;
        outcome.reason = None;
    }
    if let Some(reason) = outcome.reason.as_ref().filter(|_| !told) {
        print_reason(&op.env, reason);
    }
    outcome.code
}

fn refuse(env: &Environment, failure: Failure) -> Code {
    print_reason(env, &failure.reason);
    failure.code
}

/// The line Pacemaker shows in `pcs status`: the last one with this prefix on stderr counts.
fn print_reason(env: &Environment, reason: &str) {
    let prefix = match env.get("OCF_EXIT_REASON_PREFIX") {
        Some(prefix) => prefix,
        None if std::io::stderr().is_terminal() => "",
        None => "ocf-exit-reason:",
    };
    out::stderr(&format!("{prefix}{}\n", one_line(reason)));
}

/// A panic would end with 101, which Pacemaker maps to 1 without a reason.
fn catch_panics(env: &Environment) {
    let env = env.clone();
    std::panic::set_hook(Box::new(move |info| {
        if contained::is_contained() {
            return;
        }
        let place = info.location().map(|l| format!("{}:{}", l.file(), l.line())).unwrap_or_default();
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied().map(str::to_owned);
        let what = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        // Anything but 7 of a passive node's monitor is taken for running there.
        let passive = env.meta("role") == Some(STOPPED);
        let code = if passive { Code::NotRunning } else { Code::Generic };
        print_reason(&env, &format!("internal error at {place}: {what}"));
        std::process::exit(i32::from(code as u8));
    }));
}

fn usage(spec: &Spec) -> String {
    let mut text = format!("{}: {}\n\nUsage: {} ACTION\n\nActions:", spec.name, spec.short, spec.name);
    let mut names: Vec<&str> = spec.actions.iter().map(|a| a.name).collect();
    names.dedup();
    names.push("help");
    text.push_str(&format!(" {}\n\nParameters (OCF_RESKEY_NAME in the environment):\n", names.join(", ")));
    let widest = spec.all_params().map(|p| p.name.len()).max().unwrap_or(0);
    for param in spec.all_params() {
        let extra = match (param.required, param.default) {
            (true, _) => " (required)".to_owned(),
            (false, Some(default)) => format!(" (default {default})"),
            (false, None) => String::new(),
        };
        text.push_str(&format!("  {:widest$}  {}{extra}\n", param.name, param.short));
    }
    text.push('\n');
    text.push_str(&by_hand::help());
    text
}
