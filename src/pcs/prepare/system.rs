//! The releases of distributions, as far as a node is prepared for a cluster on them.

use crate::pcs::script::release::{RELEASES, Release};
use crate::scenario::setup::host::Names;
use std::collections::BTreeMap;

/// The family of a distribution: how packages are installed, and what they are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Debian and Ubuntu.
    Deb,
    /// RHEL and what is built from it.
    Rpm,
}

/// A release.
#[derive(Debug, Clone, Copy)]
pub struct System {
    /// Its name, as `--for` takes it, with its pcs.
    pub release: &'static Release,
    /// Its family.
    pub family: Family,
}

/// What RHEL and those built from it call themselves in /etc/os-release.
const RHEL: &[&str] = &["rhel", "centos", "almalinux", "rocky", "ol"];
/// Releases with corosync 2: two ports, no knet. Their kernels are older than 4.18, too.
const COROSYNC_2: &[&str] = &["rhel7", "ubuntu16.04", "ubuntu18.04"];
/// Releases whose agents are in two packages each.
const SPLIT: &[&str] = &["ubuntu22.04", "ubuntu24.04"];

impl System {
    /// The release of that name.
    ///
    /// # Errors
    /// Which there are: a clause without full stop.
    pub fn named(name: &str) -> Result<System, String> {
        let found = RELEASES.iter().find(|release| release.name == name.to_lowercase());
        let release = found.ok_or_else(|| {
            let names: Vec<_> = RELEASES.iter().map(|release| release.name).collect();
            format!("{name:?} is not known: there are {}", names.join(", "))
        })?;
        let family = if release.name.starts_with("rhel") { Family::Rpm } else { Family::Deb };
        Ok(System { release, family })
    }

    /// The release that the text of an /etc/os-release is of.
    ///
    /// # Errors
    /// What it is of instead: a clause without full stop.
    pub fn described(os_release: &str) -> Result<System, String> {
        let pairs = os_release.lines().filter_map(|line| line.split_once('='));
        let pairs: BTreeMap<_, _> = pairs.map(|(name, value)| (name.trim(), value.trim_matches(['"', '\'']))).collect();
        let value = |name| pairs.get(name).copied().unwrap_or_default();
        let (id, version) = (value("ID"), value("VERSION_ID"));
        let name = match RHEL.contains(&id) {
            true => format!("rhel{}", version.split('.').next().unwrap_or_default()),
            false => format!("{id}{version}"),
        };
        System::named(&name).map_err(|_| format!("this machine is {id} {version}: say which release with --for"))
    }

    fn is_in(self, releases: &[&str]) -> bool {
        releases.contains(&self.release.name)
    }

    /// Whether corosync is the one of before knet, and the kernel one of before 4.18.
    pub fn is_old(self) -> bool {
        self.is_in(COROSYNC_2)
    }

    /// The ports of corosync, all links together.
    pub fn corosync_ports(self) -> &'static str {
        if self.is_old() { "5404:5405" } else { "5404:5412" }
    }

    /// The names that are right here.
    pub fn pick(self, names: Names) -> Vec<String> {
        let names = match self.family {
            Family::Deb => names.deb,
            Family::Rpm => names.rpm,
        };
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// A pattern of bash for the ID and VERSION_ID of /etc/os-release.
    pub fn pattern(self) -> String {
        let name = self.release.name;
        match self.family {
            Family::Deb => {
                let (id, version) = name.split_at(name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len()));
                format!("'{id} {version}'")
            }
            Family::Rpm => {
                let version = name.trim_start_matches("rhel");
                let each = RHEL.iter().map(|id| format!("'{id} {version}' | '{id} {version}'.*"));
                each.collect::<Vec<_>>().join(" | \\\n        ")
            }
        }
    }

    /// What is used to install packages.
    pub fn manager(self) -> &'static str {
        match self.family {
            Family::Deb => "apt-get",
            Family::Rpm if self.release.name == "rhel7" => "yum",
            Family::Rpm => "dnf",
        }
    }

    /// Every member of a cluster needs these.
    pub fn cluster_packages(self) -> Vec<String> {
        let cluster = match self.family {
            Family::Deb => &["pacemaker", "pacemaker-cli-utils", "corosync", "pcs"][..],
            Family::Rpm => &["pacemaker", "corosync", "pcs"],
        };
        cluster.iter().map(|name| (*name).to_owned()).chain(self.agent_packages()).collect()
    }

    /// The resource agents.
    pub fn agent_packages(self) -> Vec<String> {
        let agents: &[&str] =
            if self.is_in(SPLIT) { &["resource-agents-base", "resource-agents-extra"] } else { &["resource-agents"] };
        agents.iter().map(|name| (*name).to_owned()).collect()
    }

    /// The fence agents.
    pub fn fence_packages(self) -> Vec<String> {
        let agents: &[&str] = match self.family {
            Family::Deb if self.is_in(SPLIT) => &["fence-agents-base", "fence-agents-extra"],
            Family::Deb if self.release.name != "debian13" => &["fence-agents"],
            _ => &["fence-agents-all"],
        };
        agents.iter().map(|name| (*name).to_owned()).collect()
    }

    /// For packages that are not in the base of RHEL: PACKAGE, RHEL's repository, those of others.
    ///
    /// Sources: Red Hat, "Configuring and managing high availability clusters" (RHEL 8 and later) and "High Availability Add-On
    /// Administration" (RHEL 7): `subscription-manager repos`. That RHEL 10 has no Resilient Storage any more: Red Hat,
    /// "Considerations in adopting RHEL 10". The ids of the others, as far as published .repo files show them, are tried one by one.
    pub fn repositories(self, packages: &[String]) -> Vec<Vec<String>> {
        if self.family == Family::Deb {
            return Vec::new();
        }
        let version = self.release.name.trim_start_matches("rhel");
        let of = |package: &str, word: &str, others: &[String]| {
            let rhel = match version {
                "10" if word == "resilientstorage" => "none".into(),
                "7" => format!("rhel-{}-for-rhel-7-server-rpms", if word == "highavailability" { "ha" } else { "rs" }),
                _ => format!("rhel-{version}-for-ARCH-{word}-rpms"),
            };
            [&[package.to_owned(), rhel], others].concat()
        };
        let addons = format!("ol{version}_addons");
        let ha = ["ha".to_owned(), "highavailability".into(), "HighAvailability".into(), addons.clone()];
        let storage = ["resilientstorage".to_owned(), "resilient-storage".into(), "ResilientStorage".into(), addons];
        let mut all = vec![of("pcs", "highavailability", &ha)];
        let has = |name: &str| packages.iter().any(|one| one == name);
        if has("pacemaker-remote") {
            all.push(of("pacemaker-remote", "highavailability", &ha));
        }
        if has("ctdb") {
            all.push(of("ctdb", "resilientstorage", &storage));
        }
        if has("lsyncd") {
            all.push(vec!["lsyncd".into(), "EPEL".into(), "epel".into()]);
        }
        all
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn machines_know_what_they_are() {
        for (text, name) in [
            ("PRETTY_NAME=\"Debian\"\nID=debian\nVERSION_ID=\"12\"\n", "debian12"),
            ("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"22.04\"\n", "ubuntu22.04"),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.4\"\n", "rhel9"),
            ("ID=\"ol\"\nVERSION_ID=\"8.10\"\n", "rhel8"),
        ] {
            assert_eq!(System::described(text).unwrap().release.name, name);
        }
        let other = System::described("ID=\"sles\"\nVERSION_ID=\"15.5\"\n").unwrap_err();
        assert_eq!(other, "this machine is sles 15.5: say which release with --for");
        assert!(System::named("debian9").unwrap_err().contains("there are rhel7"));
    }

    #[test]
    fn names_are_those_of_the_release() {
        let of = |name| System::named(name).unwrap();
        assert!(of("ubuntu22.04").cluster_packages().contains(&"resource-agents-extra".to_owned()));
        assert_eq!(of("debian13").fence_packages(), ["fence-agents-all"]);
        assert_eq!(of("debian12").pattern(), "'debian 12'");
        assert!(of("rhel8").pattern().contains("'almalinux 8'.*"));
        assert_eq!(of("ubuntu18.04").corosync_ports(), "5404:5405");
        let ctdb = of("rhel9").repositories(&["ctdb".into()]);
        assert_eq!(ctdb[1][..3], ["ctdb", "rhel-9-for-ARCH-resilientstorage-rpms", "resilientstorage"]);
        assert_eq!(of("rhel10").repositories(&["ctdb".into()])[1][1], "none");
    }
}
