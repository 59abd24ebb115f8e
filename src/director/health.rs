//! How well real servers are: answers counted over the rounds.
//!
//! `fall` bad answers in a row make a server down, `rise` good ones bring it back. The first answer ever decides by itself,
//! so that a director that starts has a right table after one round. A question that is not asked any more is forgotten.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::check::{Answer, Question, Verdict};
use super::farm::Pace;
use super::hash::Fnv;
use crate::ocf::state::{Kept, State};

/// The file in the state folder.
pub const FILE: &str = "lvs.health";
/// Of its form.
const VERSION: u32 = 2;

/// What is known of one question.
#[derive(Debug, Clone, PartialEq, Eq)]
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
pub struct Health(Known);

type Known = HashMap<u64, Seen, BuildHasherDefault<Fnv>>;

/// What is written of one question: its key, then [`Seen`] in its order, times in microseconds. Without names, as there are
/// thousands.
type Line<T> = (u64, bool, u32, u64, u64, u64, T);

#[derive(Deserialize)]
struct Written {
    version: u32,
    known: Vec<Line<String>>,
}

#[derive(Serialize)]
struct Writing<'a> {
    version: u32,
    known: Vec<Line<&'a str>>,
}

impl Health {
    /// Reads what was written, and what there is to say about it: what nobody understands is as good as nothing.
    pub fn read(state: &State, now: Duration) -> (Self, Option<String>) {
        let anew = |why: &str| (Self::default(), Some(format!("{FILE} {why}: real servers are counted anew")));
        let written = match state.recall::<Written>(FILE) {
            Kept::Nothing => return (Self::default(), None),
            Kept::Unreadable(why) => return anew(&format!("cannot be read ({why})")),
            Kept::Value(written) if written.version != VERSION => return anew("is of another version"),
            Kept::Value(written) => written,
        };
        let of = Duration::from_micros;
        let seen = |(key, up, against, since, asked, took, detail)| {
            (key, Seen { up, against, since: of(since), asked: of(asked), took: of(took), detail })
        };
        let known: Known = written.known.into_iter().map(seen).collect();
        if known.values().any(|seen| seen.asked > now) { anew("is older than this boot") } else { (Self(known), None) }
    }

    /// What is known of each of the questions with these keys, which are all different.
    pub fn of(mut self, keys: &[u64]) -> Vec<Option<Seen>> {
        keys.iter().map(|key| self.0.remove(key)).collect()
    }

    /// Writes what is known of the questions with these keys, and forgets all others.
    pub fn write(state: &State, keys: &[u64], seen: &[Option<Seen>]) -> std::io::Result<()> {
        let of = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let known = keys.iter().zip(seen).filter_map(|(key, seen)| {
            let Seen { up, against, since, asked, took, detail } = seen.as_ref()?;
            Some((*key, *up, *against, of(*since), of(*asked), of(*took), detail.as_str()))
        });
        state.write(FILE, &Writing { version: VERSION, known: known.collect() })
    }
}

/// What an answer makes of what was known.
pub fn fold(before: Option<Seen>, answer: Answer, pace: &Pace, now: Duration) -> Option<Seen> {
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
    Some(Seen { up, against, since, asked: now, took: answer.took, detail: answer.detail })
}

/// Each question in 64 bits: 1,000 of them in full would make the file a long read.
pub fn keys(questions: &[Question]) -> Vec<u64> {
    questions.iter().map(key).collect()
}

fn key(question: &Question) -> u64 {
    let mut hasher = Fnv::default();
    question.hash(&mut hasher);
    hasher.finish()
}
