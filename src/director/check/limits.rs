//! What a round of questions may use.

use std::fs;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit};

use crate::ocf::deadline::Deadline;

/// Programs that run at the same time, at most: each is a process, and they run on the director itself.
const COMMANDS: usize = 16;
/// File descriptors that stay free: for logs, libraries, pipes of starting programs.
const RESERVE: usize = 32;
/// A program has two pipes, each with two ends while it starts.
const PER_COMMAND: usize = 5;

/// What a round of questions may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For one question from its first packet to its last byte, whatever the server does. It is never more than three
    /// quarters of what is left for the round when it begins: otherwise a server that hangs would never be told from one that
    /// there was no time for.
    pub timeout: Duration,
    /// Questions that are open at the same time; less where the process may not have so many files open.
    pub concurrency: usize,
    /// The end of the round. What has no answer then gets none.
    pub deadline: Deadline,
}

impl Limits {
    /// What one question gets.
    pub(super) fn per_question(&self) -> Duration {
        self.timeout.min(self.deadline.left() * 3 / 4)
    }

    /// Programs that may run at the same time.
    pub(super) fn commands(&self) -> usize {
        self.concurrency.clamp(1, COMMANDS)
    }

    /// Connections that may be open at the same time, beside so many programs.
    pub(super) fn connections(&self, commands: usize) -> usize {
        bounded(self.concurrency, files_free(), commands)
    }
}

/// `wanted`, as far as `free` files allow beside so many programs; at least one.
fn bounded(wanted: usize, free: usize, commands: usize) -> usize {
    wanted.min(free.saturating_sub(RESERVE + PER_COMMAND * commands)).max(1)
}

/// Files that this process may still open.
fn files_free() -> usize {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(soft, _)| soft);
    let open = fs::read_dir("/proc/self/fd").map_or(RESERVE, Iterator::count);
    usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_stay_below_the_limit_of_files() {
        for (wanted, free, commands, given) in [
            (256, 20_000, 0, 256),
            (1_000, 1_014, 0, 982),
            (1_000, 1_014, 16, 902),
            (1_000, 33, 0, 1),
            (1_000, 5, 3, 1),
            (0, 100, 0, 1),
        ] {
            assert_eq!(bounded(wanted, free, commands), given, "{wanted} of {free}");
        }
        assert!(files_free() > 0);
    }

    #[test]
    fn a_question_leaves_time_to_find_it_unanswered() {
        let limits = |timeout, left| Limits {
            timeout: Duration::from_secs(timeout),
            concurrency: 1,
            deadline: Deadline::after(Duration::from_secs(left)),
        };
        assert_eq!(limits(3, 100).per_question(), Duration::from_secs(3));
        assert!(limits(30, 4).per_question() <= Duration::from_secs(3));
    }
}
