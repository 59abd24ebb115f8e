//! What this host makes of the parameters: programs, folders, which of two nodes it is.

use std::net::{IpAddr, UdpSocket};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::config::{Config, FORBIDDEN, is_around};
use super::lua;
use crate::cluster::names::Hosts;
use crate::ocf::exit::{Code, Failure};
use crate::ocf::operation::Operation;
use crate::replica::{Replica, foreign};
use crate::sys::process;
use crate::sys::remote::Remote;
use crate::sys::service::Service;

/// The program's name, the distribution's unit and script, too.
pub const LSYNCD: &str = "lsyncd";
/// The guide's key.
const IDENTITY: &str = "/root/.ssh/sync_rsa";
/// The guide's folders.
const FOLDERS: [&str; 2] = ["/var/spool/ovd/session-manager", "/etc/ovd/session-manager"];
/// PHP's sessions: Debian's folder and Red Hat's.
const SESSIONS: [&str; 2] = ["/var/lib/php/sessions", "/var/lib/php/session"];

fn missing(what: String) -> Failure {
    Failure::new(Code::NotInstalled, what)
}

/// A program that has to be there.
///
/// # Errors
/// "Not installed", with the package.
pub fn program(name: &Path) -> Result<PathBuf, Failure> {
    process::find(name)
        .ok_or_else(|| missing(format!("no program {} on this node: install its package", name.display())))
}

/// lsyncd, as the parameters have it.
///
/// # Errors
/// See [`program`].
pub fn lsyncd(config: &Config) -> Result<PathBuf, Failure> {
    program(config.program.as_deref().unwrap_or(Path::new(LSYNCD)))
}

/// The daemon of this instance: known by its unit, whatever the parameters are.
pub fn daemon(program: Option<PathBuf>, own_file: Option<&Path>, op: &Operation) -> Service {
    let program = program.unwrap_or_else(|| PathBuf::from("/usr/bin").join(LSYNCD));
    let ours = op.state.folder().join(lua::FILE);
    // Errors only: every push would be a line otherwise, in memory, for ever. An own configuration says itself what it logs.
    let words: &[&str] = if own_file.is_none() { &["-nodaemon", "-log", "scarce"] } else { &["-nodaemon"] };
    let file = own_file.unwrap_or(&ours).display().to_string();
    let arguments = words.iter().map(|word| (*word).to_owned()).chain([file]).collect();
    Service::Own {
        unit: format!("{}{}.service", foreign::OWN, op.instance.file_name()),
        program,
        arguments,
        cgroup: None,
    }
}

/// What is copied.
///
/// # Errors
/// Which folder is missing.
pub fn folders(config: &Config) -> Result<Vec<PathBuf>, Failure> {
    let folders = config.folders.clone().unwrap_or_else(|| {
        let sessions = SESSIONS.iter().find(|folder| Path::new(folder).is_dir());
        FOLDERS.iter().chain(sessions).map(PathBuf::from).collect()
    });
    match folders.iter().find(|folder| !folder.is_dir()) {
        Some(folder) => Err(missing(format!("no folder {} on this node: see parameter folders", folder.display()))),
        None => match entangled(&folders) {
            Some(why) => Err(missing(why)),
            None => Ok(folders),
        },
    }
}

/// What the parameters cannot tell: that a symbolic link leads one folder into another one, or to where nothing may be
/// copied. One folder would be pushed as two.
fn entangled(folders: &[PathBuf]) -> Option<String> {
    let real: Vec<(&PathBuf, PathBuf)> =
        folders.iter().map(|folder| (folder, folder.canonicalize().unwrap_or_else(|_| folder.clone()))).collect();
    real.iter().enumerate().find_map(|(index, (folder, leads))| {
        let others = real.iter().skip(index + 1).map(|(_, other)| other.as_path());
        let other = others.chain(FORBIDDEN.map(Path::new)).find(|other| is_around(leads, other))?;
        let text = format!(
            "folder {} leads to {}, not to be copied beside {}",
            folder.display(),
            leads.display(),
            other.display()
        );
        Some(text)
    })
}

/// The peer: the one of the hosts that is not this node.
///
/// # Errors
/// That none or both are this node. It is no "not installed": another node may be meant by the same words.
pub fn peer(config: &Config, op: &Operation) -> Result<String, Failure> {
    let named: Vec<String> = [op.env.meta("on_node").map(str::to_owned), host_name()].into_iter().flatten().collect();
    let is_local = |address: &IpAddr| UdpSocket::bind((*address, 0)).is_ok();
    choose(&config.peers, &named, |peer| Hosts::read().addresses(peer).iter().any(is_local)).map_err(Failure::generic)
}

fn host_name() -> Option<String> {
    nix::unistd::gethostname().ok()?.into_string().ok()
}

/// Of `peers`, the one that is not this node: by a whole name, by its first part, by an address, whatever tells them apart
/// first.
fn choose(peers: &[String], named: &[String], is_here: impl Fn(&str) -> bool) -> Result<String, String> {
    let whole = |peer: &str| named.iter().any(|name| name.eq_ignore_ascii_case(peer));
    let first = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let part = |peer: &str| peer.parse::<IpAddr>().is_err() && named.iter().any(|name| first(name) == first(peer));
    let ways: [&dyn Fn(&str) -> bool; 3] = [&whole, &part, &is_here];
    match peers {
        // A name whose first part is this host's may still be another host: sync.a.example and sync.b.example.
        [only] if whole(only) || is_here(only) => Err(format!("parameter peer: {only} is this node")),
        [only] => Ok(only.clone()),
        [one, other] => {
            for is_own in ways {
                match (is_own(one), is_own(other)) {
                    (true, false) => return Ok(other.clone()),
                    (false, true) => return Ok(one.clone()),
                    _ => {}
                }
            }
            let own = named.first().map_or("this host", String::as_str);
            Err(format!("parameter peer: which of {one} and {other} is this node ({own})? name the other one only"))
        }
        _ => Err("parameter peer: not one host and not two".to_owned()),
    }
}

/// The replica of this instance.
///
/// # Errors
/// What is missing on this host.
pub fn replica(config: &Config, op: &Operation) -> Result<Replica, Failure> {
    Ok(Replica {
        instance: op.instance.file_name(),
        remote: Remote {
            host: peer(config, op)?,
            user: config.user.clone(),
            port: config.port,
            identity: identity(config),
            known_hosts: config.known_hosts.clone(),
        },
        folders: folders(config)?,
        exclude: config.exclude.clone(),
        delay: config.delay,
        max_lag: config.max_lag,
        pull_timeout: config.pull_timeout,
        flush_timeout: config.flush_timeout,
        backup_limit: config.backup_limit,
    })
}

/// The key, and the guide's when none is named and that is there.
pub fn identity(config: &Config) -> Option<PathBuf> {
    config.identity.clone().or_else(|| Some(PathBuf::from(IDENTITY)).filter(|file| file.exists()))
}

/// Why ssh would not use a key.
pub fn refused(key: &Path) -> Option<String> {
    let name = key.display();
    match key.metadata() {
        Err(error) => Some(format!("key {name}: {error}")),
        Ok(data) if !data.is_file() => Some(format!("key {name}: it is no file")),
        Ok(data) if data.uid() != 0 => Some(format!("key {name} does not belong to root: chown root it")),
        Ok(data) if data.permissions().mode() & 0o077 != 0 => {
            Some(format!("key {name}: others may read it, so ssh does not use it: chmod 600 it"))
        }
        Ok(_) => None,
    }
}

/// The folder with the file that shows that changes arrive.
pub fn canary(op: &Operation) -> PathBuf {
    op.attic().join("canary")
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn each_of_two_nodes_leaves_itself_out() {
        let pick = |peers: &[&str], named: &[&str], here: &[&str]| {
            let own = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            choose(&own(peers), &own(named), |peer| here.contains(&peer)).ok()
        };
        let pair = ["osm1.priv", "osm2.priv"];
        assert_eq!(pick(&pair, &["osm1.priv", "box"], &[]).as_deref(), Some("osm2.priv"));
        assert_eq!(pick(&pair, &["OSM2"], &[]).as_deref(), Some("osm1.priv"));
        assert_eq!(pick(&pair, &["box.example.com"], &["osm1.priv"]).as_deref(), Some("osm2.priv"));
        assert_eq!(pick(&["10.0.0.1", "10.0.0.2"], &["10"], &["10.0.0.2"]).as_deref(), Some("10.0.0.1"));
        // The first parts say nothing here, the addresses do.
        assert_eq!(pick(&["osm.a", "osm.b"], &["osm"], &["osm.a"]).as_deref(), Some("osm.b"));
        assert_eq!(pick(&pair, &["voter"], &[]), None);
        assert_eq!(pick(&pair, &["voter"], &pair), None);
        assert_eq!(pick(&["osm2.priv"], &["osm1"], &[]).as_deref(), Some("osm2.priv"));
        assert_eq!(pick(&["osm1"], &["osm1"], &[]), None);
        assert_eq!(pick(&["10.0.0.1"], &["osm1"], &["10.0.0.1"]), None);
    }
}
