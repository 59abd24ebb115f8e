//! The parameters: what is refused, what comes of the others.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use super::config::{Config, Source};
use super::spec::SPEC;
use crate::director::farm::{AllDown, OnFailure};
use crate::ocf::params::Params;

fn read(pairs: &[(&str, &str)]) -> Result<Config, String> {
    let mut params = Params::none(&SPEC);
    for (name, value) in pairs {
        params.set(name, value).map_err(|failure| failure.reason)?;
    }
    params.check().and_then(|()| Config::new(&params)).map_err(|failure| failure.reason)
}

const ARTICLE: [(&str, &str); 3] =
    [("virtual_ip", "192.0.2.10"), ("ports", "80 443"), ("real_servers", "192.0.2.21-26")];

fn with(more: &[(&str, &str)]) -> Result<Config, String> {
    read(&[&ARTICLE[..], more].concat())
}

#[test]
fn wrong_parameters_are_named() {
    for (pairs, part) in [
        (&[][..], "parameter virtual_ip is needed"),
        (&ARTICLE[..1], "parameter ports is needed"),
        (&ARTICLE[..2], "parameter real_servers is needed"),
        (&[("config", "/etc/lvs.toml"), ("fall", "3")], "parameter fall: belongs into the file"),
        (&[("config", "etc/lvs.toml")], "parameter config"),
    ] {
        let reason = read(pairs).unwrap_err();
        assert!(reason.contains(part), "{pairs:?}: {reason}");
    }
    for (name, value, part) in [
        ("sync", "yes", "parameter sync_nic is needed"),
        ("drained", "192.0.2.21 x", "parameter drained: \"x\""),
        ("attribute", "a b", "parameter attribute"),
        ("real_servers", "192.0.2.21,192.0.2.21", "is there twice"),
        ("persistent", "0", "parameter persistent"),
        ("sorry", "127.0.0.1", "parameter sorry"),
        ("check", "ping", "parameter check"),
        ("scheduler", "Round Robin", "parameter scheduler"),
    ] {
        let reason = with(&[(name, value)]).unwrap_err();
        assert!(reason.contains(part), "{name}={value}: {reason}");
    }
    let reason = with(&[("forwarding", "dr"), ("snat_clients", "yes")]).unwrap_err();
    assert!(reason.starts_with("parameter snat_clients"), "{reason}");
}

#[test]
fn parameters_become_a_farm() {
    let config = with(&[
        ("fall", "4"),
        ("rise", "3"),
        ("check_timeout", "7s"),
        ("concurrency", "9"),
        ("on_failure", "remove"),
        ("all_down", "failed"),
        ("sync", "yes"),
        ("sync_nic", "eth1"),
        ("sync_id", "7"),
        ("persistent", "300"),
        ("drained", "192.0.2.21"),
    ])
    .unwrap();
    let Source::Parameters(farm) = &config.source else { panic!("{config:?}") };
    let pace = &farm.pace;
    assert_eq!((pace.fall, pace.rise, pace.timeout.as_secs(), pace.concurrency), (4, 3, 7, 9));
    assert_eq!(farm.sync.as_ref().map(|sync| (sync.interface.as_str(), sync.id)), Some(("eth1", 7)));
    assert_eq!(farm.services.len(), 2);
    for service in &farm.services {
        assert_eq!((service.on_failure, service.all_down), (OnFailure::Remove, AllDown::Failed));
        assert_eq!(service.servers.len(), 6);
        assert_eq!(service.service.persistence.as_ref().map(|p| p.timeout.as_secs()), Some(300));
    }
    let (farm, _) = super::source::now(&config).unwrap();
    let drained: Vec<bool> = farm.services[0].servers.iter().map(|wanted| farm.is_drained(&wanted.server)).collect();
    assert_eq!(drained, [true, false, false, false, false, false]);
}

#[test]
fn another_parameter_is_another_farm() {
    let mark = |more: &[(&str, &str)]| super::source::now(&with(more).unwrap()).unwrap().0.mark();
    let plain = mark(&[]);
    assert_eq!(plain, mark(&[("scheduler", "wlc")]), "a default that is written is the same");
    for pair in [("on_failure", "remove"), ("all_down", "failed"), ("drained", "192.0.2.21"), ("check", "none")] {
        assert_ne!(plain, mark(&[pair]), "{pair:?}");
    }
}

#[test]
fn defaults_are_those_of_a_file() {
    let Source::Parameters(farm) = with(&[]).unwrap().source else { panic!() };
    let text = "[[service]]\nvirtual = \"192.0.2.10\"\nports = [80, 443]\nreal = \"192.0.2.21-26\"\n";
    let file = crate::director::farm::Farm::from_toml(text, "t").unwrap();
    assert_eq!((farm.services, farm.pace, farm.questions), (file.services, file.pace, file.questions));
}
