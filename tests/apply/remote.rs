//! A node that runs resources with pacemaker_remote. Its package excludes Pacemaker's, which the other nodes have: it is not installed, the
//! program is taken out of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::site::{self, DIALECTS, SCENARIO, edit};
use crate::support::lab::{Lab, Machine, Net, Status, wait_for};

const LIMIT: Duration = Duration::from_secs(60);

fn program() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("pacemaker-remote/usr/sbin/pacemaker-remoted")
}

/// Gets the program from the distribution's archive, once.
pub fn fetch() -> Result<()> {
    if program().exists() {
        return Ok(());
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pacemaker-remote");
    fs::create_dir_all(&folder)?;
    let script =
        "apt-get -q download pacemaker-remote && dpkg-deb -x pacemaker-remote_*.deb . && rm pacemaker-remote_*.deb";
    let output = Command::new("sh").args(["-euc", script]).current_dir(&folder).output().context("run sh")?;
    ensure!(output.status.success() && program().exists(), "get pacemaker-remote: {output:?}");
    Ok(())
}

pub fn node(lab: &Lab) -> Result<()> {
    let far = lab.node("far1");
    far.copy_in(program(), "/usr/sbin/pacemaker-remoted", 0o755)?;
    far.write_file("/etc/pacemaker/authkey", site::first(lab).run(["base64", "/etc/pacemaker/authkey"])?, 0o600)?;
    far.sh("base64 -d /etc/pacemaker/authkey >/run/key; mv /run/key /etc/pacemaker/authkey; chgrp haclient /etc/pacemaker/authkey
        chmod 640 /etc/pacemaker/authkey; systemd-run --quiet --unit=pacemaker_remote /usr/sbin/pacemaker-remoted")?;
    let done = tried(lab);
    site::clear(lab).and(done)
}

fn tried(lab: &Lab) -> Result<()> {
    let far = lab.node("far1");
    let address = far.address(Net::Priv);
    let nodes = "node = [\"osm1.priv\", \"osm2.priv\", \"pcs3.priv\"]";
    let scenario = edit(SCENARIO, &[(nodes, "node = [\"osm1.priv\", \"osm2.priv\", \"pcs3.priv\", \"far1.priv\"]")]);
    let scenario = format!(
        "{scenario}\n[[remote]]\nname = \"far1.priv\"\naddress = \"{address}\"\nattributes = {{ site = \"far\" }}\n\
         [[resource]]\nid = \"distant\"\nagent = \"ocf:pacemaker:Dummy\"\n\
         [[location]]\nid = \"far-away\"\nresource = \"distant\"\nwhen = [\"site eq far\"]\nscore = 2000\n"
    );
    let mut made: Vec<(&str, String)> = Vec::new();
    for dialect in DIALECTS {
        site::clear(lab)?;
        site::apply(lab, dialect, &scenario)?;
        let there = || Ok(site::running(lab, far)?.contains("distant") && site::files(far)?.contains("distant"));
        wait_for(LIMIT, "the remote node to run what it is to run", there).context(dialect)?;
        ensure!(Status::seen_by(site::first(lab))?.online().contains(&"far1.priv"), "{dialect}: not online");
        site::runs(lab, "far1", &["distant", "left", "near", "right", "store"])?;
        let first = site::cib(lab)?;
        let output = site::run(lab, &[])?;
        ensure!(
            output.ok() && site::cib(lab)? == first,
            "{dialect}: the second run changed something: {}",
            output.describe()
        );
        ensure!(site::diff(lab)?.is_empty(), "{dialect}: {:?}", site::diff(lab)?);
        made.push((dialect, site::means(lab)?));
    }
    for (dialect, other) in &made[1..] {
        ensure!(made[0].1 == *other, "{} of cib is not\n{other} of {dialect}", made[0].1);
    }
    Ok(())
}
