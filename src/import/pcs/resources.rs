//! Commands that make resources, groups, clones and fencing devices.

use super::Done;
use super::values::{operations, pairs, parts};
use crate::configuration::{Copies, Group, Pairs, Resource};
use crate::import::cluster::{Cluster, Device, MOST_RESOURCES, id};
use crate::import::notes::Notes;

pub(super) fn create(name: &str, agent: &str, words: &[&str], cluster: &mut Cluster) -> Done {
    let name = id(name);
    if cluster.configuration.resources.len() >= MOST_RESOURCES {
        return Err(format!("one more than {MOST_RESOURCES} resources, which is more than a cluster has"));
    }
    if cluster.configuration.knows(&name) {
        return Err(format!("{name} is there already"));
    }
    let parts = parts(words);
    let agent = match agent.matches(':').count() {
        0 => format!("ocf:heartbeat:{agent}"),
        _ => agent.replace("::", ":"),
    };
    let mut meta = pairs(&parts.meta);
    if parts.disabled {
        meta.push(("target-role".into(), "Stopped".into()));
    }
    let (params, operations) = (pairs(&parts.params), operations(&parts.operations));
    cluster.configuration.resources.push(Resource { id: name.clone(), agent, params, meta, operations });
    if let Some(words) = &parts.clone {
        let own = format!("{name}-clone");
        cluster.configuration.clones.push(Copies {
            id: own,
            of: name,
            meta: pairs(words),
            promotable: parts.promotable,
        });
    } else if let Some(group) = parts.group {
        add_group(group, &[name.as_str()], cluster)?;
    }
    Ok(())
}

pub(super) fn add_group(group: &str, members: &[&str], cluster: &mut Cluster) -> Done {
    let members: Vec<&str> = members.iter().copied().filter(|word| !word.starts_with("--")).collect();
    if let Some(unknown) = members.iter().find(|member| cluster.configuration.resource(member).is_none()) {
        return Err(format!("{unknown} is no resource that a line before it makes"));
    }
    let members = members.into_iter().map(str::to_owned);
    let group = id(group);
    match cluster.configuration.groups.iter_mut().find(|one| one.id == group) {
        Some(known) => known.members.extend(members),
        None => cluster.configuration.groups.push(Group { id: group, members: members.collect(), meta: Vec::new() }),
    }
    Ok(())
}

pub(super) fn clone(
    of: &str,
    words: &[&str],
    promotable: bool,
    place: &str,
    cluster: &mut Cluster,
    notes: &mut Notes,
) -> Done {
    if !cluster.configuration.knows(of) {
        return Err(format!("{of} is no resource that a line before it makes"));
    }
    let wanted = words.first().filter(|word| !word.contains('=') && **word != "meta" && !word.starts_with('-'));
    if let Some(wanted) = wanted {
        // 0.9 ignored it, 0.10.7 and later take it as the clone's id.
        notes.change(
            place,
            wanted,
            format!("the clone is {of}-clone: pcs before 0.10.7 ignored another id or refused it"),
        );
    }
    let id = format!("{of}-clone");
    cluster.configuration.clones.push(Copies { id, of: of.to_owned(), meta: pairs(words), promotable });
    Ok(())
}

pub(super) fn meta(id: &str, pairs: Pairs, cluster: &mut Cluster) -> Done {
    let all = &mut cluster.configuration;
    let own = all.resources.iter_mut().filter(|one| one.id == id).map(|one| &mut one.meta);
    let groups = all.groups.iter_mut().filter(|one| one.id == id).map(|one| &mut one.meta);
    let clones = all.clones.iter_mut().filter(|one| one.id == id).map(|one| &mut one.meta);
    match own.chain(groups).chain(clones).next() {
        Some(meta) => {
            meta.extend(pairs);
            Ok(())
        }
        None => Err(format!("{id} is no resource that a line before it makes")),
    }
}

pub(super) fn stonith(
    name: &str,
    agent: &str,
    words: &[&str],
    place: &str,
    cluster: &mut Cluster,
    notes: &mut Notes,
) -> Done {
    let parts = parts(words);
    let mut device = Device { name: id(name), agent: agent.to_owned(), ..Device::default() };
    for (option, value) in pairs(&parts.params) {
        device.about(place, &option, &value, notes);
    }
    cluster.fencing.push(device);
    Ok(())
}
