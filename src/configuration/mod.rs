//! What a cluster is told to do, whatever told it: a CIB, a plan of ours, or files of an older cluster. For who judges it or
//! carries it over; it is not what the generator works from.

pub mod cib;
mod sets;
mod time;

pub use time::milliseconds;

/// Names with values, in their order.
pub type Pairs = Vec<(String, String)>;

/// The value of a name.
pub fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// A cluster's configuration.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Cluster properties.
    pub properties: Pairs,
    /// Meta attributes of all resources that say nothing else.
    pub defaults: Pairs,
    /// The same of operations.
    pub operation_defaults: Pairs,
    /// Resources and fencing devices, those in groups and clones as well.
    pub resources: Vec<Resource>,
    /// Groups.
    pub groups: Vec<Group>,
    /// Clones.
    pub clones: Vec<Copies>,
    /// Where resources should be.
    pub locations: Vec<Location>,
    /// What is together with what.
    pub colocations: Vec<Colocation>,
    /// What starts after what.
    pub orders: Vec<Order>,
}

/// A node.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Attributes that last.
    pub attributes: Pairs,
    /// Whether it is a member of its own: pacemaker_remote nodes and guests have no vote.
    pub votes: bool,
    /// Over how many networks the others reach it; none: nobody said.
    pub links: Option<usize>,
}

/// A resource.
#[derive(Debug, Clone, Default)]
pub struct Resource {
    /// Its id.
    pub id: String,
    /// Its agent: `ocf:heartbeat:IPaddr2`, `systemd:httpd`, `stonith:fence_ipmilan`.
    pub agent: String,
    /// Its parameters.
    pub params: Pairs,
    /// Its meta attributes.
    pub meta: Pairs,
    /// Its operations.
    pub operations: Vec<Operation>,
}

impl Resource {
    /// Whether it is a fencing device.
    pub fn is_fencing(&self) -> bool {
        self.agent.starts_with("stonith:")
    }

    /// Whether it asks other hosts and publishes what answers.
    pub fn is_ping(&self) -> bool {
        ["ping", "pingd"].contains(&self.agent.rsplit(':').next().unwrap_or_default())
    }

    /// The last part of its agent.
    pub fn kind(&self) -> &str {
        self.agent.rsplit(':').next().unwrap_or_default()
    }

    /// Its operations of that name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Operation> {
        self.operations.iter().filter(move |operation| operation.name == name)
    }
}

/// An operation, its times as they were written.
#[derive(Debug, Clone, Default)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// How often.
    pub interval: Option<String>,
    /// How long it may take.
    pub timeout: Option<String>,
    /// The role it is for.
    pub role: Option<String>,
    /// What happens when it fails.
    pub on_fail: Option<String>,
}

/// A group.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its resources, in the order they start in.
    pub members: Vec<String>,
    /// Its meta attributes.
    pub meta: Pairs,
}

/// A clone: several instances of a resource or a group.
#[derive(Debug, Clone, Default)]
pub struct Copies {
    /// Its id.
    pub id: String,
    /// What there are several of.
    pub of: String,
    /// Its meta attributes.
    pub meta: Pairs,
    /// Whether some of them are promoted.
    pub promotable: bool,
}

/// Where a resource should be.
#[derive(Debug, Clone, Default)]
pub struct Location {
    /// Its id.
    pub id: String,
    /// The resource; empty where a pattern or a set says which.
    pub resource: String,
    /// The node, where it names one.
    pub node: Option<String>,
    /// The score, where it has one of its own.
    pub score: Option<String>,
    /// `never`, where nobody asks whether the resource runs there.
    pub discovery: Option<String>,
    /// Rules.
    pub rules: Vec<Rule>,
}

/// A rule of a location.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    /// The score of nodes that it is true for: a number, or the name of a node attribute.
    pub score: String,
    /// Whether `score` names an attribute.
    pub by_attribute: bool,
    /// Whether one expression suffices.
    pub any: bool,
    /// Its expressions.
    pub expressions: Vec<Expression>,
}

/// An expression of a rule.
#[derive(Debug, Clone, Default)]
pub struct Expression {
    /// The node attribute.
    pub attribute: String,
    /// `eq`, `lt`, `defined`, ...
    pub operation: String,
    /// What it is compared with.
    pub value: Option<String>,
}

/// One resource follows another.
#[derive(Debug, Clone, Default)]
pub struct Colocation {
    /// Its id.
    pub id: String,
    /// What follows.
    pub resource: String,
    /// Its role.
    pub role: Option<String>,
    /// What leads.
    pub with: String,
    /// Its role.
    pub with_role: Option<String>,
    /// How strongly.
    pub score: String,
}

/// One resource after another.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Its id.
    pub id: String,
    /// What is first.
    pub first: String,
    /// What it does; `start` when nothing is said.
    pub first_action: Option<String>,
    /// What comes then.
    pub then: String,
    /// What it does.
    pub then_action: Option<String>,
    /// `Mandatory`, `Optional`, `Serialize`.
    pub kind: String,
    /// Whether the other way round at stop.
    pub symmetrical: bool,
}

impl Configuration {
    /// The resource of that id.
    pub fn resource(&self, id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id == id)
    }

    /// Whether something has that id that constraints may name.
    pub fn knows(&self, id: &str) -> bool {
        self.resource(id).is_some()
            || self.groups.iter().any(|one| one.id == id)
            || self.clones.iter().any(|one| one.id == id)
    }

    /// The resources that an id stands for: of a group or a clone, all in it.
    pub fn within<'a>(&'a self, id: &'a str) -> Vec<&'a Resource> {
        let id = self.clones.iter().find(|one| one.id == id).map_or(id, |one| one.of.as_str());
        match self.groups.iter().find(|one| one.id == id) {
            Some(group) => group.members.iter().filter_map(|member| self.resource(member)).collect(),
            None => self.resource(id).into_iter().collect(),
        }
    }

    /// Whether instances of this resource run on several nodes.
    pub fn is_cloned(&self, id: &str) -> bool {
        self.clones.iter().any(|one| self.within(&one.id).iter().any(|resource| resource.id == id))
    }

    /// The meta attribute of a resource, of the group or clone around it, or the default of all.
    pub fn meta<'a>(&'a self, resource: &'a Resource, name: &str) -> Option<&'a str> {
        let around = self.groups.iter().find(|group| group.members.contains(&resource.id));
        let id = around.map_or(resource.id.as_str(), |group| group.id.as_str());
        let clone = self.clones.iter().find(|one| one.of == id);
        value(&resource.meta, name)
            .or_else(|| around.and_then(|group| value(&group.meta, name)))
            .or_else(|| clone.and_then(|one| value(&one.meta, name)))
            .or_else(|| value(&self.defaults, name))
    }

    /// Resources that are no fencing devices.
    pub fn services(&self) -> impl Iterator<Item = &Resource> {
        self.resources.iter().filter(|resource| !resource.is_fencing())
    }
}

/// A score: a number, or INFINITY with its sign, as Pacemaker takes it.
pub fn score(text: &str) -> Option<i32> {
    const INFINITY: i32 = 1_000_000;
    match text {
        "INFINITY" | "+INFINITY" => Some(INFINITY),
        "-INFINITY" => Some(-INFINITY),
        text => text.parse::<i64>().ok().map(|n| i32::try_from(n.clamp(-1_000_000, 1_000_000)).unwrap_or(INFINITY)),
    }
}

#[cfg(test)]
mod tests {
    use super::score;

    #[test]
    fn scores() {
        assert_eq!((score("-INFINITY"), score("100"), score("INF")), (Some(-1_000_000), Some(100), None));
    }
}
