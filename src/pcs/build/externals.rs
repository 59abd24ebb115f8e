//! What the services depend on, and the cluster has no say in.

use crate::pcs::plan::External;
use crate::scenario::setup::clone_id;
use crate::scenario::{Scenario, repository};

/// Everything that the scenario names, or that its services cannot do without.
pub(super) fn of(scenario: &Scenario) -> Vec<External> {
    let mut all = Vec::new();
    for service in &scenario.services {
        let id = service.kind.section;
        let id = if service.is_everywhere() { clone_id(id) } else { id.to_owned() };
        all.extend(service.kind.externals.iter().map(|name| one(name, vec![id.clone()])));
    }
    if let Some(repository) = &scenario.repository {
        all.push(one(&server(&repository.device), vec![repository::ID.to_owned()]));
    }
    for volume in &scenario.volumes {
        all.push(one(&server(&volume.mount.device), vec![clone_id(volume.kind.section)]));
    }
    if let Some(router) = &scenario.router {
        let addresses: Vec<_> = router.addresses.iter().map(ToString::to_string).collect();
        all.push(one(&format!("router {}", addresses.join(", ")), vec![scenario.anchor().to_owned()]));
    }
    all.extend(scenario.free.externals.iter().cloned());
    merged(all)
}

/// One server for two volumes is one external.
fn merged(all: Vec<External>) -> Vec<External> {
    let mut merged: Vec<External> = Vec::new();
    for external in all {
        match merged.iter_mut().find(|known| known.name == external.name) {
            Some(known) => known.needed_by.extend(external.needed_by),
            None => merged.push(external),
        }
    }
    merged
}

fn one(name: &str, needed_by: Vec<String>) -> External {
    External { name: name.to_owned(), needed_by }
}

/// Who has what is mounted: `HOST` of `HOST:/PATH`, else the device itself.
fn server(device: &str) -> String {
    match device.rsplit_once(":/") {
        Some((host, _)) => format!("file server {}", host.trim_matches(['[', ']'])),
        None => device.to_owned(),
    }
}
