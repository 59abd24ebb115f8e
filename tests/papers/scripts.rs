//! LSB scripts and their settings files.

use inuvika_ha::agents::REGISTRY;
use inuvika_ha::lsb::text;

use super::{Files, compare};

#[test]
fn scripts_are_as_shipped() {
    let own = |name: &'static str, script| (name.to_owned(), script);
    let scripts: Files = REGISTRY
        .iter()
        .filter_map(|agent| Some(own(agent.table().name, text::script(agent.table(), agent.alone().script()?))))
        .collect();
    assert!(scripts.len() >= 5 && !scripts.contains_key("ofs-ctdb"), "{:?}", scripts.keys());
    compare("init.d", &scripts, &[], 0o755);
}

#[test]
fn settings_files_are_as_shipped() {
    let all = REGISTRY.iter().filter(|agent| agent.alone().script().is_some());
    let files =
        all.map(|agent| (agent.table().name.to_owned(), text::settings(agent.table(), agent.alone()))).collect();
    compare("default", &files, &[], 0o644);
}
