#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::config::Config;
use super::daemon::Manager;
use super::spec::SPEC;
use super::start::{Step, plan};
use crate::ocf::exit::Code;
use crate::ocf::params::Params;

fn configure(pairs: &[(&str, &str)]) -> Result<Config, (Code, String)> {
    let mut params = Params::none(&SPEC);
    for (name, value) in pairs {
        params.set(name, value).unwrap();
    }
    params.check().and_then(|()| Config::new(&params)).map_err(|failure| (failure.code, failure.reason))
}

#[test]
fn without_parameters_it_is_the_guides_ctdb() {
    let config = configure(&[]).unwrap();
    assert_eq!(config.shared.display().to_string(), "/mnt/nfs/ctdb");
    assert_eq!(config.folder.display().to_string(), "/etc/ctdb");
    assert_eq!(config.socket.display().to_string(), "/run/ctdb/ctdbd.socket");
    assert_eq!((config.daemon.name.as_str(), config.daemon.manager), ("ctdb", Manager::Auto));
    assert_eq!((config.smb_port, config.webdav_port, config.patience.as_secs()), (445, None, 60));
    assert!(config.data.is_none() && config.time_sync);
    let webdav = configure(&[("webdav_port", "1113"), ("data", "/mnt/nfs/ovd"), ("service", "ctdb.service")]).unwrap();
    assert_eq!((webdav.webdav_port, webdav.daemon.name.as_str()), (Some(1113), "ctdb"));
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_parameter() {
    for (name, value) in [
        ("shared", "mnt/nfs"),
        ("smb_port", "0"),
        ("webdav_port", "http"),
        ("service", "../ctdb"),
        ("service", ".hidden"),
        ("service_manager", "upstart"),
        ("unhealthy_timeout", "soon"),
        ("request_timeout", "0"),
        ("time_sync", "perhaps"),
    ] {
        let (code, reason) = configure(&[(name, value)]).unwrap_err();
        assert!(code == Code::NotConfigured && reason.contains(name), "{name}={value}: {reason}");
    }
}

#[test]
fn start_does_what_is_missing_and_nothing_else() {
    use Step::*;
    assert_eq!(plan(false, false, false), [Start, AwaitNode, Claim]);
    // Samba of a ctdbd that was killed.
    assert_eq!(plan(false, false, true), [Stop, Start, AwaitNode, Claim]);
    assert_eq!(plan(true, false, true), [Stop, Start, AwaitNode, Claim]);
    // What runs from before the cluster is adopted, not restarted.
    assert_eq!(plan(true, true, true), [AwaitNode, Claim]);
}
