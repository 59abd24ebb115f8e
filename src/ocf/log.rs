//! The log, as `ocf_log` of resource-agents writes it: tag `TYPE(INSTANCE)[PID]`, to syslog and to the file the cluster names.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::os::unix::net::UnixDatagram;

use super::environment::Environment;

/// Importance, with the numbers of syslog (RFC 5424, table 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// An action failed.
    Error = 3,
    /// Went well, but should be looked at.
    Warning = 4,
    /// What was done.
    Info = 6,
    /// Only when the cluster asks for debugging (HA_debug).
    Debug = 7,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Error => "ERROR",
            Level::Warning => "WARNING",
            Level::Info => "INFO",
            Level::Debug => "DEBUG",
        }
    }
}

/// Where the lines of one run go.
#[derive(Debug, Clone)]
pub struct Log {
    tag: String,
    facility: Option<u8>,
    file: Option<String>,
    debug_file: Option<String>,
    debug: bool,
    date_format: String,
    terminal: bool,
}

impl Log {
    /// The log of `agent`, instance `instance`, as the environment configures it.
    pub fn new(agent: &str, instance: &str, env: &Environment) -> Self {
        let either = |a: &str, b: &str, c: &str| env.get(a).or_else(|| env.get(b)).or_else(|| env.get(c));
        let file = |value: Option<&str>| value.filter(|v| v.starts_with('/')).map(str::to_owned);
        Self {
            tag: format!("{agent}({instance})[{}]", std::process::id()),
            facility: facility(either("HA_LOGFACILITY", "HA_logfacility", "PCMK_logfacility").unwrap_or("daemon")),
            file: file(either("HA_LOGFILE", "HA_logfile", "PCMK_logfile")),
            debug_file: file(either("HA_DEBUGLOG", "HA_debuglog", "PCMK_debuglog")),
            debug: either("HA_debug", "HA_DEBUG", "PCMK_debug").is_some_and(|v| !matches!(v, "0" | "no" | "off")),
            date_format: env.get("HA_DATEFMT").unwrap_or("%b %d %T ").to_owned(),
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Writes a line. Nothing here can fail the action: a log that cannot be written is not an outage.
    pub fn write(&self, level: Level, message: &str) {
        if level == Level::Debug && !self.debug {
            return;
        }
        let message: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if self.terminal {
            super::super::out::stderr(&format!("{}: {message}\n", level.word()));
        }
        if let Some(facility) = self.facility {
            // No time stamp: every syslog daemon sets its own for local messages, in its own format.
            let line = format!("<{}>{}: {}: {message}", facility * 8 + level as u8, self.tag, level.word());
            if let Ok(socket) = UnixDatagram::unbound() {
                // A full or stuck syslog must not hold a stop.
                let _ = socket.set_nonblocking(true);
                let _ = socket.send_to(line.as_bytes(), "/dev/log");
            }
        }
        let file =
            if level == Level::Debug { self.debug_file.as_ref().or(self.file.as_ref()) } else { self.file.as_ref() };
        if let Some(path) = file {
            let line = format!("{}: {}{}: {message}\n", self.tag, self.now(), level.word());
            if let Ok(mut out) = OpenOptions::new().append(true).create(true).open(path) {
                let _ = out.write_all(line.as_bytes());
            }
        }
    }

    /// An error line.
    pub fn error(&self, message: &str) {
        self.write(Level::Error, message);
    }

    /// A warning line.
    pub fn warning(&self, message: &str) {
        self.write(Level::Warning, message);
    }

    /// A line on what was done.
    pub fn info(&self, message: &str) {
        self.write(Level::Info, message);
    }

    fn now(&self) -> String {
        let mut text = String::new();
        // The format comes from the environment: a wrong one gives an error here, which format!() would turn into a panic.
        if write!(text, "{}", chrono::Local::now().format(&self.date_format)).is_err() {
            text.clear();
        }
        text
    }
}

/// The number of a syslog facility name; none for "none" and for names nobody knows.
fn facility(name: &str) -> Option<u8> {
    Some(match name.to_ascii_lowercase().as_str() {
        "kern" => 0,
        "user" => 1,
        "mail" => 2,
        "daemon" => 3,
        "auth" => 4,
        "syslog" => 5,
        "lpr" => 6,
        "news" => 7,
        "uucp" => 8,
        "cron" => 9,
        "authpriv" => 10,
        "ftp" => 11,
        local => match local.strip_prefix("local")?.parse::<u8>().ok()? {
            n @ 0..=7 => 16 + n,
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_to_the_file_with_tag_and_date() {
        let dir = tempfile::tempdir().ok();
        let path = dir.as_ref().map(|d| d.path().join("ha.log")).unwrap_or_default();
        let env: Environment = vec![
            ("HA_LOGFACILITY".to_owned(), "none".to_owned()),
            ("HA_LOGFILE".to_owned(), path.display().to_string()),
            ("HA_DATEFMT".to_owned(), "%Y/%m/%d_%T ".to_owned()),
        ]
        .into();
        let log = Log::new("ovd-vip-src", "vip", &env);
        log.warning("two\nlines");
        log.write(Level::Debug, "not asked for");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.starts_with(&format!("ovd-vip-src(vip)[{}]: 2", std::process::id())), "{text}");
        assert!(text.ends_with("WARNING: two lines\n"), "{text}");
    }

    #[test]
    fn a_wrong_date_format_is_no_panic() {
        let env: Environment = vec![("HA_DATEFMT".to_owned(), "%Q %".to_owned())].into();
        assert_eq!(Log::new("a", "b", &env).now(), "");
    }

    #[test]
    fn facilities_have_their_numbers() {
        assert_eq!(facility("local0"), Some(16));
        assert_eq!(facility("DAEMON"), Some(3));
        assert_eq!(facility("none"), None);
        assert_eq!(facility("local9"), None);
    }
}
