//! What no cluster of nodes can replace: servers that the services need, and what all nodes share.

use crate::pcs::plan::Plan;
use crate::pcs::setting;
use crate::scenario::Scenario;
use crate::scenario::fencing::{Fencing, Value};

/// One line for each.
pub fn all(scenario: &Scenario, plan: &Plan) -> Vec<String> {
    let mut all = Vec::new();
    // Mounts, in the order they start in; a server once.
    for resource in setting::resources(plan).filter(|one| one.agent.ends_with(":Filesystem")) {
        let device = resource.params.iter().find_map(|(name, value)| match value {
            crate::pcs::plan::Setting::Text(text) if name == "device" => Some(text.as_str()),
            _ => None,
        });
        all.extend(device.map(|device| format!("{device}, mounted by {}", resource.id)));
    }
    for service in &scenario.services {
        let section = service.kind.section;
        // A name is a name; what has none is a thing.
        let article = |name: &str| if name.starts_with(|c: char| c.is_ascii_lowercase()) { "the " } else { "" };
        all.extend(service.kind.externals.iter().map(|name| format!("{}{name} that {section} asks", article(name))));
    }
    for external in &scenario.free.externals {
        all.push(format!("{}, which {} needs", external.name, external.needed_by.join(", ")));
    }
    if let Some(router) = scenario.router.as_ref().filter(|router| router.addresses.len() == 1) {
        all.extend(router.addresses.first().map(|address| format!("the router {address}: the only one that is asked")));
    }
    if scenario.nodes.iter().all(|node| node.addresses.len() == 1) {
        all.push("the network between the nodes: each has one address, so there is one link".into());
    }
    if let Fencing::Devices(devices) = &scenario.fencing {
        let addresses: Vec<&str> = devices
            .iter()
            .flat_map(|device| &device.options)
            .filter_map(|(name, value)| match value {
                Value::Plain(text) if name == "ip" => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let one = addresses
            .first()
            .filter(|first| addresses.len() == devices.len() && addresses.iter().all(|one| one == *first));
        if let Some(address) = one.filter(|_| scenario.nodes.len() > 1) {
            all.push(format!(
                "the fencing device at {address}: the only one; while it does not answer, nothing is taken over"
            ));
        }
    }
    all
}
