//! What an agent does on a host without Pacemaker, or where Pacemaker runs it as an LSB script.

/// Whether an agent works as a script in /etc/init.d.
#[derive(Debug, Clone, Copy)]
pub enum Alone {
    /// start, stop and monitor are all it needs.
    Script(Script),
    /// Somebody has to do its monitor again and again: a loop in the background does (`inuvika-ha lvs run`).
    Loop(Script),
    /// Only as a clone under Pacemaker.
    Never,
}

/// What its script has beyond what all have.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    /// What has to be up before it, where that is on this host at all (LSB `Should-Start`): facilities or names of scripts.
    pub after: &'static [&'static str],
    /// What it takes the place of, if that had a settings file, too.
    pub older: Option<Older>,
}

/// A settings file that there was before, and what it calls parameters.
#[derive(Debug, Clone, Copy)]
pub struct Older {
    /// The name of the file in /etc/default or /etc/sysconfig.
    pub file: &'static str,
    /// Its own names, in capitals, and the parameters that are meant. A name that only differs in case is not among them.
    pub names: &'static [(&'static str, &'static str)],
}

impl Alone {
    /// Its script, if it has one.
    pub fn script(&self) -> Option<&Script> {
        match self {
            Alone::Script(script) | Alone::Loop(script) => Some(script),
            Alone::Never => None,
        }
    }
}
