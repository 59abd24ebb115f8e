//! Fencing devices.

use super::svg::{Canvas, Look, NAME, SMALL};
use super::{Left, MARGIN};
use crate::pcs::plan;

/// A fencing device.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) id: String,
    pub(super) about: String,
    /// Which nodes it switches off, by number.
    targets: Vec<usize>,
}

impl Device {
    pub(super) fn of(resource: &plan::Resource, nodes: &[String]) -> Option<Device> {
        let get = |name: &str| {
            resource.params.iter().find_map(|(one, value)| match value {
                plan::Setting::Text(text) if one == name => Some(text.as_str()),
                _ => None,
            })
        };
        if resource.agent.contains(':') {
            return None;
        }
        let list = get("pcmk_host_list").map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>());
        let map = get("pcmk_host_map").map(|map| {
            map.split(';').filter_map(|pair| pair.split(':').next()).map(|name| name.trim().to_owned()).collect()
        });
        let targets: Vec<String> = list.or(map).unwrap_or_default();
        let at = get("ip").map(|ip| format!(" at {ip}")).unwrap_or_default();
        Some(Device {
            id: resource.id.clone(),
            about: format!("{}{at}", resource.agent),
            targets: nodes
                .iter()
                .enumerate()
                .filter(|(_, node)| targets.contains(node))
                .map(|(index, _)| index)
                .collect(),
        })
    }
}

/// Each node is switched off by itself.
pub(super) fn watchdogs(canvas: &mut Canvas, y: u32) -> u32 {
    canvas.text(
        (MARGIN, y + 12),
        "Fencing: a node that has lost the others is switched off by its own watchdog (sbd).",
        NAME,
    );
    y + 30
}

/// What switches nodes off: below the nodes, as wide as the nodes that it switches off.
pub(super) fn draw(
    canvas: &mut Canvas,
    devices: &[Device],
    nodes: &[String],
    left: Left<'_>,
    column: u32,
    y: u32,
) -> u32 {
    if devices.is_empty() {
        canvas.text(
            (MARGIN, y + 12),
            "NO FENCING: nothing switches off a node that is not heard of. Both sides of a split may run everything.",
            NAME,
        );
        return y + 30;
    }
    // A device in the first row that has room for it.
    let mut rows: Vec<Vec<(usize, usize)>> = Vec::new();
    for device in devices {
        let first = device.targets.first().copied().unwrap_or(0);
        let last = device.targets.last().copied().unwrap_or(nodes.len().saturating_sub(1));
        let fits = |row: &Vec<(usize, usize)>| row.iter().all(|(from, to)| last < *from || first > *to);
        let row = rows.iter().position(fits).unwrap_or_else(|| {
            rows.push(Vec::new());
            rows.len() - 1
        });
        if let Some(taken) = rows.get_mut(row) {
            taken.push((first, last));
        }
        let top = y + u32::try_from(row).unwrap_or(0) * 58;
        let (from, to) = (left(first), left(last) + column);
        canvas.boxed((from, top), (to - from, 48), Look::Plain);
        canvas.text((from + 10, top + 15), &device.id, NAME);
        canvas.text((from + 10, top + 28), &device.about, SMALL);
        let names: Vec<&str> =
            device.targets.iter().filter_map(|index| nodes.get(*index)).map(String::as_str).collect();
        let all = if names.len() == nodes.len() && names.len() > 1 { "every node".into() } else { names.join(", ") };
        canvas.text((from + 10, top + 41), &format!("switches off {all}"), SMALL);
    }
    y + u32::try_from(rows.len()).unwrap_or(0) * 58
}
