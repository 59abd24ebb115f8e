//! Drift: what somebody else has changed in the kernel's table since the last round, in words.

use std::collections::HashSet;

use super::name;
use super::plan::Found;
use crate::sys::ipvs::{Change, Key, RealServer};

/// One line for each thing that is not as it was left. `back` would lead back to that, `made` is what is done now: the line
/// says so when it puts this very thing right.
pub fn lines(back: &[Change], found: &Found<'_>, made: &[Change]) -> Vec<String> {
    let new: HashSet<Key> =
        back.iter().filter_map(|c| if let Change::AddService(s) = c { Some(s.key) } else { None }).collect();
    let made: HashSet<&Change> = made.iter().collect();
    let line = |change: &Change| {
        let (what, done) = match change {
            // Its real servers went with it.
            Change::AddServer(key, _) if new.contains(key) => return None,
            Change::AddService(service) => {
                (format!("service {} was missing with all its real servers", service.key), "added")
            }
            Change::EditService(service) => {
                let scheduler = found.service(service.key).map_or("another", |found| &found.scheduler);
                let same = scheduler == service.scheduler;
                let other =
                    if same { "other flags or persistence".to_owned() } else { format!("scheduler {scheduler}") };
                (format!("service {} had {other}", service.key), "set back")
            }
            Change::DeleteService(key) => (format!("service {} was there again", key), "deleted"),
            Change::AddServer(key, server) => (format!("{} was missing", real(*key, server)), "added"),
            Change::EditServer(key, server) => {
                let had = found.server(*key, server.address, server.port).map(|found| found.weight);
                let had = had.filter(|weight| *weight != server.weight);
                let had = had.map_or("other settings".to_owned(), |weight| format!("weight {weight}"));
                (format!("{} had {had}", real(*key, server)), "set back")
            }
            Change::DeleteServer(key, address, port) => {
                let name = name::server(*address, *port);
                (format!("real server {name} of {} was there unasked", key), "deleted")
            }
        };
        Some(if made.contains(change) { format!("{what}: {done}") } else { what })
    };
    back.iter().filter_map(line).collect()
}

fn real(key: Key, server: &RealServer) -> String {
    format!("real server {} of {}", name::server(server.address, server.port), key)
}
