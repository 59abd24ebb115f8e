//! The cluster's configuration: what the generated script makes of the example's scenario, with the real pcs.

use anyhow::{Context, Result, ensure};

use crate::power;
use crate::trial::Trial;

/// Where the guest has it.
pub const PLACE: &str = "/root/configuration.xml";

/// The example with two directors and a node that only votes, three real servers, one port, connections told to the other
/// director, and the guest's power switch. Without the router: `ocf:pacemaker:ping` on every node each 5 s is more than an
/// emulated processor can do, and `lvs_cluster` tries it. Runs outside.
pub fn generate() -> Result<String> {
    let mut trial = Trial::new("lvs-director");
    let own = trial.scenario.find("\n[[fencing]]").context("the example has no fencing")?;
    trial.scenario.truncate(own);
    trial.scenario += "\n[[fencing]]\nname = \"power\"\nnode = [\"litsha21\", \"litsha22\", \"litsha23\"]\n";
    trial.scenario += &format!("agent = \"{}\"\n", power::AGENT);
    let rest = "    \"192.168.71.145\",\n    \"192.168.71.185\",\n    \"192.168.71.186\",\n";
    let edits = [
        ("\nname = \"litsha23\"\nrole = \"director\"", "\nname = \"litsha23\"\nrole = \"quorum\""),
        ("[router]\naddress = \"192.168.71.1\"\n", ""),
        (rest, ""),
        ("ports = \"80 443\"", "ports = \"80\""),
        ("# check_timeout = \"3s\"", "check_timeout = \"6s\""),
        ("# sync = true\n# sync_nic = \"eth1\"", "sync = true\nsync_nic = \"eth1\""),
    ];
    let script = trial.script(&edits);
    // pcs asks the device for its meta-data: the guest's takes the place of one that is installed here.
    trial.write("script.sh", &script, 0o755);
    trial.write("power", power::DEVICE, 0o755);
    let place = format!("mount --bind power {} && exec ./script.sh --cib \"$PWD/live.xml\"", power::PLACE);
    let output = trial.enter(&["bash", "-c", &place]);
    ensure!(output.status.success(), "the generated script fails on a file: {output:?}");
    let text = trial.read("live.xml");
    let (from, to) = (text.find("<configuration"), text.find("</configuration>"));
    let (from, to) = from.zip(to).with_context(|| format!("no configuration in {text}"))?;
    // An emulated processor takes its time: none of these may run out because of that.
    Ok(format!("{}</configuration>\n", text[from..to].replace("timeout=\"20s\"", "timeout=\"120s\"")))
}
