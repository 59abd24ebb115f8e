//! What the rsync of this host can be asked for, by its version.

use std::sync::OnceLock;
use std::time::Duration;

use super::rsync::RSYNC;
use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// What rsync may take to say its version.
const VERSION: Duration = Duration::from_secs(2);

/// What every push and pull is given besides, as far as this host's rsync has it; asked once for each program run.
pub fn options(deadline: &Deadline) -> &'static [&'static str] {
    static KNOWN: OnceLock<&[&str]> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let said = process::run(RSYNC, &["--version"], None, &deadline.within(VERSION));
        options_of(&said.map(|output| output.text()).unwrap_or_default())
    })
}

/// By the first line: `rsync  version 3.2.7  protocol version 31`, since 3.2.0 also `version v3.2.0`.
///
/// `--modify-window=-1` compares times to the nanosecond: without it a file that was written twice within a second and kept
/// its size counts as unchanged, and never gets to the other host. rsyncs before 3.1.3 would take every file for changed with
/// it, and put it into the backup folder. `--stderr=client` lets complaints of the other side come in order, as they did
/// before 3.2.3; without it a newer one may end before the line that has the reason.
fn options_of(text: &str) -> &'static [&'static str] {
    let word = text.split_once("version ").and_then(|(_, rest)| rest.split_whitespace().next()).unwrap_or_default();
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u32>().ok();
    let parts: Vec<u32> = word.trim_start_matches('v').split('.').map_while(digits).collect();
    match parts {
        parts if parts >= vec![3, 2, 3] => &["--modify-window=-1", "--stderr=client"],
        parts if parts >= vec![3, 1, 3] => &["--modify-window=-1"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::options_of;

    #[test]
    fn an_rsync_is_asked_for_nothing_that_it_does_not_know() {
        for (version, count) in [
            ("rsync  version 3.5.0  protocol version 32", 2),
            ("rsync  version 3.2.7  protocol version 31", 2),
            ("rsync  version v3.2.3", 2),
            ("rsync  version v3.2.0", 1),
            ("rsync  version 3.1.3  ", 1),
            ("rsync  version 3.1.2  protocol version 31", 0),
            ("rsync  version 3.0.9", 0),
            ("", 0),
            ("rsync version x", 0),
        ] {
            assert_eq!(options_of(version).len(), count, "{version}");
        }
    }
}
