//! A pcs command of any version as what it makes of a cluster.

mod constraints;
mod resources;
mod values;

use super::cluster::{Cluster, id};
use super::notes::Notes;
use constraints::constraint;
use resources::{add_group, clone, create, meta, stonith};
use values::pairs;

/// Why a command says nothing that is carried over.
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
