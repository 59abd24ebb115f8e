//! Sections of a service as resources of today's agents.

use super::ini::{Key, Section};
use super::launchers::{Launcher, Launchers};
use super::monitor;
use crate::configuration::{Pairs, Resource};
use crate::import::Answers;
use crate::import::cluster::{Cluster, id};
use crate::import::haresources::mask;
use crate::import::notes::Notes;

/// What a section is about, in the order in which a service starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Ip,
    Disk,
    Fs,
    App,
    Other,
}

impl Kind {
    pub(super) fn of(section: &Section) -> Kind {
        match section.kind() {
            "ip" => Kind::Ip,
            "vg" | "disk" | "lv" => Kind::Disk,
            "fs" => Kind::Fs,
            "app" => Kind::App,
            _ => Kind::Other,
        }
    }
}

/// Sections that become no resource.
const OTHERS: &[(&str, &str)] = &[
    ("hb", "corosync sees which nodes live, Pacemaker decides: no heartbeat of its own any more"),
    (
        "sync",
        "a copy to other nodes: csync2 or a timer with rsync; what has to be on both at once belongs on a shared disk or drbd",
    ),
    ("stonith", "describe the device as [[fencing]]"),
    ("container", "describe it as [[resource]], such as ocf:heartbeat:VirtualDomain, lxc or podman"),
    ("share", "describe it as [[resource]], such as ocf:heartbeat:exportfs"),
    ("task", "a job for cron or a timer on the node that runs the service"),
    ("subset", "the order inside a group is that of its members"),
    ("volume", "describe the volume's disks and file systems as [[resource]]"),
    ("certificate", "no resource"),
    ("env", "values that other sections refer to: put in there"),
    ("pool", "describe it as [[resource]], such as ocf:heartbeat:ZFS"),
];
/// Keys that every section may have, and what becomes of them.
const COMMON: &[(&str, &str)] = &[
    ("optional", "see meta critical: a resource that is not needed does not take the others along (Pacemaker 2.1)"),
    ("always_on", "it runs on one node: as a [[resource]] of its own with clone = true it would on all"),
    ("tags", "says nothing to a cluster"),
    ("monitor", "everything is looked at"),
    ("subset", "the order inside a group is that of its members"),
];

/// What is known while a service is read.
pub(super) struct Context<'a, 'b> {
    pub(super) service: &'a str,
    pub(super) answers: &'a Answers,
    pub(super) launchers: &'a Launchers,
    /// Ids that are not in the cluster yet.
    pub(super) taken: Vec<String>,
    pub(super) notes: &'b mut Notes,
}

impl Context<'_, '_> {
    /// The resource of a section.
    pub(super) fn resource(&mut self, section: &Section, cluster: &Cluster) -> Option<Resource> {
        if section.is("disable") {
            self.notes.leave(&section.place, &format!("[{}]", section.name), "is disabled");
            return None;
        }
        let (agent, params, mut used): (String, Pairs, Vec<&str>) = match Kind::of(section) {
            Kind::Ip => self.ip(section)?,
            Kind::Disk => self.disk(section)?,
            Kind::Fs => self.fs(section)?,
            Kind::App => self.app(section)?,
            Kind::Other => {
                let why = OTHERS.iter().find(|(kind, _)| *kind == section.kind()).map(|(_, why)| *why);
                let keys: Vec<String> = section.keys.iter().map(Key::told).collect();
                let what = format!("[{}] {}", section.name, keys.join(" "));
                self.notes.leave(&section.place, &what, why.unwrap_or("is not known"));
                return None;
            }
        };
        used.extend(["disable", "restart"]);
        let mut meta: Pairs = Vec::new();
        if let Some(times) = section.get("restart").and_then(|text| text.parse::<u32>().ok()).filter(|n| *n < 1000) {
            meta.push(("migration-threshold".into(), (times + 1).to_string()));
        }
        for key in &section.keys {
            let what = key.told();
            let no = ["false", "no", "n", "0", "f", ""].contains(&key.value.to_lowercase().as_str());
            match COMMON.iter().find(|(name, _)| *name == key.name) {
                _ if key.scope.is_some() => {
                    let why = "is for some nodes alone: a resource has the same parameters on all";
                    self.notes.leave(&key.place, &what, why);
                }
                // It says what is so anyway.
                Some(_) if no => {}
                Some((_, why)) => self.notes.leave(&key.place, &what, *why),
                None if used.contains(&key.name.as_str()) => {}
                None => self.notes.leave(&key.place, &what, "the agent of today has no such parameter"),
            }
        }
        let operations = match Kind::of(section) {
            Kind::Fs => vec![monitor("20s", "40s")],
            _ => Vec::new(),
        };
        let wanted = format!("{}-{}", self.service, section.name.replace('#', "-"));
        let id = self.name(&wanted, cluster);
        Some(Resource { id, agent, params, meta, operations })
    }

    /// An id that nothing has, neither here nor in the cluster.
    fn name(&mut self, wanted: &str, cluster: &Cluster) -> String {
        let id = (1..100)
            .map(|n| if n == 1 { wanted.to_owned() } else { format!("{wanted}-{n}") })
            .map(|one| cluster.unique(&[&one]))
            .find(|one| !self.taken.contains(one))
            .unwrap_or_else(|| id(wanted));
        self.taken.push(id.clone());
        id
    }

    fn ip(&mut self, section: &Section) -> Option<(String, Pairs, Vec<&'static str>)> {
        let what = format!("[{}]", section.name);
        let Some(name) = section.first(&["ipname", "name"]) else {
            self.notes.leave(&section.place, &what, "has no ipname");
            return None;
        };
        let ip = match self.answers.of(name).and_then(|all| all.first().copied()) {
            Some(address) => address.to_string(),
            None => {
                let why = format!("a name: Pacemaker is told the address (--address {name}=ADDRESS)");
                self.notes.change(&section.place, &format!("ipname={name}"), why);
                "?".to_owned()
            }
        };
        let mut params: Pairs = vec![("ip".into(), ip)];
        if let Some(text) = section.get("netmask") {
            let prefix = mask(text).or_else(|| text.parse().ok()).filter(|n| *n <= 128);
            match prefix {
                Some(prefix) => params.push(("cidr_netmask".into(), prefix.to_string())),
                None => self.notes.leave(&section.place, &format!("{what} netmask={text}"), "is no netmask"),
            }
        }
        if let Some(link) = section.first(&["ipdev", "dev"]) {
            // An alias, eth0:1, is the business of whoever puts the address there.
            params.push(("nic".into(), link.split(':').next().unwrap_or(link).to_owned()));
        }
        Some(("ocf:heartbeat:IPaddr2".into(), params, vec!["ipname", "name", "ipdev", "dev", "netmask"]))
    }

    fn disk(&mut self, section: &Section) -> Option<(String, Pairs, Vec<&'static str>)> {
        let kind = section.get("type").unwrap_or(if section.kind() == "disk" { "vg" } else { section.kind() });
        let what = format!("[{}] type={kind}", section.name);
        match kind {
            "vg" | "lvm" => {
                let Some(group) = section.first(&["vgname", "name", "vg"]) else {
                    self.notes.leave(&section.place, &what, "names no volume group");
                    return None;
                };
                let why = "OpenSVC tagged it with the node's name; Pacemaker wants a system ID or a tag of its own: see ocf_heartbeat_LVM-activate(7), and take auto-activation off";
                self.notes.change(&section.place, &format!("[{}] {group}", section.name), why);
                let params = [("vgname", group), ("vg_access_mode", "tagging")];
                let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
                Some(("ocf:heartbeat:LVM-activate".into(), params, vec!["vgname", "name", "vg", "type"]))
            }
            "md" => {
                let Some(uuid) = section.get("uuid") else {
                    self.notes.leave(&section.place, &what, "names no device");
                    return None;
                };
                let why = "mdraid is told a device: a symbolic name for this array is needed on every node";
                self.notes.change(&section.place, &what, why);
                let params = [
                    ("mdadm_conf", "/etc/mdadm.conf".to_owned()),
                    ("md_dev", format!("/dev/disk/by-id/md-uuid-{uuid}")),
                ];
                let params = params.map(|(name, value)| (name.to_owned(), value)).to_vec();
                Some(("ocf:heartbeat:mdraid".into(), params, vec!["uuid", "type"]))
            }
            "drbd" => {
                let why = "one half is promoted: describe it as [[resource]] ocf:linbit:drbd with promotable, and the group with it where it is promoted";
                self.notes.leave(&section.place, &format!("{what} res={}", section.get("res").unwrap_or("?")), why);
                None
            }
            "raw" | "loop" | "scsireserv" => {
                self.notes.leave(&section.place, &what, "no agent of its own is needed, or fence_scsi does it");
                None
            }
            _ => {
                self.notes.leave(
                    &section.place,
                    &what,
                    "there is no agent of today for it here: describe it as [[resource]]",
                );
                None
            }
        }
    }

    fn fs(&mut self, section: &Section) -> Option<(String, Pairs, Vec<&'static str>)> {
        let (device, mount) = (section.get("dev"), section.get("mnt"));
        let (Some(device), Some(mount)) = (device, mount) else {
            let why = "has no dev and mnt: what it is of cannot be told";
            self.notes.leave(&section.place, &format!("[{}]", section.name), why);
            return None;
        };
        let mut params: Pairs = vec![("device".into(), device.to_owned()), ("directory".into(), mount.to_owned())];
        params.extend(section.get("type").map(|kind| ("fstype".to_owned(), kind.to_owned())));
        params.extend(section.first(&["mnt_opt", "options"]).map(|text| ("options".to_owned(), text.to_owned())));
        Some(("ocf:heartbeat:Filesystem".into(), params, vec!["dev", "mnt", "type", "mnt_opt", "options"]))
    }

    fn app(&mut self, section: &Section) -> Option<(String, Pairs, Vec<&'static str>)> {
        let name = section.first(&["script", "start"]).and_then(|text| text.split_whitespace().next());
        let name = name.and_then(|text| text.rsplit('/').next()).filter(|name| !name.is_empty());
        let is_number = name.is_some_and(|name| name.bytes().all(|b| b.is_ascii_digit()));
        let Some(name) = name.filter(|_| !is_number) else {
            self.notes.leave(&section.place, &format!("[{}]", section.name), "names no script");
            return None;
        };
        self.in_init_d(name, &section.place, &format!("[{}] script={name}", section.name));
        Some((format!("lsb:{name}"), Vec::new(), vec!["script", "type", "start", "stop", "check", "info"]))
    }

    fn in_init_d(&mut self, name: &str, place: &str, what: &str) {
        let why = format!(
            "is lsb:{name} now: /etc/init.d/{name} on every node, a link to it where it lies on a disk of the service; its status must end with 0 when it runs and 3 when not"
        );
        self.notes.change(place, what, why);
    }

    /// What links of launchers start, in their order.
    pub(super) fn launched(&mut self, cluster: &Cluster) -> Vec<Resource> {
        let mut all: Vec<(&String, &Launcher)> = self.launchers.iter().collect();
        all.sort_by_key(|(name, one)| (one.start, *name));
        let mut made = Vec::new();
        let mut last: Option<u32> = None;
        for (name, one) in all {
            if one.start.is_none() {
                self.notes.leave(&one.place, name, "nothing starts it");
                continue;
            }
            self.in_init_d(name, &one.place, name);
            if one.stop.is_none() || !one.check {
                let missing = if one.stop.is_none() { "K (stop)" } else { "C (status)" };
                let why = format!("has no link {missing}: Pacemaker needs start, stop and status of it");
                self.notes.change(&one.place, name, why);
            }
            if let (Some(before), Some(stop)) = (last, one.stop)
                && stop > before
            {
                let why = "stopped after what starts before it: a group stops in the opposite order";
                self.notes.change(&one.place, name, why);
            }
            last = one.stop.or(last);
            let id = self.name(&format!("{}-{name}", self.service), cluster);
            made.push(Resource { id, agent: format!("lsb:{name}"), ..Resource::default() });
        }
        made
    }
}
