//! `inuvika-ha alert`: what the alert agent has to tell, and whether it can.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{Failure, print};
use crate::alert::channel::{Files, Way};
use crate::alert::event::{Event, now};
use crate::alert::history::History;
use crate::alert::round::{Cause, Round, sender};
use crate::alert::settings::{PATH, Settings, Tls};
use crate::alert::spool::{Record, Spool};
use crate::alert::{NAME, user};
use crate::ocf::deadline::Deadline;
use crate::ocf::environment::Environment;
use crate::ocf::log::Log;

/// How long a test message may take on each channel.
const TEST: Duration = Duration::from_secs(20);
/// How long sending what waits may take.
const FLUSH: Duration = Duration::from_secs(60);
/// How long another process that sends is waited for.
const PATIENCE: Duration = Duration::from_secs(25);

/// Check, try and flush inuvika-alert, which tells people what happens in the cluster.
///
/// Run as root, these commands go on as hacluster, as the agent does.
#[derive(Debug, Args)]
pub(super) struct Alert {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Read the configuration and say what waits to be sent
    Check {
        /// The configuration
        #[arg(default_value = PATH, value_name = "FILE")]
        file: PathBuf,
    },
    /// Send a test message now
    Test {
        /// As the cluster's configuration would name it: a mail address, mail, hook, file or the path of a configuration;
        /// all of /etc/inuvika-ha/alert.toml when none is given
        #[arg(default_value = "", value_name = "RECIPIENT")]
        recipient: String,
    },
    /// Send what waits
    Flush {
        /// Only what is due: a server that did not answer is left alone for a while
        #[arg(long)]
        due: bool,
    },
}

impl Alert {
    pub(super) fn run(self) -> Result<(), Failure> {
        user::step_down().map_err(|error| outside(format!("go on as {}: {error}", user::USER)))?;
        match self.verb {
            Verb::Check { file } => check(&file),
            Verb::Test { recipient } => test(&recipient),
            Verb::Flush { due } => flush(due),
        }
    }
}

fn check(file: &std::path::Path) -> Result<(), Failure> {
    let file = std::path::absolute(file).map_err(|error| outside(format!("find {}: {error}", file.display())))?;
    let settings = Settings::read(&file).map_err(Failure::Input)?;
    let mut text = format!("{}: good\n", file.display());
    if let Some(mail) = &settings.mail {
        if let Some((_, password)) = &mail.login {
            password.read().map_err(Failure::Input)?;
        }
        let tls = match mail.tls {
            Tls::StartTls => "STARTTLS",
            Tls::Implicit => "TLS",
            Tls::None => "no encryption",
        };
        let to: Vec<String> = mail.to.iter().map(ToString::to_string).collect();
        let to = if to.is_empty() { "whom the cluster names".to_owned() } else { to.join(", ") };
        let _ = writeln!(text, "mail   {}:{}, {tls}, to {to}", mail.host, mail.port);
    }
    if let Some(hook) = &settings.hook {
        let url = reqwest::Url::parse(hook.url.reveal()).ok();
        let host = url.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
        let _ = writeln!(text, "hook   {host}");
    }
    if let Some(path) = &settings.file {
        let _ = writeln!(text, "file   {}", path.display());
    }
    let spool = Spool::of_host();
    let (records, damaged) = spool.records().map_err(|error| outside(format!("read the spool: {error}")))?;
    let _ = write!(text, "spool  {} events wait", records.len());
    if let Some(oldest) = records.first() {
        let _ = write!(text, ", the oldest for {} min", now().saturating_sub(oldest.seen) / 60_000);
    }
    text.push('\n');
    for line in damaged {
        let _ = writeln!(text, "spool  dropped what could not be read: {line}");
    }
    for (channel, trouble) in spool.memory().trouble {
        let _ = writeln!(text, "trouble with {channel}, tried {} times: {}", trouble.count, trouble.text);
    }
    print(&text)
}

fn test(recipient: &str) -> Result<(), Failure> {
    let channels = Files::default().channels(recipient).map_err(Failure::Input)?;
    let deadline = Deadline::after(TEST);
    let history = History::ask(&deadline).unwrap_or_default();
    let sender = sender(history.cluster(), &deadline);
    let event = Event::test(&sender.node, recipient);
    let record = Record { name: String::new(), seen: event.time, event, done: Vec::new(), reason: None };
    let mut failed = Vec::new();
    for channel in channels {
        match channel.send(&[&record], &sender, &Deadline::after(TEST)) {
            Ok(()) => print(&match (&channel.way, &channel.settings.file) {
                (Way::Mail(to), _) => {
                    let to: Vec<String> = to.iter().map(ToString::to_string).collect();
                    format!("the mail server has taken a mail to {}\n", to.join(", "))
                }
                (Way::File, Some(path)) => format!("a line was added to {}\n", path.display()),
                _ => "the hook has taken a document\n".to_owned(),
            })?,
            Err(problem) => failed.push(problem),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(outside(failed.join("; "))) }
}

fn flush(due: bool) -> Result<(), Failure> {
    let log = Log::new(NAME, "flush", &Environment::of_process());
    let spool = Spool::of_host();
    let spoiled = |error: std::io::Error| outside(format!("send what waits: {error}"));
    // The timer comes again; a person waits.
    let patience = if due { Duration::ZERO } else { PATIENCE };
    let Some(_lock) = spool.lock(patience).map_err(spoiled)? else {
        return if due { Ok(()) } else { Err(outside("another process sends just now: try again".to_owned())) };
    };
    let cause = if due { Cause::Due } else { Cause::Hand };
    let outcome = Round::new(&spool, &log, Deadline::after(FLUSH), cause).run().map_err(spoiled)?;
    if outcome.sent > 0 || (!due && outcome.problems.is_empty()) {
        print(&format!("{} sent, {} wait\n", outcome.sent, outcome.waiting))?;
    }
    match outcome.problems.is_empty() {
        true => Ok(()),
        false => Err(outside(outcome.problems.into_iter().collect::<Vec<_>>().join("; "))),
    }
}

fn outside(reason: String) -> Failure {
    Failure::Outside(anyhow::anyhow!(reason))
}
