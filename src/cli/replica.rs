//! `inuvika-ha replica`: the data of ovd-lsyncd on this node.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{Failure, print};
use crate::ocf::deadline::Deadline;
use crate::ocf::environment::Environment;
use crate::ocf::log::Log;
use crate::replica::guard::{self, REFUSED};
use crate::replica::hand;
use crate::replica::report::{LOOK, Report};
use crate::replica::scope::Scope;
use crate::replica::stamp::{Kind, Stamp};

/// How long any of these may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How long a person may wait for the number of files that were kept, for each instance.
const PATIENCE: Duration = Duration::from_secs(5);
/// The agent that all this belongs to.
const AGENT: &str = "ovd-lsyncd";
/// Size of all backups together unless the active node says otherwise: 1 GiB.
const BACKUPS: u64 = 1 << 30;

/// Show and settle which data ovd-lsyncd has on this node.
///
/// The data of the active node have an epoch, a number that rises whenever another node takes over. Files that replication
/// would have overwritten or deleted are kept below /var/lib/inuvika-ha/INSTANCE/backup.
#[derive(Debug, Args)]
pub(super) struct Replica {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the data of this node and the files that were kept from being overwritten or deleted
    List {
        /// Only this resource
        #[arg(long, value_name = "RESOURCE", value_parser = instance)]
        instance: Option<String>,
    },
    /// Make the data of this node count, although the peer has newer ones (see 'inuvika-ha replica accept --help')
    ///
    /// A node that could not fetch newer data from its peer serves what it has and pushes nothing: the monitor says so. There
    /// are two ways out. To go back to the peer's data, move the resource there when it is back: this node's files are kept
    /// in its backup folder. To go on with this node's data, run this command here, then restart the resource: the files of
    /// the peer are kept in the peer's backup folder.
    ///
    /// The same holds when a folder here is not mounted any more: mount it and restart the resource, or run this command when
    /// the folder is meant to be as it is.
    Accept {
        /// The resource
        #[arg(long, value_name = "RESOURCE", value_parser = instance)]
        instance: String,
    },
    /// Answer the peer's question what this node has, as JSON (run by the peer over ssh)
    Report {
        #[command(flatten)]
        about: About,
    },
    /// Note that all data of an epoch have arrived here, and report (run by the active node over ssh)
    Complete {
        #[command(flatten)]
        about: About,
        /// The epoch
        #[arg(long)]
        epoch: u64,
        /// The active node
        #[arg(long, value_name = "NODE")]
        from: String,
        /// The active node has stopped, and nothing is missing
        #[arg(long)]
        clean: bool,
        /// What of it, as JSON: the folders and what is left out of them
        #[arg(long, value_name = "JSON", value_parser = scope)]
        scope: Option<Scope>,
        /// Bytes that all backup folders may have together; the newest stays in any case
        #[arg(long, value_name = "BYTES", default_value_t = BACKUPS)]
        limit: u64,
    },
    /// Run ssh, and have the other node refuse files that are older than its own (run by lsyncd's rsync instead of ssh)
    Send {
        #[command(flatten)]
        push: Push,
        /// ssh's command
        #[arg(last = true, required = true, value_name = "WORD")]
        words: Vec<OsString>,
    },
    /// Become rsync, unless this node has newer files (run by the active node over ssh, instead of rsync)
    ///
    /// Ends with 77 when it refuses.
    Receive {
        #[command(flatten)]
        push: Push,
        /// rsync's arguments, from --server on
        #[arg(last = true, required = true, value_name = "WORD")]
        words: Vec<OsString>,
    },
}

#[derive(Debug, Args)]
struct Push {
    /// The resource
    #[arg(long, value_name = "RESOURCE", value_parser = instance)]
    instance: String,
    /// The epoch of the files
    #[arg(long)]
    epoch: u64,
    /// The node that they come from
    #[arg(long, value_name = "NODE")]
    from: String,
}

impl Push {
    fn about(&self) -> guard::Push<'_> {
        guard::Push { instance: &self.instance, epoch: self.epoch, from: &self.from }
    }
}

#[derive(Debug, Args)]
struct About {
    /// The resource
    #[arg(long, value_name = "RESOURCE", value_parser = instance)]
    instance: String,
    /// A replicated folder, to tell the space that is free
    #[arg(long = "folder", value_name = "FOLDER")]
    folders: Vec<PathBuf>,
}

fn instance(text: &str) -> Result<String, String> {
    if hand::is_instance(text) { Ok(text.to_owned()) } else { Err("is not the name of a resource".to_owned()) }
}

fn scope(text: &str) -> Result<Scope, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

impl Replica {
    /// The exit code.
    pub(super) fn run(self) -> Result<u8, Failure> {
        match &self.verb {
            Verb::Send { push, words } => guard::send(&push.about(), words).map_err(|e| outside(e.to_string())),
            Verb::Receive { push, words } => match guard::receive(&push.about(), words) {
                Ok(Ok(never)) => match never {},
                Ok(Err(why)) => {
                    crate::out::stderr(&format!("inuvika-ha: {why}\n"));
                    Ok(REFUSED)
                }
                Err(error) => Err(outside(error.to_string())),
            },
            _ => self.tell().map(|()| 0),
        }
    }

    fn tell(self) -> Result<(), Failure> {
        let deadline = Deadline::after(LIMIT);
        match self.verb {
            Verb::Report { about } => json(&Report::of(&about.instance, &about.folders, LOOK, &deadline)),
            Verb::Complete { about, epoch, from, clean, scope, limit } => {
                let log = Log::new(AGENT, &about.instance, &Environment::of_process());
                let news = (epoch, from.as_str(), clean);
                let report =
                    hand::complete(&about.instance, news, scope, limit, &about.folders, &deadline).map_err(outside)?;
                for line in &report.removed {
                    log.info(line);
                }
                json(&report)
            }
            Verb::Accept { instance } => {
                let accepted = hand::accept(&instance, &deadline).map_err(outside)?;
                let log = Log::new(AGENT, &instance, &Environment::of_process());
                match accepted {
                    hand::Accepted::Data { epoch } => {
                        log.warning(&format!("the data of this node were accepted by hand: epoch {epoch}"));
                        let then = format!("They are pushed after: pcs resource restart {instance}");
                        print(&format!("Accepted as epoch {epoch}. {then}\n"))
                    }
                    hand::Accepted::Folders => {
                        log.warning("the folders of this node were accepted by hand as they stand now");
                        print("Accepted: the folders are right where they stand now.\n")
                    }
                }
            }
            Verb::List { instance } => {
                let all = instance.map_or_else(hand::instances, |instance| vec![instance]);
                let reports: Vec<_> =
                    all.into_iter().map(|name| (Report::of(&name, &[], PATIENCE, &deadline), name)).collect();
                print(&table(&reports))
            }
            // They are no other program any more then.
            Verb::Send { .. } | Verb::Receive { .. } => Ok(()),
        }
    }
}

fn outside(reason: String) -> Failure {
    Failure::Outside(anyhow::anyhow!(reason))
}

fn json(report: &Report) -> Result<(), Failure> {
    let text = serde_json::to_string(report).map_err(anyhow::Error::from)?;
    print(&format!("{text}\n"))
}

fn table(reports: &[(Report, String)]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for (report, instance) in reports {
        let _ = writeln!(text, "{instance}: {}", data(report.stamp.as_ref()));
        for line in [&report.trouble, &report.foreign].into_iter().flatten() {
            let _ = writeln!(text, "  {line}");
        }
        for kept in &report.backups {
            let _ = writeln!(text, "  {}  {}, {} bytes", kept.folder, kept.count(), kept.bytes);
            for name in &kept.first {
                let _ = writeln!(text, "    {name}");
            }
        }
    }
    if text.is_empty() { "no replicated data on this node\n".to_owned() } else { text }
}

fn data(stamp: Option<&Stamp>) -> String {
    let Some(stamp) = stamp else { return "no complete data".to_owned() };
    let epoch = stamp.epoch;
    match (stamp.kind, stamp.fork) {
        (Kind::Source, Some(base)) => {
            format!("epoch {epoch}, active, based on epoch {base}: the peer has newer data, nothing is pushed")
        }
        (Kind::Source, None) if stamp.clean => format!("epoch {epoch}, was active, the peer has everything"),
        (Kind::Source, None) => format!("epoch {epoch}, active here"),
        (Kind::Copy, _) if stamp.clean => format!("epoch {epoch}, copy of {} to the last change", stamp.node),
        (Kind::Copy, _) => format!("epoch {epoch}, copy of {}", stamp.node),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_says_in_words_what_it_has() {
        assert_eq!(table(&[]), "no replicated data on this node\n");
        assert_eq!(data(None), "no complete data");
        assert!(data(Some(&Stamp::source(9, "osm1", Some(6)))).contains("based on epoch 6"));
        assert_eq!(data(Some(&Stamp::copy(7, "osm2", true))), "epoch 7, copy of osm2 to the last change");
    }
}
