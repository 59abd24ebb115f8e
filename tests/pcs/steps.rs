//! Every step a plan may have, written down and run by the real pcs: twice, then changed.

use crate::trial::Trial;
use inuvika_ha::pcs::dialect::{self, Wish};
use inuvika_ha::pcs::plan::constraint::Score;
use inuvika_ha::pcs::plan::{
    Action, Alert, Comparison, Condition, Event, Expression, Member, OnFail, Operation, OrderKind, Part, Plan,
    Recipient, Resource, Role, Rule, Section, Set, Setting, Step,
};

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn resource(id: &str, agent: &str, params: &[(&str, &str)], operations: Vec<Operation>) -> Resource {
    Resource {
        id: id.into(),
        agent: agent.into(),
        params: pairs(params).into_iter().map(|(name, value)| (name, Setting::Text(value))).collect(),
        meta: Vec::new(),
        operations,
        whole: true,
    }
}

fn dummy(id: &str) -> Step {
    Step::Primitive(resource(id, "ocf:heartbeat:Dummy", &[], vec![Operation::plain("monitor", 10, 20)]))
}

fn set(resources: &[&str], sequential: bool) -> Set {
    let resources = resources.iter().map(|id| (*id).into()).collect();
    Set { resources, sequential, require_all: sequential, role: None, action: None }
}

fn promoted(id: &str) -> Part {
    Part { resource: id.into(), role: Some(Role::Promoted) }
}

/// A step of each kind but those that need a cluster.
fn every() -> Vec<Step> {
    let monitor = |role: &str, interval| Operation {
        role: Some(role.into()),
        on_fail: (role == "Unpromoted").then_some(OnFail::Restart),
        ..Operation::plain("monitor", interval, 20)
    };
    let stateful = vec![monitor("Promoted", 10), monitor("Unpromoted", 11), Operation::plain("start", 0, 20)];
    let fence = |id: &str| {
        let secret = ("password".into(), Setting::SecretFile("ipmi.secret".into()));
        let mut device = resource(id, "fence_ipmilan", &[("ip", "192.168.200.11"), ("username", "it's")], Vec::new());
        device.params.push(secret);
        Step::Stonith(device)
    };
    let is = |attribute: &str, comparison, kind: Option<&str>, value: &str| Expression::Compare {
        attribute: attribute.into(),
        comparison,
        kind: kind.map(Into::into),
        value: value.into(),
    };
    let mut web = resource("web", "ocf:heartbeat:Dummy", &[("fake", "it's a <\"$HOME\"> & `more`")], Vec::new());
    web.meta = pairs(&[("migration-threshold", "2")]);
    vec![
        Step::Defaults(pairs(&[("resource-stickiness", "100")])),
        Step::OperationDefaults(pairs(&[("timeout", "40s")])),
        Step::NodeAttributes {
            node: "osm1.priv".into(),
            attributes: pairs(&[("site", "north"), ("text", "it's a $x")]),
        },
        fence("first"),
        fence("second"),
        Step::Level { node: "osm1.priv".into(), level: 1, devices: vec!["first".into(), "second".into()] },
        Step::Level { node: "osm1.priv".into(), level: 2, devices: vec!["second".into()] },
        Step::Remote(resource(
            "far",
            "ocf:pacemaker:remote",
            &[("server", "192.168.100.50")],
            vec![Operation::plain("monitor", 30, 30)],
        )),
        Step::NodeAttributes { node: "far".into(), attributes: pairs(&[("site", "south")]) },
        Step::Primitive(web),
        dummy("one"),
        dummy("two"),
        dummy("three"),
        Step::Group { id: "pair".into(), members: vec!["one".into(), "two".into()], meta: pairs(&[("priority", "5")]) },
        Step::Clone { resource: "pair".into(), meta: pairs(&[("interleave", "true"), ("promotable", "")]) },
        Step::Primitive(resource("data", "ocf:pacemaker:Stateful", &[], stateful)),
        Step::Promotable { resource: "data".into(), meta: pairs(&[("promoted-max", "1"), ("clone-max", "2")]) },
        Step::Location { resource: "web".into(), node: "osm1.priv".into(), rule: Rule::Score(Score::Number(-50)) },
        Step::Location { resource: "web".into(), node: "far".into(), rule: Rule::Score(Score::Always) },
        Step::Where {
            id: "north".into(),
            part: "web".into(),
            score: "500".into(),
            condition: Condition {
                all: true,
                expressions: vec![
                    is("site", Comparison::Eq, Some("string"), "north"),
                    is("#uname", Comparison::Ne, None, "osm2.priv"),
                    Expression::Defined("site".into()),
                ],
            },
        },
        Step::Where {
            id: "primary".into(),
            part: promoted("data-clone"),
            score: "-INFINITY".into(),
            condition: Condition { all: false, expressions: vec![Expression::NotDefined("site".into())] },
        },
        Step::Colocation { part: "web".into(), with: promoted("data-clone"), score: "INFINITY".into() },
        Step::Colocation { part: "three".into(), with: "web".into(), score: "-100".into() },
        Step::Order {
            first: Event { resource: "data-clone".into(), action: Some(Action::Promote) },
            then: "web".into(),
            kind: OrderKind::Mandatory,
            symmetrical: false,
        },
        Step::Order { first: "pair-clone".into(), then: "three".into(), kind: OrderKind::Serialize, symmetrical: true },
        Step::Together {
            id: "all-in-one".into(),
            sets: vec![set(&["three", "web"], false), set(&["far"], true)],
            score: "10".into(),
        },
        Step::Sequence {
            id: "by-and-by".into(),
            sets: vec![set(&["web", "three"], false), set(&["data-clone"], true)],
            kind: OrderKind::Optional,
            symmetrical: false,
        },
        Step::Alert(Alert {
            id: "tell".into(),
            path: "/usr/share/pacemaker/alerts/it's one".into(),
            options: pairs(&[("debug", "a 'b' <c> & \"d\"")]),
            meta: pairs(&[("timeout", "15s")]),
            recipients: vec![
                Recipient { id: "me".into(), value: "me@example.com".into() },
                Recipient { id: "you".into(), value: "<you> & \"him\"".into() },
            ],
        }),
        Step::Tag { id: "everything".into(), members: vec!["web".into(), "data-clone".into()] },
    ]
}

fn script(trial: &Trial, steps: Vec<Step>) -> String {
    let nodes = ["osm1.priv", "osm2.priv", "pcs3.priv"];
    let member = |name: &&str| Member { name: (*name).into(), addresses: Vec::new() };
    let plan = Plan {
        cluster: "all".into(),
        title: "Every step".into(),
        nodes: nodes.iter().map(member).collect(),
        runners: Vec::new(),
        needs: Vec::new(),
        notes: Vec::new(),
        externals: Vec::new(),
        sections: vec![Section { title: "everything".into(), why: Vec::new(), steps }],
    };
    let backups = format!("backups={}", trial.path("backups").display());
    dialect::find("pcs-0.11", &Wish::default()).unwrap().render(&plan).replace("backups=/var/lib/inuvika-ha", &backups)
}

#[test]
fn every_step_is_taken_once_and_changed_when_it_differs() {
    let trial = Trial::new("ovd-session-manager");
    let whole = script(&trial, every());
    trial.write("every.sh", &whole, 0o755);

    // A value may hold a dollar, and a plan without a cluster does not need all of the script.
    let check = std::process::Command::new("shellcheck")
        .arg("--exclude=SC2016,SC2034,SC2317")
        .arg(trial.path("every.sh"))
        .output()
        .unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
    trial.apply(&whole);
    let first = trial.read("live.xml");
    for part in [
        "value=\"it&apos;s a &lt;&quot;$HOME&quot;&gt; &amp; `more`\"",
        "value=\"a &apos;b&apos; &lt;c&gt; &amp; &quot;d&quot;\"",
        "value=\"it&apos;s a $x\"",
        "devices=\"first,second\"",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    let again = trial.apply(&whole);
    assert!(again.contains("configured like this already: nothing to push") && !again.contains("    pcs"), "{again}");
    assert_eq!(trial.read("live.xml"), first);

    // Each of these differs in one thing, which pcs alone would not notice.
    let mut changed = every();
    for step in &mut changed {
        match step {
            Step::Primitive(one) if one.id == "web" => {
                one.params = vec![("state".into(), Setting::Text("/run/x".into()))];
                one.meta = pairs(&[("priority", "3")]);
            }
            Step::Level { level: 1, devices, .. } => devices.reverse(),
            Step::Group { meta, .. } => *meta = pairs(&[("priority", "6")]),
            Step::Promotable { meta, .. } => *meta = pairs(&[("promoted-max", "2"), ("clone-max", "2")]),
            Step::Where { condition, .. } if condition.all => condition.expressions.truncate(2),
            Step::Colocation { with, .. } => with.role = None,
            Step::Order { symmetrical, .. } => *symmetrical = !*symmetrical,
            Step::Together { sets, .. } => sets[0].sequential = true,
            Step::Alert(alert) => alert.recipients.truncate(1),
            Step::Tag { members, .. } => members.truncate(1),
            _ => {}
        }
    }
    let changed = script(&trial, changed);
    let text = trial.apply(&changed);
    assert!(!text.contains("stonith create") && !text.contains("resource create"), "{text}");
    let second = trial.read("live.xml");
    for gone in ["$HOME", "name=\"migration-threshold\"", "value=\"&lt;you", "with-rsc-role", "fake"] {
        assert!(!second.contains(gone), "{gone}: {second}");
    }
    for there in ["devices=\"second,first\"", "name=\"promoted-max\" value=\"2\"", "name=\"state\""] {
        assert!(second.contains(there), "{there}: {second}");
    }
    assert!(trial.apply(&changed).contains("nothing to push"));
}
