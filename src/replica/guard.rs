//! The node that receives files has a say: it refuses those of an epoch that is older than what it knows of.
//!
//! A node that the cluster has lost without fencing it goes on pushing until somebody ends it there, over the newer files of
//! the node that took over. So lsyncd has [`send`] for its ssh, which has [`receive`] run in front of the peer's rsync: that
//! looks at the stamp of the node it runs on, asks nobody, and becomes rsync or refuses. A peer whose program is too old for
//! that, which its report tells, gets what it got before.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

use super::ground;
use super::peer::Memory;
use super::report::{NAME, Report, program};
use super::stamp::{Attic, Kind, Stamp};
use super::{Ready, Replica};
use crate::ocf::deadline::Deadline;
use crate::ocf::exit::one_line;
use crate::ocf::operation::Operation;
use crate::ocf::state::State;
use crate::sys::process;
use crate::sys::remote::quote;
use crate::sys::remote::rsync::{MARK, RSYNC};

/// Exit code of a refusal: "permission denied" of sysexits.h, which neither rsync (up to 35, 124 to 127) nor ssh (255) has.
pub const REFUSED: u8 = 77;
/// How the name of the note in the state folder begins that says that pushes are refused; the epoch follows.
pub const NOTE: &str = "refused.";
/// ssh's exit code when it did not get there.
const NO_LOGIN: u8 = 255;
/// How long the peer may take to say whether it has [`receive`]; rsync itself waits longer.
const ASK: Duration = Duration::from_secs(10);
/// How long a refusal counts when no contact has found out more.
const STALE: Duration = Duration::from_secs(600);
/// What makes rsync on the other side the one that receives; its program stands before it.
const SERVER: &str = "--server";

/// What is pushed: whose files, of which epoch.
#[derive(Debug, Clone, Copy)]
pub struct Push<'a> {
    /// File name of the instance.
    pub instance: &'a str,
    /// The epoch of the pushing node.
    pub epoch: u64,
    /// Its name.
    pub from: &'a str,
}

/// Whether a node with this stamp takes nothing of `epoch` from another one: it knows of a later one. Two nodes can have been
/// active in the same epoch when the cluster did not answer: what a node has served itself stays, too.
pub fn refuses(stamp: &Stamp, epoch: u64) -> bool {
    stamp.epoch > epoch || stamp.epoch == epoch && stamp.kind == Kind::Source
}

/// Why this node takes nothing of the push; none when it does.
pub fn refusal(push: &Push<'_>) -> Option<String> {
    let Push { instance, epoch, from } = *push;
    let own = Attic::of(instance).stamp().ok().flatten();
    // Damaged or lost: what is served here is remembered elsewhere, too, until the next boot.
    let served = || Memory::of(instance).map(|memory| Stamp::source(memory.epoch, &memory.me, None));
    let own = own.or_else(served).filter(|own| refuses(own, epoch))?;
    let act = if own.kind == Kind::Source { "was active in" } else { "has the data of" };
    Some(format!("refused: this node {act} epoch {}, not to be replaced by {epoch} of {from}", own.epoch))
}

/// Becomes the rsync that receives, unless this node refuses. `words` are rsync's, from `--server` on.
///
/// # Errors
/// The line of the refusal, or (the outer error) that rsync cannot be run or the folder's file system is not mounted.
pub fn receive(push: &Push<'_>, words: &[OsString]) -> io::Result<Result<Infallible, String>> {
    if words.first().is_none_or(|word| word != SERVER) {
        return Err(io::Error::other(format!("rsync's own words have to begin with {SERVER}")));
    }
    if let Some(why) = refusal(push) {
        return Ok(Err(why));
    }
    // rsync's last word is the folder, or the root of several. Below a file system that is not mounted nothing would be found
    // again. The canary lies on none of theirs.
    let attic = Attic::of(push.instance);
    let target = words.last().map(Path::new);
    let is_canary = target.is_some_and(|target| target.starts_with(attic.canary()));
    if let Some(why) = ground::lost_at(&attic, target).filter(|_| !is_canary) {
        return Err(io::Error::other(why));
    }
    // Elsewhere than usual: as the shell of this login would find it.
    let rsync = process::find(RSYNC).unwrap_or_else(|| RSYNC.into());
    // The rest is as ssh has made it: rsync is configured by its environment, too.
    let error = Command::new(&rsync).args(words).env(MARK, push.instance).exec();
    Err(io::Error::new(error.kind(), format!("run {}: {error}", rsync.display())))
}

/// Runs ssh for an rsync of lsyncd, with the peer's [`receive`] in front of its rsync where the peer has that; ends when that
/// does. `words` are ssh's command as rsync calls it. The exit code.
///
/// # Errors
/// That ssh cannot be run, that the words are not rsync's, or that a folder here is not on what it was on.
pub fn send(push: &Push<'_>, words: &[OsString]) -> io::Result<u8> {
    let (state, attic) = (State::of_file_name(push.instance), Attic::of(push.instance));
    let note = note(push.epoch);
    let later = attic.stamp().ok().flatten().filter(|own| own.epoch > push.epoch);
    if later.is_some() {
        remember(&state, &note);
    }
    // Until a contact finds that the peer takes them again (see [`settle`]), or none has for long: then the peer is asked.
    let noted = fs::metadata(state.folder().join(&note)).and_then(|about| about.modified());
    if noted.is_ok_and(|at| at.elapsed().is_ok_and(|age| age < STALE)) {
        return Ok(REFUSED);
    }
    let (login, after) = split(words)?;
    let memory = Memory::of(push.instance);
    // A mount that is lost leaves an empty folder: a new life of lsyncd would empty the peer's before a monitor sees it.
    let lost = memory.as_ref().and_then(|memory| memory.lost_folder(|| ground::lost_at(&attic, None)));
    if let Some(why) = lost {
        return Err(io::Error::other(why));
    }
    let guards = match memory.and_then(|memory| memory.guards) {
        Some(guards) => guards,
        // The peer was away at the start, and no contact has been since.
        None => match ask(push, login) {
            Some(Ok(report)) if report.stamp.as_ref().is_some_and(|theirs| refuses(theirs, push.epoch)) => {
                remember(&state, &note);
                return Ok(REFUSED);
            }
            Some(Ok(Report { lost: Some(why), .. })) => return Err(io::Error::other(why)),
            Some(Ok(report)) => report.guards,
            // It has no such program.
            Some(Err(_)) => false,
            None => return Ok(NO_LOGIN),
        },
    };
    let words = if guards { guarded(push, login, after) } else { words.to_vec() };
    let (ssh, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let code = run(ssh, arguments)?;
    if code == REFUSED {
        remember(&state, &note);
    }
    Ok(code)
}

/// Runs ssh to its end, without a time limit: rsync has one, and ends its ssh with a signal (SIGUSR1) then, or when it is
/// ended itself. That is passed on, or ssh would stay. The exit code.
fn run(ssh: &OsString, arguments: &[OsString]) -> io::Result<u8> {
    let ends = [Signal::SIGUSR1, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];
    let mut awaited = SigSet::from_iter(ends);
    awaited.add(Signal::SIGCHLD);
    let mut child = Command::new(ssh).args(arguments).spawn()?;
    // Afterwards, as ssh would inherit it. What has come before is seen by the first look.
    awaited.thread_block()?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1));
        }
        if ends.contains(&awaited.wait()?) {
            child.kill()?;
        }
    }
}

/// Of ssh's command as rsync calls it: what logs in on the peer, and what follows the name of the peer's rsync.
///
/// # Errors
/// When it is none.
fn split(words: &[OsString]) -> io::Result<(&[OsString], &[OsString])> {
    let at = words.iter().position(|word| word == SERVER).and_then(|server| server.checked_sub(1));
    at.and_then(|at| Some((words.get(..at)?, words.get(at + 1..)?)))
        .filter(|(login, _)| !login.is_empty())
        .ok_or_else(|| io::Error::other(format!("no {SERVER} among the words of rsync")))
}

/// The words with [`receive`] in the place of the peer's rsync.
fn guarded(push: &Push<'_>, login: &[OsString], after: &[OsString]) -> Vec<OsString> {
    login.iter().cloned().chain([receiver(push).into()]).chain(after.iter().cloned()).collect()
}

/// Asks the peer for its report, which says whether it has [`receive`]; none when ssh does not get there.
fn ask(push: &Push<'_>, login: &[OsString]) -> Option<Result<Report, String>> {
    let (ssh, arguments) = login.split_first()?;
    let program = program();
    let question = [program.as_str(), "replica", "report", "--instance", push.instance].map(quote).join(" ");
    let arguments: Vec<_> = arguments.iter().cloned().chain([question.into()]).collect();
    let output = process::run(ssh, &arguments, None, &Deadline::after(ASK)).ok()?;
    match output.status.code() {
        None => None,
        Some(code) if code == i32::from(NO_LOGIN) => None,
        Some(_) => Some(Report::parse(&output.stdout)),
    }
}

/// The peer's program that is called instead of rsync, as one line for its shell (`rsync --rsync-path`).
pub(super) fn receiver(push: &Push<'_>) -> String {
    let program = program();
    let epoch = push.epoch.to_string();
    let words = [&program, "replica", "receive", "--instance", push.instance, "--epoch", &epoch, "--from", push.from];
    words.iter().chain(&["--"]).map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

/// What lsyncd's rsync is to use for ssh in the epoch of `ready`, as one line for `rsync -e`.
pub fn rsh_line(replica: &Replica, ready: &Ready) -> String {
    let epoch = ready.epoch.to_string();
    let begin = ["replica", "send", "--instance", &replica.instance, "--epoch", &epoch, "--from", &ready.node, "--"];
    replica.remote.rsh_line_by(&[&[program().as_str()], &begin[..]].concat())
}

/// The note that pushes of an epoch are refused.
pub fn note(epoch: u64) -> String {
    format!("{NOTE}{epoch}")
}

/// Fails without a state folder, which is not made for it: then nothing is active here, and nobody would read it.
fn remember(state: &State, note: &str) {
    let _ = fs::write(state.folder().join(note), "true\n");
}

/// Notes whether the peer, which has `theirs`, takes what is pushed here in `epoch`: lsyncd pauses while it does not. True
/// while it does not.
pub(super) fn settle(theirs: Option<&Stamp>, epoch: u64, op: &Operation) -> bool {
    let refused = theirs.is_some_and(|theirs| refuses(theirs, epoch));
    if refused {
        remember(&op.state, &note(epoch));
    } else {
        op.state.forget(&note(epoch));
    }
    refused
}

/// Why nothing of `epoch` is pushed at the moment: the other node has gone on. None when it is. Looks at files only.
pub(super) fn paused(replica: &Replica, epoch: u64, op: &Operation) -> Option<String> {
    if !op.state.folder().join(note(epoch)).exists() {
        return None;
    }
    let own = Attic::of(&replica.instance).stamp().ok().flatten();
    if let Some(own) = own.filter(|own| own.epoch > epoch) {
        return Some(newer(&own.node, Some(own.epoch), epoch));
    }
    let peer = Memory::read(op).and_then(|memory| memory.peer);
    Some(newer(peer.as_ref().unwrap_or(&replica.remote.host), None, epoch))
}

/// One line for the administrator: who has newer data, and what to do.
pub(super) fn newer(node: &str, theirs: Option<u64>, epoch: u64) -> String {
    let epochs = theirs.map_or(format!("here epoch {epoch}"), |theirs| format!("epoch {theirs}, here {epoch}"));
    one_line(&format!("{node} has newer data ({epochs}), nothing is pushed: move the service there, or stop it here"))
}

/// Whether the first words of a process are those of [`receive`] for `instance`: it is about to become rsync.
pub(super) fn is_receiver(program: &Path, arguments: &[String], instance: &str) -> bool {
    let begin = ["replica", "receive", "--instance", instance];
    program.file_name().is_some_and(|name| name == NAME)
        && arguments.iter().map(String::as_str).take(begin.len()).eq(begin)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    const PUSH: Push<'static> = Push { instance: "lsyncd", epoch: 7, from: "osm1.priv" };

    #[test]
    fn what_is_newer_or_was_served_here_is_not_replaced() {
        for (stamp, refused) in [
            (Stamp::source(8, "osm2", None), true),
            (Stamp::source(8, "osm2", Some(5)), true),
            (Stamp::source(7, "osm2", None), true),
            (Stamp::source(6, "osm2", None), false),
            (Stamp::copy(8, "osm2", false), true),
            (Stamp::copy(7, "osm1.priv", true), false),
            (Stamp::copy(0, "osm2", false), false),
        ] {
            assert_eq!(refuses(&stamp, 7), refused, "{stamp:?}");
        }
    }

    #[test]
    fn the_peers_rsync_and_nothing_else_is_replaced() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        let line = words("/usr/bin/ssh -l root osm2 rsync --server -logD --delete . /srv/--server");
        let (login, after) = split(&line).unwrap();
        let got = guarded(&PUSH, login, after);
        let receiver = "/usr/sbin/inuvika-ha replica receive --instance lsyncd --epoch 7 --from osm1.priv --";
        assert_eq!(got[..4], words("/usr/bin/ssh -l root osm2"));
        assert_eq!(got[4], OsString::from(receiver));
        assert_eq!(got[5..], words("--server -logD --delete . /srv/--server"));
        for text in ["", "--server", "/usr/bin/ssh osm2 id", "rsync --server"] {
            assert!(split(&words(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_receiver_is_known_by_its_first_words() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let line = words("replica receive --instance lsyncd --epoch 7 --from osm1 -- --server . /srv");
        let program = Path::new("/usr/sbin/inuvika-ha");
        assert!(is_receiver(program, &line, "lsyncd"));
        assert!(!is_receiver(program, &line, "lsyn"));
        assert!(!is_receiver(Path::new("/usr/bin/vi"), &line, "lsyncd"));
        assert!(!is_receiver(program, &words("replica list --instance lsyncd"), "lsyncd"));
    }

    #[test]
    fn the_reason_says_who_and_what_to_do() {
        let text = newer("osm2.priv.example.com", Some(12), 11);
        assert!(text.starts_with("osm2.priv.example.com has newer data (epoch 12, here 11)"), "{text}");
        assert!(text.ends_with("or stop it here"), "{text}");
    }
}
