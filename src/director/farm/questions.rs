//! What is asked of the real servers of a farm.

use std::collections::{HashMap, HashSet};

use crate::director::check::Question;

/// Each question once.
#[derive(Default)]
pub(super) struct Questions {
    /// In the order of their places.
    pub(super) all: Vec<Question>,
    places: HashMap<Question, usize>,
    checked: HashSet<(usize, Option<u16>)>,
}

impl Questions {
    /// Its place among all, where it is put when it is new.
    pub(super) fn place(&mut self, question: Question) -> usize {
        let next = self.all.len();
        let place = *self.places.entry(question.clone()).or_insert(next);
        if place == next {
            self.all.push(question);
        }
        place
    }

    /// Whether a check, by the address that its draft has, is asked at this port for the first time.
    pub(super) fn is_first(&mut self, draft: usize, port: Option<u16>) -> bool {
        self.checked.insert((draft, port))
    }
}
