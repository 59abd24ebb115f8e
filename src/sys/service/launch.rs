//! Starts what leaves a daemon behind, and tells why it failed.
//!
//! Not over pipes: a daemon that kept one would be ended by SIGPIPE later, or keep us waiting. What it says goes to files
//! that have no name.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::{Process, Service, processes};
use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// Bytes of its output that are looked at.
const ENOUGH: u64 = 16 << 10;

/// How the files begin, and where they are.
const FILES: &str = "/run/.inuvika-ha.";

impl Service {
    /// Whether a process of it still prints into the files of its start, which have no name and are kept in memory: a script that
    /// does not redirect what its daemon says fills that in the course of days.
    pub fn prints_to_start(&self) -> bool {
        let is_ours = |link: PathBuf| link.as_os_str().as_bytes().starts_with(FILES.as_bytes());
        let prints = |process: &Process| {
            let links = [1, 2].map(|fd| fs::read_link(format!("/proc/{}/fd/{fd}", process.pid)));
            links.into_iter().flatten().any(is_ours)
        };
        self.processes().is_ok_and(|all| all.iter().any(prints))
    }
}

/// Runs a program to its end, without a shell, with a clean environment; the last line that it wrote.
///
/// # Errors
/// That there is no such program, that it failed and what it said, or that it was killed at the deadline.
pub(super) fn launch(program: &Path, arguments: &[&OsStr], deadline: &Deadline) -> io::Result<Option<String>> {
    launch_in(("LC_ALL", "C"), program, arguments, deadline)
}

/// The same for a daemon to which its language matters: the variable and value are all it gets of one.
///
/// # Errors
/// See [`launch`].
pub(super) fn launch_in(
    language: (&str, &str),
    program: &Path,
    arguments: &[&OsStr],
    deadline: &Deadline,
) -> io::Result<Option<String>> {
    let path = process::find(program).ok_or_else(|| {
        let reason = format!("run {}: there is no such program", program.display());
        io::Error::new(io::ErrorKind::NotFound, reason)
    })?;
    let (mut stdout, mut stderr) = (nameless("out")?, nameless("err")?);
    let mut child = Command::new(path)
        .args(arguments)
        .env_clear()
        .env("PATH", process::DIRECTORIES.join(":"))
        .env(language.0, language.1)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?)
        .spawn()?;
    let mut pause = Duration::from_micros(200);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if !deadline.sleep(pause) {
            end_with_children(&mut child);
            let reason =
                format!("run {}: not done after {} ms, killed", program.display(), deadline.used().as_millis());
            return Err(io::Error::new(io::ErrorKind::TimedOut, reason));
        }
        pause = (pause * 2).min(Duration::from_millis(5));
    };
    if status.success() {
        return Ok(last_line(&text(&mut stdout)).or_else(|| last_line(&text(&mut stderr))));
    }
    let said = text(&mut stdout);
    let said = complaint(&text(&mut stderr)).or_else(|| refusal(&said)).or_else(|| last_line(&said));
    Err(io::Error::other(said.unwrap_or_else(|| ending(status))))
}

/// Kills a script and what it has started: a `su` or a shell below it would go on, and start the daemon when nobody looks any more.
fn end_with_children(child: &mut Child) {
    let pid = child.id().cast_signed();
    // The script first, so that it starts nothing else; its children are known before, as init's they would be nobody's.
    let family = processes::all().map(|all| processes::with_children(all, |seen| seen.process.pid == pid));
    // Fails only when it has ended by itself meanwhile; init reaps it, as we end soon.
    let _ = child.kill();
    for seen in family.iter().flatten().filter(|seen| seen.process.pid != pid) {
        let _ = seen.signal(Signal::SIGKILL);
    }
}

/// The first line that says that it gives up, of a script that says everything on its standard output and goes on talking.
fn refusal(text: &str) -> Option<String> {
    let is_one =
        |line: &&str| ["abort", "fail", "error", "cannot"].iter().any(|word| line.to_lowercase().contains(word));
    text.lines().map(str::trim).find(is_one).map(str::to_owned)
}

/// A file that is gone when the last process that has it open ends.
fn nameless(kind: &str) -> io::Result<File> {
    let path = format!("{FILES}{}.{kind}", std::process::id());
    // Left by a process of the same id that was killed between the two calls.
    let _ = fs::remove_file(&path);
    let file = OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

fn text(file: &mut File) -> String {
    let mut bytes = Vec::new();
    // What cannot be read is a missing explanation, not another failure.
    let _ = file.rewind();
    let _ = file.take(ENOUGH).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first complaint in one line. Apache warns about a missing ServerName first, whatever else is wrong, and writes a
/// syntax error in two lines of which the first ends with a colon.
fn complaint(text: &str) -> Option<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut lines = lines.filter(|line| !line.starts_with("AH00558:"));
    let first = lines.next()?;
    match lines.next().filter(|_| first.ends_with(':')) {
        Some(second) => Some(format!("{first} {second}")),
        None => Some(first.to_owned()),
    }
}

pub(super) fn last_line(text: &str) -> Option<String> {
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}

pub(super) fn ending(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => format!("killed by signal {}", status.signal().unwrap_or_default()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_hangs_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("pid");
        let line = format!("sh -c 'echo $$ > {}; sleep 30; :'; :", note.display());
        let mut script = Command::new("/bin/sh").args(["-c", &line]).spawn().unwrap();
        let begun = std::time::Instant::now();
        let child: i32 = loop {
            match fs::read_to_string(&note).unwrap_or_default().trim().parse() {
                Ok(pid) => break pid,
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(20), "{error}"),
            }
        };
        end_with_children(&mut script);
        script.wait().unwrap();
        // Killed, it is a zombie until init has reaped it.
        let begun = std::time::Instant::now();
        while processes::look(child).unwrap().is_some() {
            assert!(begun.elapsed() < Duration::from_secs(5), "process {child} goes on");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_complaint_is_one_line_without_the_usual_warning() {
        let syntax =
            "AH00558: apache2: Could not determine the name\nAH00526: Syntax error on line 3 of /f:\n Invalid 'x'\n";
        assert_eq!(complaint(syntax).as_deref(), Some("AH00526: Syntax error on line 3 of /f: Invalid 'x'"));
        let port = "(98)Address already in use: AH00072: make_sock: could not bind\nno listening sockets available\n";
        assert_eq!(complaint(port).as_deref(), Some("(98)Address already in use: AH00072: make_sock: could not bind"));
        assert_eq!(complaint("\n \nAH00558: warning"), None);
        assert_eq!(complaint("cut off:").as_deref(), Some("cut off:"));
        assert_eq!(last_line("one\ntwo\n\n").as_deref(), Some("two"));
        let tomcat = "Using x\nTomcat appears to still be running with PID 7. Start aborted.\nroot 7 1 java\n";
        assert_eq!(refusal(tomcat).as_deref(), Some("Tomcat appears to still be running with PID 7. Start aborted."));
        assert_eq!(refusal("one\ntwo\n"), None);
    }
}
