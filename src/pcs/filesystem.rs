//! What the generator knows of ocf:heartbeat:Filesystem, which is not an agent of this package.

use super::plan::{OnFail, Operation, Resource, Setting};
use crate::scenario::repository::{self, Repository};
use crate::scenario::volume::Volume;

/// The resource that mounts it. Before every action, stop and monitor included, the agent asks twice for the mount point (as of
/// resource-agents 4.12), and each question may take what the mount allows: 20 s, where the scenario says nothing else. So these
/// two have more time than its meta-data advises.
pub fn resource(repository: &Repository) -> Resource {
    let text = |value: &String| Setting::Text(value.clone());
    Resource {
        id: repository::ID.into(),
        agent: "ocf:heartbeat:Filesystem".into(),
        params: vec![
            ("device".into(), text(&repository.device)),
            ("directory".into(), text(&repository.directory)),
            ("fstype".into(), text(&repository.fstype)),
            ("options".into(), repository.options.as_ref().map_or(Setting::Unset, text)),
        ],
        meta: Vec::new(),
        operations: vec![
            Operation::plain("start", 0, 60),
            Operation::plain("stop", 0, 120),
            Operation::plain("monitor", 20, 60),
        ],
        whole: false,
    }
}

/// The resource of a file system that is mounted on every node. NFS waits there while its server is gone, and so does a monitor: that
/// would be a failure, and the stop that follows, which cannot end either, gets the node fenced. So a monitor's failure counts for nothing.
pub fn volume(volume: &Volume) -> Resource {
    let plain = resource(&volume.mount);
    let on_fail = |one: &Operation| (one.name == "monitor").then_some(OnFail::Ignore);
    let operations = plain.operations.into_iter();
    Resource {
        id: volume.kind.section.into(),
        operations: operations.map(|one| Operation { on_fail: on_fail(&one), ..one }).collect(),
        ..plain
    }
}
