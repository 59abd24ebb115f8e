//! What is mounted where, as the kernel has it: no file system is asked, so none can keep the question waiting.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// What the kernel knows of mounts here (proc_pid_mountinfo(5)): where this thread is; kernels before 3.17 only have it for
/// the process.
const MOUNTS: [&str; 2] = ["/proc/thread-self/mountinfo", "/proc/self/mountinfo"];

/// Mount points and what is mounted there, in the kernel's order: of mounts over each other the last one counts.
///
/// # Errors
/// When the kernel does not say: then nothing is known of any mount.
pub fn mounts() -> io::Result<Vec<(PathBuf, String)>> {
    let text = first_of(&MOUNTS)?;
    Ok(text.split(|byte| *byte == b'\n').filter_map(mount).collect())
}

/// The first of the files that is there.
fn first_of(paths: &[&str]) -> io::Result<Vec<u8>> {
    let mut missing = io::Error::from(io::ErrorKind::NotFound);
    for path in paths {
        match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing = error,
            read => return read,
        }
    }
    Err(missing)
}

/// `36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn mount(line: &[u8]) -> Option<(PathBuf, String)> {
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let point = PathBuf::from(OsString::from_vec(plain(words.get(4)?)));
    let end = words.iter().position(|word| *word == b"-")?;
    let source = String::from_utf8_lossy(&plain(words.get(end + 2)?)).into_owned();
    Some((point, source))
}

/// Without the kernel's `\040` for a space, and its like.
fn plain(word: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = word;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(|_| byte == b'\\') {
            Some(meant) => {
                bytes.push(meant);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_kernels_list_is_understood() {
        let line = br"36 35 98:0 /mnt1 /srv/a\040b\134c rw,noatime master:1 - ext3 /dev/disk\040one rw,errors=continue";
        assert_eq!(mount(line), Some((PathBuf::from(r"/srv/a b\c"), "/dev/disk one".to_owned())));
        assert_eq!(mount(b"36 35 0:1 / / rw - overlay overlay rw").unwrap().0, Path::new("/"));
        for damaged in [&b""[..], b"36 35", b"36 35 98:0 / /x rw -"] {
            assert_eq!(mount(damaged), None);
        }
        assert_eq!(plain(br"\9\04"), br"\9\04");
        assert!(mounts().unwrap().iter().any(|(point, _)| point == Path::new("/")));
    }
    #[test]
    fn an_older_kernel_has_it_elsewhere() {
        assert!(!first_of(&["/nonexistent/mountinfo", MOUNTS[1]]).unwrap().is_empty());
        assert!(first_of(&["/nonexistent/mountinfo"]).is_err());
    }
}
