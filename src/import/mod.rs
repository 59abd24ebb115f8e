//! The way in from older set-ups: their files become a scenario, with a list of what they say that no scenario can.
//!
//! An importer reads files of one kind into a few plain structures, and writes a scenario from them. What the files do not say
//! and the generator must know is an open question: its place in the scenario holds `?`, or nothing, and the generator stops
//! there. To know that nothing else is wrong, the same scenario is read once more with an answer for each.

mod abiquo;
mod answers;
mod cluster;
mod cman;
mod commands;
mod fencing;
mod free;
mod ha_cf;
mod haresources;
mod heartbeat;
mod ipvsadm;
mod lines;
mod lvs;
mod lvs_cib;
mod lvs_farm;
mod lvs_service;
mod mon_cf;
mod notes;
mod opensvc;
mod pcs;
mod rgmanager;
mod services;
mod whole_cib;
mod write;

use crate::scenario;
pub use answers::Answers;
pub use notes::{Left, Notes};

/// The longest file that is read, in bytes.
const LONGEST: usize = 1 << 20;
/// The name of the result in messages.
const RESULT: &str = "imported scenario";

/// What set-up the files are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// LVS directors: Heartbeat's files, mon.cf and scripts with ipvsadm.
    Lvs,
    /// Abiquo's Remote Services: lines with ccs and pcs commands, cluster.conf.
    Abiquo,
    /// Resources of any kind under Heartbeat: haresources, ha.cf, cib.xml.
    Heartbeat,
    /// Resources of any kind under CMAN: cluster.conf with services of rgmanager, lines with ccs and pcs commands.
    Cman,
    /// Services of OpenSVC: .env and .conf.
    Opensvc,
}

/// A file to import.
#[derive(Debug, Clone)]
pub struct File {
    /// Its name, as messages show it.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl File {
    /// The same with a name that fits into a line of a message: a name may hold anything.
    fn with_plain_name(&self) -> File {
        let plain = |c: char| if c.is_control() { '?' } else { c };
        File { name: self.name.chars().map(plain).collect(), text: self.text.clone() }
    }

    /// The last part of its name.
    fn base(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

/// A scenario made of files.
#[derive(Debug)]
pub struct Imported {
    /// The scenario file.
    pub text: String,
    /// What became of everything else.
    pub notes: Notes,
    /// Where the generator stops, when questions are open; else its warnings.
    pub generator: Vec<String>,
}

/// What an importer made: the scenario as it is printed, and with an answer for every question.
struct Draft {
    printed: String,
    answered: String,
}

/// Makes a scenario of files.
///
/// # Errors
/// One line: the file, what is wrong with it, what to do.
pub fn import(kind: Kind, files: &[File], answers: &Answers) -> Result<Imported, String> {
    let files: Vec<File> = files.iter().map(File::with_plain_name).collect();
    let files = files.as_slice();
    for file in files {
        if file.text.len() > LONGEST {
            return Err(format!("{}: is longer than 1 MiB: no configuration is", file.name));
        }
    }
    let mut notes = Notes::default();
    let draft = match kind {
        Kind::Lvs => lvs::import(files, answers, &mut notes)?,
        Kind::Heartbeat => heartbeat::import(files, answers, &mut notes)?,
        Kind::Opensvc => opensvc::import(files, answers, &mut notes)?,
        Kind::Abiquo | Kind::Cman => {
            let mut found = cluster::Cluster { is_free: kind == Kind::Cman, ..cluster::Cluster::default() };
            for file in files {
                match file.text.trim_start().starts_with('<') {
                    true => cman::read(file, &mut found, &mut notes)?,
                    false => commands::read(file, &mut found, &mut notes),
                }
            }
            match kind {
                Kind::Cman => free::write(&mut found, "cman", answers, &mut notes)?,
                _ => abiquo::write(&found, answers, &mut notes)?,
            }
        }
    };
    let read = |text: &str| scenario::read(RESULT, &notes.frame(text));
    let refused = |fault| format!("{fault}: the files say what no scenario can");
    let whole = read(&draft.answered).map_err(refused)?;
    let text = notes.frame(&draft.printed);
    let generator = match scenario::read(RESULT, &text) {
        Err(fault) if !notes.open.is_empty() => vec![fault.to_string()],
        Err(fault) => return Err(refused(fault)),
        Ok(_) => whole.warnings,
    };
    Ok(Imported { text, notes, generator })
}

#[cfg(test)]
mod tests;
