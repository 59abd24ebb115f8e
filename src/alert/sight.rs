//! Who is in the cluster, and what the other nodes have told: asked from the cluster, within a bound.

use std::io;
use std::time::Duration;

use super::told::{ATTRIBUTE, Told};
use crate::cluster::attribute::Attribute;
use crate::cluster::member;
use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// How long the cluster may take to answer. One that does not leaves every node to itself: two messages are better than none.
const LIMIT: Duration = Duration::from_secs(3);

/// What the cluster looks like from here.
#[derive(Debug, Clone)]
pub struct Sight {
    /// This node.
    pub own: String,
    /// The members of this node's part of the cluster, by rising id, this node included.
    pub members: Vec<String>,
    /// What the other nodes have told, by node.
    pub told: Vec<(String, Told)>,
}

impl Sight {
    /// Asks the cluster.
    ///
    /// # Errors
    /// What its tools said.
    pub fn take(deadline: &Deadline) -> io::Result<Sight> {
        let deadline = deadline.within(LIMIT);
        let own = member::own(&deadline)?;
        let list = process::run("crm_node", &["-l"], None, &deadline)?;
        if !list.status.success() {
            return Err(io::Error::other(format!("ask the cluster for its nodes: {}", list.reason())));
        }
        let attribute = Attribute { name: ATTRIBUTE.to_owned(), dampening: 0 };
        let told = attribute.of_others(&deadline)?.into_iter().map(|(node, value)| (node, Told::parse(&value)));
        Ok(Sight { own, members: members(&list.text()), told: told.collect() })
    }
}

/// The names of the members in lines `ID NAME STATE`, by rising id.
fn members(lines: &str) -> Vec<String> {
    let mut found: Vec<(u32, &str)> = lines
        .lines()
        .filter_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
            [id, name, "member"] if member::is_name(name) => Some((id.parse().ok()?, name)),
            _ => None,
        })
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::members;

    #[test]
    fn members_stand_by_their_id() {
        let lines = "10 pcs3.priv member\n2 osm2.priv member\n1 osm1.priv lost\nrubbish\n";
        assert_eq!(members(lines), ["osm2.priv", "pcs3.priv"]);
    }
}
