//! Sets of values, as the configuration has them for parameters, meta attributes and properties.

/// What the sets of one name have, all together.
#[derive(Debug, Default)]
pub(super) struct Sets {
    /// Each name once.
    pub(super) values: Vec<(String, String)>,
    /// Whether some depend on a rule: they are left out above.
    pub(super) has_rules: bool,
}

impl Sets {
    /// Adds a value unless there is one of this name.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        if self.get(name).is_none() {
            self.values.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Adds those of others that have no value here.
    pub(super) fn extend(&mut self, other: Self) {
        self.has_rules |= other.has_rules;
        other.values.iter().for_each(|(name, value)| self.add(name, value));
    }

    /// The value of that name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A set's score as a number; 0 for what is none.
pub(super) fn score(text: &str) -> i64 {
    match text.trim_start_matches('+') {
        "INFINITY" => 1_000_000,
        "-INFINITY" => -1_000_000,
        number => number.parse().unwrap_or(0),
    }
}
