//! Failover domains: which nodes a service likes, and in which order.

use crate::configuration::Location;
use crate::document::element::Element;
use crate::import::cluster::Cluster;
use crate::import::cman::{place, tag};
use crate::import::notes::Notes;
use std::collections::BTreeMap;

/// What the last node of an ordered domain counts for; those before it a multiple.
const STEP: usize = 100;
/// What a member counts for where services come back from outside the domain: more than any stickiness, yet the same for all.
const MEMBER: u32 = 100_000;
/// The priority of a node that has none.
const LAST: u32 = 101;

/// A failover domain.
#[derive(Debug)]
struct Domain {
    /// Its nodes, the best first.
    nodes: Vec<(String, u32)>,
    ordered: bool,
    restricted: bool,
    nofailback: bool,
}

/// All of them, by name.
#[derive(Debug, Default)]
pub(super) struct Domains(BTreeMap<String, Domain>);

impl Domains {
    pub(super) fn read(rm: &Element, base: &str, cluster: &Cluster, notes: &mut Notes) -> Domains {
        let mut all = Domains::default();
        for element in rm.named("failoverdomains").flat_map(|all| &all.children) {
            let at = place(base, element);
            let (true, Some(name)) = (element.name == "failoverdomain", element.filled("name")) else {
                notes.leave(&at, &tag(element), "is no failover domain with a name");
                continue;
            };
            let yes = |key: &str| element.get(key).is_some_and(|word| ["1", "yes", "on", "true"].contains(&word));
            let mut nodes: Vec<(String, u32)> = Vec::new();
            for one in element.named("failoverdomainnode") {
                let node = one.filled("name").unwrap_or_default();
                let known = cluster.configuration.nodes.iter().any(|known| known.name == node);
                if !known || nodes.iter().any(|(other, _)| other == node) {
                    notes.leave(&place(base, one), &tag(one), "is no node of this cluster, or there already");
                    continue;
                }
                let priority = one.filled("priority").and_then(|text| text.parse().ok()).unwrap_or(LAST);
                nodes.push((node.to_owned(), priority));
            }
            nodes.sort_by_key(|(_, priority)| *priority);
            let domain =
                Domain { nodes, ordered: yes("ordered"), restricted: yes("restricted"), nofailback: yes("nofailback") };
            all.0.insert(name.to_owned(), domain);
        }
        all
    }

    /// Says where the service may run.
    pub(super) fn place(&self, service: &Element, id: &str, base: &str, cluster: &mut Cluster, notes: &mut Notes) {
        let Some(name) = service.filled("domain") else { return };
        let at = place(base, service);
        let Some(domain) = self.0.get(name) else {
            return notes.leave(&at, &format!("domain={name}"), "there is no such failover domain");
        };
        // Nodes with the same priority are alike.
        let mut ranks: Vec<u32> = domain.nodes.iter().map(|(_, priority)| *priority).collect();
        ranks.dedup();
        for (node, priority) in &domain.nodes {
            let behind = ranks.iter().filter(|rank| **rank >= *priority).count();
            let score = match (domain.ordered, domain.nofailback) {
                (true, _) => (behind * STEP).to_string(),
                (false, true) => STEP.to_string(),
                (false, false) => MEMBER.to_string(),
            };
            cluster.prefer(id, node, &score);
        }
        if domain.ordered && !domain.nofailback {
            // It goes back to a better node as soon as that is there.
            let meta = ("resource-stickiness".to_owned(), "0".to_owned());
            let all = &mut cluster.configuration;
            let members: Vec<String> = match all.groups.iter_mut().find(|group| group.id == id) {
                Some(group) => {
                    group.meta.push(meta);
                    Vec::new()
                }
                None => vec![id.to_owned()],
            };
            for one in all.resources.iter_mut().filter(|one| members.contains(&one.id)) {
                one.meta.push(("resource-stickiness".into(), "0".into()));
            }
            notes.change(
                &at,
                &format!("domain={name}"),
                "it moves back to a better node, an interruption more: resource-stickiness=0",
            );
        }
        if domain.restricted {
            let others: Vec<String> = cluster.configuration.nodes.iter().map(|node| node.name.clone()).collect();
            for node in others.into_iter().filter(|node| !domain.nodes.iter().any(|(known, _)| known == node)) {
                cluster.configuration.locations.push(Location {
                    id: format!("location-{id}-{node}"),
                    resource: id.to_owned(),
                    node: Some(node),
                    score: Some("-INFINITY".into()),
                    ..Location::default()
                });
            }
        }
    }
}
