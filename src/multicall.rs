//! Who the binary was called as decides what it is: the exact last part of argv[0].
//!
//! Pacemaker runs the link under resource.d/inuvika, so argv[0] and not the resolved path tells (`current_exe` would
//! always be `inuvika-ha`). No suffix is guessed: a link called `my-ovd-osm` is a mistake that must be seen.

use std::path::Path;

use crate::agents;
use crate::agents::ofs_ctdb::event;
use crate::alert;
use crate::ocf::exit::Code;
use crate::out;

/// The name of the command line.
pub const COMMAND: &str = "inuvika-ha";

/// Runs the program; its exit code.
pub fn run() -> u8 {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let called = words.next().unwrap_or_default();
    let name = Path::new(&called).file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    if let Some(agent) = agents::find(&name) {
        let words: Vec<String> = words.collect();
        return crate::ocf::run::run(agent, &words) as u8;
    }
    if name == COMMAND {
        return crate::cli::run();
    }
    if name == alert::NAME {
        return alert::run();
    }
    if event::is_name(&name) {
        let words: Vec<String> = words.collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let Some(line) = event::tell(&words) {
            out::stdout(&format!("{line}\n"));
        }
        return Code::Success as u8;
    }
    let known: Vec<&str> = agents::specs().map(|spec| spec.name).collect();
    out::stderr(&format!(
        "{name}: called by an unknown name: the links are {COMMAND}, {}, {}\n",
        alert::NAME,
        known.join(", ")
    ));
    Code::NotInstalled as u8
}
