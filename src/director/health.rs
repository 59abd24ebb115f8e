//! How well real servers are: answers counted over the rounds.
//!
//! `fall` bad answers in a row make a server down, `rise` good ones bring it back. The first answer ever decides by itself,
//! so that a director that starts has a right table after one round. A question that is not asked any more is forgotten.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use super::check::{Answer, Question, Verdict};
use super::farm::Pace;
use super::hash::Short;
use crate::ocf::state::{Kept, State};

/// The file in the state folder. It is the one that is written in every round, and there may be thousands of questions: so it
/// is of bytes, without names.
pub const FILE: &str = "lvs.health";
/// What it begins with: what it is, and the version of its form.
const MAGIC: &[u8] = b"lvs.health 3\n";

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

/// What the rounds before have seen: each question by its key, in the order of the round that has written it.
#[derive(Debug, Clone, Default)]
pub struct Health(Vec<(u64, Seen)>);

impl Health {
    /// Reads what was written, and what there is to say about it: what nobody understands is as good as nothing.
    pub fn read(state: &State, now: Duration) -> (Self, Option<String>) {
        let anew = |why: &str| (Self::default(), Some(format!("{FILE} {why}: real servers are counted anew")));
        let bytes = match state.recall_bytes(FILE) {
            Kept::Nothing => return (Self::default(), None),
            Kept::Unreadable(why) => return anew(&format!("cannot be read ({why})")),
            Kept::Value(bytes) => bytes,
        };
        let Some(known) = bytes.strip_prefix(MAGIC).and_then(read) else {
            return anew("is cut off, or of another version");
        };
        if known.iter().any(|(_, seen)| seen.asked > now) {
            anew("is older than this boot")
        } else {
            (Self(known), None)
        }
    }

    /// What is known of each of the questions with these keys, which are all different.
    pub fn of(self, keys: &[u64]) -> Vec<Option<Seen>> {
        if self.0.iter().map(|(key, _)| key).eq(keys) {
            return self.0.into_iter().map(|(_, seen)| Some(seen)).collect();
        }
        let mut known: HashMap<u64, Seen> = self.0.into_iter().collect();
        keys.iter().map(|key| known.remove(key)).collect()
    }

    /// Writes what is known of the questions with these keys, and forgets all others.
    pub fn write(state: &State, keys: &[u64], seen: &[Option<Seen>]) -> std::io::Result<()> {
        const USUAL: usize = 128;
        let mut bytes = Vec::with_capacity(MAGIC.len() + keys.len() * USUAL);
        bytes.extend_from_slice(MAGIC);
        for (key, seen) in keys.iter().zip(seen) {
            if let Some(seen) = seen {
                write(&mut bytes, *key, seen);
            }
        }
        state.write_bytes(FILE, &bytes)
    }
}

/// What of one question has a fixed length: key, since, asked, took (microseconds), against, the length of the answer, up.
const FIXED: usize = 4 * 8 + 2 * 4 + 1;

fn write(bytes: &mut Vec<u8>, key: u64, seen: &Seen) {
    let of = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let Seen { up, against, since, asked, took, detail } = seen;
    for number in [key, of(*since), of(*asked), of(*took)] {
        bytes.extend_from_slice(&number.to_ne_bytes());
    }
    for number in [*against, u32::try_from(detail.len()).unwrap_or(u32::MAX)] {
        bytes.extend_from_slice(&number.to_ne_bytes());
    }
    bytes.push(u8::from(*up));
    bytes.extend_from_slice(detail.as_bytes());
}

/// Reads what [`write`] has written; none: that is not it.
fn read(mut bytes: &[u8]) -> Option<Vec<(u64, Seen)>> {
    let mut known = Vec::with_capacity(bytes.len() / FIXED);
    while !bytes.is_empty() {
        let (fixed, rest) = bytes.split_first_chunk::<FIXED>()?;
        let (numbers, fixed) = fixed.split_first_chunk::<32>()?;
        let number = |place: usize| numbers.get(place * 8..)?.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
        let time = |place| number(place).map(Duration::from_micros);
        let (against, fixed) = fixed.split_first_chunk()?;
        let (length, up) = fixed.split_first_chunk()?;
        let (detail, rest) = rest.split_at_checked(u32::from_ne_bytes(*length) as usize)?;
        let seen = Seen {
            up: *up == [1],
            against: u32::from_ne_bytes(*against),
            since: time(1)?,
            asked: time(2)?,
            took: time(3)?,
            detail: std::str::from_utf8(detail).ok()?.to_owned(),
        };
        known.push((number(0)?, seen));
        bytes = rest;
    }
    Some(known)
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
    let mut hasher = Short::default();
    question.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn seen(number: u64) -> Seen {
        let (since, asked) = (Duration::from_micros(number), Duration::from_secs(number + 7));
        let detail = format!("tcp 10.0.0.1: réponse {number}");
        Seen {
            up: number.is_multiple_of(2),
            against: number as u32,
            since,
            asked,
            took: Duration::from_millis(3),
            detail,
        }
    }

    #[test]
    fn what_is_written_is_read_again_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::at(folder.path());
        let keys = [5, u64::MAX, 0, 9];
        let all = [Some(seen(1)), None, Some(seen(2)), Some(seen(3))];
        Health::write(&state, &keys, &all).unwrap();
        let read = |keys: &[u64]| Health::read(&state, Duration::from_secs(10)).0.of(keys);
        assert_eq!(read(&keys), all);
        assert_eq!(read(&[5, 0, 9]), [1, 2, 3].map(|number| Some(seen(number))));
        assert_eq!(read(&[9, 7, 5]), [Some(seen(3)), None, Some(seen(1))]);
        assert!(Health::read(&state, Duration::from_secs(9)).1.unwrap().contains("older than this boot"));
    }

    #[test]
    fn a_file_that_is_cut_off_says_nothing() {
        let mut bytes = Vec::new();
        [1, 2].iter().for_each(|number| write(&mut bytes, *number, &seen(*number)));
        assert_eq!(read(&bytes).unwrap(), [(1, seen(1)), (2, seen(2))]);
        let whole: Vec<usize> = (0..=bytes.len()).filter(|end| read(&bytes[..*end]).is_some()).collect();
        assert_eq!(whole, [0, FIXED + seen(1).detail.len(), bytes.len()]);
    }
}
