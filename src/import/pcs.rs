//! A pcs command of any version as what it makes of a cluster.

use super::cluster::{Cluster, Device, id};
use super::notes::Notes;
use crate::configuration::{Copies, Expression, Group, Location, Operation, Order, Pairs, Resource, Rule};

type Done = Result<(), String>;

/// Takes one command; why not, when it says nothing that is carried over.
pub(super) fn command(words: &[&str], place: &str, cluster: &mut Cluster, notes: &mut Notes) -> Done {
    // Options before the command: -f FILE.
    let words = match words {
        ["-f", _, rest @ ..] => rest,
        words => words,
    };
    let words = words.strip_prefix(&["--"]).unwrap_or(words);
    match words {
        ["cluster", "setup", rest @ ..] => setup(rest, cluster),
        ["cluster" | "host", ..] => Err("the script of the generator makes and starts the cluster".into()),
        ["property", "set", rest @ ..] => property(rest, cluster),
        ["resource", "defaults", rest @ ..] => {
            let rest = rest.strip_prefix(&["update"]).unwrap_or(rest);
            pairs(rest).into_iter().for_each(|(name, value)| cluster.usual(&name, &value));
            Ok(())
        }
        ["resource", "op", "defaults", rest @ ..] => {
            let rest = rest.strip_prefix(&["update"]).unwrap_or(rest);
            cluster.configuration.operation_defaults.extend(pairs(rest));
            Ok(())
        }
        ["resource", "create", id, agent, rest @ ..] => create(id, agent, rest, cluster),
        ["resource", "group", "add", group, members @ ..] => add_group(group, members, cluster),
        ["resource", "clone", of, rest @ ..] => clone(of, rest, false, place, cluster, notes),
        ["resource", "promotable", of, rest @ ..] => clone(of, rest, true, place, cluster, notes),
        ["resource", "master", id, of, rest @ ..] => {
            clone(of, rest, true, place, cluster, notes)?;
            let last = cluster.configuration.clones.last_mut();
            last.into_iter().for_each(|one| one.id = self::id(id));
            Ok(())
        }
        ["resource", "meta", id, rest @ ..] => meta(id, pairs(rest), cluster),
        ["resource", "disable", all @ ..] => {
            all.iter().try_for_each(|id| meta(id, vec![("target-role".into(), "Stopped".into())], cluster))
        }
        ["stonith", "create", name, agent, rest @ ..] => stonith(name, agent, rest, place, cluster, notes),
        ["stonith", "level", "add", level, node, devices @ ..] => {
            let level = level.parse().ok().filter(|n| (1..=9).contains(n)).ok_or("is no level from 1 to 9")?;
            let devices = devices.iter().flat_map(|word| word.split(',')).map(id).collect();
            cluster.levels.push(((*node).to_owned(), level, devices));
            Ok(())
        }
        ["constraint", rest @ ..] => constraint(rest, place, cluster, notes),
        ["resource" | "stonith" | "property", "show" | "config" | "list" | "status", ..] | ["status", ..] => {
            Err("only shows something".into())
        }
        ["resource", "move" | "ban" | "clear" | "cleanup" | "refresh" | "restart", ..] => {
            Err("is done to a cluster that runs".into())
        }
        _ => Err("this command of pcs is not known here".into()),
    }
}

/// `NAME=VALUE`, and nothing else.
fn pairs(words: &[&str]) -> Pairs {
    let pairs = words.iter().filter_map(|word| word.split_once('='));
    let named = pairs.filter(|(name, _)| !name.is_empty() && !name.starts_with('-'));
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn setup(words: &[&str], cluster: &mut Cluster) -> Done {
    let mut words = words.iter().copied();
    let mut named = false;
    let mut current: Option<String> = None;
    let add = |cluster: &mut Cluster, word: &str| {
        let mut links = word.split(',').map(str::to_owned);
        let name = links.next().unwrap_or_default();
        cluster.node(&name);
        let rest: Vec<String> = links.collect();
        if !rest.is_empty() {
            cluster.aliases.push((name.clone(), [vec![name.clone()], rest].concat()));
        }
        name
    };
    while let Some(word) = words.next() {
        match word {
            "--name" => {
                cluster.name = words.next().map(str::to_owned);
                named = true;
            }
            "--token" => cluster.token = words.next().and_then(|word| word.parse().ok()),
            "transport" | "totem" | "quorum" | "compression" | "crypto" => {
                for (name, value) in pairs(&words.by_ref().collect::<Vec<_>>()) {
                    if name == "token" {
                        cluster.token = value.parse().ok();
                    }
                }
            }
            word if word.starts_with('-') => {}
            word => match word.split_once('=') {
                Some(("addr", address)) => {
                    let Some(node) = &current else { continue };
                    match cluster.aliases.iter_mut().find(|(name, _)| name == node) {
                        Some((_, all)) => all.push(address.to_owned()),
                        None => cluster.aliases.push((node.clone(), vec![address.to_owned()])),
                    }
                }
                Some(_) => {}
                None if !named => {
                    cluster.name = Some(word.to_owned());
                    named = true;
                }
                None => current = Some(add(cluster, word)),
            },
        }
    }
    Ok(())
}

fn property(words: &[&str], cluster: &mut Cluster) -> Done {
    let mut why = Vec::new();
    for (name, value) in pairs(words) {
        match (name.as_str(), value.as_str()) {
            ("stonith-enabled" | "fencing-enabled", _) => why.push("fencing is asked for in the scenario"),
            ("no-quorum-policy", "stop") => {}
            ("no-quorum-policy", _) => why.push(
                "a part without the majority stops everything: the generator sets that. Two nodes get two_node from corosync",
            ),
            _ => cluster.configuration.properties.push((name, value)),
        }
    }
    if why.is_empty() { Ok(()) } else { Err(why.join("; ")) }
}

/// The words after a create, by the words that begin a part.
#[derive(Default)]
struct Parts<'a> {
    params: Vec<&'a str>,
    operations: Vec<Vec<&'a str>>,
    meta: Vec<&'a str>,
    clone: Option<Vec<&'a str>>,
    promotable: bool,
    group: Option<&'a str>,
    disabled: bool,
}

fn parts<'a>(words: &[&'a str]) -> Parts<'a> {
    enum At {
        Params,
        Operations,
        Meta,
        Clone,
    }
    let mut parts = Parts::default();
    let mut at = At::Params;
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            "op" => {
                at = At::Operations;
                parts.operations.push(Vec::new());
            }
            "meta" => at = At::Meta,
            "clone" | "--clone" => {
                at = At::Clone;
                parts.clone = Some(Vec::new());
            }
            "master" | "promotable" | "--master" => {
                at = At::Clone;
                parts.clone = Some(Vec::new());
                parts.promotable = true;
            }
            "--group" | "group" => parts.group = words.next(),
            "--disabled" => parts.disabled = true,
            "--after" | "--before" | "after" | "before" => {
                words.next();
            }
            word if word.starts_with("--") => {}
            word => match at {
                At::Params => parts.params.push(word),
                At::Meta => parts.meta.push(word),
                At::Clone => parts.clone.iter_mut().for_each(|all| all.push(word)),
                At::Operations => {
                    // A word without = begins the next operation: "op monitor interval=10s start timeout=20s".
                    if !word.contains('=') && parts.operations.last().is_some_and(|one| !one.is_empty()) {
                        parts.operations.push(Vec::new());
                    }
                    parts.operations.last_mut().into_iter().for_each(|one| one.push(word));
                }
            },
        }
    }
    parts
}

fn operations(all: &[Vec<&str>]) -> Vec<Operation> {
    let of = |words: &Vec<&str>| {
        let (name, rest) = words.split_first()?;
        let mut operation = Operation { name: (*name).to_owned(), ..Operation::default() };
        for (key, value) in pairs(rest) {
            match key.as_str() {
                "interval" => operation.interval = Some(value),
                "timeout" => operation.timeout = Some(value),
                "role" => operation.role = Some(role(&value).to_owned()),
                "on-fail" => operation.on_fail = Some(value),
                _ => {}
            }
        }
        Some(operation)
    };
    all.iter().filter_map(of).collect()
}

/// A role by its present name.
fn role(word: &str) -> &str {
    match word.to_ascii_lowercase().as_str() {
        "master" | "promoted" => "Promoted",
        "slave" | "unpromoted" => "Unpromoted",
        "started" => "Started",
        "stopped" => "Stopped",
        _ => word,
    }
}

fn create(name: &str, agent: &str, words: &[&str], cluster: &mut Cluster) -> Done {
    let name = id(name);
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

fn add_group(group: &str, members: &[&str], cluster: &mut Cluster) -> Done {
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

fn clone(of: &str, words: &[&str], promotable: bool, place: &str, cluster: &mut Cluster, notes: &mut Notes) -> Done {
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

fn meta(id: &str, pairs: Pairs, cluster: &mut Cluster) -> Done {
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

fn stonith(name: &str, agent: &str, words: &[&str], place: &str, cluster: &mut Cluster, notes: &mut Notes) -> Done {
    let parts = parts(words);
    let mut device = Device { name: id(name), agent: agent.to_owned(), ..Device::default() };
    for (option, value) in pairs(&parts.params) {
        match option.as_str() {
            "pcmk_host_list" => device.nodes.extend(value.split([',', ' ']).map(str::to_owned)),
            "pcmk_host_check" => {}
            "pcmk_host_map" => {
                let names = value.split([';', ' ']).filter_map(|entry| entry.split([':', '=']).next());
                device.nodes.extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
                device.option(place, &option, &value, notes);
            }
            _ => device.option(place, &option, &value, notes),
        }
    }
    cluster.fencing.push(device);
    Ok(())
}

fn constraint(words: &[&str], place: &str, cluster: &mut Cluster, notes: &mut Notes) -> Done {
    let option =
        |words: &[&str], name: &str| pairs(words).into_iter().find(|(key, _)| key == name).map(|(_, value)| value);
    match words {
        ["colocation", "add", rest @ ..] => {
            let rest: Vec<&str> = rest.iter().copied().filter(|word| *word != "with").collect();
            let (resource, resource_role, rest) = with_role(&rest)?;
            let (with, with_role, rest) = with_role(rest)?;
            // The form of 0.9: a score without its name.
            let bare = rest.first().filter(|word| !word.contains('=')).map(|word| (*word).to_owned());
            let score = option(rest, "score").or(bare).unwrap_or_else(|| "INFINITY".into());
            if cluster.configuration.within(with).first().is_some_and(|one| one.is_ping()) {
                let attribute = cluster
                    .configuration
                    .within(with)
                    .first()
                    .and_then(|one| crate::configuration::value(&one.params, "name").map(str::to_owned));
                let attribute = attribute.unwrap_or_else(|| "pingd".into());
                notes.change(
                    place,
                    &format!("colocation {resource} with {with}"),
                    format!(
                        "a ping clone never fails, so that does nothing: a rule on its attribute {attribute} instead"
                    ),
                );
                cluster.reach(resource, &attribute);
                return Ok(());
            }
            cluster.colocate(resource, with, with_role, &score);
            let last = cluster.configuration.colocations.last_mut();
            last.into_iter().for_each(|one| one.role = resource_role.map(str::to_owned));
            Ok(())
        }
        ["order", "set", ..] | ["colocation", "set", ..] => {
            Err("sets are not carried over: write [[order]] or [[colocation]]".into())
        }
        ["order", rest @ ..] => {
            let (first_action, rest) = action(rest);
            let Some((first, rest)) = rest.split_first() else { return Err("has no resource".into()) };
            let rest = rest.strip_prefix(&["then"]).unwrap_or(rest);
            let (then_action, rest) = action(rest);
            let Some((then, rest)) = rest.split_first() else { return Err("has no second resource".into()) };
            let kind = option(rest, "kind").unwrap_or_else(|| "Mandatory".into());
            let symmetrical = option(rest, "symmetrical").is_none_or(|word| word != "false");
            cluster.configuration.orders.push(Order {
                id: id(&format!("order-{first}-{then}")),
                first: (*first).to_owned(),
                first_action: first_action.map(str::to_owned),
                then: (*then).to_owned(),
                then_action: then_action.map(str::to_owned),
                kind,
                symmetrical,
            });
            Ok(())
        }
        ["location", resource, "prefers", nodes @ ..] => {
            place_on(resource, nodes, "", cluster);
            Ok(())
        }
        ["location", resource, "avoids", nodes @ ..] => {
            place_on(resource, nodes, "-", cluster);
            Ok(())
        }
        ["location", "add", name, resource, node, rest @ ..] => {
            let bare = rest.first().filter(|word| !word.contains('=')).map(|word| (*word).to_owned());
            let score = option(rest, "score").or(bare).unwrap_or_else(|| "INFINITY".into());
            let discovery = option(rest, "resource-discovery");
            let (node, score) = (Some((*node).to_owned()), Some(score));
            let resource = (*resource).to_owned();
            cluster.configuration.locations.push(Location {
                id: id(name),
                resource,
                node,
                score,
                discovery,
                rules: Vec::new(),
            });
            Ok(())
        }
        ["location", resource, "rule", rest @ ..] => rule(resource, rest, cluster),
        _ => Err("this constraint is not carried over".into()),
    }
}

/// A resource with a role before it.
fn with_role<'a, 'b>(words: &'b [&'a str]) -> Result<(&'a str, Option<&'a str>, &'b [&'a str]), String> {
    match words {
        [word, resource, rest @ ..]
            if ["master", "slave", "started", "promoted", "unpromoted"]
                .contains(&word.to_ascii_lowercase().as_str()) =>
        {
            Ok((resource, Some(role(word)).filter(|role| *role != "Started"), rest))
        }
        [resource, rest @ ..] => Ok((resource, None, rest)),
        [] => Err("names no two resources".into()),
    }
}

fn action<'a, 'b>(words: &'b [&'a str]) -> (Option<&'a str>, &'b [&'a str]) {
    match words {
        [word, rest @ ..] if ["start", "stop", "promote", "demote"].contains(word) => (Some(word), rest),
        words => (None, words),
    }
}

fn place_on(resource: &str, nodes: &[&str], sign: &str, cluster: &mut Cluster) {
    for word in nodes.iter().filter(|word| !word.starts_with("--")) {
        let (node, score) = word.split_once('=').unwrap_or((word, "INFINITY"));
        let score = match (sign, score.strip_prefix('-')) {
            ("-", Some(positive)) => positive.to_owned(),
            (sign, _) => format!("{sign}{score}"),
        };
        cluster.prefer(resource, node, &score);
    }
}

fn rule(resource: &str, words: &[&str], cluster: &mut Cluster) -> Done {
    let mut made = Rule { score: "INFINITY".into(), ..Rule::default() };
    // 0.12 has the whole expression as one word.
    let split: Vec<&str> = words.iter().flat_map(|word| word.split_whitespace()).collect();
    let mut rest = split.as_slice();
    while let [word, tail @ ..] = rest {
        match word.split_once('=') {
            Some(("score", score)) => made.score = score.to_owned(),
            Some(("score-attribute", name)) => {
                made.score = name.to_owned();
                made.by_attribute = true;
            }
            Some(("role", _)) => return Err("a rule for one role is not carried over".into()),
            Some(_) => {}
            None => break,
        }
        rest = tail;
    }
    let mut ands = 0;
    loop {
        let (expression, tail) = match rest {
            [word @ ("defined" | "not_defined"), attribute, tail @ ..] => {
                let (attribute, operation) = ((*attribute).to_owned(), (*word).to_owned());
                (Expression { attribute, operation, value: None }, tail)
            }
            [
                attribute,
                word @ ("eq" | "ne" | "lt" | "gt" | "lte" | "gte"),
                kind @ ("string" | "integer" | "number" | "version"),
                value,
                tail @ ..,
            ] => {
                let _ = kind;
                let (attribute, operation) = ((*attribute).to_owned(), (*word).to_owned());
                (Expression { attribute, operation, value: Some((*value).to_owned()) }, tail)
            }
            [attribute, word @ ("eq" | "ne" | "lt" | "gt" | "lte" | "gte"), value, tail @ ..] => {
                let (attribute, operation) = ((*attribute).to_owned(), (*word).to_owned());
                (Expression { attribute, operation, value: Some((*value).to_owned()) }, tail)
            }
            _ => return Err("a rule of this form is not carried over".into()),
        };
        made.expressions.push(expression);
        rest = match tail {
            [] => break,
            ["or", tail @ ..] => {
                made.any = true;
                tail
            }
            ["and", tail @ ..] => {
                ands += 1;
                tail
            }
            _ => return Err("a rule of this form is not carried over".into()),
        };
    }
    if made.any && ands > 0 {
        return Err("and beside or is not carried over: write two [[location]]".into());
    }
    let id = id(&format!("location-{resource}-rule"));
    let taken = cluster.configuration.locations.iter().filter(|one| one.id.starts_with(&id)).count();
    let id = if taken == 0 { id } else { format!("{id}-{}", taken + 1) };
    cluster.configuration.locations.push(Location {
        id,
        resource: resource.to_owned(),
        rules: vec![made],
        ..Location::default()
    });
    Ok(())
}
