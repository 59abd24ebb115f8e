//! Another host, by ssh and rsync: never longer than allowed, and with reasons in words.
//!
//! Nobody is asked for anything: BatchMode turns every question of ssh into an error, and an unknown host key is refused.

pub mod rsync;
mod running;
mod trouble;
mod version;

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ocf::deadline::Deadline;
use crate::probe::ssh::banner;
use crate::sys::process::{self, Output};

/// The ssh client. A fixed path, as rsync and lsyncd need one, too.
const SSH: &str = "/usr/bin/ssh";

/// A host, and how to log in there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// Its address or name.
    pub host: String,
    /// The user there.
    pub user: String,
    /// The port of its sshd.
    pub port: u16,
    /// The private key; ssh's own choice when absent.
    pub identity: Option<PathBuf>,
    /// Where its host key is known from; ssh's own files when absent.
    pub known_hosts: Option<PathBuf>,
}

impl Remote {
    /// ssh with its options, without the host: one list for `rsync -e`, lsyncd and [`Remote::run`]. A connection that says
    /// nothing for 10 s ends, one that does not come about within 5 s, too.
    pub fn rsh(&self) -> Vec<String> {
        let mut words = vec![SSH.to_owned(), "-T".into(), "-x".into(), "-a".into()];
        let mut option = |text: String| words.extend(["-o".to_owned(), text]);
        for text in ["BatchMode=yes", "ConnectTimeout=5", "ServerAliveInterval=5", "ServerAliveCountMax=2"] {
            option(text.to_owned());
        }
        // Forwardings of an administrator's ssh_config are not for us, and must not fail for a port in use.
        option("ClearAllForwardings=yes".into());
        // Warnings ("Permanently added ...") would stand before the reason.
        option("LogLevel=ERROR".into());
        if let Some(file) = &self.known_hosts {
            option(format!("UserKnownHostsFile={}", file.display()));
        }
        if let Some(file) = &self.identity {
            option("IdentitiesOnly=yes".into());
            words.extend(["-i".to_owned(), file.display().to_string()]);
        }
        words.extend(["-p".to_owned(), self.port.to_string(), "-l".into(), self.user.clone()]);
        words
    }

    /// [`Remote::rsh`] as one line, as `rsync -e` and lsyncd's `rsh` read it: words with spaces in quotes.
    pub fn rsh_line(&self) -> String {
        self.rsh_line_by(&[])
    }

    /// The same, run by the command `before`.
    pub fn rsh_line_by(&self, before: &[&str]) -> String {
        let quoted = |word: &str| match word.contains([' ', '\t', '\'']) {
            false => word.to_owned(),
            // rsync doubles a quote inside quotes (main.c, do_cmd).
            true => format!("'{}'", word.replace('\'', "''")),
        };
        let rsh = self.rsh();
        before.iter().copied().chain(rsh.iter().map(String::as_str)).map(quoted).collect::<Vec<_>>().join(" ")
    }

    /// The place of `path` there, as rsync names it.
    pub fn place(&self, path: &str) -> String {
        let bracketed = self.host.contains(':') && !self.host.starts_with('[');
        if bracketed { format!("[{}]:{path}", self.host) } else { format!("{}:{path}", self.host) }
    }

    /// Whether its sshd answers with its first line: no process, no login. Sees a host that is down, a stopped sshd and a
    /// network that drops everything.
    ///
    /// # Errors
    /// One line of what did not happen.
    pub fn answers(&self, deadline: &Deadline) -> io::Result<()> {
        banner(&self.host, self.port, deadline)
    }

    /// Runs a command there; `words` arrive as they are, whatever is in them. A command that fails is no error here.
    ///
    /// # Errors
    /// `TimedOut` at the deadline; what ssh itself could not do, in words that say where and what to do.
    pub fn run(&self, words: &[&str], deadline: &Deadline) -> io::Result<Output> {
        let rsh = self.rsh();
        let mut arguments: Vec<String> = rsh.iter().skip(1).cloned().collect();
        arguments.extend(["--".to_owned(), self.host.clone()]);
        arguments.push(words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" "));
        let output = process::run(SSH, &arguments, None, deadline).map_err(|error| match error.kind() {
            ErrorKind::TimedOut => {
                let waited = deadline.used().as_secs_f32();
                io::Error::new(ErrorKind::TimedOut, format!("ssh to {}: not done after {waited:.1} s", self.host))
            }
            _ => error,
        })?;
        match output.status.code() {
            // ssh's own: the command there did not run, or the connection broke.
            Some(255) => Err(io::Error::other(self.trouble(&output))),
            _ => Ok(output),
        }
    }

    /// What ssh complains about, in words.
    pub fn trouble(&self, output: &Output) -> String {
        trouble::of_ssh(self, &String::from_utf8_lossy(&output.stderr))
    }
}

/// A word for the remote shell, whichever it is: everything but plain characters in single quotes.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn remote(host: &str) -> Remote {
        Remote { host: host.into(), user: "root".into(), port: 22, identity: None, known_hosts: None }
    }

    #[test]
    fn nothing_asks_and_everything_ends() {
        let line = Remote { identity: Some("/root/.ssh/sync rsa".into()), ..remote("osm2.priv") }.rsh_line();
        for option in ["BatchMode=yes", "ConnectTimeout=5", "ServerAliveInterval=5", "ServerAliveCountMax=2"] {
            assert!(line.contains(&format!(" -o {option} ")), "{line}");
        }
        assert!(line.starts_with("/usr/bin/ssh "), "{line}");
        assert!(line.ends_with(" -i '/root/.ssh/sync rsa' -p 22 -l root"), "{line}");
    }

    #[test]
    fn words_arrive_as_they_are() {
        for (word, quoted) in
            [("report", "report"), ("", "''"), ("a b", "'a b'"), ("$(id)", "'$(id)'"), ("it's", r"'it'\''s'")]
        {
            assert_eq!(quote(word), quoted);
        }
        assert_eq!(remote("fd00::2").place("/a/"), "[fd00::2]:/a/");
        assert_eq!(remote("osm2").place("/a/"), "osm2:/a/");
    }
}
