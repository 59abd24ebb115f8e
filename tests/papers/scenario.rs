//! inuvika-ha-scenario(5). Its texts are in `sections`; which keys there are is asked of the program.

use std::collections::BTreeMap;

use assert_cmd::Command;
use inuvika_ha::agents;

use super::roff::Page;
use super::sections::{SECTIONS, SERVICE, SERVICES, Section};

/// A whole scenario, as short as it can be.
const EXAMPLE: &str = r#"setup = "ovd-session-manager"

[cluster]
name = "ovd-sm"

[[node]]
name = "osm1.priv"
role = "osm"
address = "192.168.100.11"

[[node]]
name = "osm2.priv"
role = "osm"
address = "192.168.100.12"

[[node]]
name = "pcs3.priv"
role = "quorum"
address = "192.168.100.13"

[virtual_ip]
address = "10.20.1.10/24"
nic = "eth0"

[lsyncd]

[[fencing]]
name = "fence-vmware"
node = ["osm1.priv", "osm2.priv", "pcs3.priv"]
agent = "fence_vmware_rest"
options.ip = "vcenter.example.com"
options.username = "fence@vsphere.local"
options.password = { file = "/etc/inuvika-ha/vmware.secret" }
options.ssl = true
options.pcmk_host_map = "osm1.priv:osm1;osm2.priv:osm2;pcs3.priv:pcs3"
"#;

/// The page.
pub fn page() -> String {
    let mut page = Page::new("inuvika-ha-scenario", 5, "File formats", "a cluster in a few lines");
    page.section("DESCRIPTION").paragraphs(
        "A scenario file says what is to be made highly available, on which nodes, behind which address. inuvika-ha makes the commands \
         of it that configure the cluster. It is TOML, in UTF-8: names with values, in sections. Every key is known: one that is not is \
         refused, with its line and column and what is allowed there, and nothing is printed.\n\ninuvika-ha init prints a commented \
         file for each set-up.",
    );
    page.section("KEYS");
    for Section(title, text, keys) in SECTIONS {
        page.part(title).paragraphs(text);
        for (key, text) in *keys {
            page.term(key, text);
        }
    }
    for (section, agent, text) in SERVICES {
        page.part(&format!("[{section}]"));
        page.paragraphs(&format!("{text}\n\n{SERVICE} {}(7).", super::agents::page_name(agent)));
    }
    page.section("EXAMPLE").paragraphs("Two Session Managers, and a third node that votes:").code(EXAMPLE);
    let pages = SERVICES.iter().map(|(_, agent, _)| (super::agents::page_name(agent), 7));
    page.see_also(&std::iter::once(("inuvika-ha".to_owned(), 8)).chain(pages).collect::<Vec<_>>());
    page.source()
}

/// What `inuvika-ha pcs` says of a text; none when it takes it.
fn refusal(text: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.toml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_inuvika-ha"));
    let output = command.current_dir(folder.path()).args(["pcs", "s.toml"]).output().unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// What the program says is allowed where this unknown key stands; none when it complains about something else.
fn allowed(said: &str, path: &str) -> Option<(bool, Vec<String>)> {
    let said = said.split_once(&format!(": {path}: "))?.1;
    let known = said.split_once("unknown key: allowed here are ").map(|(_, list)| (false, list));
    let (service, list) =
        known.or_else(|| said.split_once("has no such parameter: it takes ").map(|(_, list)| (true, list)))?;
    Some((service, list.lines().next()?.split(", ").map(str::to_owned).collect()))
}

const UNKNOWN: &str = "no_such_key";

/// Every section the program knows with its keys, and whether it stands for an agent. The head is the empty name.
fn known() -> BTreeMap<String, (bool, Vec<String>)> {
    let mut found = BTreeMap::new();
    for setup in ["ovd-session-manager", "lvs-director", "abiquo-remote-services", "ovd-file-server"] {
        let path = format!("{}/pcs-examples/{setup}/scenario.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let said = refusal(&format!("{UNKNOWN} = 1\n{text}")).unwrap();
        let (_, top) = allowed(&said, UNKNOWN).unwrap_or_else(|| panic!("{setup}: {said}"));
        for section in &top {
            let at = |line: &str| line == format!("[{section}]") || line == format!("[[{section}]]");
            let candidates: Vec<String> = match text.lines().find(|line| at(line)) {
                Some(line) => vec![text.replacen(&format!("\n{line}\n"), &format!("\n{line}\n{UNKNOWN} = 1\n"), 1)],
                None => ["[", "[["]
                    .map(|open| format!("{text}\n{open}{section}{}\n{UNKNOWN} = 1\n", open.replace('[', "]")))
                    .into(),
            };
            let path = format!("{section}.{UNKNOWN}");
            let answer = candidates.iter().find_map(|text| allowed(&refusal(text)?, &path));
            if let Some(answer) = answer {
                found.insert(section.clone(), answer);
            }
        }
        let head: &mut (bool, Vec<String>) = found.entry(String::new()).or_default();
        head.1.push("setup".to_owned());
        let heads = top
            .into_iter()
            .filter(|key| ["fencing", "accept_split_brain"].contains(&key.as_str()) || !found.contains_key(key));
        let heads: Vec<String> = heads.collect();
        found.entry(String::new()).or_default().1.extend(heads);
    }
    found
}

#[test]
fn every_key_is_documented() {
    let page = page().replace("\\-", "-");
    let parts: Vec<&str> = page.split("\n.SS \"").skip(1).collect();
    let all = known();
    let again = all.clone();
    assert!(all.len() > 10, "{:?}", all.keys());
    for (section, (is_service, keys)) in all {
        let is_it = |part: &&&str| {
            let title = part.lines().next().unwrap();
            if section.is_empty() { title.starts_with("The head") } else { title.contains(&format!("[{section}]")) }
        };
        let part =
            parts.iter().find(is_it).unwrap_or_else(|| panic!("[{section}] is not documented (it has {keys:?})"));
        if is_service {
            let name = SERVICES.iter().find(|(name, ..)| *name == section).map(|(_, agent, _)| *agent);
            let table = agents::find(name.unwrap_or_else(|| panic!("[{section}] has no agent"))).unwrap().table();
            assert!(keys.iter().all(|key| table.param(key).is_some()), "[{section}] is not {}: {keys:?}", table.name);
            continue;
        }
        for key in keys {
            assert!(part.contains(&format!(".B \"{key}\"\n")), "[{section}] {key} is not documented");
        }
    }
    // What is documented is known: nothing outlives its key.
    for Section(title, _, keys) in SECTIONS {
        for (key, _) in *keys {
            let there = again.iter().any(|(section, (_, known))| {
                let is_it =
                    if section.is_empty() { *title == "The head" } else { title.contains(&format!("[{section}]")) };
                is_it && known.iter().any(|one| one == key)
            });
            assert!(there, "{title} {key} is documented, and no set-up knows it");
        }
    }
}

#[test]
fn the_example_is_one() {
    assert_eq!(refusal(EXAMPLE), None);
}
