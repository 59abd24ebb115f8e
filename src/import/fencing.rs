//! Fencing devices of an older cluster, as the sections of a scenario.

use super::cluster::{Cluster, Device, option_value};
use super::notes::{Notes, pair};
use super::write::Writer;
use crate::scenario::fencing::is_secret;
use crate::scenario::names::is_id;

/// Options that follow from the nodes of a device, or have no place in a scenario.
const FROM_NODES: &[&str] = &["pcmk_host_list", "pcmk_host_check", "pcmk_host_argument", "pcmk_host_map"];

/// The devices of a scenario, or that it goes without.
#[derive(Debug, Default)]
pub(super) struct Fencing {
    devices: Vec<Device>,
    levels: Vec<(String, u8, Vec<String>)>,
}

impl Fencing {
    /// The devices, when every node has one.
    pub fn of(cluster: &Cluster, notes: &mut Notes) -> Fencing {
        let nodes: Vec<&str> = cluster.configuration.nodes.iter().map(|node| node.name.as_str()).collect();
        let mut devices = Vec::new();
        for device in &cluster.fencing {
            let (known, unknown): (Vec<String>, Vec<String>) =
                device.nodes.iter().cloned().partition(|node| nodes.contains(&node.as_str()));
            if !unknown.is_empty() {
                notes.leave(
                    "fencing",
                    &format!("{}: {}", device.name, unknown.join(", ")),
                    "is no node of this cluster",
                );
            }
            // One device without any word about nodes: it switches off all of them.
            let known = match device.nodes.is_empty() {
                true => nodes.iter().map(|node| (*node).to_owned()).collect(),
                false => known,
            };
            let agent = device.agent.strip_prefix("stonith:").unwrap_or(&device.agent);
            if known.is_empty() || !agent.starts_with("fence_") || agent.len() < 7 || !is_id(agent) {
                notes.leave(
                    "fencing",
                    &format!("{} ({})", device.name, device.agent),
                    "is no fence agent, or for no node",
                );
                continue;
            }
            let mut options = Vec::new();
            for (name, value) in &device.options {
                let taken = FROM_NODES.contains(&name.as_str()) && name != "pcmk_host_map";
                let odd = !is_secret(name) && (value.is_empty() || value.chars().any(char::is_control));
                match (taken, odd || !is_id(name)) {
                    (true, _) => {}
                    (_, true) => {
                        notes.leave("fencing", &format!("{}: {}", device.name, pair(name, value)), "is no option")
                    }
                    _ => options.push((name.clone(), value.clone())),
                }
            }
            devices.push(Device { agent: agent.to_owned(), nodes: known, options, ..device.clone() });
        }
        let fenced = |node: &str| devices.iter().any(|device| device.nodes.iter().any(|one| one == node));
        if !nodes.iter().all(|node| fenced(node)) {
            for device in &devices {
                notes.leave("fencing", &format!("{} ({})", device.name, device.agent), "not every node has a device");
            }
            return Fencing::default();
        }
        let mut levels: Vec<(String, u8, Vec<String>)> = Vec::new();
        for (node, level, names) in &cluster.levels {
            let able = |name: &String| devices.iter().any(|one| one.name == *name && one.nodes.contains(node));
            let twice = levels.iter().any(|(other, number, _)| other == node && number == level);
            let unique = names.iter().enumerate().all(|(at, name)| !names.iter().take(at).any(|other| other == name));
            if names.is_empty() || !names.iter().all(able) || twice || !unique {
                let text = format!("{node}: level {level}: {}", names.join(", "));
                notes.leave("fencing", &text, "names a device that does not switch off this node, or one twice");
            } else {
                levels.push((node.clone(), *level, names.clone()));
            }
        }
        Fencing { devices, levels }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// Writes the sections.
    pub fn write(&self, text: &mut Writer) {
        for device in &self.devices {
            text.section("fencing", true);
            text.text("name", &device.name);
            text.texts("node", &device.nodes);
            text.text("agent", &device.agent);
            for (name, said) in &device.options {
                text.plain(
                    &format!("options.{}", super::write::quoted_key(name)),
                    option_value(&device.name, name, said),
                );
            }
        }
        for (node, level, devices) in &self.levels {
            text.section("fencing_level", true);
            text.text("node", node);
            text.plain("level", level);
            text.list("devices", devices);
        }
    }
}
