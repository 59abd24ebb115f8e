//! `[repository]`: a file system that is mounted where the services run, before them. Others are described alike ([`super::volume`]).

use super::fault::Fault;
use super::reader::Table;
use crate::ocf::params::fits;
use crate::ocf::spec::Kind;

/// The resource's id in the cluster.
pub const ID: &str = "vm_repository";

/// How NFS is mounted when nobody says: with an answer or an error after 20 s (5 s, and three times more; nfs(5)). Pacemaker's
/// actions on a file system that waits for ever do not end, and a stop that does not end gets the node fenced: an outage of the
/// server would be one of the nodes, too.
const SOFT: &str = "soft,timeo=50,retrans=3";
/// How it is mounted where what was acknowledged must not be lost: it waits until the server is back.
const HARD: &str = "hard";

/// What becomes of reading and writing while a server of NFS is gone, when nobody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outage {
    /// It fails.
    Fails,
    /// It waits.
    Waits,
}

/// A file system.
#[derive(Debug)]
pub struct Repository {
    /// What is mounted, as `host:/path`.
    pub device: String,
    /// Where.
    pub directory: String,
    /// Of which type.
    pub fstype: String,
    /// With which options, when there are any.
    pub options: Option<String>,
}

impl Repository {
    /// Reads a section; what its options say is compared with `outage`.
    pub(super) fn read(table: Table<'_>, outage: Outage, warnings: &mut Vec<String>) -> Result<Repository, Fault> {
        let mut table = table.only(&["device", "directory", "fstype", "options"])?;
        let device = table.need("device", "what is mounted, like 10.60.1.72:/opt/vm_repository")?.text()?;
        let is_plain = |text: &str| !text.is_empty() && fits(Kind::Text, text) && !text.contains(char::is_whitespace);
        if !is_plain(&device.text) {
            return Err(device.must_be("a device or host:/path, without white space"));
        }
        let directory = table.need("directory", "where it is mounted, like /opt/vm_repository")?.text()?;
        if !fits(Kind::Path, &directory.text) || directory.text == "/" {
            return Err(directory.must_be(format!("{} other than /", Kind::Path.allowed())));
        }
        let fstype = table.take("fstype").map(|item| item.text()).transpose()?;
        let options = table.take("options").map(|item| item.text()).transpose()?;
        if let Some(wrong) = fstype.iter().chain(&options).find(|word| !is_plain(&word.text)) {
            return Err(wrong.must_be("one word, as mount(8) takes it"));
        }
        let fstype = fstype.map_or_else(|| "nfs".to_owned(), |word| word.text);
        let is_nfs = is_nfs(&fstype);
        let has = |text: &str, words: &[&str]| text.split(',').any(|one| words.contains(&one));
        let (usual, doubt) = match outage {
            Outage::Fails => (
                SOFT,
                "without \"soft\" a server that is gone for some minutes gets the active node fenced; \"hard\" accepts it",
            ),
            Outage::Waits => {
                (HARD, "with \"soft\" a server that is gone for a moment loses what clients believe to be written")
            }
        };
        let is_doubtful = |text: &str| match outage {
            Outage::Fails => !has(text, &["soft", "softerr", "hard"]),
            Outage::Waits => has(text, &["soft", "softerr"]),
        };
        if let Some(word) = options.as_ref().filter(|word| is_nfs && is_doubtful(&word.text)) {
            warnings.push(word.fault(doubt).warning());
        }
        let options = options.map(|word| word.text).or_else(|| is_nfs.then(|| usual.to_owned()));
        Ok(Repository { device: device.text, directory: directory.text, fstype, options })
    }

    /// Where its server answers NFS, where that is not the usual port; 0 where it is something else.
    pub fn port(&self) -> Option<String> {
        if !is_nfs(&self.fstype) {
            return Some("0".to_owned());
        }
        self.options.as_ref()?.split(',').find_map(|one| one.strip_prefix("port=")).map(str::to_owned)
    }
}

fn is_nfs(fstype: &str) -> bool {
    ["nfs", "nfs4"].contains(&fstype)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use crate::scenario::read;

    const EXAMPLE: &str = include_str!("../../pcs-examples/abiquo-remote-services/scenario.toml");

    /// Options, the agent's parameter and warnings on options of the example with these lines in `[repository]`.
    fn with(lines: &str) -> (Option<String>, Option<String>, Vec<String>) {
        let text = EXAMPLE.replace("[repository]\n", &format!("[repository]\n{lines}\n"));
        let read = read("s.toml", &text).unwrap();
        let params = &read.scenario.services[0].params;
        let port = params.iter().find(|(name, _)| *name == "repository_port").and_then(|(_, value)| value.clone());
        let warnings = read.warnings.into_iter().filter(|line| line.contains("without \"soft\"")).collect();
        (read.scenario.repository.unwrap().options, port, warnings)
    }

    #[test]
    fn nfs_never_waits_for_ever_unless_somebody_says_so() {
        let (options, port, warnings) = with("");
        assert_eq!((options.as_deref(), port, warnings.len()), (Some(super::SOFT), None, 0));
        let (options, _, warnings) = with("options = \"vers=4.1\"");
        assert_eq!((options.as_deref(), warnings.len()), (Some("vers=4.1"), 1));
        assert_eq!(with("options = \"hard,vers=4.1\"").2.len(), 0);
    }

    #[test]
    fn the_agent_learns_where_the_server_answers() {
        assert_eq!(with("options = \"soft,port=12049\"").1.as_deref(), Some("12049"));
        let (options, port, warnings) = with("fstype = \"glusterfs\"");
        assert_eq!((options, port.as_deref(), warnings.len()), (None, Some("0"), 0));
        let text = EXAMPLE.replace("[abiquo_rs]\n", "[abiquo_rs]\nrepository_port = 2050\n");
        let text = text.replace("[repository]\n", "[repository]\nfstype = \"tmpfs\"\n");
        let service = &read("s.toml", &text).unwrap().scenario.services[0];
        assert!(service.params.contains(&("repository_port", Some("2050".to_owned()))));
    }
}
