//! The parameters: what is refused, what comes of the others.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::config::{Config, Source};
use super::source;
use super::spec::SPEC;
use crate::director::farm::{AllDown, OnFailure};
use crate::ocf::action::Action;
use crate::ocf::instance::Instance;
use crate::ocf::operation::Operation;
use crate::ocf::params::Params;
use crate::ocf::state::State;

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
    let (farm, _) = source::now(&config).unwrap();
    let drained: Vec<bool> = farm.services[0].servers.iter().map(|wanted| farm.is_drained(&wanted.server)).collect();
    assert_eq!(drained, [true, false, false, false, false, false]);
}

#[test]
fn another_parameter_is_another_farm() {
    let mark = |more: &[(&str, &str)]| source::now(&with(more).unwrap()).unwrap().0.mark();
    let plain = mark(&[]);
    assert_eq!(plain, mark(&[("scheduler", "wlc")]), "a default that is written is the same");
    for pair in [("on_failure", "remove"), ("all_down", "failed"), ("drained", "192.0.2.21"), ("check", "none")] {
        assert_ne!(plain, mark(&[pair]), "{pair:?}");
    }
}

/// A recurring monitor with its state in `folder`, or a reload.
fn operation(folder: &Path, interval: Option<Duration>) -> Operation {
    let action = if interval.is_some() { Action::Monitor } else { Action::ReloadAgent };
    let (instance, limit) = (Instance::new("test"), Duration::from_secs(20));
    let op = Operation::of_program(&SPEC, action, &instance, &Params::none(&SPEC), interval, limit);
    Operation { state: State::at(&folder.join("state")), ..op }
}

/// Writes a file as of `age` ago.
fn write(path: &Path, text: &str, age: u64) {
    fs::write(path, text).unwrap();
    let changed = SystemTime::now() - Duration::from_secs(age);
    fs::File::options().append(true).open(path).unwrap().set_modified(changed).unwrap();
}

const FILE: &str = "[[service]]\nvirtual = \"192.0.2.10:80\"\nreal = \"192.0.2.21\"\n\
                    [[service]]\nvirtual = \"192.0.2.10:81\"\nreal = \"192.0.2.21\"\n";

#[test]
fn half_a_file_and_a_mistake_leave_in_force_what_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lvs.toml");
    let config = read(&[("config", &file.display().to_string())]).unwrap();
    let monitor = operation(folder.path(), Some(Duration::from_secs(10)));
    let in_force = || source::in_force(&config, &monitor).map(|(farm, trouble)| (farm.services.len(), trouble));
    // The first text is in force at once.
    write(&file, FILE, 0);
    assert_eq!(in_force(), Ok((2, None)));
    // Half of a file is a right one.
    let half = FILE.split_at(FILE.rfind("[[").unwrap()).0;
    write(&file, half, 0);
    assert_eq!(in_force(), Ok((2, None)), "it may be half written");
    let reload = operation(folder.path(), None);
    assert_eq!(source::in_force(&config, &reload).unwrap().0.services.len(), 1, "somebody says that it is whole");
    write(&file, half, 5);
    assert_eq!(in_force(), Ok((1, None)));
    write(&file, "[[service", 5);
    let (services, trouble) = in_force().unwrap();
    let trouble = trouble.unwrap();
    assert!(services == 1 && trouble.ends_with("; the last good one stays in force"), "{trouble}");
    fs::remove_file(&file).unwrap();
    assert!(in_force().unwrap().1.unwrap().contains("is not there: copy it to every director"));
}

#[test]
fn a_file_that_is_missing_leaves_the_parameters_before_it_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = operation(folder.path(), Some(Duration::from_secs(10)));
    let nothing = read(&[("config", "/nowhere/lvs.toml"), ("drained", "192.0.2.22")]).unwrap();
    assert!(source::in_force(&nothing, &monitor).unwrap_err().reason.contains("is not there"));
    assert_eq!(source::in_force(&with(&[]).unwrap(), &monitor).unwrap().1, None);
    let (farm, trouble) = source::in_force(&nothing, &monitor).unwrap();
    assert!(farm.services.len() == 2 && farm.is_drained(&farm.services[0].servers[1].server), "{farm:?}");
    assert!(trouble.unwrap().contains("/nowhere/lvs.toml is not there"));
    // What never ends is not read.
    let device = read(&[("config", "/dev/zero")]).unwrap();
    assert!(source::now(&device).unwrap_err().reason.contains("it is not a file"));
}

#[test]
fn defaults_are_those_of_a_file() {
    let Source::Parameters(farm) = with(&[]).unwrap().source else { panic!() };
    let text = "[[service]]\nvirtual = \"192.0.2.10\"\nports = [80, 443]\nreal = \"192.0.2.21-26\"\n";
    let file = crate::director::farm::Farm::from_toml(text, "t").unwrap();
    assert_eq!((farm.services, farm.pace, farm.questions), (file.services, file.pace, file.questions));
}
