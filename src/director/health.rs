//! How well real servers are: answers counted over the rounds.
//!
//! `fall` bad answers in a row make a server down, `rise` good ones bring it back. The first answer ever decides by itself,
//! so that a director that starts has a right table after one round. A question that is not asked any more is forgotten.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::check::{Answer, Question, Verdict};
use super::farm::Pace;
use crate::ocf::state::{Kept, State};

/// The file in the state folder.
pub const FILE: &str = "lvs.health";
/// Of its form.
const VERSION: u32 = 1;

/// What is known of one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Whether the server counts as well.
    pub up: bool,
    /// Answers in a row that say the opposite; below `fall` or `rise`.
    pub against: u32,
    /// When it became so, on the boot clock.
    pub since: Duration,
    /// When it was last asked, on the boot clock.
    pub asked: Duration,
    /// How long the answer took.
    pub took: Duration,
    /// What the answer was, one line.
    pub detail: String,
}

/// What the rounds before have seen.
#[derive(Debug, Clone, Default)]
pub struct Health(HashMap<u64, Seen>);

#[derive(Deserialize)]
struct Written {
    version: u32,
    known: Vec<(u64, Seen)>,
}

#[derive(Serialize)]
struct Writing<'a> {
    version: u32,
    known: Vec<(u64, &'a Seen)>,
}

impl Health {
    /// Reads what was written, and what there is to say about it: what nobody understands is as good as nothing.
    pub fn read(state: &State, now: Duration) -> (Self, Option<String>) {
        let anew = |why: &str| Some(format!("{FILE} {why}: real servers are counted anew"));
        match state.recall::<Written>(FILE) {
            Kept::Nothing => (Self::default(), None),
            Kept::Unreadable(why) => (Self::default(), anew(&format!("cannot be read ({why})"))),
            Kept::Value(written) if written.version != VERSION => (Self::default(), anew("is of another version")),
            Kept::Value(written) if written.known.iter().any(|(_, seen)| seen.asked > now) => {
                (Self::default(), anew("is older than this boot"))
            }
            Kept::Value(written) => (Self(written.known.into_iter().collect()), None),
        }
    }

    /// What is known of each question.
    pub fn of(&self, questions: &[Question]) -> Vec<Option<Seen>> {
        questions.iter().map(|question| self.0.get(&key(question)).cloned()).collect()
    }

    /// Writes what is known of these questions, and forgets all others.
    pub fn write(state: &State, questions: &[Question], seen: &[Option<Seen>]) -> std::io::Result<()> {
        let known = questions.iter().zip(seen).filter_map(|(question, seen)| Some((key(question), seen.as_ref()?)));
        state.write(FILE, &Writing { version: VERSION, known: known.collect() })
    }
}

/// What an answer makes of what was known.
pub fn fold(before: Option<Seen>, answer: &Answer, pace: &Pace, now: Duration) -> Option<Seen> {
    let is_up = match answer.verdict {
        Verdict::Up => true,
        Verdict::Down => false,
        // Nobody was asked: that is neither good nor bad.
        Verdict::Unknown => return before,
    };
    let (up, against, since) = match before {
        None => (is_up, 0, now),
        Some(seen) if seen.up == is_up => (is_up, 0, seen.since),
        Some(seen) => {
            let against = seen.against.saturating_add(1);
            let enough = if seen.up { pace.fall } else { pace.rise };
            if against >= enough { (is_up, 0, now) } else { (seen.up, against, seen.since) }
        }
    };
    Some(Seen { up, against, since, asked: now, took: answer.took, detail: answer.detail.clone() })
}

/// A question in 64 bits: 1,000 of them in full would make the file a long read.
fn key(question: &Question) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    question.hash(&mut hasher);
    hasher.finish()
}

/// 64 bit FNV-1a: the same in every run, unlike the standard library's.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    }
}
