//! Which Tomcat this host has, and its own way to be shut down.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use crate::ocf::deadline::Deadline;
use crate::ocf::exit::{Code, Failure};
use crate::sys::service::{self, Process, Service};

/// Webapps of Abiquo's Remote Services, of all versions (documentation of 5.4 and earlier, package lists).
const KNOWN: [&str; 9] = ["am", "bpm-async", "cpp", "nars", "nodecollector", "ssm", "virtualfactory", "vsm", "xas"];
/// Bytes of a server.xml that are looked at.
const CAP: usize = 1 << 20;

/// Who starts it, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// Whoever can on this host.
    Auto,
    /// A systemd unit.
    Systemd,
    /// A script in /etc/init.d.
    Lsb,
}

/// How Tomcat is found on a host.
#[derive(Debug, Clone)]
pub struct Tomcat {
    /// Who starts it.
    pub manager: Manager,
    /// The unit or script.
    pub name: String,
    /// The folder of the instance, with conf and webapps.
    pub base: PathBuf,
}

impl Tomcat {
    /// The service on this host. Looks at files only.
    ///
    /// # Errors
    /// "Not installed", with what was looked for.
    pub fn find(&self) -> Result<Service, Failure> {
        let unit = format!("{}.service", self.name);
        let by_systemd = match self.manager {
            Manager::Systemd => true,
            Manager::Auto => service::systemd_runs(),
            Manager::Lsb => false,
        };
        if by_systemd && service::unit_exists(&unit) {
            return Ok(Service::Systemd { unit, cgroup: None });
        }
        let script = self.script();
        if self.manager != Manager::Systemd && service::script_exists(&script) {
            return Ok(Service::Jvm { script, base: self.base.clone() });
        }
        let missing = match (by_systemd, self.manager) {
            (true, _) if service::unit_masked(&unit) => format!("{unit} is masked: systemctl unmask {unit}"),
            (true, Manager::Systemd) => format!("no unit {unit} on this node"),
            (true, _) => format!("no unit {unit} and no script {} on this node", script.display()),
            (false, _) => format!("no script {} on this node", script.display()),
        };
        Err(Failure::new(Code::NotInstalled, missing))
    }

    /// The same for stop: where there is neither unit nor script any more, what they have started may still run.
    pub fn find_or_guess(&self) -> Service {
        self.find().unwrap_or_else(|_| Service::Jvm { script: self.script(), base: self.base.clone() })
    }

    fn script(&self) -> PathBuf {
        Path::new("/etc/init.d").join(&self.name)
    }

    /// Those of Abiquo's webapps that this instance has, as a folder or as an archive.
    pub fn webapps(&self) -> Vec<String> {
        let folder = self.base.join("webapps");
        let there = |name: &&&str| folder.join(name).is_dir() || folder.join(format!("{name}.war")).is_file();
        KNOWN.iter().filter(there).map(|name| (*name).to_owned()).collect()
    }

    /// Tells the instance to shut down, over the port that it has for that. True: it has been told.
    ///
    /// A port is only a number, and another instance may have the same: nobody is told unless one of `processes` listens there.
    pub fn shut_down(&self, processes: &[Process], deadline: &Deadline) -> bool {
        let Ok(text) = fs::read(self.base.join("conf/server.xml")) else { return false };
        let text = String::from_utf8_lossy(text.get(..CAP).unwrap_or(&text)).into_owned();
        let Some((port, word)) = shutdown_port(&text) else { return false };
        if !has_port(processes, port) {
            return false;
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let Ok(mut stream) =
            TcpStream::connect_timeout(&address, deadline.left().max(std::time::Duration::from_millis(1)))
        else {
            return false;
        };
        stream.write_all(word.as_bytes()).is_ok()
    }
}

/// Port and word of `<Server port="8005" shutdown="SHUTDOWN">`. None where it is switched off (-1), or where variables say it.
fn shutdown_port(xml: &str) -> Option<(u16, String)> {
    let mut text = xml.to_owned();
    while let Some(begin) = text.find("<!--") {
        let end = text.get(begin..)?.find("-->").map_or(text.len(), |end| begin + end + 3);
        text.replace_range(begin..end, "");
    }
    let tag = text.split("<Server").skip(1).find(|rest| rest.starts_with(char::is_whitespace))?;
    let tag = tag.split('>').next()?;
    let attribute = |name: &str| {
        // Of `xport="1"` it is none.
        let mut places = tag
            .match_indices(name)
            .filter(|(at, _)| tag.get(..*at).is_some_and(|before| before.ends_with(char::is_whitespace)));
        places.find_map(|(at, _)| {
            let value = tag.get(at + name.len()..)?.trim_start().strip_prefix('=')?.trim_start();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            value.get(1..)?.split(quote).next()
        })
    };
    let port = attribute("port")?.parse().ok().filter(|port| *port > 0)?;
    let word = attribute("shutdown").unwrap_or("SHUTDOWN").to_owned();
    (!word.is_empty() && !word.contains("${")).then_some((port, word))
}

/// Whether one of these processes listens on this TCP port.
pub fn has_port(processes: &[Process], port: u16) -> bool {
    processes.iter().any(|process| listens(process.pid, port))
}

/// Whether a process listens on this TCP port (proc_net(5): state 0A).
fn listens(pid: i32, port: u16) -> bool {
    let inodes: Vec<String> = ["tcp", "tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")).ok())
        .flat_map(|table| table.lines().filter_map(|line| listener(line, port)).collect::<Vec<_>>())
        .collect();
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let mut links = open.filter_map(|entry| fs::read_link(entry.path()).ok());
    !inodes.is_empty() && links.any(|link| inodes.iter().any(|inode| link.as_os_str() == inode.as_str()))
}

/// The socket of a line of the kernel's table, as /proc/PID/fd names it, when it listens on this port.
fn listener(line: &str, port: u16) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (_, own) = words.get(1)?.rsplit_once(':')?;
    let matches = u16::from_str_radix(own, 16).ok()? == port && *words.get(3)? == "0A";
    matches.then(|| words.get(9).map(|inode| format!("socket:[{inode}]"))).flatten()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn the_shutdown_port_is_found_and_comments_are_not() {
        let port = |xml: &str| shutdown_port(xml);
        let usual =
            "<?xml version='1.0'?>\n<!-- <Server port=\"1\"> -->\n<Server port=\"8005\" shutdown=\"SHUTDOWN\">\n";
        assert_eq!(port(usual), Some((8005, "SHUTDOWN".to_owned())));
        assert_eq!(port("<Server\n  shutdown='x y'\n port='8006'>"), Some((8006, "x y".to_owned())));
        for none in [
            "<Server port=\"-1\" shutdown=\"SHUTDOWN\">",
            "<Server port=\"${p}\" shutdown=\"SHUTDOWN\">",
            "<Server port=\"8005\" shutdown=\"${w}\">",
            "<!-- <Server port=\"8005\">",
            "<ServerX port=\"8005\">",
            " port=\"8005\" <Other>",
            "",
        ] {
            assert_eq!(port(none), None, "{none}");
        }
    }

    #[test]
    fn only_who_listens_is_a_listener() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let own = std::process::id().cast_signed();
        assert!(listens(own, port));
        assert!(!listens(1, port));
        drop(socket);
        assert!(!listens(own, port));
    }

    #[test]
    fn webapps_are_folders_or_archives() {
        let base = tempfile::tempdir().unwrap();
        for name in ["am", "ROOT", "xas"] {
            fs::create_dir_all(base.path().join("webapps").join(name)).unwrap();
        }
        fs::write(base.path().join("webapps/vsm.war"), "").unwrap();
        fs::write(base.path().join("webapps/ssm"), "").unwrap();
        let tomcat = Tomcat { manager: Manager::Auto, name: "abiquo-tomcat".into(), base: base.path().to_owned() };
        assert_eq!(tomcat.webapps(), ["am", "vsm", "xas"]);
    }
}
