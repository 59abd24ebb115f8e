//! A cluster for Abiquo's Remote Services as its guide types it, as a scenario of that set-up.

use super::cluster::Cluster;
use super::fencing::Fencing;
use super::lvs::{FENCING, node_address};
use super::notes::Notes;
use super::write::Writer;
use super::{Answers, Draft};
use crate::configuration::{Resource, value};
use std::net::IpAddr;

/// What the guide's Tomcat is called.
const TOMCAT: &str = "abiquo-tomcat";

/// What goes where in the scenario.
struct Scheme<'a> {
    cluster: &'a Cluster,
    name: String,
    nodes: Vec<(String, Option<Vec<IpAddr>>)>,
    address: &'a Resource,
    repository: &'a Resource,
    router: Vec<Result<IpAddr, String>>,
    fencing: Fencing,
    accept_split_brain: bool,
    stickiness: Option<u32>,
}

pub(super) fn write(cluster: &Cluster, answers: &Answers, notes: &mut Notes) -> Result<Draft, String> {
    let scheme = Scheme::of(cluster, answers, notes)?;
    Ok(Draft { printed: scheme.write(false), answered: scheme.write(true) })
}

impl<'a> Scheme<'a> {
    fn of(cluster: &'a Cluster, answers: &Answers, notes: &mut Notes) -> Result<Scheme<'a>, String> {
        let all = &cluster.configuration;
        let first = |is: &dyn Fn(&&Resource) -> bool| all.resources.iter().find(|one| is(one));
        let missing = |what: &str| {
            format!(
                "there is no {what}: only clusters for Abiquo's Remote Services ({TOMCAT}, IPaddr2, Filesystem) are carried over from commands"
            )
        };
        let tomcat = first(&|one| one.kind() == TOMCAT).ok_or_else(|| missing(TOMCAT))?;
        let address = first(&|one| one.kind() == "IPaddr2").ok_or_else(|| missing("IPaddr2"))?;
        let repository = first(&|one| one.kind() == "Filesystem").ok_or_else(|| missing("Filesystem"))?;
        let ping = first(&|one| one.is_ping());
        let what = format!("{} ({})", tomcat.id, tomcat.agent);
        notes.change(
            "resources",
            &what,
            "ocf:inuvika:abiquo-rs runs the same Tomcat, and asks what its webapps answer",
        );
        for one in all.resources.iter() {
            if ![Some(tomcat), Some(address), Some(repository), ping].iter().flatten().any(|known| known.id == one.id) {
                notes.leave("resources", &format!("{} ({})", one.id, one.agent), "is not a part of this set-up");
            }
        }
        beside(cluster, ping, notes);
        used(address, &["ip", "cidr_netmask", "nic"], notes);
        used(repository, &["device", "directory", "fstype", "options"], notes);
        if let Some(ping) = ping {
            used(ping, &["host_list"], notes);
        }
        if value(&address.params, "cidr_netmask").is_none() {
            notes.ask("virtual_ip.address: the length of its network's prefix, such as /24");
        }
        let hosts = ping.and_then(|one| value(&one.params, "host_list")).unwrap_or_default();
        let mut router = Vec::new();
        for host in hosts.split([' ', ',']).filter(|host| !host.is_empty()) {
            match answers.of(host).and_then(|found| found.first().copied()) {
                Some(found) => router.push(Ok(found)),
                None => {
                    notes.ask(format!("router.address: the address of {host} (--address {host}=ADDRESS)"));
                    router.push(Err(host.to_owned()));
                }
            }
        }
        let name = answers.cluster.clone().or_else(|| cluster.name.clone()).unwrap_or_else(|| {
            notes.change("[cluster]", "name", "no file names the cluster: \"abiquo-rs\" is made up");
            "abiquo-rs".into()
        });
        let nodes = cluster.node_addresses(answers, notes);
        if nodes.is_empty() {
            return Err("nothing names the nodes: give the ccs or pcs commands that make the cluster as well".into());
        }
        let fencing = Fencing::of(cluster, notes);
        if fencing.is_empty() && !answers.accept_split_brain {
            notes.ask(FENCING);
        }
        if let Some(token) = cluster.token.filter(|token| *token > 1000) {
            let why = "a silent node counts as lost after corosync's own token timeout (3 s and more); see detection";
            notes.leave("totem", &format!("token={token}"), why);
        }
        let stickiness = value(&all.defaults, "resource-stickiness").and_then(|text| text.parse().ok());
        for (name, text) in
            all.defaults.iter().filter(|(name, _)| name != "resource-stickiness" || stickiness.is_none())
        {
            notes.leave("resource defaults", &format!("{name}={text}"), "see [failover]");
        }
        for (name, text) in all.properties.iter().chain(&all.operation_defaults) {
            notes.leave("properties", &format!("{name}={text}"), "the generator has values of its own");
        }
        let accept_split_brain = fencing.is_empty() && answers.accept_split_brain;
        Ok(Scheme { cluster, name, nodes, address, repository, router, fencing, accept_split_brain, stickiness })
    }

    fn write(&self, answered: bool) -> String {
        let mut text = Writer::default();
        text.text("setup", "abiquo-remote-services");
        if self.accept_split_brain || (answered && self.fencing.is_empty()) {
            text.gap();
            text.comment("Nobody switches off a node that is not heard of any more: both may run everything at once.");
            text.text("fencing", "none");
            text.plain("accept_split_brain", true);
        }
        text.section("cluster", false);
        text.text("name", &self.name);
        if self.cluster.token.is_some_and(|token| token <= 1000) {
            text.text("detection", "fast");
        }
        let like: &[IpAddr] = self.nodes.iter().find_map(|(_, known)| known.as_deref()).unwrap_or_default();
        for (index, (name, known)) in self.nodes.iter().enumerate() {
            text.section("node", true);
            text.text("name", name);
            text.text("role", "rs");
            text.texts("address", &node_address(known.as_deref(), index, answered, like));
        }
        text.section("virtual_ip", false);
        let ip = value(&self.address.params, "ip").unwrap_or("?");
        let default = match (answered, ip.contains(':')) {
            (false, _) => "?",
            (true, true) => "64",
            (true, false) => "24",
        };
        let prefix = value(&self.address.params, "cidr_netmask").unwrap_or(default);
        text.text("address", &format!("{ip}/{prefix}"));
        if let Some(nic) = value(&self.address.params, "nic") {
            text.text("nic", nic);
        }
        if !self.router.is_empty() {
            let word = |(index, one): (usize, &Result<IpAddr, String>)| match one {
                Ok(address) => address.to_string(),
                Err(_) if answered => format!("198.51.100.{}", index % 250 + 1),
                Err(_) => "?".into(),
            };
            text.section("router", false);
            text.texts("address", &self.router.iter().enumerate().map(word).collect::<Vec<_>>());
        }
        text.section("repository", false);
        for name in ["device", "directory", "fstype", "options"] {
            // "defaults" says nothing, and the generator knows better.
            if let Some(said) = value(&self.repository.params, name).filter(|said| *said != "defaults") {
                text.text(name, said);
            }
        }
        text.section("abiquo_rs", false);
        if let Some(stickiness) = self.stickiness {
            text.section("failover", false);
            text.plain("stickiness", stickiness);
        }
        self.fencing.write(&mut text);
        text.finish()
    }
}

/// Parameters that the scenario has no place for.
fn used(resource: &Resource, known: &[&str], notes: &mut Notes) {
    for (name, text) in resource.params.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
        notes.leave("resources", &format!("{}: {name}={text}", resource.id), "the generator has a value of its own");
    }
    for one in &resource.operations {
        notes.leave("resources", &format!("{}: op {}", resource.id, one.name), "the generator has times of its own");
    }
    for (name, text) in &resource.meta {
        notes.leave(
            "resources",
            &format!("{}: meta {name}={text}", resource.id),
            "the generator has values of its own",
        );
    }
    if value(&resource.params, "options") == Some("defaults") {
        notes.change(
            "resources",
            &format!("{}: options=defaults", resource.id),
            "with a limit to how long it waits for its server",
        );
    }
}

/// Groups, clones and constraints: the set-up has its own.
fn beside(cluster: &Cluster, ping: Option<&Resource>, notes: &mut Notes) {
    let all = &cluster.configuration;
    for group in &all.groups {
        let text = format!("group {}: {}", group.id, group.members.join(", "));
        notes.change(
            "resources",
            &text,
            "the set-up's own group: the repository, the address, the services, in this order",
        );
    }
    for one in all.clones.iter().filter(|one| ping.is_none_or(|ping| ping.id != one.of)) {
        notes.leave("resources", &format!("clone {}", one.id), "is not a part of this set-up");
    }
    let constraints = all.colocations.iter().map(|one| &one.id).chain(all.orders.iter().map(|one| &one.id));
    for id in constraints {
        notes.leave("constraints", id, "the set-up has constraints of its own");
    }
    for one in &all.locations {
        match one.rules.is_empty() {
            true => notes.leave("constraints", &one.id, "the first node of the scenario is where everything starts"),
            false => notes.change("constraints", &one.id, "[router]: its score is above the stickiness"),
        }
    }
}
