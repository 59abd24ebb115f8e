//! The networks: that of the clients, and those between the nodes.

use super::svg::{Canvas, Look, NAME, SMALL, width};
use super::{GAP, Left};
use crate::pcs::plan::Plan;
use crate::scenario::Scenario;

/// The network of the clients, with the router and the address; the line that nodes hang on.
pub(super) fn clients(canvas: &mut Canvas, scenario: &Scenario, (left, right): (u32, u32), y: u32) -> u32 {
    let Some(vip) = &scenario.virtual_ip else { return y };
    let nic = vip.nic.as_ref().map(|nic| format!(" on {nic}")).unwrap_or_default();
    let holder = if vip.own { ", which a service of its own holds" } else { "" };
    let address = format!("virtual IP address {}{nic}{holder}", vip.net);
    let mut x = left;
    let mut put = |canvas: &mut Canvas, text: &str, look: Look| {
        let wide = width(text, NAME) + 24;
        canvas.boxed((x, y), (wide, 30), look);
        canvas.text((x + 12, y + 19), text, NAME);
        canvas.line((x + wide / 2, y + 30), (x + wide / 2, y + 48), 12);
        x += wide + GAP;
    };
    put(canvas, "clients", Look::Plain);
    if let Some(router) = &scenario.router {
        let addresses: Vec<String> = router.addresses.iter().map(ToString::to_string).collect();
        put(canvas, &format!("router {}", addresses.join(", ")), Look::Plain);
    }
    put(canvas, &address, Look::Filled);
    canvas.line((left, y + 48), (right, y + 48), 30);
    let words = "network of the clients";
    canvas.text((right.saturating_sub(width(words, SMALL)), y + 43), words, SMALL);
    y + 48
}

/// The networks between the nodes: a line for each link.
pub(super) fn links(
    canvas: &mut Canvas,
    plan: &Plan,
    left: Left<'_>,
    (column, below): (u32, u32),
    (begin, end): (u32, u32),
    y: u32,
) -> u32 {
    let count = plan.nodes.iter().map(|node| node.addresses.len()).max().unwrap_or(0);
    let mut bottom = y;
    for link in 0..count {
        let number = u32::try_from(link).unwrap_or(0);
        let line = y + number * 26;
        for (index, _) in plan.nodes.iter().enumerate().filter(|(_, node)| node.addresses.len() > link) {
            let x = left(index) + column / 2 + number * 14;
            canvas.line((x, below), (x, line), 12);
        }
        canvas.line((begin, line), (end, line), 30);
        let text =
            if count == 1 { "network between the nodes: the only link".into() } else { format!("link {}", link + 1) };
        canvas.text((begin, line + 14), &text, SMALL);
        bottom = line + 26;
    }
    bottom + 10
}
