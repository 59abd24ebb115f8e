//! `[cluster]`: its name and how soon it notices.

use super::fault::Fault;
use super::names;
use super::reader::Table;

/// How soon a silent node counts as lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detection {
    /// Whatever the distribution's corosync has as its token timeout.
    Default,
    /// A token timeout of one second.
    Fast,
}

/// The cluster itself.
#[derive(Debug)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// How soon a silent node counts as lost.
    pub detection: Detection,
    /// Whether a node joins by itself when it boots.
    pub start_at_boot: bool,
}

impl Cluster {
    pub(super) fn read(table: Table<'_>) -> Result<Cluster, Fault> {
        let mut table = table.only(&["name", "detection", "start_at_boot"])?;
        let name = table.need("name", names::CLUSTER_NAME)?.text()?;
        if !names::is_cluster_name(&name.text) {
            return Err(name.must_be(names::CLUSTER_NAME));
        }
        let detection = match table.take("detection").map(|item| item.text()).transpose()? {
            None => Detection::Default,
            Some(word) => match word.text.as_str() {
                "default" => Detection::Default,
                "fast" => Detection::Fast,
                _ => return Err(word.must_be("default or fast")),
            },
        };
        let start_at_boot = table.take("start_at_boot").map_or(Ok(true), |item| item.boolean())?;
        Ok(Cluster { name: name.text, detection, start_at_boot })
    }
}
