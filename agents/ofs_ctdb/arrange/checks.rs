//! What has to be right before anything is written, and what the configuration cannot make right.

use std::path::Path;

use super::super::daemon::at_boot;
use super::super::files::{Ini, read};
use super::super::mount::Seen;
use super::{ASK, Places, Wanted, holds};
use crate::ocf::check::{Check, Verdict};
use crate::ocf::deadline::Deadline;
use crate::sys::links;
use crate::sys::process;

/// Whether nothing of it forbids writing.
pub fn may_write(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.verdict != Verdict::Failed)
}

/// All that only look.
pub fn all(wanted: &Wanted, places: &Places, limit: &Deadline) -> Vec<Check> {
    let mut checks = vec![Check::run("shared folder", || folder(wanted.shared(), limit))];
    if let Some(data) = &wanted.config.data {
        checks.push(Check::run("data folder", || softened(folder(data, limit))));
    }
    checks.push(Check::run("data_dir", || data_dir(wanted, places, limit)));
    checks.push(Check::run("node", || node(wanted)));
    if let Some(link) = &wanted.link {
        checks.push(Check::run("link", || match links::by_name(link) {
            Ok(Some(_)) => (Verdict::Ok, link.clone()),
            Ok(None) => (Verdict::Failed, format!("this node has no link {link}, where the address is to be")),
            Err(error) => (Verdict::Failed, format!("ask the kernel for links: {error}")),
        }));
    }
    let service = wanted.config.daemon.find();
    checks.push(Check::run("at boot", || match &service {
        Err(failure) => (Verdict::Degraded, failure.reason.clone()),
        Ok(service) => match at_boot(service, wanted.config.daemon.by_systemd()) {
            Some(how) => (Verdict::Degraded, how),
            None => (Verdict::Ok, "CTDB and Samba are off".to_owned()),
        },
    }));
    checks
}

/// A folder that may not be there yet, on a volume that has to be mounted.
fn folder(path: &Path, limit: &Deadline) -> (Verdict, String) {
    match Seen::of(path, &limit.within(ASK)) {
        Seen::Alive => (Verdict::Ok, path.display().to_string()),
        Seen::Missing(why) => (Verdict::Failed, why),
        // Its volume is there; it itself is made.
        Seen::Silent(_) if is_to_be_made(path, limit) => (Verdict::Ok, format!("{} is to be made", path.display())),
        Seen::Silent(why) => (Verdict::Failed, why),
    }
}

fn is_to_be_made(path: &Path, limit: &Deadline) -> bool {
    let parent = path.parent().is_some_and(|parent| holds("test", &["-d".as_ref(), parent], &limit.within(ASK)));
    parent && !holds("test", &["-e".as_ref(), path], &limit.within(ASK))
}

/// Reported, but no reason to write nothing.
fn softened((verdict, detail): (Verdict, String)) -> (Verdict, String) {
    (if verdict == Verdict::Failed { Verdict::Degraded } else { verdict }, detail)
}

/// Where ovd-slaveserver has the users' data: on a disk of the node, the other one would serve other data.
fn data_dir(wanted: &Wanted, places: &Places, limit: &Deadline) -> (Verdict, String) {
    let file = places.slaveserver.display();
    let text = match read(&places.slaveserver, &limit.within(ASK)) {
        Ok(Some(text)) => text,
        Ok(None) => return (Verdict::Degraded, format!("there is no {file}: install the role of file server")),
        Err(why) => return (Verdict::Degraded, why),
    };
    let ini = Ini::parse(&text);
    let Some(found) = ini.get("fileserver", "data_dir").map(Path::new) else {
        return (Verdict::Degraded, format!("{file} has no data_dir in [FileServer]: data would stay on this node"));
    };
    let shown = found.display();
    if let Some(data) = &wanted.config.data
        && !found.starts_with(data)
    {
        return (Verdict::Degraded, format!("data_dir of {file} is {shown}, and not on {}", data.display()));
    }
    softened(folder(found, limit))
}

fn node(wanted: &Wanted) -> (Verdict, String) {
    for address in &wanted.nodes {
        match links::holder(*address) {
            Ok(Some(_)) => return (Verdict::Ok, address.to_string()),
            Ok(None) => {}
            Err(error) => return (Verdict::Failed, format!("ask the kernel for addresses: {error}")),
        }
    }
    (Verdict::Failed, "this host has the first address of no file server of the scenario: run it on one".to_owned())
}

/// Whether root may write to the volumes, as root: their server may make it somebody else (root_squash).
pub fn root(wanted: &Wanted, limit: &Deadline) -> Vec<Check> {
    let folders = [Some(wanted.shared()), wanted.config.data.as_deref()];
    folders.into_iter().flatten().map(|path| Check::run("root", || squashed(path, limit))).collect()
}

fn squashed(path: &Path, limit: &Deadline) -> (Verdict, String) {
    let path = match path.parent() {
        Some(parent) if is_to_be_made(path, limit) => parent,
        _ => path,
    };
    let template = path.join(".inuvika-ha-XXXXXX");
    let made = process::run("mktemp", &[template.as_os_str()], None, &limit.within(ASK));
    let made = match made {
        Ok(output) if output.status.success() => output.text().trim_end().to_owned(),
        Ok(output) => {
            return (Verdict::Failed, format!("root cannot write to {}: {}", path.display(), output.reason()));
        }
        Err(error) => return (Verdict::Failed, format!("root cannot write to {}: {error}", path.display())),
    };
    let owner = process::run("stat", &["-c", "%u", "--", &made], None, &limit.within(ASK));
    let removed = process::run("rm", &["-f", "--", &made], None, &limit.within(ASK));
    let left = !removed.is_ok_and(|output| output.status.success());
    match owner.map(|output| output.text().trim().to_owned()) {
        _ if left => (Verdict::Failed, format!("{made} cannot be removed again")),
        Ok(owner) if owner == "0" => (Verdict::Ok, format!("{}: root is root", path.display())),
        Ok(owner) => {
            let shown = path.display();
            (Verdict::Failed, format!("{shown}: what root writes is of user {owner}: its server needs no_root_squash"))
        }
        Err(error) => (Verdict::Failed, format!("look at {made}: {error}")),
    }
}
