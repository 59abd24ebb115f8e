//! Whether a mounted file system answers. One over the network that does not keeps whoever asks for ever, out of reach of
//! every signal; so a child asks, and is left behind when it has to be.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use nix::unistd::geteuid;

use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// How long a question that is answered may take at most.
const MOMENT: Duration = Duration::from_millis(300);

/// Why there is no good answer, each one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silence {
    /// Nothing came back in time.
    Hangs(String),
    /// It answers with an error.
    Fails(String),
    /// It has forgotten this mount (ESTALE), and would answer a new one.
    Stale(String),
}

/// Asks the file system at `path` for its figures (statfs(2)), which no cache answers.
///
/// A child of an earlier question that still hangs there is an answer as well: no second one is sent after it.
///
/// # Errors
/// See [`Silence`].
pub fn answers(path: &Path, deadline: &Deadline) -> Result<(), Silence> {
    let Some(program) = process::find("stat") else {
        return Err(Silence::Fails("run stat: there is no such program".to_owned()));
    };
    let arguments = [OsStr::new("-f"), OsStr::new("--"), path.as_os_str()];
    let shown = path.display();
    if stays(&[&[program.as_os_str()], arguments.as_slice()].concat(), deadline) {
        return Err(Silence::Hangs(format!("{shown} does not answer: an earlier question still hangs there")));
    }
    match process::run(program, &arguments, None, deadline) {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let reason = output.reason();
            let reason = reason.rsplit_once(": ").map_or(reason.as_str(), |(_, cause)| cause).to_lowercase();
            Err(failure(format!("{shown}: {reason}")))
        }
        Err(error) if error.kind() == ErrorKind::TimedOut => {
            Err(Silence::Hangs(format!("{shown} does not answer within {:.1} s", deadline.span().as_secs_f32())))
        }
        Err(error) => Err(Silence::Fails(format!("{shown}: {error}"))),
    }
}

/// By the C library's words for it ("Stale NFS file handle" before 2.14): a child hands over no error number.
fn failure(text: String) -> Silence {
    if text.contains(": stale ") { Silence::Stale(text) } else { Silence::Fails(text) }
}

/// Whether such a process runs, and not only for a moment: a person may ask the same right now.
fn stays(words: &[&OsStr], deadline: &Deadline) -> bool {
    let moment = deadline.within(MOMENT);
    while runs(words) {
        if !moment.sleep(MOMENT / 10) {
            return true;
        }
    }
    false
}

/// Whether a process of ours with exactly this command line runs. The command line of any other process is left alone: it is read
/// under a lock of that process's memory, which a process that maps a file of a dead server holds for ever.
fn runs(words: &[&OsStr]) -> bool {
    let wanted: Vec<u8> = words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
    let name = words.first().and_then(|program| Path::new(program).file_name()).unwrap_or_default();
    let own = geteuid().as_raw();
    let is_like = |folder: &Path| {
        let comm = fs::read(folder.join("comm")).unwrap_or_default();
        comm.strip_suffix(b"\n") == Some(name.as_bytes()) && fs::metadata(folder).is_ok_and(|one| one.uid() == own)
    };
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = all.filter(|entry| entry.file_name().as_bytes().iter().all(u8::is_ascii_digit));
    let mut alike = pids.map(|entry| entry.path()).filter(|folder| is_like(folder));
    alike.any(|folder| fs::read(folder.join("cmdline")).is_ok_and(|line| line == wanted))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_good_folder_answers_and_a_missing_one_does_not() {
        let limit = Deadline::after(Duration::from_secs(5));
        assert_eq!(answers(Path::new("/"), &limit), Ok(()));
        let missing = Silence::Fails("/nonexistent/x: no such file or directory".to_owned());
        assert_eq!(answers(Path::new("/nonexistent/x"), &limit), Err(missing));
    }

    #[test]
    fn a_mount_that_was_forgotten_is_told_apart() {
        for (text, is_stale) in [("/x: stale file handle", true), ("/x: input/output error", false)] {
            assert_eq!(matches!(failure(text.to_owned()), Silence::Stale(_)), is_stale, "{text}");
        }
    }

    #[test]
    fn a_command_line_is_found_as_a_whole() {
        let mut child = std::process::Command::new("/usr/bin/sleep").args(["29.5", "0.25"]).spawn().unwrap();
        let line = ["/usr/bin/sleep", "29.5", "0.25"].map(OsStr::new);
        let limit = Deadline::after(Duration::from_secs(5));
        // It has another name and command line until it has become the program.
        while !runs(&line) {
            assert!(limit.sleep(Duration::from_millis(20)), "it is not found");
        }
        let (part, stays_there) = (runs(&line[..2]), stays(&line, &limit));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!part && stays_there && !stays(&line, &limit));
    }
}
