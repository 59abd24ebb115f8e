//! File systems that are mounted on every node that may run services, before them.

use super::fault::Fault;
use super::reader::{Item, Table, Word};
use super::repository::{Outage, Repository};
use super::setup::{Service, SetUp, VolumeKind};
use std::path::Path;

/// A file system.
#[derive(Debug)]
pub struct Volume {
    /// What kind it is.
    pub kind: &'static VolumeKind,
    /// What is mounted where.
    pub mount: Repository,
}

impl Volume {
    fn has(&self, path: &str) -> bool {
        Path::new(path).starts_with(&self.mount.directory)
    }
}

/// Reads the sections of a set-up's volumes.
pub(super) fn read(setup: &SetUp, top: &mut Table<'_>, warnings: &mut Vec<String>) -> Result<Vec<Volume>, Fault> {
    let mut all: Vec<Volume> = Vec::new();
    for kind in setup.volumes {
        let item = match kind.optional {
            true => top.take(kind.section),
            false => Some(top.need(kind.section, &format!("[{}] with a device and a directory", kind.section))?),
        };
        let Some(table) = item.map(Item::table).transpose()? else { continue };
        let place = table.place();
        let mount = Repository::read(table, Outage::Waits, warnings)?;
        let below = |one: &Path, other: &Path| one.starts_with(other);
        if let Some(other) = all.iter().find(|other| {
            let (one, other) = (Path::new(&mount.directory), Path::new(&other.mount.directory));
            below(one, other) || below(other, one)
        }) {
            let message = format!("its directory and that of {} hide each other: mount them apart", other.kind.section);
            return Err(place.fault(message));
        }
        all.push(Volume { kind, mount });
    }
    Ok(all)
}

/// Compares folders that a service is told of with what is mounted, and tells it of the data where it is told nothing.
pub(super) fn settle(volumes: &[Volume], services: &mut [Service], setup: &Word<'_>) -> Result<(), Fault> {
    let Some(first) = volumes.first() else { return Ok(()) };
    for service in services {
        let section = service.kind.section;
        if let Some(volume) = volumes.get(1)
            && service.read.text("data").is_none()
        {
            let directory = volume.mount.directory.clone();
            service.read.set("data", &directory).map_err(|failure| setup.fault(failure.reason))?;
            let told = service.params.iter_mut().find(|(name, _)| *name == "data");
            if let Some((_, value)) = told {
                *value = Some(directory);
            }
        }
        if let Some(path) = service.read.text("shared").filter(|path| !first.has(path)) {
            let (volume, directory) = (first.kind.section, &first.mount.directory);
            return Err(setup.fault(format!("{section}.shared, {path}, is not on {volume}, which is at {directory}")));
        }
        if let Some(path) = service.read.text("data").filter(|path| !volumes.iter().any(|volume| volume.has(path))) {
            return Err(setup.fault(format!("{section}.data, {path}, is on no volume of this file")));
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use crate::scenario::{Read, read};

    const EXAMPLE: &str = include_str!("../../pcs-examples/ovd-file-server/scenario.toml");

    fn with(edits: &[(&str, &str)]) -> Result<Read, String> {
        let mut text = EXAMPLE.to_owned();
        for (old, new) in edits {
            assert!(text.contains(old), "the example has no {old}");
            text = text.replace(old, new);
        }
        read("s.toml", &text).map_err(|fault| fault.to_string())
    }

    fn refusal(edits: &[(&str, &str)]) -> String {
        with(edits).unwrap_err()
    }

    #[test]
    fn the_service_knows_what_is_mounted() {
        let read = with(&[]).unwrap();
        assert_eq!(read.warnings, Vec::<String>::new());
        let service = &read.scenario.services[0];
        assert_eq!(service.read.text("data"), Some("/mnt/nfs/ovd"));
        assert!(service.params.contains(&("data", Some("/mnt/nfs/ovd".to_owned()))));
        assert!(read.scenario.virtual_ip.unwrap().own);
        // What is acknowledged must not be lost.
        assert!(read.scenario.volumes.iter().all(|volume| volume.mount.options.as_deref() == Some("hard")));
        let soft = with(&[("# options = \"hard\"", "options = \"soft,vers=4.2\"")]).unwrap();
        assert!(soft.warnings.iter().all(|line| line.contains("believe to be written")) && !soft.warnings.is_empty());
        let one = EXAMPLE.replace("directory = \"/mnt/nfs/ctdb\"", "directory = \"/mnt/nfs\"");
        let (head, rest) = one.split_once("[data_volume]").unwrap();
        let (_, tail) = rest.split_once("[ofs_ctdb]").unwrap();
        let one = super::super::read("s.toml", &format!("{head}[ofs_ctdb]\ndata = \"/mnt/nfs/ovd\"\n{tail}")).unwrap();
        assert_eq!(one.scenario.volumes.len(), 1);
    }

    #[test]
    fn folders_that_are_not_mounted_are_refused() {
        let ctdb = "directory = \"/mnt/nfs/ctdb\"";
        let wrong = refusal(&[(ctdb, "directory = \"/srv/ctdb\"")]);
        assert!(
            wrong.ends_with("ofs_ctdb.shared, /mnt/nfs/ctdb, is not on ctdb_volume, which is at /srv/ctdb"),
            "{wrong}"
        );
        let wrong = refusal(&[("[ofs_ctdb]\n", "[ofs_ctdb]\ndata = \"/srv/ovd\"\n")]);
        assert!(wrong.ends_with("ofs_ctdb.data, /srv/ovd, is on no volume of this file"), "{wrong}");
        let wrong = refusal(&[(ctdb, "directory = \"/mnt/nfs\"")]);
        assert!(wrong.contains("data_volume") && wrong.ends_with("hide each other: mount them apart"), "{wrong}");
        let wrong = refusal(&[("[ctdb_volume]", "[lvs_director]")]);
        assert!(wrong.contains("lvs_director: unknown key"), "{wrong}");
    }

    #[test]
    fn nodes_that_speak_to_each_other_among_clients_are_doubtful() {
        let read = with(&[("\"192.168.33.11\"", "\"172.16.4.22\"")]).unwrap();
        assert_eq!(read.warnings.len(), 1, "{:?}", read.warnings);
        assert!(read.warnings[0].contains("may speak to ctdb as a node"), "{:?}", read.warnings);
        let read = with(&[("\"192.168.33.13\"", "\"172.16.4.22\"")]).unwrap();
        assert_eq!(read.warnings, Vec::<String>::new(), "one that only votes has no CTDB");
    }

    #[test]
    fn the_address_has_one_of_two_holders() {
        let read = with(&[("# holder = \"pacemaker\"", "holder = \"pacemaker\"")]).unwrap();
        assert!(!read.scenario.virtual_ip.unwrap().own);
        let wrong = refusal(&[("# holder = \"pacemaker\"", "holder = \"keepalived\"")]);
        assert!(
            wrong.contains("virtual_ip.holder: \"keepalived\" is not allowed: must be ctdb or pacemaker"),
            "{wrong}"
        );
        let wrong = refusal(&[("nic = \"ens32\"\n", "")]);
        assert!(wrong.ends_with("ctdb has to be told a link for it: give nic as well"), "{wrong}");
    }
}
