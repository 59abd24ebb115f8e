//! Lines with ccs and pcs commands, as guides have them, as a cluster. Nothing is run.

use super::File;
use super::cluster::Cluster;
use super::lines::lines;
use super::notes::Notes;
use super::{cman, pcs};
use crate::document::element::Element;

pub(super) fn read(file: &File, cluster: &mut Cluster, notes: &mut Notes) {
    let mut conf = Conf::default();
    for line in lines(&File { name: file.name.clone(), text: without_prompts(&file.text) }) {
        let words = line.words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (place, text) = (&line.place, hidden(&line.text));
        let done = match words.as_slice() {
            [program, rest @ ..] if base(program) == "ccs" => conf.command(rest),
            [program, rest @ ..] if base(program) == "pcs" => pcs::command(rest, place, cluster, notes),
            [program, ..] if ["yum", "dnf", "apt", "apt-get", "zypper"].contains(&base(program)) => {
                Err("the head of the generator's script says what every node needs".into())
            }
            [program, ..] if ["service", "systemctl", "chkconfig", "update-rc.d"].contains(&base(program)) => {
                Err("the script of the generator starts the cluster; what it manages is disabled at boot by hand"
                    .into())
            }
            _ => Err("is no ccs or pcs command".into()),
        };
        if let Err(why) = done {
            notes.leave(place, &text, why);
        }
    }
    if let Some(root) = conf.root() {
        cman::conf(&root, file.base(), cluster, notes);
    }
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// The lines without what guides put before a command: `[ONE] #`, `node1 $`, `root@a:~#`.
fn without_prompts(text: &str) -> String {
    let mut all = String::new();
    for line in text.lines() {
        let known = ["ccs ", "pcs ", "yum ", "service ", "chkconfig ", "systemctl ", "echo ", "apt-get ", "dnf "];
        let prompt = line.trim_start().starts_with('[') || line.contains("# ") || line.contains("$ ");
        let at = known.iter().filter_map(|word| line.find(&format!(" {word}"))).min();
        match at.filter(|at| prompt && line.get(..*at).is_some_and(|head| head.trim_end().ends_with(['#', '$', '>']))) {
            Some(at) => all.push_str(line.get(at + 1..).unwrap_or_default()),
            None => all.push_str(line),
        }
        all.push('\n');
    }
    all
}

/// The line without what -p and --password are followed by.
fn hidden(text: &str) -> String {
    let mut hide = false;
    let words = text.split_whitespace().map(|word| {
        let shown = if hide { "(not shown)" } else { word };
        hide = ["-p", "--password", "-P"].contains(&word);
        shown.to_owned()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The cluster.conf that ccs commands would write.
#[derive(Default)]
struct Conf {
    name: Option<String>,
    nodes: Vec<Element>,
    devices: Vec<Element>,
    totem: Vec<(String, String)>,
}

fn element(name: &str, attributes: &[(&str, &str)]) -> Element {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Element { name: name.into(), attributes, ..Element::default() }
}

impl Conf {
    fn command(&mut self, words: &[&str]) -> Result<(), String> {
        let Some(at) = words.iter().position(|word| word.starts_with("--") && word.len() > 2) else {
            return Err("has no command of ccs".into());
        };
        let (name, rest) = (words.get(at).copied().unwrap_or_default(), words.get(at + 1..).unwrap_or_default());
        let pairs = |from: usize| -> Vec<(&str, &str)> {
            rest.iter().skip(from).filter_map(|word| word.split_once('=')).collect()
        };
        match (name, rest) {
            ("--createcluster", [name, ..]) => self.name = Some((*name).to_owned()),
            ("--addnode", [name, ..]) => {
                let mut all = vec![("name", *name)];
                all.extend(pairs(1));
                self.nodes.push(element("clusternode", &all));
            }
            ("--addalt", [node, alias, ..]) => self.node(node)?.children.push(element("altname", &[("name", alias)])),
            ("--addfencedev", [name, ..]) => {
                let mut all = vec![("name", *name)];
                all.extend(pairs(1));
                self.devices.push(element("fencedevice", &all));
            }
            ("--addmethod", [method, node, ..]) => {
                let node = self.node(node)?;
                if node.child("fence").is_none() {
                    node.children.push(element("fence", &[]));
                }
                let fence = node.children.iter_mut().find(|one| one.name == "fence");
                fence.into_iter().for_each(|one| one.children.push(element("method", &[("name", method)])));
            }
            ("--addfenceinst", [device, node, method, ..]) => {
                let mut all = vec![("name", *device)];
                all.extend(pairs(3));
                let fence = self.node(node)?.children.iter_mut().find(|one| one.name == "fence");
                let method =
                    fence.and_then(|one| one.children.iter_mut().find(|one| one.filled("name") == Some(*method)));
                method.ok_or("is for a method that no line before it adds")?.children.push(element("device", &all));
            }
            ("--settotem", _) => {
                self.totem.extend(pairs(0).into_iter().map(|(name, value)| (name.into(), value.into())))
            }
            ("--startall" | "--stopall" | "--sync" | "--activate" | "--checkconf" | "--lsnodes" | "--getconf", _) => {
                return Err("the script of the generator starts the cluster".into());
            }
            ("--setcman", _) => {
                return Err("corosync counts the votes, and knows two nodes as a case of its own".into());
            }
            _ => return Err("this command of ccs is not known here".into()),
        }
        Ok(())
    }

    fn node(&mut self, name: &str) -> Result<&mut Element, String> {
        let node = self.nodes.iter_mut().find(|one| one.filled("name") == Some(name));
        node.ok_or_else(|| format!("{name} is a node that no line before it adds"))
    }

    fn root(self) -> Option<Element> {
        if self.name.is_none() && self.nodes.is_empty() {
            return None;
        }
        let mut root = element("cluster", &self.name.iter().map(|name| ("name", name.as_str())).collect::<Vec<_>>());
        if !self.totem.is_empty() {
            root.children.push(Element { name: "totem".into(), attributes: self.totem, ..Element::default() });
        }
        root.children.push(Element { name: "clusternodes".into(), children: self.nodes, ..Element::default() });
        root.children.push(Element { name: "fencedevices".into(), children: self.devices, ..Element::default() });
        Some(root)
    }
}
