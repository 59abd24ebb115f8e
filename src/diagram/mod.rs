//! A scenario as a drawing for the operations manual: nodes, networks, resources, constraints, and what fails together.

mod device;
mod facts;
mod frame;
mod network;
mod order;
mod rule;
mod svg;

use crate::document::element::Element;
use crate::pcs::plan::{Plan, Step};
use crate::pcs::{cib, plan, setting};
use crate::scenario::Scenario;
use crate::scenario::fencing::Fencing;
use crate::simulate::outside;
use crate::simulate::votes::Votes;
use device::Device;
use facts::Place;
use frame::Frame;
use svg::{Canvas, Font, HEAD, Look, NAME, SMALL, TEXT, TITLE, width, wrap};

const MARGIN: u32 = 30;
const GAP: u32 = 24;
const WIDTH: u32 = 900;
/// The height of a resource in a node, and from one to the next.
const BOX: u32 = 38;
const STEP: u32 = 44;

/// The drawing, as SVG. The same scenario gives the same bytes.
pub fn draw(scenario: &Scenario) -> String {
    let plan = plan(scenario);
    let configuration = cib::configuration(&plan);
    let frames = frame::all(&plan);
    let nodes: Vec<String> = frames.iter().map(|frame| frame.name.clone()).collect();
    let services: Vec<&Element> =
        configuration.all("primitive").into_iter().filter(|one| one.text("class") != "stonith").collect();
    let devices: Vec<Device> = setting::resources(&plan).filter_map(|one| Device::of(one, &nodes)).collect();
    let column = column(&frames, &services, &devices);
    let count = u32::try_from(nodes.len()).unwrap_or(1).max(1);
    let full = (count * column + (count - 1) * GAP).max(WIDTH);
    let side = (full - (count * column + (count - 1) * GAP)) / 2;
    let left = |index: usize| MARGIN + side + u32::try_from(index).unwrap_or(0) * (column + GAP);
    let mut canvas = Canvas::default();
    let right = MARGIN + full;

    let mut y = MARGIN + 14;
    for line in wrap(&plan.title, TITLE, full) {
        canvas.text((MARGIN, y), &line, TITLE);
        y += 24;
    }
    canvas.text((MARGIN, y), &votes(scenario, &plan), TEXT);
    y += 30;

    y = network::clients(&mut canvas, scenario, (MARGIN, right), y);
    let bus = y;
    y += 30;
    let top = y;
    // Every node: a frame, which is what fails at once.
    let lines = frames.iter().map(|frame| frame.addresses.len()).max().unwrap_or(0);
    let head = 46 + u32::try_from(lines).unwrap_or(0) * 16;
    let tall = head + u32::try_from(services.len()).unwrap_or(0) * STEP + 10;
    for (index, frame) in frames.iter().enumerate() {
        let x = left(index);
        let places: Vec<Place> = services
            .iter()
            .map(|one| facts::places(&configuration, one.id(), frame::hosts(one, &frames, &nodes)).get(index).copied())
            .map(|place| place.unwrap_or(Place::Never))
            .collect();
        let holds = |connections: bool| {
            let mut all = services.iter().zip(&places).filter(|(one, _)| frame::is_connection(one) == connections);
            all.any(|(_, place)| *place != Place::Never)
        };
        if holds(false) {
            canvas.line((x + column / 2, bus), (x + column / 2, top), 12);
        }
        canvas.boxed((x, top), (column, tall), Look::Frame);
        canvas.text((x + 12, top + 22), &frame.name, HEAD);
        canvas.text((x + 12, top + 38), frame.caption(holds(false), holds(true)), SMALL);
        for (number, address) in frame.addresses.iter().enumerate() {
            let below = 54 + u32::try_from(number).unwrap_or(0) * 16;
            canvas.text((x + 12, top + below), address, SMALL);
        }
        let mut inner = top + head;
        for (one, place) in services.iter().zip(places) {
            let look = match place {
                Place::Runs => Look::Filled,
                Place::May => Look::Broken,
                Place::Never => continue,
            };
            canvas.boxed((x + 10, inner), (column - 20, BOX), look);
            canvas.text((x + 18, inner + 16), one.id(), NAME);
            canvas.text((x + 18, inner + 30), &agent(one), SMALL);
            inner += STEP;
        }
    }
    y = top + tall + 26;
    y = network::links(&mut canvas, &plan, &left, (column, top + tall), (MARGIN, right), y);
    y = match scenario.fencing {
        Fencing::Watchdog => device::watchdogs(&mut canvas, y),
        _ => device::draw(&mut canvas, &devices, &nodes, &left, column, y),
    };
    y = key(&mut canvas, y, right);

    y += 26;
    canvas.text((MARGIN, y), "What starts after what", HEAD);
    let (edge, bottom) = order::draw(&mut canvas, &configuration, MARGIN, y + 22);
    if bottom == y + 22 {
        canvas.text((MARGIN, y + 20), "Nothing waits for anything.", TEXT);
    }
    y = bottom + 26;
    let mut paragraph = |canvas: &mut Canvas, title: &str, sentences: &[String]| {
        if sentences.is_empty() {
            return;
        }
        canvas.text((MARGIN, y), title, HEAD);
        y += 20;
        for sentence in sentences {
            for (number, line) in wrap(sentence, TEXT, full - 20).iter().enumerate() {
                if number == 0 {
                    canvas.text((MARGIN, y), "\u{2013}", TEXT);
                }
                canvas.text((MARGIN + 16, y), line, TEXT);
                y += 17;
            }
        }
        y += 16;
    };
    paragraph(&mut canvas, "Where things run", &facts::sentences(&configuration));
    let mut beside = facts::beside(&configuration);
    for step in plan.steps() {
        match step {
            Step::QuorumDevice(device) => beside.push(format!(
                "A quorum device on {} has a vote ({}): a host outside of the cluster.",
                device.host, device.algorithm
            )),
            Step::Sbd(sbd) => beside.push(format!(
                "sbd: a node that is without news for {} s is switched off by its watchdog {}.",
                sbd.timeout, sbd.watchdog
            )),
            _ => {}
        }
    }
    paragraph(&mut canvas, "Beside them", &beside);
    paragraph(&mut canvas, "Outside of the cluster, and a failure for all at once", &outside::all(scenario, &plan));
    canvas.document((right + MARGIN).max(edge + MARGIN), y + 4, &plan.title)
}

fn votes(scenario: &Scenario, plan: &Plan) -> String {
    let nodes = plan.nodes.len();
    let device = plan.steps().find_map(|step| match step {
        Step::QuorumDevice(device) => Some(Votes::with_device(nodes, &device.algorithm)),
        _ => None,
    });
    let votes = device.unwrap_or(Votes::of(nodes));
    let (all, majority, lost) = (votes.all(), votes.majority(), votes.tolerated());
    let nodes_of = if device.is_some() { "nodes " } else { "" };
    let stickiness = &scenario.failover.stickiness;
    format!(
        "Cluster {}: {all} votes, {majority} needed to go on, so {lost} {nodes_of}may be lost. What runs stays where it is \
         (stickiness {stickiness}).",
        plan.cluster
    )
}

/// How wide a node has to be.
fn column(frames: &[Frame], services: &[&Element], devices: &[Device]) -> u32 {
    let mut widest = 170;
    let mut see = |text: &str, font: Font, more: u32| widest = width(text, font).saturating_add(more).max(widest);
    for frame in frames {
        see(&frame.name, HEAD, 24);
        if frame.remote {
            see(frame.caption(true, false), SMALL, 24);
        }
        frame.addresses.iter().for_each(|address| see(address, SMALL, 24));
    }
    for one in services {
        see(one.id(), NAME, 40);
        see(&agent(one), SMALL, 40);
    }
    for device in devices {
        see(&device.id, NAME, 20);
        see(&device.about, SMALL, 20);
    }
    widest
}

fn agent(one: &Element) -> String {
    [one.get("class"), one.get("provider"), one.get("type")].into_iter().flatten().collect::<Vec<_>>().join(":")
}

/// Where a node begins, by its number.
type Left<'a> = &'a dyn Fn(usize) -> u32;

/// What the boxes mean.
fn key(canvas: &mut Canvas, y: u32, right: u32) -> u32 {
    let mut x = MARGIN;
    let mut row = y + 14;
    for (look, text) in [
        (Look::Filled, "runs here while all is well"),
        (Look::Broken, "takes over here"),
        (Look::Frame, "a failure domain: fails as a whole"),
        (Look::Plain, "fencing device, or outside"),
    ] {
        let wide = 24 + width(text, SMALL) + 26;
        if x + wide > right {
            x = MARGIN;
            row += 20;
        }
        canvas.boxed((x, row - 10), (18, 12), look);
        canvas.text((x + 24, row), text, SMALL);
        x += wide;
    }
    row + 10
}
