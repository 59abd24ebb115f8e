#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::Config;
use super::lua::{Lua, quote};
use super::spec::SPEC;
use crate::ocf::exit::Code;
use crate::ocf::params::Params;
use crate::sys::remote::Remote;

fn configure(pairs: &[(&str, &str)]) -> Result<Config, (Code, String)> {
    let mut params = Params::none(&SPEC);
    params.set("peer", "osm2.priv").unwrap();
    for (name, value) in pairs {
        params.set(name, value).unwrap();
    }
    params.check().and_then(|()| Config::new(&params)).map_err(|failure| (failure.code, failure.reason))
}

#[test]
fn with_a_peer_only_it_is_the_guides_replication() {
    let config = configure(&[]).unwrap();
    assert_eq!((config.peers.as_slice(), config.port), (["osm2.priv".to_owned()].as_slice(), 22));
    assert!(config.folders.is_none() && config.identity.is_none() && config.own_file.is_none());
    assert_eq!((config.user.as_str(), config.exclude.as_slice()), ("root", [".*".to_owned()].as_slice()));
    assert_eq!((config.delay, config.max_lag), (Duration::from_secs(5), Duration::from_secs(60)));
    assert_eq!((config.max_queue, config.backup_limit), (10_000, 1 << 30));
    assert!(!config.cron.unwrap().asked);
    assert!(configure(&[("cron_target", "/etc/lsyncd/job")]).unwrap().cron.unwrap().asked);
    assert!(configure(&[("manage_cron", "no")]).unwrap().cron.is_none());
}

#[test]
fn lists_are_read_with_either_separator() {
    let config =
        configure(&[("folders", "/a/b/, /c//d"), ("peer", "osm1 ,osm2"), ("exclude", "*.tmp /cache/")]).unwrap();
    assert_eq!(config.folders.unwrap(), [PathBuf::from("/a/b"), PathBuf::from("/c/d")]);
    assert_eq!(config.peers, ["osm1", "osm2"]);
    assert_eq!(config.exclude, ["*.tmp", "/cache/"]);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_parameter() {
    for (name, value) in [
        ("peer", ","),
        ("peer", "a,b,c"),
        ("peer", "osm1,OSM1"),
        ("peer", "-oProxyCommand=x"),
        ("peer", "host;id"),
        ("peer", "user@host"),
        ("folders", "relative"),
        ("folders", "/"),
        ("folders", "/a/../b"),
        ("folders", "/a,/a/b"),
        ("folders", "/a,/a"),
        ("folders", ","),
        ("folders", "/var"),
        ("folders", "/var/lib/inuvika-ha/lsyncd"),
        ("folders", "/run/x"),
        ("user", "-x"),
        ("user", "a b"),
        ("ssh_port", "0"),
        ("exclude", "!"),
        ("exclude", "- *.tmp"),
        ("exclude", "+ x"),
        ("delay", "0"),
        ("config", "/"),
        ("config", "relative"),
        ("cron_target", "/etc/cron.d/other"),
        ("cron_target", "/etc/cron.d/lsyncd"),
        ("backup_limit", "0"),
    ] {
        let (code, reason) = configure(&[(name, value)]).unwrap_err();
        assert!(code == Code::NotConfigured && reason.contains(name), "{name}={value}: {reason}");
    }
    let mut params = Params::none(&SPEC);
    params.set("folders", "/a").unwrap();
    assert!(params.check().unwrap_err().reason.contains("peer"));
}

/// What Lua makes of a string without line ends in single quotes.
fn unquote(text: &str) -> Vec<u8> {
    let inner = text.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap();
    let mut bytes = inner.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        assert_ne!(byte, b'\'', "the string ends early: {text}");
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let digits: String = bytes.by_ref().take(3).map(char::from).collect();
        out.push(digits.parse().unwrap());
    }
    out
}

proptest::proptest! {
    #[test]
    fn no_value_leaves_its_string(text in "\\PC*|['\"\\\\\\]\\[\n\r\0a1]*") {
        proptest::prop_assert_eq!(unquote(&quote(&text)), text.as_bytes());
    }
}

fn text(folders: &[PathBuf], exclude: &[String], backup: Option<&Path>) -> String {
    let remote = Remote {
        host: "osm2.priv".into(),
        user: "root".into(),
        port: 2222,
        identity: Some("/root/.ssh/it's mine".into()),
        known_hosts: None,
    };
    Lua {
        state: Path::new("/run/inuvika-ha/lsyncd"),
        remote: &remote,
        rsh: &format!("/usr/sbin/inuvika-ha replica send --instance lsyncd -- {}", remote.rsh_line()),
        refused: "refused.7",
        folders,
        exclude,
        delay: Duration::from_secs(7),
        backup,
        rsync: Path::new("/usr/bin/rsync"),
        options: &["--modify-window=-1", "--stderr=client"],
    }
    .text()
}

#[test]
fn the_configuration_says_what_was_asked() {
    let folders = [PathBuf::from("/etc/ovd"), PathBuf::from("/var/lib/inuvika-ha/lsyncd/canary")];
    let lua = text(&folders, &[".*".into(), "a'b".into()], Some(Path::new("/var/lib/inuvika-ha/lsyncd/backup/E3")));
    for part in [
        "source = '/etc/ovd'",
        "target = 'osm2.priv:/etc/ovd'",
        "collector(2, ",
        "delay = 7",
        "exclude = { '.*', 'a\\039b' }",
        "BatchMode=yes",
        "ConnectTimeout=5",
        "-i \\039/root/.ssh/it\\039\\039s mine\\039 -p 2222 -l root",
        "'--backup-dir=/var/lib/inuvika-ha/lsyncd/backup/E3/etc/ovd'",
        "statusInterval = 1",
        "insist = true",
        "'--modify-window=-1'",
        "'--stderr=client'",
        "delete = true",
    ] {
        assert!(lua.contains(part), "{part} is missing:\n{lua}");
    }
    assert!(!lua.contains("rsyncssh") && !lua.contains("default.direct"));
    assert!(!text(&folders, &[], None).contains("--backup-dir="));
}
