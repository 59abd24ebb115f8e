//! What rpm does with the .rpm.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::support::lab::{Lab, Machine};
use crate::{listing, made};

/// rpm below another root; this machine's own packages are dpkg's, which is what --force-debian is about.
fn rpm(root: &Path, words: &[&str]) -> Result<String> {
    let mut command = Command::new("rpm");
    command.arg("--root").arg(root).args(words).env("LC_ALL", "C.UTF-8");
    let output = command.output().context("run rpm")?;
    ensure!(output.status.success(), "{words:?}: {output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

pub fn below_another_root() -> Result<()> {
    let root = made::folder("root");
    std::fs::create_dir_all(root.join("var/lib/rpm"))?;
    let package = made::first().rpm.to_str().context("a strange path")?;
    // There is neither a C library nor a shell below that root.
    let quiet = ["--nodeps", "--noscripts", "--force-debian"];
    rpm(&root, &[&["--install"][..], &quiet, &[package]].concat())?;
    // Nothing differs from the package: sizes, modes, sums, links.
    rpm(&root, &["--verify", "--nodeps", "--noscripts", "inuvika-ha"])?;
    let agent = root.join("usr/lib/ocf/resource.d/inuvika/ovd-osm");
    ensure!(std::fs::symlink_metadata(&agent)?.is_symlink(), "the agent is no link");
    let described = Command::new(&agent).arg("meta-data").env_clear().output()?;
    let text = String::from_utf8(described.stdout)?;
    ensure!(described.status.success() && text.contains("<resource-agent name=\"ovd-osm\""), "{text}");
    rpm(&root, &[&["--erase"][..], &quiet, &["inuvika-ha"]].concat())?;
    for path in listing::rpm(&made::first().rpm)?.keys() {
        let left = root.join(path.trim_start_matches('/'));
        ensure!(std::fs::symlink_metadata(&left).is_err(), "{path} is left");
    }
    for folder in ["usr/lib/ocf/resource.d/inuvika", "usr/share/doc/inuvika-ha"] {
        ensure!(!root.join(folder).exists(), "{folder} is left");
    }
    Ok(())
}

/// SELinux's tools, which write down what they are asked. The first name of /run is refused, as by RHEL 10.
const SEMANAGE: &str = "#!/bin/sh\ninput=$(cat)\ncase $input in *\"'/var/run\"*) exit 1 ;; esac\n\
                        printf '%s\\n' \"$input\" >>/root/labels\n";

pub fn labels(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    node.copy_in(&made::first().rpm, "/root/first.rpm", 0o644)?;
    node.copy_in(&made::next().rpm, "/root/next.rpm", 0o644)?;
    let rpm = |words: &str| node.sh(&format!("rpm --force-debian --nodeps --dbpath /root/rpmdb {words} 2>&1"));
    // Without SELinux nothing is said and nothing fails.
    rpm("--install /root/first.rpm")?;
    rpm("--erase inuvika-ha")?;
    node.write_file("/usr/sbin/semanage", SEMANAGE, 0o755)?;
    node.write_file("/usr/sbin/selinuxenabled", "#!/bin/sh\n", 0o755)?;
    node.write_file("/usr/sbin/restorecon", "#!/bin/sh\necho \"restorecon $*\" >>/root/labels\n", 0o755)?;
    let told = || node.sh("cat /root/labels; : >/root/labels");
    let said = rpm("--install /root/first.rpm")?;
    let labels = told()?;
    ensure!(said.is_empty(), "{said}");
    for line in [
        "fcontext -a -t cluster_var_run_t '/run/inuvika-ha(/.*)?'",
        "fcontext -a -t cluster_var_lib_t '/var/lib/inuvika-ha(/.*)?'",
        "fcontext -a -t bin_t '/usr/lib/ocf/resource\\.d/inuvika(/.*)?'",
        "fcontext -a -t bin_t '/usr/share/pacemaker/alerts/inuvika-alert'",
    ] {
        ensure!(labels.lines().any(|told| told == line), "{line} was not told: {labels}");
    }
    ensure!(labels.contains("restorecon -R /run/inuvika-ha /var/lib/inuvika-ha"), "{labels}");
    // The order of rpm: the new one comes before the old one goes, which must not take the labels along.
    rpm("--upgrade /root/next.rpm")?;
    let labels = node.sh("cat /root/labels; : >/root/labels")?;
    ensure!(!labels.contains("fcontext"), "{labels}");
    rpm("--erase inuvika-ha")?;
    let labels = node.sh("cat /root/labels")?;
    ensure!(labels.matches("fcontext -d ").count() == 4, "{labels}");
    ensure!(!node.output(["test", "-e", "/usr/sbin/inuvika-ha"])?.ok(), "the program is left");
    Ok(())
}
