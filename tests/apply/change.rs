//! Scenarios that change.

use anyhow::{Context, Result, ensure};

use crate::first::all_runs;
use crate::site::{self, DIALECTS, SCENARIO, edit};
use crate::support::lab::{Lab, Machine};

/// A resource, a constraint and a tag less; a resource more, at the head of the group; other values everywhere else.
fn edited_scenario() -> String {
    let scenario = edit(
        SCENARIO,
        &[
            (
                "[[resource]]\nid = \"lonely\"\nagent = \"ocf:pacemaker:Dummy\"\n",
                "[[resource]]\nid = \"zero\"\nagent = \"ocf:pacemaker:Dummy\"\n",
            ),
            ("[[resource]]\nid = \"two\"\nagent = \"ocf:pacemaker:Dummy\"\n", ""),
            ("members = [\"one\", \"two\"]\nmeta = { priority = 5 }", "members = [\"zero\", \"one\"]"),
            ("[[colocation]]\nresource = \"lonely\"\nwith = \"store\"\nwith_role = \"Promoted\"\nscore = -100\n", ""),
            ("[[order]]\nfirst = \"near\"\nthen = \"lonely\"\nkind = \"Optional\"\nsymmetrical = false\n", ""),
            ("[[location]]\nresource = \"lonely\"\nnode = \"osm2.priv\"\nscore = 200\n", ""),
            (
                "{ resources = [\"sides\", \"near\"], sequential = false }, { resources = [\"pair\"] }",
                "{ resources = [\"near\", \"sides\"] }, { resources = [\"pair\"] }",
            ),
            ("fake = \"it's <\\\"$HOME\\\"> & more\"", "state = \"/run/Dummy-web.state\""),
            ("interval = \"10s\", timeout = \"20s\", on_fail", "interval = \"12s\", timeout = \"20s\", on_fail"),
            ("site = \"north\", floor = \"1\"", "site = \"north\", floor = \"3\""),
            ("cluster-recheck-interval = \"10min\"", "cluster-recheck-interval = \"11min\""),
            ("timeout = \"40s\"", "timeout = \"41s\""),
            ("options = { word = \"it's\" }", "options = { word = \"is\" }"),
            ("id = \"most\"\nmembers = [\"web\", \"lonely\"]", "id = \"few\"\nmembers = [\"web\", \"pair\"]"),
            ("meta = { migration-threshold = 2 }\n", ""),
            ("stickiness = 100", "stickiness = 50"),
            ("notify = true }", "notify = true, interleave = true }"),
        ],
    );
    assert!(!scenario.contains("lonely") && !scenario.contains("\"two\""));
    scenario
}

/// What the edited scenario has run.
fn edited_runs(lab: &Lab, more: &[&str]) -> Result<()> {
    site::runs(lab, "osm1", &["left", "near", "right", "store*"])?;
    site::runs(lab, "osm2", &[&["left", "near", "one", "right", "store", "web", "zero"], more].concat())?;
    site::runs(lab, "pcs3", &[])
}

/// Somebody else's.
const OTHERS: &str = "cibadmin --create --scope resources --xml-text \
    '<primitive id=\"other\" class=\"ocf\" provider=\"pacemaker\" type=\"Dummy\"/>'; \
    cibadmin --create --scope constraints --xml-text \
    '<rsc_location id=\"others-place\" rsc=\"other\" node=\"osm2.priv\" score=\"INFINITY\"/>'; \
    cibadmin --create --scope constraints --xml-text \
    '<rsc_location id=\"others-wish\" rsc=\"web\" node=\"osm2.priv\" score=\"1\"/>'";

pub fn edited(lab: &Lab) -> Result<()> {
    let mut made: Vec<(&str, String)> = Vec::new();
    for dialect in DIALECTS {
        site::clear(lab)?;
        site::apply(lab, dialect, SCENARIO)?;
        all_runs(lab)?;
        site::first(lab).sh(OTHERS)?;
        site::settled(lab)?;
        let said = site::apply(lab, dialect, &edited_scenario())?;
        for id in ["lonely", "two", "other", "others-place", "others-wish", "most"] {
            let line = format!("not in the scenario, left as it is: {id}");
            ensure!(
                said.lines().any(|one| one.trim() == line || one.trim().starts_with(&format!("{line} ("))),
                "{dialect} does not name {id}: {said}"
            );
        }
        edited_runs(lab, &["lonely", "other", "two"]).with_context(|| dialect.to_owned())?;
        let lines = site::diff(lab)?;
        let extra = |line: &String| line.starts_with("extra ");
        ensure!(lines.iter().all(extra), "{dialect}: {lines:#?}");
        // The group has lost its only meta attribute; commands set others.
        ensure!(!site::cib(lab)?.contains("\"priority\""), "{dialect}: a priority that no scenario has");
        let first = site::cib(lab)?;
        let output = site::run(lab, &[])?;
        ensure!(
            output.ok() && site::cib(lab)? == first,
            "{dialect}: the second run changed something: {}",
            output.describe()
        );
        made.push((dialect, site::means(lab)?));
    }
    for (dialect, other) in &made[1..] {
        ensure!(made[0].1 == *other, "{} of cib is not\n{other} of {dialect}", made[0].1);
    }
    Ok(())
}

pub fn pruned(lab: &Lab) -> Result<()> {
    site::clear(lab)?;
    let scenario = edited_scenario();
    site::apply(lab, "cib", &scenario)?;
    let wanted = site::means(lab)?;
    site::clear(lab)?;
    site::apply(lab, "cib", SCENARIO)?;
    site::first(lab).sh(OTHERS)?;
    site::settled(lab)?;
    let said = site::apply_with(lab, &["--dialect", "pcs-0.11"], &["--prune"], &scenario)?;
    edited_runs(lab, &[]).context(said)?;
    ensure!(site::diff(lab)?.is_empty(), "{:?}", site::diff(lab)?);
    ensure!(site::means(lab)? == wanted, "{}\nis not\n{wanted}", site::means(lab)?);
    let first = site::cib(lab)?;
    let output = site::run(lab, &["--prune"])?;
    ensure!(output.ok() && site::cib(lab)? == first, "the second run changed something: {}", output.describe());
    Ok(())
}

pub fn parts(lab: &Lab) -> Result<()> {
    site::clear(lab)?;
    site::apply(lab, "cib", SCENARIO)?;
    let wanted = site::means(lab)?;
    site::clear(lab)?;
    for part in ["properties", "fencing", "resources", "constraints", "alerts"] {
        let before = site::cib(lab)?;
        site::apply_with(lab, &["--dialect", "pcs-0.11", "--part", part], &[], SCENARIO)?;
        let first = site::cib(lab)?;
        ensure!(first != before, "the part {part} changes nothing");
        let output = site::run(lab, &[])?;
        ensure!(
            output.ok() && site::cib(lab)? == first,
            "{part}: the second run changed something: {}",
            output.describe()
        );
    }
    ensure!(site::means(lab)? == wanted, "{}\nis not\n{wanted}", site::means(lab)?);
    ensure!(site::diff(lab)?.is_empty(), "{:?}", site::diff(lab)?);
    all_runs(lab)
}
