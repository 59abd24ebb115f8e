//! Resources of rgmanager as agents of today.

use crate::configuration::{Pairs, Resource};
use crate::document::element::Element;
use crate::import::cluster::Cluster;
use crate::import::cman::{place, tag};
use crate::import::haresources::mask;
use crate::import::notes::{Notes, pair};

/// How an attribute of rgmanager is called now.
type Names = &'static [(&'static str, &'static str)];

/// A kind of resource, its agent, its parameters.
const KINDS: &[(&str, &str, Names)] = &[
    (
        "fs",
        "Filesystem",
        &[("device", "device"), ("mountpoint", "directory"), ("fstype", "fstype"), ("options", "options")],
    ),
    (
        "clusterfs",
        "Filesystem",
        &[("device", "device"), ("mountpoint", "directory"), ("fstype", "fstype"), ("options", "options")],
    ),
    ("netfs", "Filesystem", &[("mountpoint", "directory"), ("fstype", "fstype"), ("options", "options")]),
    ("lvm", "LVM-activate", &[("vg_name", "vgname"), ("lv_name", "lvname")]),
    ("apache", "apache", &[]),
    ("mysql", "mysql", &[("config_file", "config"), ("mysqld_options", "additional_parameters")]),
    ("nfsserver", "nfsserver", &[("nfspath", "nfs_shared_infodir")]),
    ("named", "named", &[("named_config", "named_config"), ("named_options", "named_options")]),
    ("openldap", "slapd", &[("url_list", "services"), ("slapd_options", "options")]),
    ("vm", "VirtualDomain", &[("hypervisor_uri", "hypervisor")]),
];
/// Attributes that say nothing to an agent.
const OWN: &[&str] =
    &["name", "ref", "domain", "autostart", "recovery", "exclusive", "max_restarts", "restart_expire_time"];

/// The name by which services refer to it.
pub(super) fn name(element: &Element) -> &str {
    let by_address = (element.name == "ip").then(|| element.filled("address")).flatten();
    by_address.or_else(|| element.filled("name")).unwrap_or_default()
}

/// The resource; `taken`: an id that is somebody's already.
pub(super) fn resource(
    element: &Element,
    service: &str,
    taken: &str,
    base: &str,
    cluster: &Cluster,
    notes: &mut Notes,
) -> Option<Resource> {
    let at = place(base, element);
    let made = match element.name.as_str() {
        "ip" => address(element, &at, notes),
        "script" => script(element, &at, notes),
        kind => match KINDS.iter().find(|(known, ..)| *known == kind) {
            Some((_, agent, names)) => Some(known(element, agent, names, &at, notes)),
            None => {
                notes.leave(
                    &at,
                    &tag(element),
                    "there is no agent of today for it here: describe it as [[resource]] in its group",
                );
                None
            }
        },
    };
    let (agent, params, used) = made?;
    for (attribute, value) in &element.attributes {
        if !OWN.contains(&attribute.as_str()) && !used.contains(&attribute.as_str()) {
            let why = "the agent of today has no such parameter, or does it by itself";
            notes.leave(&at, &format!("<{}> {}", element.name, pair(attribute, value)), why);
        }
    }
    let mut name = name(element);
    if name.is_empty() {
        name = service;
    }
    let prefix = if element.name == "ip" { "ip-" } else { "" };
    let plain = format!("{prefix}{}", name.split('/').next().unwrap_or(name));
    let longer = format!("{name}-{}", element.name);
    let wanted: Vec<&str> = [plain.as_str(), longer.as_str()].into_iter().filter(|one| *one != taken).collect();
    let mut resource = Resource { id: cluster.unique(&wanted), agent, params, ..Resource::default() };
    if element.name == "vm" && element.filled("migrate").is_none_or(|word| word == "live") {
        resource.meta.push(("allow-migrate".into(), "true".into()));
    }
    Some(resource)
}

/// An agent, its parameters, the attributes that they come from.
type Made = (String, Pairs, Vec<&'static str>);

fn address(element: &Element, at: &str, notes: &mut Notes) -> Option<Made> {
    let text = element.filled("address").unwrap_or_default();
    let (ip, rest) = text.split_once('/').map_or((text, None), |(ip, rest)| (ip, Some(rest)));
    if ip.parse::<std::net::IpAddr>().is_err() {
        notes.leave(at, &tag(element), "is no address");
        return None;
    }
    let mut params: Pairs = vec![("ip".into(), ip.to_owned())];
    match rest.map(|rest| mask(rest).map_or_else(|| rest.to_owned(), |prefix| prefix.to_string())) {
        Some(prefix) if prefix.parse::<u8>().is_ok_and(|n| n <= 128) => params.push(("cidr_netmask".into(), prefix)),
        Some(odd) => notes.leave(at, &odd, "is no length of a network's prefix"),
        None => {}
    }
    if let Some(link) = element.filled("prefer_interface") {
        params.push(("nic".into(), link.to_owned()));
    }
    Some(("ocf:heartbeat:IPaddr2".into(), params, vec!["address", "prefer_interface"]))
}

fn script(element: &Element, at: &str, notes: &mut Notes) -> Option<Made> {
    let file = element.filled("file").unwrap_or_default();
    let name = file.rsplit('/').next().filter(|name| !name.is_empty());
    let Some(name) = name else {
        notes.leave(at, &tag(element), "names no file");
        return None;
    };
    let folder = file.strip_suffix(name).unwrap_or_default();
    let why = match folder {
        "/etc/init.d/" | "/etc/rc.d/init.d/" => {
            format!("is lsb:{name} now, not started at boot; systemd:UNIT where it is a unit")
        }
        _ => format!("Pacemaker runs scripts of /etc/init.d alone: a link /etc/init.d/{name} to it, on every node"),
    };
    notes.change(at, &format!("<script> file={file}"), why);
    Some((format!("lsb:{name}"), Vec::new(), vec!["file"]))
}

fn known(element: &Element, agent: &str, names: Names, at: &str, notes: &mut Notes) -> Made {
    let mut used: Vec<&'static str> = names.iter().map(|(old, _)| *old).collect();
    let mut params: Pairs = Vec::new();
    for (old, new) in names {
        if let Some(value) = element.filled(old) {
            params.push(((*new).to_owned(), value.to_owned()));
        }
    }
    let mut add = |name: &str, value: String| params.push((name.to_owned(), value));
    match element.name.as_str() {
        "netfs" => {
            used.extend(["host", "export"]);
            let (host, export) =
                (element.filled("host").unwrap_or_default(), element.filled("export").unwrap_or_default());
            let device = match element.filled("fstype") {
                Some("cifs" | "smbfs") => format!("//{host}/{}", export.trim_start_matches('/')),
                _ => format!("{host}:{export}"),
            };
            add("device", device);
            if element.filled("fstype").is_none() {
                add("fstype", "nfs".into());
            }
        }
        "clusterfs" => {
            let why = "a file system of the whole cluster needs dlm and lvmlockd on every node first: clones of ocf:pacemaker:controld and ocf:heartbeat:lvmlockd, and an order";
            notes.change(at, &tag(element), why);
        }
        "lvm" => {
            add("vg_access_mode", "tagging".into());
            notes.change(
                at,
                &tag(element),
                "vg_access_mode=tagging is as rgmanager did it; system_id is what is advised now",
            );
        }
        "apache" => {
            used.extend(["server_root", "config_file"]);
            let file = element.filled("config_file").unwrap_or("conf/httpd.conf");
            let root = element.filled("server_root").unwrap_or("/etc/httpd").trim_end_matches('/');
            add("configfile", if file.starts_with('/') { file.to_owned() } else { format!("{root}/{file}") });
        }
        "vm" => {
            used.extend(["path", "xmlfile", "migrate"]);
            let folder = element.filled("path").unwrap_or("/etc/libvirt/qemu").split(':').next().unwrap_or_default();
            let file = format!("{}/{}.xml", folder.trim_end_matches('/'), element.text("name"));
            add("config", element.filled("xmlfile").map_or(file, str::to_owned));
            if element.filled("migrate").is_none_or(|word| word == "live") {
                add("migration_transport", "ssh".into());
            }
        }
        _ => {}
    }
    (format!("ocf:heartbeat:{agent}"), params, used)
}
