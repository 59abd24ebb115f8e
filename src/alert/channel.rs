//! The ways a message can take, and which of them a recipient means.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use lettre::message::Mailbox;
use nix::libc::{O_CLOEXEC, O_NOFOLLOW, O_NONBLOCK};

use super::letter::{self, Sender};
use super::settings::{self, Settings};
use super::spool::Record;
use super::{hook, mail};
use crate::ocf::deadline::Deadline;

/// One way a message can take.
#[derive(Debug, Clone)]
pub struct Channel {
    /// What tells it from others, on every node in the same way.
    pub key: String,
    /// What it is.
    pub way: Way,
    /// The configuration it comes from.
    pub settings: Rc<Settings>,
}

/// What a channel is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Mail to these.
    Mail(Vec<Mailbox>),
    /// A web server.
    Hook,
    /// A file of this node.
    File,
}

/// Configurations that were read, so that each is read once in a run.
#[derive(Debug, Default)]
pub struct Files {
    read: BTreeMap<PathBuf, Result<Rc<Settings>, String>>,
}

impl Files {
    /// The configuration at `path`.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn get(&mut self, path: &Path) -> Result<Rc<Settings>, String> {
        let read = || Settings::read(path).map(Rc::new);
        self.read.entry(path.to_owned()).or_insert_with(read).clone()
    }

    /// The configuration that a recipient means: a path is one, everything else means the usual one.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn of_recipient(&mut self, recipient: &str) -> Result<Rc<Settings>, String> {
        self.get(path_of(recipient))
    }

    /// The channels that a recipient means: none named, or a path, means all of the configuration; `mail`, `hook` and
    /// `file` mean this one; a mail address means mail to it.
    ///
    /// # Errors
    /// What is wrong with the configuration, or that it has no such channel.
    pub fn channels(&mut self, recipient: &str) -> Result<Vec<Channel>, String> {
        let path = path_of(recipient);
        let settings = self.get(path)?;
        let shown = path.display();
        let all = recipient.is_empty() || recipient.starts_with('/');
        let mut ways = Vec::new();
        let mailbox = recipient.parse::<Mailbox>().ok().filter(|_| recipient.contains('@'));
        if let Some(mail) = settings.mail.as_ref().filter(|_| all || recipient == "mail") {
            if mail.to.is_empty() {
                return Err(format!("{shown}: mail.to names nobody, and neither does the cluster"));
            }
            ways.push(("mail", Way::Mail(mail.to.clone())));
        }
        if let (Some(mailbox), true) = (&mailbox, settings.mail.is_some()) {
            ways.push((recipient, Way::Mail(vec![mailbox.clone()])));
        }
        if settings.hook.is_some() && (all || recipient == "hook") {
            ways.push(("hook", Way::Hook));
        }
        if settings.file.is_some() && (all || recipient == "file") {
            ways.push(("file", Way::File));
        }
        match ways.is_empty() {
            true if mailbox.is_some() => Err(format!("{shown}: has no [mail], which the recipient {recipient} needs")),
            true if ["mail", "hook", "file"].contains(&recipient) => Err(format!("{shown}: has no [{recipient}]")),
            true => Err(format!(
                "recipient {recipient:?}: must be a mail address, mail, hook, file, the path of a configuration or empty"
            )),
            false => {
                let key = |name: &str| format!("{shown} {name}");
                let channel = |(name, way)| Channel { key: key(name), way, settings: Rc::clone(&settings) };
                Ok(ways.into_iter().map(channel).collect())
            }
        }
    }
}

fn path_of(recipient: &str) -> &Path {
    Path::new(if recipient.starts_with('/') { recipient } else { settings::PATH })
}

impl Channel {
    /// Whether one node tells it for all. A file is each node's own.
    pub fn is_shared(&self) -> bool {
        self.way != Way::File
    }

    /// Sends a message about these events, of which there is at least one.
    ///
    /// # Errors
    /// One line: where to, and what went wrong.
    pub fn send(&self, records: &[&Record], sender: &Sender, deadline: &Deadline) -> Result<(), String> {
        match (&self.way, &self.settings.mail, &self.settings.hook, &self.settings.file) {
            (Way::Mail(to), Some(mail), ..) => {
                mail::send(mail, to, &letter::compose(records, sender, &self.key), deadline)
            }
            (Way::Hook, _, Some(hook), _) => hook::send(hook, &letter::document(records, sender), deadline),
            (Way::File, _, _, Some(path)) => append(path, records, sender),
            _ => Err(format!("{}: is not configured any more", self.key)),
        }
    }
}

fn append(path: &Path, records: &[&Record], sender: &Sender) -> Result<(), String> {
    let lines: String = records.iter().map(|record| format!("{}\n", letter::data(record, sender))).collect();
    // A link or a FIFO that somebody has put there is not followed.
    let flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    let open = File::options().append(true).create(true).mode(0o640).custom_flags(flags).open(path);
    open.and_then(|mut file| file.write_all(lines.as_bytes()))
        .map_err(|error| format!("file {}: {error}", path.display()))
}
