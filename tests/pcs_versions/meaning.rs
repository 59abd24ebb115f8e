//! What a configuration means, without what its tools choose: the ids of pairs, sets and operations, and the order of things.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Every resource, operation, pair, constraint and expression of a CIB as one line, sorted.
pub fn of(cib: &str) -> Vec<String> {
    let mut reader = Reader::from_str(cib);
    let (mut path, mut lines) = (Vec::<String>::new(), Vec::new());
    let mut inside = false;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                let name = tag.name().as_ref().to_owned();
                inside |= name == "configuration";
                path.push(step(&tag, &path));
                line(inside, &path, &mut lines);
            }
            Event::Empty(tag) => {
                path.push(step(&tag, &path));
                line(inside, &path, &mut lines);
                path.pop();
            }
            Event::End(tag) => {
                inside &= tag.name().as_ref() != "configuration";
                path.pop();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    lines.sort();
    lines
}

fn line(inside: bool, path: &[String], lines: &mut Vec<String>) {
    // The same on all of them, from the trial.
    if inside && path.len() > 3 && path[2] != "nodes" {
        lines.push(path[2..].join(" / "));
    }
}

/// A tag with its attributes. Ids count where people choose them.
fn step(tag: &BytesStart, path: &[String]) -> String {
    let name = tag.name().as_ref().to_owned();
    let chosen =
        ["primitive", "clone", "group"].contains(&name.as_str()) || path.last().is_some_and(|one| one == "constraints");
    let mut attributes: Vec<String> = tag
        .attributes()
        .map(|attribute| {
            let attribute = attribute.unwrap();
            let key = attribute.key.as_ref().to_owned();
            let value = attribute.value.replace("&apos;", "'");
            // Roles had other names before Pacemaker 2.1.
            let value = match (key.as_str(), value.as_str()) {
                ("role" | "rsc-role" | "with-rsc-role", "Master") => "Promoted".to_owned(),
                ("role" | "rsc-role" | "with-rsc-role", "Slave") => "Unpromoted".to_owned(),
                _ => value,
            };
            format!("{key}={value}")
        })
        // Some write down what is so anyway.
        .filter(|attribute| (chosen || !attribute.starts_with("id=")) && attribute != "boolean-op=and")
        .collect();
    attributes.sort();
    if attributes.is_empty() { name } else { format!("{name} {}", attributes.join(" ")) }
}
