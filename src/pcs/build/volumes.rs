//! What is mounted on every node that may run services, the services on it, and what stands behind them.

use super::everywhere::{self, cloned};
use super::{pairs, section, services};
use crate::pcs::plan::{OrderKind, Resource, Section, Step, View, Weight};
use crate::pcs::{filesystem, unit};
use crate::scenario::Scenario;
use crate::scenario::setup::{OK, Service, Unit, clone_id};
use crate::scenario::virtual_ip;
use crate::scenario::volume::Volume;

/// A server that everybody has lost makes a start fail on every node: it is tried again after this time.
const AGAIN: &[(&str, &str)] = &[("failure-timeout", "10min")];

/// The node attribute with the state of a node, by the word of CTDB itself.
const STATE: &str = "ofs-ctdb-state";

/// The volumes, the services, then the unit. The address, where the cluster has it, comes last.
pub(super) fn sections(scenario: &Scenario, apart: &[&Service], quorum: &[String]) -> Vec<Section> {
    let mut all: Vec<Section> = scenario.volumes.iter().map(|one| volume(one, quorum)).collect();
    for service in apart {
        let mut section = everywhere::service(service, quorum);
        section.steps.extend(after(&scenario.volumes, service.kind.section));
        all.push(section);
    }
    if let Some(unit) = scenario.setup.unit {
        all.push(behind(unit, scenario, apart, quorum));
    }
    all
}

fn volume(volume: &Volume, quorum: &[String]) -> Section {
    let mut why = volume.kind.why.to_vec();
    why.extend([
        "Mounted on every file server. on-fail=ignore: while its server is gone, a monitor waits as clients do, and a stop",
        "would get the node fenced; ofs_ctdb reports it, and all goes on when the server is back.",
        "failure-timeout: a start that failed, as its server was gone, is tried again after this time.",
    ]);
    let resource = Resource { meta: pairs(AGAIN), ..filesystem::volume(volume) };
    section(volume.kind.section, &why, cloned(resource, quorum))
}

/// It runs only where the volumes are, and never outlives them.
fn after<'a>(volumes: impl IntoIterator<Item = &'a Volume>, id: &str) -> impl Iterator<Item = Step> {
    let then = clone_id(id);
    volumes.into_iter().flat_map(move |volume| {
        let first = clone_id(volume.kind.section);
        [
            Step::Colocation { part: then.clone().into(), with: first.clone().into(), score: "INFINITY".into() },
            super::after(first, then.clone(), OrderKind::Mandatory),
        ]
    })
}

fn behind(unit: &Unit, scenario: &Scenario, apart: &[&Service], quorum: &[String]) -> Section {
    let mut steps = cloned(unit::resource(unit), quorum);
    // The data are on the last one.
    steps.extend(after(scenario.volumes.last(), unit.id));
    let then = clone_id(unit.id);
    steps.extend(apart.iter().map(|service| {
        let first = clone_id(service.kind.section);
        super::after(first, then.clone(), OrderKind::Optional)
    }));
    section(unit.id, unit.why, steps)
}

/// What makes the address leave a node that is not well. The scores are positive: the only node left serves, as well as it can.
pub(super) fn well(scenario: &Scenario) -> [Step; 2] {
    let score = services::weights(scenario).database;
    let step = |view, score| Step::Attraction {
        resource: virtual_ip::ID.into(),
        attribute: STATE.into(),
        view,
        weight: Weight::For(score),
    };
    [step(View::Is(OK.into()), score), step(View::Unknown, score / 2)]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use crate::pcs::{dialect, plan};
    use crate::scenario::read;

    const EXAMPLE: &str = include_str!("../../../pcs-examples/ovd-file-server/scenario.toml");
    const GOLDEN: &str = include_str!("../../../pcs-examples/ovd-file-server/pcs-0.11.sh");

    fn script(text: &str) -> String {
        dialect::find("pcs-0.11", &dialect::Wish::default())
            .unwrap()
            .render(&plan(&read("scenario.toml", text).unwrap().scenario))
    }

    /// The lines of the script, with those that go on joined, that are a command on this id.
    fn lines<'a>(script: &'a str, command: &str, id: &str) -> impl Iterator<Item = &'a str> {
        let start = format!("{command} {id}");
        script.lines().filter(move |line| line.strip_prefix(&start).is_some_and(|rest| rest.starts_with(' ')))
    }

    #[test]
    fn the_example_is_what_the_generator_prints() {
        assert!(script(EXAMPLE) == GOLDEN, "UPDATE_GOLDEN=1 cargo test --test pcs_golden, then look at git diff");
    }

    #[test]
    fn everything_is_a_clone_and_starts_after_what_it_needs() {
        let script = script(EXAMPLE);
        for id in ["ctdb_volume", "data_volume", "ofs_ctdb", "ovd_slaveserver"] {
            assert!(lines(&script, "clone", id).any(|line| line.contains(" interleave=true ")), "{id}");
            // A node that only votes has nothing of it.
            assert_eq!(
                lines(&script, "never", &format!("{id}-clone")).collect::<Vec<_>>(),
                [format!("never {id}-clone on pcs3")]
            );
        }
        let needs = |id: &str| -> Vec<String> {
            lines(&script, "order", id).map(|line| line.rsplit_once(" after ").unwrap().1.to_owned()).collect()
        };
        let with = |id: &str| -> Vec<&str> {
            lines(&script, "colocation", id).map(|line| line.split(' ').nth(3).unwrap()).collect()
        };
        assert_eq!(needs("ofs_ctdb-clone"), ["ctdb_volume-clone kind=Mandatory", "data_volume-clone kind=Mandatory"]);
        assert_eq!(with("ofs_ctdb-clone"), ["ctdb_volume-clone", "data_volume-clone"]);
        // Whatever becomes of ovd-slaveserver, CTDB goes on, and the other way round.
        assert_eq!(
            needs("ovd_slaveserver-clone"),
            ["data_volume-clone kind=Mandatory", "ofs_ctdb-clone kind=Optional"]
        );
        assert_eq!(with("ovd_slaveserver-clone"), ["data_volume-clone"]);
        assert!(script.contains("\nresource ovd_slaveserver systemd:ovd-slaveserver \\\n"), "{script}");
        for action in ["start", "stop"] {
            assert!(script.contains(&format!("op {action} interval=0s timeout=660s")), "{action}");
        }
        // A server that is gone is no reason to fence anybody.
        assert_eq!(script.matches("op monitor interval=20s timeout=60s on-fail=ignore").count(), 2, "{script}");
        assert!(script.contains("options=hard") && script.contains("property stonith-enabled=true"), "{script}");
        // systemd would have meta-data for any name: nobody asks it.
        assert!(!script.contains("need systemd:") && script.contains("need ocf:inuvika:ofs-ctdb on ofs1 ofs2\n"));
    }

    #[test]
    fn the_address_is_of_one_of_the_two() {
        let theirs = script(EXAMPLE);
        assert!(!theirs.contains("IPaddr2") && !theirs.contains("ofs-ctdb-state"), "{theirs}");
        let ours = script(&EXAMPLE.replace("# holder = \"pacemaker\"", "holder = \"pacemaker\""));
        for line in [
            "colocation virtual_ip with ofs_ctdb-clone score=INFINITY\n",
            "order virtual_ip after ofs_ctdb-clone kind=Optional\n",
            "attract virtual_ip score=1010 where ofs-ctdb-state eq ok\n",
            "attract virtual_ip score=505 where not_defined ofs-ctdb-state\n",
            "never virtual_ip on pcs3\n",
        ] {
            assert!(ours.contains(line), "{line}{ours}");
        }
    }
}
