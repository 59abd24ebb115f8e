//! What is refused changes nothing.

use anyhow::{Result, ensure};

use crate::site::{self, DIALECTS, SCENARIO};
use crate::support::lab::{Lab, Machine};

pub fn nothing(lab: &Lab) -> Result<()> {
    site::clear(lab)?;
    let node = site::first(lab);
    let before = site::cib(lab)?;
    for dialect in DIALECTS {
        site::write(lab, SCENARIO, &["--dialect", dialect])?;
        // An agent that nobody has, of one resource among many.
        node.sh("sed -i '/ store ocf:pacemaker:Stateful/s/Stateful/Nothing/; s/type=\"Stateful\"/type=\"Nothing\"/; s/^agents=.*/&/; s/^\\(agents=.*\\)ocf:pacemaker:Stateful/\\1ocf:pacemaker:Nothing/' /root/cluster.sh")?;
        let output = site::run(lab, &[])?;
        let reason = "agent ocf:pacemaker:Nothing is not installed on this host";
        ensure!(output.code == Some(1) && output.stderr.contains(reason), "{dialect}: {}", output.describe());
        ensure!(site::cib(lab)? == before, "{dialect}: something was changed");

        // Pacemaker itself refuses it: known by its check, after all the steps.
        site::write(lab, SCENARIO, &["--dialect", dialect])?;
        node.sh("sed -i 's/on-fail=restart/on-fail=nonsense/; s/on-fail=\"restart\"/on-fail=\"nonsense\"/' /root/cluster.sh")?;
        let output = site::run(lab, &[])?;
        ensure!(output.code == Some(1), "{dialect}: {}", output.describe());
        ensure!(site::cib(lab)? == before, "{dialect}: something was changed");

        site::write(lab, SCENARIO, &["--dialect", dialect])?;
        let output = site::run(lab, &["--dry-run"])?;
        ensure!(output.ok() && output.stdout.contains("Dry run: nothing was"), "{dialect}: {}", output.describe());
        ensure!(site::cib(lab)? == before, "{dialect}: a dry run changed something");
    }
    // The agents of other nodes: only pcs can ask for them.
    let other = lab.node("osm2");
    other.sh("mv /usr/lib/ocf/resource.d/pacemaker/Stateful /root/Stateful")?;
    let output = site::run(lab, &[]);
    other.sh("mv /root/Stateful /usr/lib/ocf/resource.d/pacemaker/Stateful")?;
    let output = output?;
    ensure!(
        output.code == Some(1) && output.stderr.contains("osm2.priv") && output.stderr.contains("Stateful"),
        "{}",
        output.describe()
    );
    ensure!(site::cib(lab)? == before, "something was changed");
    Ok(())
}
