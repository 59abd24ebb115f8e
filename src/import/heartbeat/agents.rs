//! What stood in Heartbeat's resource.d, as agents of today.

use crate::configuration::{Pairs, Resource};
use crate::import::cluster::{Cluster, id};
use crate::import::haresources::{Address, Entry, address};
use crate::import::notes::Notes;

/// What an entry becomes.
pub(super) enum Made {
    /// A resource.
    One(Resource),
    /// A resource of which one instance is promoted.
    Promoted(Resource),
}

/// Scripts that took their arguments in this order, and the agents that have them as parameters.
const SCRIPTS: &[(&str, &str, &[&str])] = &[
    ("Filesystem", "Filesystem", &["device", "directory", "fstype", "options"]),
    ("IPsrcaddr", "IPsrcaddr", &["ipaddress"]),
    ("LVM", "LVM-activate", &["vgname"]),
    ("apache", "apache", &["configfile"]),
    ("db2", "db2", &["instance"]),
    ("Delay", "Delay", &["startdelay"]),
    ("ldirectord", "ldirectord", &["configfile"]),
    ("MailTo", "MailTo", &["email", "subject"]),
    ("portblock", "portblock", &["protocol", "portno", "action"]),
    ("Raid1", "mdraid", &["mdadm_conf", "md_dev"]),
    ("Xinetd", "Xinetd", &["service"]),
];
/// Scripts that nobody needs any more.
const NEEDLESS: &[(&str, &str)] = &[
    ("SendArp", "IPaddr2 tells the neighbours by itself"),
    ("AudibleAlarm", "[alerts] tells people"),
    ("WinPopup", "[alerts] tells people"),
    ("hto-mapfuncs", "is a part of Heartbeat itself"),
    ("ICP", "there is no agent for it: fencing and the storage's own means do that now"),
    ("ServeRAID", "there is no agent for it: fencing and the storage's own means do that now"),
    ("LinuxSCSI", "there is no agent for it: fencing and the storage's own means do that now"),
    ("drbdupper", "is the second half of a stack of drbd: describe it as [[resource]] ocf:linbit:drbd"),
];

/// The resource of an entry of haresources.
pub(super) fn resource(entry: &Entry, place: &str, cluster: &Cluster, notes: &mut Notes) -> Option<Made> {
    match entry {
        Entry::Address(one) => Some(Made::One(of_address(one, place, cluster, notes))),
        Entry::Script(name, arguments) => script(name, arguments, place, cluster, notes),
    }
}

fn of_address(one: &Address, place: &str, cluster: &Cluster, notes: &mut Notes) -> Resource {
    let mut params: Pairs = vec![("ip".into(), one.address.to_string())];
    params.extend(one.prefix.map(|prefix| ("cidr_netmask".into(), prefix.to_string())));
    params.extend(one.nic.clone().map(|nic| ("nic".into(), nic)));
    if let Some(broadcast) = &one.broadcast {
        let why = "follows from the address and the length of its prefix";
        notes.leave(place, &format!("broadcast {broadcast}"), why);
    }
    let id = cluster.unique(&[&format!("ip-{}", one.address)]);
    Resource { id, agent: "ocf:heartbeat:IPaddr2".into(), params, ..Resource::default() }
}

fn script(name: &str, arguments: &[String], place: &str, cluster: &Cluster, notes: &mut Notes) -> Option<Made> {
    let text = [&[name.to_owned()][..], arguments].concat().join("::");
    if let Some((_, why)) = NEEDLESS.iter().find(|(known, _)| *known == name) {
        notes.leave(place, &text, *why);
        return None;
    }
    if let ("IPv6addr", [only]) = (name, arguments)
        && let Some((one, rest)) = address(only)
    {
        if !rest.is_empty() {
            notes.leave(place, &rest, "is neither a prefix length, a link nor a broadcast address");
        }
        return Some(Made::One(of_address(&one, place, cluster, notes)));
    }
    if name == "drbddisk" || (name == "datadisk" && arguments.len() == 1) {
        let Some(disk) = arguments.first() else {
            notes.leave(place, &text, "without an argument it means all of them: write one [[resource]] for each");
            return None;
        };
        notes.change(place, &text, "ocf:linbit:drbd: Pacemaker promotes it; switch its service off at boot");
        let id = cluster.unique(&[&format!("drbd-{disk}")]);
        let params = vec![("drbd_resource".into(), disk.clone())];
        return Some(Made::Promoted(Resource { id, agent: "ocf:linbit:drbd".into(), params, ..Resource::default() }));
    }
    if let Some((_, agent, names)) = SCRIPTS.iter().find(|(known, ..)| *known == name).filter(|_| !arguments.is_empty())
    {
        let mut params: Pairs = names.iter().map(|name| (*name).to_owned()).zip(arguments.iter().cloned()).collect();
        params.retain(|(_, value)| !value.is_empty());
        for extra in arguments.iter().skip(names.len()) {
            notes.leave(place, &format!("{text}: {extra}"), format!("{agent} has no parameter for it"));
        }
        if name == "LVM" {
            params.push(("vg_access_mode".into(), "system_id".into()));
            let why = "the volume group needs a system ID, and lvm.conf system_id_source = \"uname\": see ocf_heartbeat_LVM-activate(7)";
            notes.change(place, &text, why);
        }
        let hint = match name {
            "Filesystem" => arguments.get(1).map_or("", |directory| directory.trim_matches('/')),
            _ => arguments.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word)),
        };
        let id = cluster.unique(&[&format!("{}-{hint}", name.to_lowercase())]);
        return Some(Made::One(Resource {
            id,
            agent: format!("ocf:heartbeat:{agent}"),
            params,
            ..Resource::default()
        }));
    }
    if !arguments.is_empty() {
        let why =
            "a script with arguments: Pacemaker runs scripts of /etc/init.d with none. Write an agent's [[resource]]";
        notes.leave(place, &text, why);
        return None;
    }
    let bare = name.rsplit('/').next().unwrap_or(name);
    let why = format!(
        "is lsb:{bare} now: /etc/init.d/{bare} on every node, not started at boot; systemd:UNIT where it is a unit"
    );
    notes.change(place, &text, why);
    let id = cluster.unique(&[&id(bare), &format!("{bare}-service")]);
    Some(Made::One(Resource { id, agent: format!("lsb:{bare}"), ..Resource::default() }))
}
