//! Which node tells an event that all nodes raise. Pure.
//!
//! The rule: the live member with the lowest id tells it. The node that the event is about is not asked, as it may be the
//! one that died. Every further member, by rising id, has its turn [`STEP`] after the one before, unless another has said
//! by then that it has told the event, or that it is going to and is still a member. So a node that dies or cannot reach
//! the mail server delays a message and does not lose it. A node that cannot ask the cluster tells what it knows: an event
//! may then be told twice, but never by nobody.

use super::event::Event;
use super::sight::Sight;
use super::told::Progress;

/// How long, in milliseconds, each node waits for the one before it. Longer than one try to send takes.
pub const STEP: u64 = 10_000;

/// Whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// This node's.
    Own,
    /// This node's, but somebody before it may be about to: it says so first and looks again.
    OwnAfter(Vec<String>),
    /// This node's at that time (ms), if nobody has told it by then.
    Later(u64),
    /// That node has told it.
    ToldBy(String),
    /// That node is going to tell it.
    LeftTo(String),
}

/// Whose turn it is at `now` to tell on `channel` an event that this node has seen at `seen`; a claim counts for `patience`.
/// All in milliseconds.
pub fn turn(event: &Event, channel: &str, seen: u64, now: u64, patience: u64, sight: &Sight) -> Turn {
    if !event.is_everywhere() {
        return Turn::Own;
    }
    let is_member = |node: &String| sight.members.contains(node);
    let progress = |wanted: Progress| {
        let found = sight.told.iter().find(|(_, told)| told.progress(event, channel) == Some(wanted));
        found.map(|(node, _)| node.clone())
    };
    if let Some(node) = progress(Progress::Told) {
        return Turn::ToldBy(node);
    }
    let before = before(event, sight);
    if now < event.time.saturating_add(patience)
        && let Some(node) = progress(Progress::Claimed).filter(is_member)
    {
        return Turn::LeftTo(node);
    }
    let rank = u64::try_from(before.len()).unwrap_or(u64::MAX);
    let at = seen.saturating_add(rank.saturating_mul(STEP));
    match rank {
        0 => Turn::Own,
        _ if now < at => Turn::Later(at),
        _ => Turn::OwnAfter(before),
    }
}

/// The nodes that come before this one.
fn before(event: &Event, sight: &Sight) -> Vec<String> {
    let asked: Vec<&String> = sight.members.iter().filter(|node| **node != event.node).collect();
    let rank = asked.iter().position(|node| **node == sight.own).unwrap_or(asked.len());
    asked.into_iter().take(rank).cloned().collect()
}

/// Whether one of the nodes `before` this one claims the event, too: then it is left to that node.
pub fn yields(event: &Event, channel: &str, before: &[String], sight: &Sight) -> Option<String> {
    let claims = |node: &String| {
        sight.members.contains(node)
            && sight.told.iter().any(|(other, told)| other == node && told.progress(event, channel).is_some())
    };
    before.iter().find(|node| claims(node)).cloned()
}

#[cfg(test)]
mod tests {
    use super::super::event::Kind;
    use super::super::told::Told;
    use super::*;

    const SEEN: u64 = 1_700_000_000_000;

    fn event(kind: Kind, node: &str) -> Event {
        Event { kind, desc: "lost".into(), time: SEEN, ..Event::test(node, "") }
    }

    fn sight(own: &str, members: &[&str]) -> Sight {
        let members = members.iter().map(|name| (*name).to_owned()).collect();
        Sight { own: own.to_owned(), members, told: Vec::new() }
    }

    fn of(event: &Event, now: u64, sight: &Sight) -> Turn {
        turn(event, "mail", SEEN, SEEN + now, 600_000, sight)
    }

    #[test]
    fn the_lowest_live_member_that_it_is_not_about_tells_it() {
        let lost = event(Kind::Node, "n1");
        // The membership may be a moment behind: n1 does not count.
        for members in [&["n1", "n2", "n3"][..], &["n2", "n3"]] {
            assert_eq!(of(&lost, 0, &sight("n2", members)), Turn::Own);
            assert_eq!(of(&lost, 0, &sight("n3", members)), Turn::Later(SEEN + STEP));
            assert_eq!(of(&lost, STEP, &sight("n3", members)), Turn::OwnAfter(vec!["n2".into()]));
        }
        // What only one node raises is that node's own.
        assert_eq!(of(&event(Kind::Resource, "n3"), 0, &sight("n3", &["n1", "n2", "n3"])), Turn::Own);
        // Who comes back does not speak of itself before others had their turn.
        assert_eq!(of(&lost, 0, &sight("n1", &["n1", "n2"])), Turn::Later(SEEN + STEP));
    }

    #[test]
    fn what_another_has_told_or_claims_is_not_told_again() {
        let lost = event(Kind::Fencing, "n1");
        let mut seen = sight("n3", &["n2", "n3"]);
        let mut told = Told::default();
        told.mark(&lost, "mail", Progress::Claimed);
        seen.told = vec![("n2".into(), told.clone())];
        assert_eq!(of(&lost, STEP, &seen), Turn::LeftTo("n2".into()));
        // Not for ever, and not once that node is gone.
        assert_eq!(of(&lost, 600_000, &seen), Turn::OwnAfter(vec!["n2".into()]));
        seen.members = vec!["n3".into()];
        assert_eq!(of(&lost, 0, &seen), Turn::Own);
        // A message that was sent stays sent, whatever becomes of its sender.
        told.mark(&lost, "mail", Progress::Told);
        seen.told = vec![("n2".into(), told)];
        assert_eq!(of(&lost, 0, &seen), Turn::ToldBy("n2".into()));
    }

    #[test]
    fn a_node_that_is_lost_again_is_another_event() {
        let first = event(Kind::Node, "n1");
        let mut told = Told::default();
        told.mark(&first, "mail", Progress::Told);
        let mut seen = sight("n3", &["n2", "n3"]);
        seen.told = vec![("n2".into(), told)];
        // As the other node's clock has it.
        assert_eq!(of(&Event { time: SEEN + 3_000, ..first.clone() }, STEP, &seen), Turn::ToldBy("n2".into()));
        let again = Event { time: SEEN + 26_000, ..first };
        assert_eq!(of(&again, STEP, &seen), Turn::OwnAfter(vec!["n2".into()]));
    }

    #[test]
    fn of_two_that_claim_at_once_the_one_before_wins() {
        let lost = event(Kind::Node, "n1");
        let mut told = Told::default();
        told.mark(&lost, "mail", Progress::Claimed);
        let mut seen = sight("n3", &["n2", "n3", "n4"]);
        seen.told = vec![("n4".into(), told.clone())];
        assert_eq!(yields(&lost, "mail", &["n2".into()], &seen), None);
        seen.told.push(("n2".into(), told));
        assert_eq!(yields(&lost, "mail", &["n2".into()], &seen), Some("n2".into()));
    }
}
