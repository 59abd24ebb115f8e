//! cluster.conf of CMAN as a cluster: its name, nodes and fencing devices.

use super::File;
use super::cluster::{Cluster, Device, id};
use super::notes::{Notes, pair};
use super::rgmanager;
use crate::document::element::Element;

/// An agent that passes the request on to Pacemaker: no device.
const REDIRECT: &str = "fence_pcmk";
/// Options that older fence agents called by another name.
const RENAMED: &[(&str, &str)] = &[
    ("ipaddr", "ip"),
    ("login", "username"),
    ("passwd", "password"),
    ("passwd_script", "password_script"),
    ("secure", "ssh"),
    ("port", "plug"),
];

pub(super) fn read(file: &File, cluster: &mut Cluster, notes: &mut Notes) -> Result<(), String> {
    let root = Element::read(&file.text).map_err(|reason| format!("{}: {reason}", file.name))?;
    if root.name != "cluster" {
        return Err(format!(
            "{}: line {}: <{}> is no cluster.conf: it begins with <cluster>",
            file.name, root.line, root.name
        ));
    }
    conf(&root, file.base(), cluster, notes);
    Ok(())
}

pub(super) fn place(base: &str, element: &Element) -> String {
    if element.line == 0 { base.to_owned() } else { format!("{base}:{}", element.line) }
}

/// The element as it stood, in one line.
pub(super) fn tag(element: &Element) -> String {
    let attributes: Vec<String> =
        element.attributes.iter().map(|(name, value)| format!(" {}", pair(name, value))).collect();
    format!("<{}{}>", element.name, attributes.concat())
}

/// Reads the whole; also one that commands have made.
pub(super) fn conf(root: &Element, base: &str, cluster: &mut Cluster, notes: &mut Notes) {
    if let Some(name) = root.filled("name") {
        cluster.name = Some(name.to_owned());
    }
    for element in &root.children {
        match element.name.as_str() {
            "cman" => cman(element, base, notes),
            "totem" => {
                cluster.token = element.filled("token").and_then(|text| text.parse().ok()).or(cluster.token);
                others(element, base, &["token"], "corosync has its own values for the rest", notes);
            }
            "clusternodes" => element.named("clusternode").for_each(|one| node(one, base, cluster, notes)),
            "fencedevices" => {}
            "rm" if cluster.is_free => {}
            "rm" => {
                let why =
                    "a service of rgmanager, which is no part of this set-up: \"import cman\" makes resources of it";
                element.children.iter().for_each(|one| notes.leave(&place(base, one), &tag(one), why));
            }
            "quorumd" => {
                notes.leave(&place(base, element), &tag(element), "a quorum disk: a quorum device or sbd does that now")
            }
            "fence_daemon" | "logging" | "dlm" | "gfs_controld" | "group" | "uidgid" => {
                notes.leave(&place(base, element), &tag(element), "Pacemaker and corosync have values of their own");
            }
            _ => notes.leave(&place(base, element), &tag(element), "is not known"),
        }
    }
    let devices: Vec<&Element> =
        root.child("fencedevices").map(|all| all.named("fencedevice").collect()).unwrap_or_default();
    fencing(root, &devices, base, cluster, notes);
    // Last, as ids and nodes are known then.
    for rm in root.named("rm").filter(|_| cluster.is_free).collect::<Vec<_>>() {
        rgmanager::read(rm, base, cluster, notes);
    }
}

/// Tells attributes that are not used.
fn others(element: &Element, base: &str, used: &[&str], why: &str, notes: &mut Notes) {
    let rest: Vec<String> = element
        .attributes
        .iter()
        .filter(|(name, _)| !used.contains(&name.as_str()))
        .map(|(name, value)| pair(name, value))
        .collect();
    if !rest.is_empty() {
        notes.leave(&place(base, element), &format!("<{}> {}", element.name, rest.join(" ")), why);
    }
}

fn cman(element: &Element, base: &str, notes: &mut Notes) {
    let place = place(base, element);
    for (name, value) in &element.attributes {
        let why = match name.as_str() {
            "two_node" | "expected_votes" => "corosync counts the votes, and knows two nodes as a case of its own",
            "transport" => "knet: encrypted, several links",
            _ => "corosync has its own",
        };
        notes.leave(&place, &format!("<cman> {}", pair(name, value)), why);
    }
    element
        .named("multicast")
        .for_each(|one| notes.leave(&place, &tag(one), "corosync is told the address of every node instead"));
}

fn node(element: &Element, base: &str, cluster: &mut Cluster, notes: &mut Notes) {
    let Some(name) = element.filled("name") else {
        return notes.leave(&place(base, element), &tag(element), "has no name");
    };
    cluster.node(name);
    if element.filled("votes").is_some_and(|votes| votes != "1") {
        notes.leave(&place(base, element), &tag(element), "every node has one vote");
    }
    let links: Vec<String> = element.named("altname").filter_map(|one| one.filled("name")).map(str::to_owned).collect();
    if !links.is_empty() {
        cluster.aliases.push((name.to_owned(), [vec![name.to_owned()], links].concat()));
    }
}

fn fencing(root: &Element, devices: &[&Element], base: &str, cluster: &mut Cluster, notes: &mut Notes) {
    for element in devices.iter().filter(|one| one.filled("agent") == Some(REDIRECT)) {
        let why = "passes the request on to Pacemaker: no device. Nothing switches a node off yet";
        notes.leave(&place(base, element), &tag(element), why);
    }
    let nodes = root.child("clusternodes").map(|all| all.named("clusternode").collect::<Vec<_>>()).unwrap_or_default();
    let mut deepest = 0;
    let mut levels = Vec::new();
    for element in nodes {
        let Some(name) = element.filled("name") else { continue };
        let methods = element.child("fence").map(|all| all.named("method").collect::<Vec<_>>()).unwrap_or_default();
        let mut level = 0_u8;
        for method in methods {
            let mut used = Vec::new();
            for instance in method.named("device") {
                let known = devices
                    .iter()
                    .find(|one| one.filled("name").is_some() && one.filled("name") == instance.filled("name"));
                match known {
                    Some(known) if known.filled("agent") != Some(REDIRECT) => {
                        used.push(device(known, instance, name, base, cluster, notes));
                    }
                    Some(_) => {}
                    None => notes.leave(&place(base, instance), &tag(instance), "there is no such fencedevice"),
                }
            }
            used.dedup();
            if !used.is_empty() && level < 9 {
                level += 1;
                levels.push((name.to_owned(), level, used));
            }
        }
        deepest = deepest.max(level);
    }
    if deepest > 1 || levels.iter().any(|(.., used)| used.len() > 1) {
        cluster.levels = levels;
    }
}

/// The device of a node: one for each plug, so that each has its own options. Its name.
fn device(
    known: &Element,
    instance: &Element,
    node: &str,
    base: &str,
    cluster: &mut Cluster,
    notes: &mut Notes,
) -> String {
    let name = id(&format!("fence-{}-{node}", known.filled("name").unwrap_or_default()));
    if cluster.fencing.iter().any(|device| device.name == name) {
        return name;
    }
    let mut device = Device {
        name: name.clone(),
        agent: known.text("agent").to_owned(),
        nodes: vec![node.to_owned()],
        ..Device::default()
    };
    let at = place(base, known);
    for (option, value) in known.attributes.iter().chain(&instance.attributes) {
        match option.as_str() {
            "name" | "agent" => {}
            "delay" => device.option(&at, "pcmk_delay_base", &format!("{value}s"), notes),
            "action" | "option" => {
                notes.leave(
                    &place(base, instance),
                    &format!("{option}={value}"),
                    "Pacemaker says itself what is to be done",
                );
            }
            option => {
                let new = RENAMED.iter().find(|(old, _)| *old == option).map_or(option, |(_, new)| new);
                device.option(&at, new, value, notes);
            }
        }
    }
    cluster.fencing.push(device);
    name
}
