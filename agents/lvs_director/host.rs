//! What validate-all looks at on this host (level 10). Nothing is changed, except that the kernel loads IPVS.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::config::{Config, Source};
use super::{open, source};
use crate::director::check::Question;
use crate::director::farm::Farm;
use crate::ocf::check::{Check, Verdict};
use crate::ocf::operation::Operation;
use crate::sys::links;
use crate::sys::process;

/// The checks: can this host do it.
pub fn checks(config: &Config, _op: &Operation) -> Vec<Check> {
    let mut checks = vec![Check::run("IPVS", || match open() {
        Ok(_) => (Verdict::Ok, "is there".to_owned()),
        Err(failure) => (Verdict::Failed, failure.reason),
    })];
    let farm = source::now(config);
    checks.push(Check::run("configuration", || match (&farm, &config.source) {
        (Err(failure), _) => (Verdict::Failed, failure.reason.clone()),
        (Ok((farm, _)), _) if !farm.warnings.is_empty() => (Verdict::Degraded, farm.warnings.join("; ")),
        (Ok((farm, _)), Source::File(path)) => (Verdict::Ok, format!("{}: {}", path.display(), counted(farm))),
        (Ok((farm, _)), Source::Parameters(_)) => (Verdict::Ok, counted(farm)),
    }));
    if let Ok((farm, _)) = &farm {
        checks.push(Check::run("schedulers", || schedulers(farm)));
        checks.push(Check::run("checks", || needs(farm)));
        checks.extend(farm.sync.as_ref().map(|sync| Check::run("sync link", || link(&sync.interface))));
    }
    checks.extend(config.hook.as_ref().map(|hook| {
        Check::run("hook", || match process::find(hook) {
            Some(path) => (Verdict::Ok, path.display().to_string()),
            None => (Verdict::Failed, format!("hook {} is not there or not executable", hook.display())),
        })
    }));
    checks
}

fn counted(farm: &Farm) -> String {
    let servers: usize = farm.services.iter().map(|service| service.servers.len()).sum();
    format!("{} services, {servers} real servers, {} checks", farm.services.len(), farm.questions.len())
}

/// Whether what questions need is here: without it nobody knows how real servers are.
fn needs(farm: &Farm) -> (Verdict, String) {
    let missing = farm.questions.iter().find_map(|question| match question {
        Question::Command { argv, .. } => {
            let program = argv.first().filter(|program| process::find(program).is_none())?;
            Some(format!("program {program} of a check is not there or not executable"))
        }
        Question::Http { ca: Some(ca), .. } => {
            let error = fs::File::open(ca).err()?;
            Some(format!("read CA certificates {}: {error}", ca.display()))
        }
        _ => None,
    });
    missing.map_or_else(|| (Verdict::Ok, format!("{}", farm.questions.len())), |reason| (Verdict::Failed, reason))
}

/// Whether the kernel has the modules of all schedulers: adding a service would tell for sure, and change the table.
fn schedulers(farm: &Farm) -> (Verdict, String) {
    let names: BTreeSet<&str> = farm.services.iter().map(|service| service.service.scheduler.as_str()).collect();
    let Ok(release) = nix::sys::utsname::uname().map(|name| name.release().to_string_lossy().into_owned()) else {
        return (Verdict::Degraded, "cannot tell which kernel runs".to_owned());
    };
    let folder = Path::new("/lib/modules").join(&release);
    let lists: Vec<String> = ["modules.dep", "modules.builtin"]
        .iter()
        .filter_map(|name| fs::read_to_string(folder.join(name)).ok())
        .collect();
    let loaded = fs::read_to_string("/proc/modules").unwrap_or_default();
    let is_there = |name: &str| {
        let file = format!("/ip_vs_{name}.ko");
        let module = format!("ip_vs_{name} ");
        lists.iter().any(|list| list.contains(&file)) || loaded.lines().any(|line| line.starts_with(&module))
    };
    let missing: Vec<&str> = names.iter().copied().filter(|name| !is_there(name)).collect();
    match missing.first() {
        None => (Verdict::Ok, names.into_iter().collect::<Vec<_>>().join(", ")),
        // In a container the modules are the host's.
        Some(name) if lists.is_empty() => {
            (Verdict::Degraded, format!("cannot tell whether the kernel has ip_vs_{name}: no {}", folder.display()))
        }
        Some(name) => (Verdict::Failed, format!("the kernel has no scheduler {name}: no module ip_vs_{name}")),
    }
}

fn link(name: &str) -> (Verdict, String) {
    match links::by_name(name) {
        Ok(Some(link)) if link.up => (Verdict::Ok, format!("{name} is up")),
        Ok(Some(_)) => (Verdict::Degraded, format!("{name} is down")),
        Ok(None) => (Verdict::Failed, format!("this host has no link {name}")),
        Err(error) => (Verdict::Failed, format!("read links: {error}")),
    }
}
