#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::config::{Config, Manager};
use super::monitor::judge_masked;
use super::plan::{Observed, Step, plan};
use super::spec::SPEC;
use crate::ocf::check::Verdict;
use crate::ocf::exit::Code;
use crate::ocf::params::Params;
use crate::probe::http::Page;
use crate::sys::cron_link::Found;

fn configure(pairs: &[(&str, &str)]) -> Result<Config, (Code, String)> {
    let mut params = Params::none(&SPEC);
    for (name, value) in pairs {
        params.set(name, value).unwrap();
    }
    params.check().and_then(|()| Config::new(&params)).map_err(|failure| (failure.code, failure.reason))
}

#[test]
fn without_parameters_it_is_the_guides_session_manager() {
    let config = configure(&[]).unwrap();
    assert_eq!(config.vhost.to_string(), "127.0.0.1:1111");
    assert_eq!(config.content.page.url, "http://127.0.0.1:1111/server/status");
    assert!(config.content.is_default && !config.dependency_fails);
    assert!(config.content.pattern.is_match("<?xml?><error id=\"1\" message=\"Server does not send a valid XML\"/>"));
    assert!(!config.content.pattern.is_match("<error id=\"0\" message=\"Internal error\"/>"));
    assert_eq!(config.server.manager, Manager::Auto);
    assert_eq!(config.cron.unwrap().link.display().to_string(), "/etc/cron.d/sessionmanager");
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_parameter() {
    for (name, value) in [
        ("vhost", "localhost"),
        ("vhost", "127.0.0.1:0"),
        ("vhost", "0.0.0.0:1111"),
        ("service_url", "/server/status"),
        ("service", "../apache2"),
        ("service", ".hidden"),
        ("service_match", "(open"),
        ("service_manager", "upstart"),
        ("httpd_config", "relative"),
        ("cron_target", "/etc/cron.d/other"),
        ("cron_target", "/etc/cron.d/sessionmanager"),
        ("graceful_timeout", "soon"),
        ("database_timeout", "0"),
    ] {
        let (code, reason) = configure(&[(name, value)]).unwrap_err();
        assert!(code == Code::NotConfigured && reason.contains(name), "{name}={value}: {reason}");
    }
    assert!(configure(&[("service_manager", "direct")]).unwrap_err().1.contains("httpd_config"));
    assert!(configure(&[("service_manager", "systemd"), ("httpd_config", "/etc/x")]).is_err());
}

#[test]
fn parameters_imply_each_other() {
    assert_eq!(configure(&[("httpd_config", "/etc/x")]).unwrap().server.manager, Manager::Direct);
    assert_eq!(configure(&[("service", "httpd.service")]).unwrap().server.name.as_deref(), Some("httpd"));
    assert!(!configure(&[("service_match", "ok")]).unwrap().content.is_default);
    assert!(configure(&[("manage_cron", "no")]).unwrap().cron.is_none());
    let page = configure(&[("vhost", "[::1]:1111")]).unwrap().content.page.url;
    assert_eq!(page, "http://[::1]:1111/server/status");
    let (code, reason) = configure(&[("vhost", "[fe80::1%2]:1111")]).unwrap_err();
    assert!(code == Code::NotConfigured && reason.contains("service_url"), "{reason}");
}

#[test]
fn what_the_defaults_skip_would_have_passed() {
    let content = configure(&[]).unwrap().content;
    assert_eq!(Page::check(&content.page.url), Ok(()));
    assert!(regex::Regex::new(content.pattern.as_str()).is_ok());
    for (pattern, matches) in [("id=.1", true), ("^<error", true), ("ID", false), ("(?i)ID", true)] {
        let content = configure(&[("service_match", pattern)]).unwrap().content;
        assert_eq!(content.pattern.is_match("<error id=\"1\"/>"), matches, "{pattern}");
    }
}

#[test]
fn start_does_what_is_missing_and_nothing_else() {
    use Step::*;
    let all = [
        ((false, false), Some(Found::Absent), vec![StartServer, AwaitAnswer, LinkCron, Claim]),
        ((false, false), Some(Found::Dead), vec![StartServer, AwaitAnswer, LinkCron, Claim]),
        ((false, false), None, vec![StartServer, AwaitAnswer, Claim]),
        ((true, false), Some(Found::Ours), vec![StopServer, StartServer, AwaitAnswer, Claim]),
        // A Session Manager from before the cluster: not restarted, only its link is made ours.
        ((true, true), Some(Found::Package), vec![LinkCron, Claim]),
        ((true, true), Some(Found::Foreign("a file".to_owned())), vec![LinkCron, Claim]),
        ((true, true), Some(Found::Ours), vec![Claim]),
    ];
    for ((runs, answers), cron, steps) in all {
        let observed = Observed { runs, answers, cron };
        assert_eq!(plan(&observed), steps, "{observed:?}");
    }
}

#[test]
fn a_masked_unit_that_runs_is_no_failure_yet() {
    let judge = |runs, has_script| judge_masked("apache2.service", runs, has_script);
    let (verdict, text) = judge(true, false);
    assert!(verdict == Verdict::Degraded && text.contains("systemctl unmask apache2.service"), "{text}");
    assert_eq!(judge(false, true).0, Verdict::Degraded);
    assert_eq!(judge(false, false).0, Verdict::Failed);
}
