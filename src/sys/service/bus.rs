//! Calls to systemd over the system bus (org.freedesktop.systemd1(5)).
//!
//! Not over systemd's private socket, which systemctl uses: the senders' names there are none that zbus takes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream;
use tokio::time::timeout;
use zbus::message::{Flags, Type};
use zbus::zvariant::{DynamicType, OwnedObjectPath, OwnedValue};
use zbus::{Connection, MatchRule, Message, MessageStream};

use crate::contained;
use crate::ocf::deadline::Deadline;

const SYSTEM: &str = "/run/dbus/system_bus_socket";
const DESTINATION: &str = "org.freedesktop.systemd1";
const PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const SERVICE: &str = "org.freedesktop.systemd1.Service";
/// A local socket that answers at all answers at once.
const CONNECT: Duration = Duration::from_secs(2);
/// Kept back from the time for a job, to cancel it.
const CANCEL: Duration = Duration::from_millis(150);
/// Jobs of other units that may end while we do not look.
const QUEUE: usize = 1024;

/// `(path, arguments, ignored, started, monotonic, ended, monotonic, process, how, status)` of an `ExecStart=`.
type Command = (String, Vec<String>, bool, u64, u64, u64, u64, u32, i32, i32);

/// A connection to systemd.
pub(super) struct Bus {
    connection: Connection,
}

/// A unit that systemd knows.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    path: OwnedObjectPath,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Job {
    /// systemd's word for it: `done`, `failed`, `timeout`, `canceled`, `dependency`.
    Ended(String),
    /// It was not over in time, and was cancelled.
    Late,
}

/// Connects and does `work`, no longer than to the deadline. A runtime of its own for each call: an action makes one or two.
///
/// # Errors
/// `NotConnected` when the bus is not to be had: then nothing was asked.
pub(super) fn ask<T>(deadline: &Deadline, work: impl AsyncFnOnce(Bus) -> zbus::Result<T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let question = async {
        let bus = connect(deadline.within(CONNECT).left()).await?;
        match timeout(deadline.left(), work(bus)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(io::Error::other(reason(&error))),
            Err(_) => {
                let text = format!("systemd did not answer within {} ms", deadline.span().as_millis());
                Err(io::Error::new(io::ErrorKind::TimedOut, text))
            }
        }
    };
    let done = contained::run(|| runtime.block_on(question));
    runtime.shutdown_background();
    // zbus 5.19 panics over a message that it does not like. For the caller that is a bus that cannot be had.
    done.unwrap_or_else(|| Err(io::Error::new(io::ErrorKind::NotConnected, "the bus library failed")))
}

async fn connect(limit: Duration) -> io::Result<Bus> {
    let connecting = async {
        let socket = tokio::net::UnixStream::connect(SYSTEM).await?;
        zbus::connection::Builder::unix_stream(socket).build().await
    };
    let cause = match timeout(limit, connecting).await {
        Ok(Ok(connection)) => return Ok(Bus { connection }),
        Ok(Err(zbus::Error::InputOutput(cause))) => cause.to_string(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} ms", limit.as_millis()),
    };
    Err(io::Error::new(io::ErrorKind::NotConnected, format!("connect to the system bus: {cause}")))
}

/// One line: what systemd says where it answered, else what the connection says.
fn reason(error: &zbus::Error) -> String {
    let text = match error {
        zbus::Error::MethodError(_, Some(text), _) => text.clone(),
        zbus::Error::MethodError(name, None, _) => name.to_string(),
        zbus::Error::InputOutput(cause) => format!("lost the system bus: {cause}"),
        zbus::Error::Failure(text) => text.clone(),
        other => format!("no answer of systemd: {other}"),
    };
    text.trim_end_matches('.').replace('\n', " ")
}

/// Whether systemd says that it has no such unit (not loaded: then it cannot run either).
fn is_no_such_unit(error: &zbus::Error) -> bool {
    is_named(error, "NoSuchUnit")
}

/// Whether systemd says that the name of a transient unit is in use: also for a moment after the last one has ended.
pub(super) fn is_taken(error: &zbus::Error) -> bool {
    is_named(error, "UnitExists")
}

/// Whether systemd calls it so.
fn is_named(error: &zbus::Error, name: &str) -> bool {
    let own = |full: &str| full.strip_prefix(DESTINATION).and_then(|rest| rest.strip_prefix('.')) == Some(name);
    matches!(error, zbus::Error::MethodError(full, ..) if own(full.as_str()))
}

impl Bus {
    async fn call<B>(&self, path: &str, interface: &str, method: &str, body: &B) -> zbus::Result<Message>
    where
        B: serde::Serialize + DynamicType,
    {
        self.connection.call_method(Some(DESTINATION), path, Some(interface), method, body).await
    }

    async fn property<T>(&self, unit: &Unit, interface: &str, name: &str) -> zbus::Result<T>
    where
        T: TryFrom<OwnedValue>,
        T::Error: Into<zbus::Error>,
    {
        let body = (interface, name);
        let reply = self.call(unit.path.as_str(), "org.freedesktop.DBus.Properties", "Get", &body).await?;
        T::try_from(reply.body().deserialize::<OwnedValue>()?).map_err(Into::into)
    }

    /// The unit, read from its files if need be; it may turn out not to exist ([`Bus::load_state`]).
    pub async fn load(&self, unit: &str) -> zbus::Result<Unit> {
        let reply = self.call(PATH, MANAGER, "LoadUnit", &unit).await?;
        Ok(Unit { path: reply.body().deserialize()? })
    }

    /// The unit, if systemd has it in memory; what runs is.
    pub async fn loaded(&self, unit: &str) -> zbus::Result<Option<Unit>> {
        match self.call(PATH, MANAGER, "GetUnit", &unit).await {
            Ok(reply) => Ok(Some(Unit { path: reply.body().deserialize()? })),
            Err(error) if is_no_such_unit(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `loaded`, `not-found`, `masked`, `bad-setting`, `error`.
    pub async fn load_state(&self, unit: &Unit) -> zbus::Result<String> {
        self.property(unit, UNIT, "LoadState").await
    }

    /// `active`, `reloading`, `inactive`, `failed`, `activating`, `deactivating`.
    pub async fn active_state(&self, unit: &Unit) -> zbus::Result<String> {
        self.property(unit, UNIT, "ActiveState").await
    }

    /// Whether its files are newer than what systemd has read.
    pub async fn needs_reload(&self, unit: &Unit) -> zbus::Result<bool> {
        self.property(unit, UNIT, "NeedDaemonReload").await
    }

    /// Its control group; none when it has none now.
    pub async fn control_group(&self, unit: &Unit) -> zbus::Result<Option<String>> {
        let group: String = self.property(unit, SERVICE, "ControlGroup").await?;
        Ok(Some(group).filter(|group| !group.is_empty()))
    }

    /// The process that it started last, also when that is gone; 0: none.
    pub async fn main_process(&self, unit: &Unit) -> zbus::Result<u32> {
        self.property(unit, SERVICE, "ExecMainPID").await
    }

    /// Why it failed, as far as systemd knows: `exit-code (apachectl: exit code 1)`.
    pub async fn failure(&self, unit: &Unit) -> zbus::Result<String> {
        let result: String = self.property(unit, SERVICE, "Result").await?;
        let body = (SERVICE, "ExecStart");
        let reply = self.call(unit.path.as_str(), "org.freedesktop.DBus.Properties", "Get", &body).await?;
        let value: OwnedValue = reply.body().deserialize()?;
        let commands: Vec<Command> = value.try_into().unwrap_or_default();
        Ok(match commands.iter().rev().find_map(ending) {
            Some(ending) => format!("{result} ({ending})"),
            None => result,
        })
    }

    /// Clears the memory of earlier starts: systemd refuses the sixth within ten seconds.
    pub async fn reset_failed(&self, unit: &str) {
        // Refused when there is nothing to reset.
        let _ = self.call(PATH, MANAGER, "ResetFailedUnit", &unit).await;
    }

    /// Stops a unit and waits for the end of that as [`Self::job`] does, at once: a claimed unit is ordered before Pacemaker, so
    /// while that is being stopped an ordinary job would wait for its end, and it for ours.
    pub async fn stop_now(&self, unit: &str, deadline: &Deadline) -> zbus::Result<Job> {
        self.job_of("StopUnit", &(unit, "ignore-dependencies"), deadline).await
    }

    /// Queues a job (`StartUnit`, `StopUnit`, `RestartUnit`) and waits for its end. A job that is not over at the
    /// deadline is cancelled.
    pub async fn job(&self, method: &str, unit: &str, deadline: &Deadline) -> zbus::Result<Job> {
        self.job_of(method, &(unit, "replace"), deadline).await
    }

    /// The same for a method that takes more than a name (`StartTransientUnit`).
    pub async fn job_of<B>(&self, method: &str, body: &B, deadline: &Deadline) -> zbus::Result<Job>
    where
        B: serde::Serialize + DynamicType,
    {
        // Before the job: its end may be told before the reply.
        let mut ends = self.signals("JobRemoved").await?;
        let reply = self.call(PATH, MANAGER, method, body).await?;
        let job: OwnedObjectPath = reply.body().deserialize()?;
        let ended = async {
            loop {
                let message = next(&mut ends).await?;
                let (_, path, _, result): (u32, OwnedObjectPath, String, String) = message.body().deserialize()?;
                if path == job {
                    return Ok(Job::Ended(result));
                }
            }
        };
        match timeout(deadline.left().saturating_sub(CANCEL), ended).await {
            Ok(result) => result,
            Err(_) => {
                let cancel = self.call(job.as_str(), "org.freedesktop.systemd1.Job", "Cancel", &());
                // It may be over by now; there is no time left to find out.
                let _ = timeout(CANCEL / 2, cancel).await;
                Ok(Job::Late)
            }
        }
    }

    async fn signals(&self, member: &str) -> zbus::Result<MessageStream> {
        // Anybody may send signals; the bus looks at the sender.
        let rule = MatchRule::builder().msg_type(Type::Signal).sender(DESTINATION)?.path(PATH)?;
        let rule = rule.interface(MANAGER)?.member(member)?;
        let stream = MessageStream::for_match_rule(rule.build(), &self.connection, Some(QUEUE)).await?;
        // systemd is quiet on the system bus until somebody wants to hear it; once is enough.
        match self.call(PATH, MANAGER, "Subscribe", &()).await {
            Err(error) if !is_named(&error, "AlreadySubscribed") => Err(error),
            _ => Ok(stream),
        }
    }

    /// Makes systemd read all unit files again, and waits until it has.
    pub async fn reload(&self) -> zbus::Result<()> {
        self.call(PATH, MANAGER, "Reload", &()).await.map(drop)
    }

    /// The same, but waits only until systemd begins: reading takes it some 100 ms. A caller that leaves earlier is
    /// refused, because systemd asks the bus who that was.
    pub async fn request_reload(&self) -> zbus::Result<()> {
        let mut begins = self.signals("Reloading").await?;
        let message = Message::method_call(PATH, "Reload")?.destination(DESTINATION)?.interface(MANAGER)?;
        self.connection.send(&message.with_flags(Flags::NoReplyExpected)?.build(&())?).await?;
        next(&mut begins).await.map(drop)
    }
}

/// The next message.
async fn next(stream: &mut MessageStream) -> zbus::Result<Message> {
    let lost = || io::Error::from(io::ErrorKind::ConnectionReset).into();
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await.unwrap_or_else(|| Err(lost()))
}

/// How a command of `ExecStart=` failed; none when it did not, or still runs.
fn ending(command: &Command) -> Option<String> {
    let (path, .., how, status) = command;
    let name = path.rsplit('/').next().unwrap_or(path);
    // The codes of waitid(2): exited, killed, dumped.
    match how {
        1 if *status != 0 => Some(format!("{name}: exit code {status}")),
        2 | 3 => Some(format!("{name}: killed by signal {status}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_is_named() {
        let command = |how, status| ("/usr/sbin/apachectl".to_owned(), Vec::new(), false, 1, 1, 1, 1, 9, how, status);
        assert_eq!(ending(&command(1, 1)).as_deref(), Some("apachectl: exit code 1"));
        assert_eq!(ending(&command(2, 9)).as_deref(), Some("apachectl: killed by signal 9"));
        assert_eq!(ending(&command(1, 0)), None);
        assert_eq!(ending(&command(0, 0)), None);
    }

    #[test]
    fn what_systemd_says_is_one_line() {
        let lost = zbus::Error::from(io::Error::from(io::ErrorKind::ConnectionReset));
        assert_eq!(reason(&lost), "lost the system bus: connection reset");
        assert_eq!(reason(&zbus::Error::Failure("job ended as canceled".into())), "job ended as canceled");
    }
}
