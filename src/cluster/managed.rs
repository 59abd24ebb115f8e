//! What Pacemaker manages: the resources in the cluster's configuration, their parameters and their operations' timeouts.
//!
//! cibadmin is asked for this node's copy; only options that it has had since Pacemaker 1.1.

use std::io;

use super::member;
use crate::document::element::Element;
use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// Where Pacemaker keeps secrets, a folder for each resource, and what stands in their place in the configuration.
const SECRETS: &str = "/var/lib/pacemaker/lrm/secrets";
const IS_SECRET: &str = "lrm://";

/// The configuration of the cluster, as this node has it.
#[derive(Debug)]
pub struct Configuration(Element);

/// A primitive resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its id.
    pub id: String,
    /// Its agent, such as `ocf:inuvika:ovd-osm`.
    pub agent: String,
    /// Its parameters, each once.
    pub params: Vec<(String, String)>,
    /// Its operations.
    pub operations: Vec<Operation>,
    /// Whether parameters depend on a rule: they are left out above.
    pub has_rules: bool,
    /// Whether Pacemaker starts and stops it: neither it nor what it is part of is unmanaged or in maintenance.
    pub is_managed: bool,
}

/// An operation of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its name, such as `monitor`.
    pub name: String,
    /// Its check level.
    pub depth: String,
    /// Its role; empty for the usual one.
    pub role: String,
    /// Its timeout, as it is written there.
    pub timeout: String,
}

impl Configuration {
    /// Asks for it.
    ///
    /// # Errors
    /// Pacemaker's tools are not installed, no cluster runs here, or it does not answer in time.
    pub fn ask(deadline: &Deadline) -> io::Result<Self> {
        let output = process::run("cibadmin", &["-Q", "-l", "-A", "/cib/configuration"], None, deadline)?;
        if !output.status.success() {
            return Err(io::Error::other(format!("ask the cluster for its configuration: {}", output.reason())));
        }
        Self::read(&output.text()).map_err(io::Error::other)
    }

    fn read(text: &str) -> Result<Self, String> {
        let root = Element::read(text).map_err(|why| format!("the cluster's configuration: {why}"))?;
        Ok(Self(root))
    }

    /// All primitive resources.
    pub fn resources(&self) -> Vec<Resource> {
        let mut found = Vec::new();
        let default = self.sets(self.section("rsc_defaults"), "meta_attributes");
        let is_managed = !self.is_in_maintenance() && !is_left_alone(&default.values);
        if let Some(section) = self.section("resources") {
            self.collect(section, is_managed, &mut found);
        }
        found
    }

    /// Nodes in maintenance mode: nothing is managed there.
    pub fn nodes_in_maintenance(&self) -> Vec<String> {
        let nodes = self.section("nodes").into_iter().flat_map(|nodes| &nodes.children);
        let resting = |node: &&Element| is_true(self.sets(Some(node), "instance_attributes").get("maintenance"));
        nodes.filter(resting).map(|node| node.text("uname").to_owned()).collect()
    }

    fn is_in_maintenance(&self) -> bool {
        is_true(self.sets(self.section("crm_config"), "cluster_property_set").get("maintenance-mode"))
    }

    fn section(&self, name: &str) -> Option<&Element> {
        self.0.children.iter().find(|child| child.name == name)
    }

    fn collect(&self, parent: &Element, is_managed: bool, found: &mut Vec<Resource>) {
        for child in &parent.children {
            match child.name.as_str() {
                "primitive" => found.push(self.resource(child, is_managed)),
                "group" | "clone" | "master" | "bundle" => {
                    let meta = self.sets(Some(child), "meta_attributes");
                    self.collect(child, is_managed && !is_left_alone(&meta.values), found);
                }
                _ => {}
            }
        }
    }

    fn resource(&self, primitive: &Element, is_managed: bool) -> Resource {
        let template = primitive.get("template").and_then(|id| find(&self.0, id));
        let of = |name: &str| {
            let mut sets = self.sets(Some(primitive), name);
            sets.extend(self.sets(template, name));
            sets
        };
        let kind = template.filter(|_| primitive.get("type").is_none()).unwrap_or(primitive);
        let words = ["class", "provider", "type"].map(|name| kind.text(name));
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let params = of("instance_attributes");
        let operations = [Some(primitive), template].into_iter().flatten().flat_map(|owner| {
            let lists = owner.children.iter().filter(|child| child.name == "operations");
            lists.flat_map(|list| &self.meant(list).children).map(|op| self.operation(op))
        });
        Resource {
            id: primitive.id().to_owned(),
            agent: words.join(":"),
            operations: operations.collect(),
            has_rules: params.has_rules,
            params: params.values,
            is_managed: is_managed && !is_left_alone(&of("meta_attributes").values),
        }
    }

    fn operation(&self, op: &Element) -> Operation {
        let op = self.meant(op);
        let own = self.sets(Some(op), "instance_attributes");
        Operation {
            name: op.text("name").to_owned(),
            depth: own.get("OCF_CHECK_LEVEL").unwrap_or("0").to_owned(),
            role: op.text("role").to_owned(),
            timeout: op.text("timeout").to_owned(),
        }
    }

    /// The values in the sets called `name` of an element: of several values of one name that of the set with the highest score.
    fn sets(&self, owner: Option<&Element>, name: &str) -> Sets {
        let children = owner.into_iter().flat_map(|owner| &owner.children);
        let mut sets: Vec<&Element> = children.filter(|set| set.name == name).map(|set| self.meant(set)).collect();
        sets.sort_by_key(|set| std::cmp::Reverse(score(set.text("score"))));
        let mut found = Sets::default();
        for set in sets {
            if set.children.iter().any(|child| child.name == "rule") {
                found.has_rules = true;
                continue;
            }
            for pair in set.children.iter().filter(|child| child.name == "nvpair") {
                let meant = self.meant(pair);
                // One that refers to another may have a name of its own.
                let key = pair.get("name").unwrap_or_else(|| meant.text("name"));
                found.add(key, meant.text("value"));
            }
        }
        found
    }

    /// The element itself, or the one that it refers to.
    fn meant<'a>(&'a self, element: &'a Element) -> &'a Element {
        element.get("id-ref").and_then(|id| find(&self.0, id)).unwrap_or(element)
    }
}

#[derive(Debug, Default)]
struct Sets {
    values: Vec<(String, String)>,
    has_rules: bool,
}

impl Sets {
    /// Adds a value unless there is one of this name.
    fn add(&mut self, name: &str, value: &str) {
        if self.get(name).is_none() {
            self.values.push((name.to_owned(), value.to_owned()));
        }
    }

    fn extend(&mut self, other: Self) {
        self.has_rules |= other.has_rules;
        other.values.iter().for_each(|(name, value)| self.add(name, value));
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Resource {
    /// Its parameters with what is kept apart from the configuration put in place.
    ///
    /// # Errors
    /// The file of a secret cannot be read: only root can.
    pub fn revealed(&self) -> io::Result<Vec<(String, String)>> {
        let value = |name: &str, value: &str| {
            if value != IS_SECRET {
                return Ok(value.to_owned());
            }
            let path = format!("{SECRETS}/{}/{name}", self.id);
            let read = std::fs::read_to_string(&path);
            read.map(|text| text.trim_end_matches('\n').to_owned())
                .map_err(|error| io::Error::new(error.kind(), format!("read the secret {path}: {error}")))
        };
        self.params.iter().map(|(name, text)| Ok((name.clone(), value(name, text)?))).collect()
    }

    /// The timeout of an operation, as it is written there: of the one with this check level, if there is one.
    pub fn timeout(&self, name: &str, depth: u8) -> Option<&str> {
        let all =
            || self.operations.iter().filter(|op| op.name == name && op.role != "Stopped" && !op.timeout.is_empty());
        let exact = all().find(|op| op.depth.parse() == Ok(depth));
        exact.or_else(|| all().next()).map(|op| op.timeout.as_str())
    }
}

/// All resources, with what Pacemaker manages on this node. None where no cluster runs, or none that answers by then: nobody is
/// to be kept from anything by that.
pub fn on_this_node(deadline: &Deadline) -> Vec<Resource> {
    let Ok(configuration) = Configuration::ask(deadline) else { return Vec::new() };
    let mut all = configuration.resources();
    let resting = configuration.nodes_in_maintenance();
    if !resting.is_empty() && member::own(deadline).is_ok_and(|own| resting.contains(&own)) {
        all.iter_mut().for_each(|resource| resource.is_managed = false);
    }
    all
}

fn is_left_alone(meta: &[(String, String)]) -> bool {
    let value = |name: &str| meta.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    is_true(value("maintenance")) || value("is-managed").is_some_and(|value| !is_true(Some(value)))
}

/// What Pacemaker takes for true.
fn is_true(value: Option<&str>) -> bool {
    value.is_some_and(|value| ["true", "yes", "on", "y", "1"].contains(&value.to_ascii_lowercase().as_str()))
}

fn score(text: &str) -> i64 {
    match text.trim_start_matches('+') {
        "INFINITY" => 1_000_000,
        "-INFINITY" => -1_000_000,
        number => number.parse().unwrap_or(0),
    }
}

fn find<'a>(element: &'a Element, id: &str) -> Option<&'a Element> {
    if element.get("id") == Some(id) {
        return Some(element);
    }
    element.children.iter().find_map(|child| find(child, id))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    const TEXT: &str = r#"<configuration>
      <crm_config><cluster_property_set id="p"><nvpair id="p1" name="stonith-enabled" value="true"/></cluster_property_set></crm_config>
      <nodes><node id="1" uname="osm1"><instance_attributes id="n"><nvpair id="n1" name="maintenance" value="true"/></instance_attributes></node>
        <node id="2" uname="osm2"/></nodes>
      <resources>
        <template id="t" class="ocf" provider="inuvika" type="ovd-osm">
          <instance_attributes id="ta"><nvpair id="ta1" name="vhost" value="a"/><nvpair id="ta2" name="port" value="1"/></instance_attributes>
          <operations><op id="to" name="monitor" interval="3s" timeout="11s"/></operations>
        </template>
        <group id="g"><meta_attributes id="gm"><nvpair id="gm1" name="is-managed" value="False"/></meta_attributes>
          <primitive id="one" template="t">
            <instance_attributes id="low" score="1"><nvpair id="l1" name="port" value="2"/></instance_attributes>
            <instance_attributes id="high" score="INFINITY"><nvpair id="h1" name="port" value="3"/></instance_attributes>
            <instance_attributes id="ruled"><rule id="r" score="0"/><nvpair id="r1" name="secret" value="x"/></instance_attributes>
          </primitive></group>
        <clone id="c"><primitive id="two" class="ocf" provider="inuvika" type="lvs-director">
          <instance_attributes id-ref="ta"/>
          <operations>
            <op id="o1" name="monitor" interval="12s" role="Stopped" timeout="5s"/>
            <op id="o2" name="monitor" interval="10s" timeout="20"/>
            <op id="o3" name="monitor" interval="20s" timeout="1min"><instance_attributes id="oi"><nvpair id="oi1" name="OCF_CHECK_LEVEL" value="10"/></instance_attributes></op>
          </operations></primitive></clone>
        <primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"/>
        <primitive id="off" class="lsb" type="ovd-osm"><meta_attributes id="om"><nvpair id="om1" name="maintenance" value="1"/></meta_attributes></primitive>
      </resources></configuration>"#;

    #[test]
    fn resources_have_what_pacemaker_gives_them() {
        let all = Configuration::read(TEXT).unwrap().resources();
        let brief: Vec<_> = all.iter().map(|r| (r.id.as_str(), r.agent.as_str(), r.is_managed)).collect();
        let wanted = [
            ("one", "ocf:inuvika:ovd-osm", false),
            ("two", "ocf:inuvika:lvs-director", true),
            ("vip", "ocf:heartbeat:IPaddr2", true),
            ("off", "lsb:ovd-osm", false),
        ];
        assert_eq!(brief, wanted);
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(all[0].params, [pair("port", "3"), pair("vhost", "a")]);
        assert!(all[0].has_rules && !all[1].has_rules);
        assert_eq!(all[0].timeout("monitor", 0), Some("11s"));
        assert_eq!(all[1].params, [pair("vhost", "a"), pair("port", "1")]);
        assert_eq!([0, 10, 20].map(|depth| all[1].timeout("monitor", depth)), [Some("20"), Some("1min"), Some("20")]);
        assert_eq!(all[1].timeout("start", 0), None);
    }

    #[test]
    fn maintenance_is_seen_wherever_it_is_said() {
        let configuration = Configuration::read(TEXT).unwrap();
        assert_eq!(configuration.nodes_in_maintenance(), ["osm1"]);
        let resting = TEXT.replace(r#"name="stonith-enabled""#, r#"name="maintenance-mode""#);
        assert!(Configuration::read(&resting).unwrap().resources().iter().all(|resource| !resource.is_managed));
        assert!(Configuration::read("<configuration>").is_err());
    }
}
