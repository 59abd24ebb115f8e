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
mod ha_cf;
mod haresources;
mod ipvsadm;
mod lines;
mod lvs;
mod lvs_cib;
mod lvs_farm;
mod mon_cf;
mod notes;
mod pcs;
mod services;
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
    for file in files {
        if file.text.len() > LONGEST {
            return Err(format!("{}: is longer than 1 MiB: no configuration is", file.name));
        }
    }
    let mut notes = Notes::default();
    let draft = match kind {
        Kind::Lvs => lvs::import(files, answers, &mut notes)?,
        Kind::Abiquo => {
            let mut found = cluster::Cluster::default();
            for file in files {
                match file.text.trim_start().starts_with('<') {
                    true => cman::read(file, &mut found, &mut notes)?,
                    false => commands::read(file, &mut found, &mut notes),
                }
            }
            abiquo::write(&found, answers, &mut notes)?
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
