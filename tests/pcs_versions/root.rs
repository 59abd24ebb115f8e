//! Roots of other releases of Debian, with their own pcs and Pacemaker tools.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::trial::Trial;

/// A release whose pcs the scripts are run with.
pub struct Root {
    /// Its name in the archive.
    pub suite: &'static str,
    /// The version of its pcs.
    pub pcs: &'static str,
    folder: PathBuf,
}

/// The newest and the oldest that there are packages of.
pub const TRIXIE: Release = ("trixie", "0.12.0", "fence-agents-ipmilan fence-agents-apc");
/// It leaves the mirrors one day, and is in the archive then.
pub const BULLSEYE: Release = ("bullseye", "0.10.8", "fence-agents");

/// Its name, its pcs, and the packages with the fence agents of the examples.
type Release = (&'static str, &'static str, &'static str);

/// What every root has beside them: pacemaker-resource-agents for the agents that free resources use.
const PACKAGES: &str = "pcs pacemaker-cli-utils pacemaker-resource-agents resource-agents";
/// Where releases are, and where those that have ended are.
const MIRRORS: [&str; 2] = ["http://deb.debian.org/debian", "http://archive.debian.org/debian"];

/// In namespaces of its own: the root, this trial's folder as /trial, its agents, the node's address.
const INSIDE: &str = r#"#!/bin/bash
set -euo pipefail
root=$1 trial=$2
shift 2
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/mnt"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/var/lib/pcsd"
mkdir "$root/mnt/trial"
mount --bind "$trial" "$root/mnt/trial"
mkdir -p "$root/usr/lib/ocf/resource.d/inuvika"
mount -t tmpfs tmpfs "$root/usr/lib/ocf/resource.d/inuvika"
cp "$trial"/agents/* "$root/usr/lib/ocf/resource.d/inuvika/"
ip link set lo up
ip address add 192.168.100.11/24 dev lo
exec chroot "$root" /bin/bash -c 'cd /mnt/trial && exec "$@"' - "$@"
"#;

impl Root {
    /// The release, made anew when no earlier run has left it, with the same packages, in `INUVIKA_PCS_ROOTS` (else a folder for
    /// temporary files). What cannot be had is a failure: a suite that passes without its pcs would say nothing.
    pub fn of((suite, pcs, fence_agents): Release) -> Root {
        let cache = std::env::var_os("INUVIKA_PCS_ROOTS")
            .map_or_else(|| std::env::temp_dir().join("inuvika-pcs-roots"), PathBuf::from);
        let folder = cache.join(suite);
        let packages = format!("{PACKAGES} {fence_agents}");
        if !std::fs::read_to_string(folder.join(".done")).is_ok_and(|made| made == packages) {
            let made = make(suite, &packages, &cache, &folder);
            made.unwrap_or_else(|reason| panic!("no root of {suite} for its pcs {pcs}: {reason}"));
        }
        let root = Root { suite, pcs, folder };
        // Its name says which forms the script has; another one would prove nothing of them.
        let version = Command::new("chroot").arg(&root.folder).args(["pcs", "--version"]).output().unwrap();
        let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        let same = version == pcs || version.strip_prefix(pcs).is_some_and(|rest| rest.starts_with('.'));
        assert!(same, "the root of {suite} has pcs {version}, not {pcs}");
        root
    }

    /// Runs a command of the release in a trial's folder.
    pub fn run(&self, trial: &Trial, command: &[&str]) -> Output {
        trial.write("inside", INSIDE, 0o755);
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child"]);
        unshare.arg(trial.path("inside")).arg(&self.folder).arg(trial.path("."));
        unshare.args(command).output().unwrap()
    }

    /// The same for a script, on the live CIB file; it must succeed.
    pub fn apply(&self, trial: &Trial, script: &str, arguments: &[&str]) -> String {
        trial.write("script.sh", script, 0o755);
        let output = self.run(trial, &[&["./script.sh", "--cib", "/mnt/trial/live.xml"], arguments].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {text}{errors}", self.suite);
        assert!(!format!("{text}{errors}").to_lowercase().contains("deprecat"), "{}: {text}{errors}", self.suite);
        text
    }

    /// A CIB of its own Pacemaker, with the nodes of the trial's scenario.
    pub fn fresh(&self, trial: &Trial) {
        let output = self.run(trial, &["cibadmin", "--empty"]);
        assert!(output.status.success(), "{output:?}");
        let ours = trial.read("live.xml");
        let between = |text: &str, from: &str, to: &str| {
            let start = text.find(from).unwrap();
            text[start..start + text[start..].find(to).unwrap() + to.len()].to_owned()
        };
        let text = String::from_utf8(output.stdout).unwrap();
        let text = text.replace("<nodes/>", &between(&ours, "<nodes>", "</nodes>"));
        let text = text.replace("<status/>", &between(&ours, "<status>", "</status>"));
        let quorum = if text.contains("have-quorum") { "<cib " } else { "<cib have-quorum=\"1\" " };
        trial.write(
            "live.xml",
            &text.replacen("<cib ", quorum, 1).replace("have-quorum=\"0\"", "have-quorum=\"1\""),
            0o600,
        );
    }
}

/// The base of the release, then its packages by its own apt: debootstrap itself does not know packages that others provide.
const MAKE: &str = r#"#!/bin/bash
set -euo pipefail
suite=$1 new=$2 mirror=$3 packages=$4
debootstrap --variant=minbase "$suite" "$new" "$mirror"
printf '#!/bin/sh\nexit 101\n' >"$new/usr/sbin/policy-rc.d"
chmod 755 "$new/usr/sbin/policy-rc.d"
mount -t proc proc "$new/proc"
cp /etc/resolv.conf "$new/etc/resolv.conf"
# shellcheck disable=SC2086 # several
DEBIAN_FRONTEND=noninteractive chroot "$new" apt-get install -y --no-install-recommends $packages
printf %s "$packages" >"$new/.done"
"#;

/// Makes it; the first mirror that has it counts.
fn make(suite: &str, packages: &str, cache: &Path, folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(cache).map_err(|error| error.to_string())?;
    let new = cache.join(format!("{suite}.new"));
    let mut reasons = Vec::new();
    for mirror in MIRRORS {
        remove(&new)?;
        // Whatever its packages start, and what is mounted, ends with the namespaces.
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--pid", "--fork", "--kill-child", "--ipc", "bash", "-c", MAKE, "make", suite]);
        unshare.arg(&new).args([mirror, packages]);
        let output = unshare.output().map_err(|error| format!("run unshare: {error}"))?;
        if output.status.success() {
            remove(folder)?;
            return std::fs::rename(&new, folder).map_err(|error| error.to_string());
        }
        let text = [output.stdout, output.stderr].concat();
        let last = String::from_utf8_lossy(&text).lines().last().unwrap_or_default().to_owned();
        reasons.push(format!("{mirror}: {last}"));
    }
    remove(&new)?;
    Err(reasons.join("; "))
}

fn remove(folder: &Path) -> Result<(), String> {
    match folder.exists() {
        true => std::fs::remove_dir_all(folder).map_err(|error| format!("remove {}: {error}", folder.display())),
        false => Ok(()),
    }
}
