//! The cluster, what is done to it, and what it says of itself.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::support::lab::{Lab, Machine, Node, Output, PASSWORD, Status, wait_for, wait_idle};
use crate::support::meaning;

pub const SCENARIO: &str = include_str!("scenario.toml");
pub const DIALECTS: [&str; 3] = ["cib", "crmsh", "pcs-0.11"];
/// What cannot be an argument, as every user sees those; with what XML and shells trip over.
pub const SECRET: &str = "a&b<c>\"d'e$f\\g";
/// pcs takes about a second for each command, on a busy machine three.
const LIMIT: Duration = Duration::from_secs(300);
const SETTLED: Duration = Duration::from_secs(90);
const SCRIPT: &str = "/root/cluster.sh";
/// The configuration of a cluster that was made just now, but without fencing: a cluster that is to fence, and has no device, does not
/// stop what it does not know any more.
const EMPTY: &str = "/root/empty.xml";
/// What the alert of the scenario runs.
const TOLD: &str = "#!/bin/sh\necho \"$word $CRM_alert_kind $CRM_alert_rsc\" >>\"$CRM_alert_recipient\"\n";

/// The lab, with a cluster that has no configuration.
pub fn lab() -> &'static Lab {
    static LAB: LazyLock<Lab> = LazyLock::new(|| make().unwrap());
    &LAB
}

fn make() -> Result<Lab> {
    // The fourth is no member.
    let lab = Lab::new(if crate::full() { &["osm1", "osm2", "pcs3", "far1"] } else { &["osm1", "osm2", "pcs3"] })?;
    let node = first(&lab);
    for one in lab.nodes() {
        one.write_file("/usr/local/lib/lab-told", TOLD, 0o755)?;
    }
    node.copy_in(env!("CARGO_BIN_EXE_inuvika-ha"), "/usr/sbin/inuvika-ha", 0o755)?;
    node.write_file("/root/web.secret", format!("{SECRET}\n"), 0o600)?;
    node.write_file("/root/hacluster.secret", format!("{PASSWORD}\n"), 0o600)?;
    write(&lab, SCENARIO, &["--part", "auth,cluster"])?;
    lab.phase("made a cluster", || {
        let output = run(&lab, &[])?;
        ensure!(output.ok(), "{}", output.describe());
        let quiet = || Ok(Status::seen_by(node)?.online().len() == 3);
        wait_for(SETTLED, "all nodes online", quiet)
    })?;
    wait_idle(node, SETTLED)?;
    node.sh(&format!("crm_attribute --name stonith-enabled --update false; cibadmin --query >{EMPTY}"))?;
    Ok(lab)
}

/// The node on which everything is done.
pub fn first(lab: &Lab) -> &Node {
    lab.node("osm1")
}

/// Takes out all that is configured, and waits until nothing runs any more.
pub fn clear(lab: &Lab) -> Result<()> {
    let node = first(lab);
    node.sh(&format!("cibadmin --replace --force --scope configuration --xml-file {EMPTY}"))?;
    wait_idle(node, SETTLED)?;
    node.sh("crm_resource --cleanup >/dev/null 2>&1; rm -rf /var/lib/inuvika-ha")?;
    wait_idle(node, SETTLED)?;
    for one in lab.nodes() {
        let left = files(one)?;
        ensure!(left.is_empty(), "{}: {left:?} run without a configuration", one.name());
        one.sh("rm -f /var/lib/pacemaker/told")?;
    }
    Ok(())
}

/// Writes the script for a scenario, in the node.
pub fn write(lab: &Lab, scenario: &str, options: &[&str]) -> Result<()> {
    let node = first(lab);
    node.write_file("/root/scenario.toml", scenario, 0o644)?;
    node.sh(&format!("inuvika-ha pcs {} /root/scenario.toml >{SCRIPT}", options.join(" ")))?;
    Ok(())
}

/// Runs the script that was written last.
pub fn run(lab: &Lab, options: &[&str]) -> Result<Output> {
    let line = format!("HACLUSTER_PASSWORD_FILE=/root/hacluster.secret bash {SCRIPT} {}", options.join(" "));
    let output = first(lab).output_with(LIMIT, b"", &["bash", "-c", &line])?;
    ensure!(!format!("{}{}", output.stdout, output.stderr).contains(SECRET), "a secret is told");
    Ok(output)
}

/// Writes and runs the script in that dialect; what it said. Afterwards the cluster has nothing to do any more, nothing failed, and
/// Pacemaker finds nothing wrong with what it has.
pub fn apply(lab: &Lab, dialect: &str, scenario: &str) -> Result<String> {
    apply_with(lab, &["--dialect", dialect], &[], scenario)
}

/// The same with other options: of the generator, and of the script.
pub fn apply_with(lab: &Lab, generator: &[&str], script: &[&str], scenario: &str) -> Result<String> {
    write(lab, scenario, generator)?;
    let output = run(lab, script)?;
    ensure!(output.ok(), "{generator:?}: {}", output.describe());
    eprintln!("apply: {}: {:.1} s", generator.join(" "), output.took.as_secs_f32());
    settled(lab).with_context(|| format!("{generator:?} said {}", output.stdout))?;
    Ok(output.stdout)
}

/// Waits until nothing is to be done; then nothing failed, and nothing is wrong.
pub fn settled(lab: &Lab) -> Result<()> {
    let node = first(lab);
    wait_idle(node, SETTLED)?;
    let verdict = node.output(["crm_verify", "--live-check", "-V"])?;
    ensure!(verdict.ok() && verdict.stderr.is_empty(), "crm_verify: {}", verdict.describe());
    let status = Status::seen_by(node)?;
    ensure!(status.failures.is_empty() && status.fencing.is_empty(), "{:?} {:?}", status.failures, status.fencing);
    Ok(())
}

/// The whole CIB but the status, and but the number of its updates.
pub fn cib(lab: &Lab) -> Result<String> {
    let text = first(lab).run(["cibadmin", "--query"])?;
    let (configuration, _) = text.split_once("<status").context("a CIB without status")?;
    let (before, after) = configuration.split_once(" num_updates=\"").context("a CIB without num_updates")?;
    let (_, after) = after.split_once('"').context("a CIB without num_updates")?;
    Ok(format!("{before}{after}</cib>"))
}

/// What the configuration means.
pub fn means(lab: &Lab) -> Result<String> {
    Ok(meaning::of(&cib(lab)?))
}

/// What `inuvika-ha diff` says of the scenario that was written last. Its exit code says whether there is a difference.
pub fn diff(lab: &Lab) -> Result<Vec<String>> {
    let output = first(lab).output(["inuvika-ha", "diff", "/root/scenario.toml"])?;
    let lines: Vec<String> = output.stdout.lines().map(str::to_owned).collect();
    match output.code {
        Some(0) if lines == ["The cluster is as the scenario says."] => Ok(Vec::new()),
        Some(1) if !lines.is_empty() => Ok(lines),
        _ => bail!("diff: {}", output.describe()),
    }
}

/// What runs on a node by the files that the agents leave there: the ids of resources, those promoted with a star.
pub fn files(node: &Node) -> Result<BTreeSet<String>> {
    let list = "shopt -s nullglob; cd /run; for file in Dummy-*.state; do echo ${file:6}; done; \
                for file in Stateful-*.state; do echo $(cat $file) ${file:9}; done";
    let text = node.sh(list)?;
    let name = |line: &str| {
        let star = line.starts_with("Promoted ");
        let id = line.rsplit(' ').next().unwrap_or_default().trim_end_matches(".state");
        format!("{}{}", id.split(':').next().unwrap_or_default(), if star { "*" } else { "" })
    };
    Ok(text.lines().map(name).collect())
}

/// What runs on a node as `crm_mon` of another one says, in the same words.
pub fn running(lab: &Lab, node: &Node) -> Result<BTreeSet<String>> {
    let status = Status::seen_by(lab.node("pcs3"))?;
    let here = status.resources.iter().filter(|one| one.nodes.contains(&node.cluster_name()));
    let ours = here.filter(|one| !one.agent.starts_with("stonith:"));
    Ok(ours.map(|one| format!("{}{}", one.id, if one.role == "Promoted" { "*" } else { "" })).collect())
}

/// That on that node runs what is `wanted`, and nothing else.
pub fn runs(lab: &Lab, name: &str, wanted: &[&str]) -> Result<()> {
    let node = lab.node(name);
    let wanted: BTreeSet<String> = wanted.iter().map(|one| (*one).to_owned()).collect();
    let (said, there) = (running(lab, node)?, files(node)?);
    ensure!(said == wanted && there == wanted, "{name}: wanted {wanted:?}, crm_mon {said:?}, files {there:?}");
    Ok(())
}

/// The scenario after edits: what it says, and what it is to say.
pub fn edit(scenario: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(scenario.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "the scenario has no {old}");
        text.replacen(old, new, 1)
    })
}
