//! Resource sets of constraints, as the pairs they mean.

use crate::document::element::Element;

/// A member of a set, with the set's role and action.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub id: String,
    pub role: Option<String>,
    pub action: Option<String>,
}

struct Set {
    members: Vec<Member>,
    sequential: bool,
}

/// The most pairs that sets may make.
const MOST: usize = 2000;

/// The pairs (earlier, later) of a constraint's sets: in a set that is sequential each with the next, and all of a set with all of the
/// next.
pub(super) fn pairs(constraint: &Element) -> Vec<(Member, Member)> {
    let sets: Vec<Set> = constraint.named("resource_set").map(set).collect();
    let mut all = Vec::new();
    for set in sets.iter().filter(|set| set.sequential) {
        all.extend(set.members.windows(2).filter_map(|two| match two {
            [a, b] => Some((a.clone(), b.clone())),
            _ => None,
        }));
    }
    for two in sets.windows(2) {
        let [before, after] = two else { continue };
        for first in &before.members {
            all.extend(after.members.iter().map(|then| (first.clone(), then.clone())));
            if all.len() > MOST {
                return all;
            }
        }
    }
    all
}

fn set(element: &Element) -> Set {
    let text = |name: &str| element.get(name).map(str::to_owned);
    let member = |one: &Element| Member { id: one.text("id").to_owned(), role: text("role"), action: text("action") };
    Set {
        members: element.named("resource_ref").map(member).collect(),
        sequential: element.filled("sequential") != Some("false"),
    }
}
