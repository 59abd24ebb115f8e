//! The first run and the second one, and the way back.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::site::{self, DIALECTS, SCENARIO, SECRET};
use crate::support::lab::{Lab, Machine, wait_for};

/// What runs where when all is as the scenario says.
pub fn all_runs(lab: &Lab) -> Result<()> {
    site::runs(lab, "osm1", &["left", "near", "right", "store*"])?;
    site::runs(lab, "osm2", &["left", "lonely", "near", "one", "right", "store", "two", "web"])?;
    site::runs(lab, "pcs3", &[])
}

/// What a script says where what runs would go on running after the way back.
const GOES_ON: &str = "It has no fencing device: ";

/// A new cluster is to fence, and has no device: then Pacemaker stops nothing, so what runs is stopped before the way back, as the script
/// says.
pub fn without_fencing(lab: &Lab) -> Result<()> {
    for dialect in DIALECTS {
        site::clear(lab)?;
        site::first(lab).sh("crm_attribute --name stonith-enabled --delete")?;
        let said = site::apply(lab, dialect, SCENARIO)?;
        ensure!(said.contains(GOES_ON), "{dialect}: {said}");
        let disable = match dialect {
            "pcs-0.11" => "pcs resource disable --wait=60 web store-clone near-clone lonely left right one two",
            _ => {
                "for id in $(crm_resource --list-raw); do crm_resource --resource $id --meta --set-parameter target-role \
                  --parameter-value Stopped >/dev/null; done; crm_resource --wait --timeout=60s"
            }
        };
        ensure!(
            said.contains(if dialect == "pcs-0.11" { "pcs resource disable" } else { "target-role=Stopped" }),
            "{said}"
        );
        site::first(lab).sh(disable)?;
        for name in ["osm1", "osm2"] {
            let left = site::files(lab.node(name))?;
            ensure!(left.is_empty(), "{dialect}: {name}: {left:?} run");
        }
        let back = said.lines().find_map(|line| line.strip_prefix("To go back: ")).context("no way back")?;
        site::first(lab).sh(back).with_context(|| format!("{dialect}: {back}"))?;
        for name in ["osm1", "osm2"] {
            let (said, there) = (site::running(lab, lab.node(name))?, site::files(lab.node(name))?);
            ensure!(said.is_empty() && there.is_empty(), "{dialect}: {name}: {said:?} {there:?}");
        }
    }
    Ok(())
}

/// One configuration of all dialects. pcs takes longest: it comes in the long form.
pub fn same(lab: &Lab) -> Result<()> {
    let mut made: Vec<(&str, String)> = Vec::new();
    for dialect in DIALECTS.into_iter().filter(|dialect| crate::full() || !dialect.starts_with("pcs")) {
        site::clear(lab)?;
        let before = site::means(lab)?;
        let said = site::apply(lab, dialect, SCENARIO)?;
        all_runs(lab).with_context(|| dialect.to_owned())?;
        ensure!(!said.contains(GOES_ON), "{dialect}: {said}");
        // The secret got where it belongs, and the alert is called with what it is given.
        let secret = ["crm_resource", "--resource", "web", "--get-parameter", "passwd"];
        ensure!(site::first(lab).run(secret)?.trim_end() == SECRET, "{dialect}: another secret");
        let told = lab.node("osm2").read_file("/var/lib/pacemaker/told")?;
        ensure!(told.lines().any(|line| line == "it's resource web"), "{dialect}: the alert was told {told}");

        let first = site::cib(lab)?;
        let output = site::run(lab, &[])?;
        ensure!(
            output.ok() && output.stdout.contains("The cluster is configured like this already"),
            "{dialect}: {}",
            output.describe()
        );
        ensure!(site::cib(lab)? == first, "{dialect}: the second run changed something");
        ensure!(site::diff(lab)?.is_empty(), "{dialect}: {:?}", site::diff(lab)?);
        made.push((dialect, site::means(lab)?));

        // What somebody changes by hand is named, and the next run takes it back.
        site::first(lab).sh("crm_resource --resource web --set-parameter fake --parameter-value other >/dev/null")?;
        let lines = site::diff(lab)?;
        ensure!(
            lines.len() == 1 && lines[0].starts_with("different  resource web: option fake is other, "),
            "{lines:?}"
        );
        let output = site::run(lab, &[])?;
        ensure!(output.ok() && site::diff(lab)?.is_empty(), "{dialect}: {}", output.describe());

        // Back to what there was, by the command that the first run printed.
        let back = said.lines().find_map(|line| line.strip_prefix("To go back: ")).context("no way back")?;
        site::first(lab).sh(back).with_context(|| format!("{dialect}: {back}"))?;
        ensure!(site::means(lab)? == before, "{dialect}: {back} does not bring back what there was");
        for name in ["osm1", "osm2"] {
            wait_for(Duration::from_secs(60), "everything to stop", || Ok(site::files(lab.node(name))?.is_empty()))?;
        }
    }
    for (dialect, other) in &made[1..] {
        ensure!(made[0].1 == *other, "{} of cib is not\n{other} of {dialect}", made[0].1);
    }
    Ok(())
}
