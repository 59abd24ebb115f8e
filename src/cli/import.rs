//! `inuvika-ha import`: a scenario made of the files of an older set-up.

use super::{Failure, print};
use crate::import::{self, Answers, File};
use crate::out;
use anyhow::Context;
use clap::{Args, ValueEnum};
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The exit code when the result has open questions.
const OPEN: u8 = 3;
/// The longest file that is read, in bytes.
const LONGEST: u64 = 2 << 20;

/// Make a scenario of the files of an older set-up.
///
/// What cannot be carried over is listed, with the reason, on standard error and as comments at the end of the scenario. What the
/// files do not say and a cluster needs is an open question at its head: then the exit code is 3, and "inuvika-ha pcs" stops
/// there until it is answered. Secrets are never shown and never carried over.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// What the files are of
    #[arg(value_enum)]
    kind: Kind,
    /// The files; what each is, its name and its text tell
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The address of a node, router or service that the files only name; of a node, one for each link
    #[arg(long, value_name = "NAME=ADDRESS[,ADDRESS]")]
    address: Vec<String>,
    /// A file like /etc/hosts with such addresses
    #[arg(long, value_name = "FILE")]
    hosts: Option<PathBuf>,
    /// The cluster's name, where the files have none
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// Go without fencing: when nodes lose sight of each other, each may run everything
    #[arg(long)]
    accept_split_brain: bool,
    /// Write to this file instead, which must not exist
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Directors of LVS: ha.cf, haresources, mon.cf and scripts with ipvsadm
    Lvs,
    /// Abiquo's Remote Services: a text with the ccs and pcs commands of its guide, cluster.conf
    Abiquo,
    /// Resources of any kind under Heartbeat: haresources, ha.cf, cib.xml
    Heartbeat,
    /// Resources of any kind under CMAN: cluster.conf with services of rgmanager, a text with ccs and pcs commands
    Cman,
    /// Services of OpenSVC: .env and .conf files, and the links or a listing (ls -l) of their launchers
    Opensvc,
}

impl Import {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let mut answers =
            Answers { cluster: self.cluster, accept_split_brain: self.accept_split_brain, ..Answers::default() };
        for word in &self.address {
            answers.address(word).map_err(|reason| Failure::Input(format!("--address: {reason}")))?;
        }
        if let Some(hosts) = &self.hosts {
            answers.hosts(&read(hosts)?.text);
        }
        let files = self.files.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
        let kind = match self.kind {
            Kind::Lvs => import::Kind::Lvs,
            Kind::Abiquo => import::Kind::Abiquo,
            Kind::Heartbeat => import::Kind::Heartbeat,
            Kind::Cman => import::Kind::Cman,
            Kind::Opensvc => import::Kind::Opensvc,
        };
        let imported = import::import(kind, &files, &answers).map_err(Failure::Input)?;
        match &self.output {
            None => print(&imported.text)?,
            Some(path) => {
                let write =
                    || OpenOptions::new().write(true).create_new(true).open(path)?.write_all(imported.text.as_bytes());
                write().with_context(|| format!("write {}", path.display()))?;
            }
        }
        for line in imported.notes.lines() {
            out::stderr(&format!("{line}\n"));
        }
        let is_open = !imported.notes.open.is_empty();
        let head = if is_open { "the generator stops at: " } else { "" };
        for line in &imported.generator {
            out::stderr(&format!("{head}{line}\n"));
        }
        Ok(if is_open { OPEN } else { 0 })
    }
}

/// A file; what is not UTF-8 in it, such as names in an old encoding, is replaced.
fn read(path: &Path) -> Result<File, Failure> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let open = std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
    open.with_context(|| format!("read {name}"))?;
    Ok(File { name, text: String::from_utf8_lossy(&bytes).into_owned() })
}
