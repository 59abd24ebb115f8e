//! Processes of this host that copy: what is left behind of them is found, and ended.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::rsync::{MARK, RSYNC};
use crate::ocf::deadline::Deadline;

/// What sshd sets for whom it lets in.
const BY_SSH: &str = "SSH_CONNECTION";

/// A process of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its program, as it was called.
    pub program: PathBuf,
    /// Its further arguments.
    pub arguments: Vec<String>,
    /// The value of [`MARK`] in its environment.
    pub mark: Option<String>,
    /// Whether it was started by way of sshd.
    pub by_ssh: bool,
}

impl Running {
    /// None of a process that has ended, of one with another program than these, or of one in a container: what runs there
    /// is not ours.
    fn of(pid: i32, programs: &[&str], namespace: &Path) -> Option<Self> {
        let process = Path::new("/proc").join(pid.to_string());
        // A zombie has none.
        let words = texts(&process.join("cmdline"))?;
        let (program, arguments) = words.split_first()?;
        let name = Path::new(program).file_name()?;
        if !programs.iter().any(|one| name == *one) || fs::read_link(process.join("ns/pid")).ok()? != namespace {
            return None;
        }
        let variables = texts(&process.join("environ")).unwrap_or_default();
        let value = |name: &str| variables.iter().find_map(|text| text.strip_prefix(name)?.strip_prefix('='));
        Some(Self {
            program: program.into(),
            arguments: arguments.to_vec(),
            mark: value(MARK).map(str::to_owned),
            by_ssh: value(BY_SSH).is_some(),
        })
    }

    /// Whether it is rsync.
    pub fn is_rsync(&self) -> bool {
        self.program.file_name() == Some(OsStr::new(RSYNC))
    }
}

/// Ends the processes of this host with one of these programs that `is_ours` knows: left behind by an action that was killed.
/// How many there were.
pub fn end_leftovers(programs: &[&str], is_ours: impl Fn(&Running) -> bool, deadline: &Deadline) -> usize {
    let Ok(namespace) = fs::read_link("/proc/self/ns/pid") else { return 0 };
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let leftovers = || {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let is_left =
            |pid: &i32| *pid != own && Running::of(*pid, programs, &namespace).is_some_and(|one| is_ours(&one));
        pids.filter(is_left).collect::<Vec<_>>()
    };
    let mut all = leftovers();
    let count = all.len();
    while !all.is_empty() {
        for pid in all {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        if !deadline.sleep(Duration::from_millis(5)) {
            break;
        }
        all = leftovers();
    }
    count
}

/// The texts of a file of /proc, each of which ends in a zero byte.
fn texts(file: &Path) -> Option<Vec<String>> {
    let bytes = fs::read(file).ok()?;
    let whole = bytes.strip_suffix(&[0]).unwrap_or(&bytes);
    Some(whole.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned()).collect())
}
