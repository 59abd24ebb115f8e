#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::config::Config;
use super::spec::SPEC;
use super::start::{Step, plan};
use super::tomcat::Manager;
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
fn without_parameters_it_is_the_guides_tomcat() {
    let config = configure(&[]).unwrap();
    assert_eq!(config.address.to_string(), "127.0.0.1:8009");
    assert_eq!(config.properties.display().to_string(), "/opt/abiquo/config/abiquo.properties");
    assert_eq!(config.tomcat.base.display().to_string(), "/opt/abiquo/tomcat");
    assert_eq!((config.tomcat.name.as_str(), config.tomcat.manager), ("abiquo-tomcat", Manager::Auto));
    assert!(config.webapps.is_none() && config.repository.is_none() && !config.dependency_fails);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_parameter() {
    for (name, value) in [
        ("properties", "abiquo.properties"),
        ("port", "0"),
        ("port", "70000"),
        ("port", "http"),
        ("address", "0.0.0.0"),
        ("address", "localhost"),
        ("service", "../tomcat"),
        ("service", ".hidden"),
        ("service_manager", "upstart"),
        ("webapps", "am,../x"),
        ("webapps", "am/check"),
        ("webapps", " , "),
        ("repository", "vm_repository"),
        ("request_timeout", "0"),
        ("graceful_timeout", "soon"),
        ("dependency_failure", "perhaps"),
    ] {
        let (code, reason) = configure(&[(name, value)]).unwrap_err();
        assert!(code == Code::NotConfigured && reason.contains(name), "{name}={value}: {reason}");
    }
    // No folder can be called so: Tomcat would be asked again and again, and break off each time.
    let (name, long) = ("x".repeat(255), "x".repeat(256));
    assert_eq!(configure(&[("webapps", &name)]).unwrap().webapps, Some(vec![name]));
    assert!(configure(&[("webapps", &long)]).unwrap_err().1.contains("no name of a webapp"));
}

#[test]
fn lists_are_taken_apart() {
    let config = configure(&[("webapps", "am, vsm  bpm-async,am"), ("node_keys", "a.b,c.d")]).unwrap();
    assert_eq!(config.webapps.unwrap(), ["am", "vsm", "bpm-async"]);
    assert_eq!(config.node_keys, ["a.b", "c.d"]);
    let config = configure(&[("service", "abiquo-tomcat.service"), ("address", "::1")]).unwrap();
    assert_eq!((config.tomcat.name.as_str(), config.address.to_string().as_str()), ("abiquo-tomcat", "[::1]:8009"));
}

#[test]
fn start_does_what_is_missing_and_nothing_else() {
    use Step::*;
    assert_eq!(plan(false, false), [Start, AwaitAnswer, AwaitWebapps, Claim]);
    assert_eq!(plan(true, false), [Stop, Start, AwaitAnswer, AwaitWebapps, Claim]);
    // A Tomcat from before the cluster is adopted, not restarted.
    assert_eq!(plan(true, true), [AwaitWebapps, Claim]);
}
