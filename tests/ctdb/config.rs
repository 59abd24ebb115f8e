//! `ofs-config` on real nodes: what it writes is what ctdbd and Samba run with.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::site::{self, node, wait_for};
use crate::{Body, monitor, nothing_left, start, wanted};

pub const TRIALS: &[(&str, Body)] =
    &[("what ofs-config writes starts, and a node that is lost without a word is missed soon", written)];

const EXAMPLE: &str = include_str!("../../pcs-examples/ovd-file-server/scenario.toml");
/// The Samba of a node before: without a word of a cluster.
const SMB: &str = "[global]\n  workgroup = OVD\n  server role = standalone server\n  map to guest = bad user\n  \
                   guest account = nobody\n  logging = file\n  disable spoolss = yes\n[ovd]\n  path = /mnt/nfs/ovd\n  \
                   guest ok = yes\n  read only = no\n  force user = root\n";

fn written() -> Result<()> {
    let shared = Path::new(site::SHARED);
    let scenario = EXAMPLE.replace("nic = \"ens32\"", "nic = \"lan0\"");
    ensure!(
        scenario.contains(&format!("address = \"{}/24\"", site::VIP)) && scenario.contains("lan0"),
        "another example"
    );
    fs::write(shared.join("scenario.toml"), scenario)?;
    fs::write(shared.join("smb.former"), SMB)?;
    for name in ["ctdb.conf", "nodes", "public_addresses", "smb.conf"] {
        fs::remove_file(shared.join("ctdb").join(name))?;
    }
    let nodes = [node(0), node(1)];
    for one in nodes {
        one.sh(
            "cd /etc/ctdb; rm -f ctdb.conf nodes public_addresses events/legacy/48.* events/legacy/50.* /etc/samba/smb.conf; \
             cp ctdb.tunables /run/tunables.former; cp /mnt/nfs/smb.former /etc/samba/smb.conf",
        );
    }
    let done = configured(&nodes).and_then(|()| missed());
    // As the other trials have it.
    for one in nodes {
        one.clean();
        one.sh(
            "cd /etc/ctdb; rm -f ctdb.tunables events/legacy/99.inuvika-ha.script events/notification/50.inuvika-ha.script; \
             cp /run/tunables.former ctdb.tunables; for f in ctdb.conf nodes public_addresses; do ln -sf /mnt/nfs/ctdb/$f .; done; \
             ln -sf /mnt/nfs/ctdb/smb.conf /etc/samba/smb.conf; rm -rf /var/lib/inuvika-ha; \
             for s in 48.netbios 50.samba; do ln -sf /usr/share/ctdb/events/legacy/$s.script events/legacy/; done",
        );
    }
    for name in ["scenario.toml", "smb.former", "ctdb/ctdb.tunables"] {
        let _ = fs::remove_file(shared.join(name));
    }
    site::write_files();
    done
}

const COMMAND: &str = "/mnt/agents/inuvika-ha ofs-config /mnt/nfs/scenario.toml";

fn configured(nodes: &[&site::Node; 2]) -> Result<()> {
    for one in nodes {
        let shown = one.sh(COMMAND);
        ensure!(shown.contains("Nothing was written") && shown.contains("clustering = yes"), "{shown}");
        let told = one.sh(&format!("{COMMAND} --write"));
        ensure!(told.contains("root is root") && told.contains("What was there before is below"), "{told}");
        let again = one.sh(&format!("{COMMAND} --write"));
        ensure!(again.contains("nothing to write"), "{again}");
        ensure!(one.sh("cat /var/lib/inuvika-ha/ofs-config-*/etc/samba/smb.conf") == SMB, "no copy of what was there");
        // Samba itself.
        let samba = one.sh("testparm -s --suppress-prompt 2>/dev/null");
        for line in ["clustering = Yes", "private dir = /mnt/nfs/ctdb/private", "idmap config * : backend = tdb2"] {
            ensure!(samba.contains(line), "{line}: {samba}");
        }
    }
    start(nodes)?;
    for one in nodes {
        wait_for("each sees both well", || one.sh("ctdb -X status").matches("|0|0|0|0|0|0|0|0|").count() == 2);
        // The last one was there before.
        for (name, value) in [("KeepaliveInterval", "2"), ("KeepaliveLimit", "3"), ("MonitorInterval", "2")] {
            let said = one.sh(&format!("ctdb getvar {name}"));
            ensure!(said.split_whitespace().last() == Some(value), "{said}");
        }
        let lock = one.sh("ctdb getreclock");
        ensure!(lock.contains("/mnt/nfs/ctdb/lockfile"), "{lock}");
        monitor(one, &one.agent(), "20", 0, "")?;
    }
    wait_for("somebody serves the address", || nodes[0].has_vip() != nodes[1].has_vip());
    Ok(())
}

fn missed() -> Result<()> {
    let (one, other) = (node(0), node(1));
    for network in ["prv", "lan"] {
        site::cable(one.number, network, "down");
    }
    let took = wait_for("it is missed", || {
        let (_, said) = other.try_sh("ctdb -t 1 -X status");
        said.contains(&format!("|{}|1|", site::private(one.number)))
    });
    eprintln!("ctdb: a node lost without a word is missed after {:.1} s", took.as_secs_f32());
    ensure!(took < Duration::from_secs(15), "{took:?}");
    for node in [other, one] {
        wanted(&node.agent(), "stop", 0)?;
        nothing_left(node)?;
    }
    Ok(())
}
