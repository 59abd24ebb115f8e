//! What a node counts for by what it reaches: the router towards the clients, and servers behind it.

use super::failover::MAX_SCORE;

/// What a score has on top of everything it has to outweigh.
const ABOVE: u32 = 10;
/// So many steps at most: each is a rule in the cluster, and finer ones tell nobody anything.
const STEPS: u32 = 8;

/// The scores of what a node reaches. With the stickiness S of the address (and of what is in a group with it) and the score P of the first node, a node
/// counts for
///
/// | what | score | S = 1000, P = 200, 12 servers |
/// |---|---|---|
/// | has the address now | S | 1000 |
/// | is the first of the scenario | P | 200 |
/// | each further eighth of the servers (each doubling, where nobody knows how many there are) | step = (S + P) / (4 + 1) + 1 | 241 |
/// | reaches the router | R = S + P + all steps + 10 | 3138 |
/// | sees any server | A = S + P + R + 10 | 4348 |
///
/// so that
/// - A > R + P + S: a node that sees no server loses the address to one that does;
/// - R > S + P + all steps: then the router decides, however many servers each sees;
/// - step > P: where nothing runs, the one that sees most comes first, the first node only among equals;
/// - more than half of the steps > S + P: what runs leaves a node when another sees more than half of all more than it;
/// - all are positive: a node with a negative sum may run nothing, and the only one left must serve.
///
/// What a node has not said counts as if all were well: nothing leaves it before it has spoken, and nothing waits for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Reach {
    /// The numbers of servers at which a node counts for [`step`](Reach::step) more, ascending, from 2.
    pub steps: Vec<u32>,
    /// What each of them counts for.
    pub step: u32,
    /// A node that reaches the router.
    pub router: u32,
    /// A node that sees any server well.
    pub any: u32,
    /// Whether all that outweighs the stickiness: it does not when that is too high for any score.
    pub moves: bool,
}

impl Reach {
    /// Weighs for a stickiness (none: INFINITY), the score of the first node, and the most servers a node can see: none when
    /// nobody knows.
    pub fn weigh(stickiness: Option<u32>, preference: u32, most: Option<u32>) -> Reach {
        let outweighs = stickiness.map(|own| Reach::over(own.saturating_add(preference), preference, most));
        let kept = stickiness.unwrap_or(MAX_SCORE).saturating_add(preference);
        let fits = |reach: &Reach| reach.all().saturating_add(reach.router).saturating_add(kept) <= MAX_SCORE;
        match outweighs {
            Some(reach) if fits(&reach) => reach,
            // Where nothing runs, they decide all the same.
            _ => Reach { moves: false, ..Reach::over(preference, preference, most) },
        }
    }

    fn over(kept: u32, preference: u32, most: Option<u32>) -> Reach {
        let count = most.unwrap_or(STEPS).clamp(1, STEPS);
        let steps: Vec<u32> = match most {
            Some(most) => (1..=count).map(|n| most / count * n + (most % count * n).div_ceil(count)).collect(),
            None => (1..=count).map(|n| 1 << n).collect(),
        };
        let steps: Vec<u32> = steps.into_iter().filter(|step| *step > 1).collect();
        let all = u32::try_from(steps.len()).unwrap_or(STEPS);
        let step = (kept / (count / 2 + 1) + 1).max(preference + 1);
        let router = kept.saturating_add(step.saturating_mul(all)).saturating_add(ABOVE);
        let any = kept.saturating_add(router).saturating_add(ABOVE);
        Reach { steps, step, router, any, moves: true }
    }

    /// A node that sees all servers well.
    pub fn all(&self) -> u32 {
        let steps = u32::try_from(self.steps.len()).unwrap_or(STEPS);
        self.any.saturating_add(self.step.saturating_mul(steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_usual_scores() {
        let twelve = Reach::weigh(Some(1000), 200, Some(12));
        let steps = vec![2, 3, 5, 6, 8, 9, 11, 12];
        assert_eq!(twelve, Reach { steps, step: 241, router: 3138, any: 4348, moves: true });
        let six = Reach::weigh(Some(1000), 200, Some(6));
        assert_eq!((six.steps, six.step), (vec![2, 3, 4, 5, 6], 301));
        assert_eq!(Reach::weigh(Some(1000), 200, Some(1)).steps, Vec::<u32>::new());
        let unknown = Reach::weigh(Some(1000), 200, None);
        assert_eq!((unknown.steps, unknown.step), (vec![2, 4, 8, 16, 32, 64, 128, 256], 241));
        let stuck = Reach::weigh(None, 200, Some(6));
        assert!(!stuck.moves && stuck.step == 201 && !Reach::weigh(Some(1_000_000), 200, Some(6)).moves);
    }

    proptest! {
        /// What the table above promises.
        #[test]
        fn the_scores_keep_their_order(own in 0u32..100_000, most in prop::option::of(1u32..20_000)) {
            let reach = Reach::weigh(Some(own), 200, most);
            let count = most.unwrap_or(8).min(8);
            let (all, kept) = (reach.all() - reach.any, own + 200);
            prop_assert!(reach.moves && reach.all() + reach.router + kept <= MAX_SCORE);
            prop_assert!(reach.any > reach.router + kept);
            prop_assert!(reach.router > all + kept);
            prop_assert!(reach.step > 200);
            prop_assert!((count / 2 + 1) * reach.step > kept);
            prop_assert!(own < 1000 || count < 2 || (count / 2) * reach.step < kept + 200);
            prop_assert!(reach.steps.windows(2).all(|pair| pair[0] < pair[1]) && reach.steps.first() != Some(&1));
            prop_assert!(most.is_none_or(|most| most == 1 || reach.steps.last() == Some(&most)));
        }
    }
}
