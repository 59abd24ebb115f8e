//! Symbolic links: on the way to a folder they are each host's own business and stay, within it they are copied as links.

use anyhow::{Result, ensure};
use inuvika_ha::ocf::check::Verdict;
use inuvika_ha::replica::Replica;

use crate::Body;
use crate::node::{INSTANCE, Node, Pair, SESSIONS};

pub const TRIALS: &[(&str, Body)] = &[
    ("a folder that is a link on the first node", |pair| moved(pair, &[0], LINKED)),
    ("a folder that is a link on the second node", |pair| moved(pair, &[1], LINKED)),
    ("a folder that is a link on both nodes", |pair| moved(pair, &[0, 1], LINKED)),
    ("a link in the middle of the path on the first node", |pair| moved(pair, &[0], BELOW)),
    ("a link in the middle of the path on the second node", |pair| moved(pair, &[1], BELOW)),
    ("a link in the middle of the path on both nodes", |pair| moved(pair, &[0, 1], BELOW)),
];

/// A folder that is a link where the trial says so, and one with a link in its path.
const LINKED: &str = "/run/replica/own/var/ovd";
const BELOW: &str = "/run/replica/own/var/ovd/deep/sessions";
/// The link, and where it leads.
const LINK: &str = LINKED;
const REAL: &str = "/run/replica/own/srv/ovd";

/// With that folder beside one without links.
fn with(node: &Node, folder: &str) -> Replica {
    Replica {
        folders: vec![SESSIONS.into(), folder.into()],
        exclude: vec![".*".into(), "/left".into()],
        ..node.replica()
    }
}

/// Serves with an unflushed change, stops: a push. Then the other way: what the peer could not flush is pulled.
fn moved(pair: &mut Pair, linked: &[usize], folder: &str) -> Result<()> {
    let Pair { one, two } = &*pair;
    for (index, node) in [one, two].into_iter().enumerate() {
        match linked.contains(&index) {
            true => node.sh(&format!("mkdir -p {REAL} $(dirname {LINK}); ln -s {REAL} {LINK}; mkdir -p {folder}")),
            false => node.sh(&format!("mkdir -p {folder}")),
        };
        // Somebody's work, to which a link within the folder leads.
        node.sh("mkdir -p /run/replica/own/elsewhere; echo mine > /run/replica/own/elsewhere/file");
    }
    let look = |node: &Node| -> Result<()> {
        let is_linked = node.sh(&format!("[ ! -L {LINK} ] || readlink {LINK}"));
        let wanted = linked.contains(&usize::from(node.name == two.name));
        ensure!((is_linked == REAL) == wanted, "{}: the link is '{is_linked}'", node.name);
        let elsewhere = node.sh("cat /run/replica/own/elsewhere/*");
        ensure!(elsewhere == "mine", "{}: {elsewhere}", node.name);
        Ok(())
    };
    let has = |node: &Node, name: &str| node.read(&format!("{folder}/{name}"));
    one.write(&format!("{folder}/a/b"), "1");
    one.sh(&format!(
        "ln -s /run/replica/own/elsewhere {folder}/within; echo 3 > {folder}/left; echo 4 > {folder}/.hidden"
    ));
    two.write(&format!("{folder}/old"), "of osm2");
    // Not passed yet: the push at stop is the first, and keeps what it replaces.
    ensure!(one.prepare_with(&with(one, folder))?.pushing);
    one.stop_with(&with(one, folder));
    ensure!(one.stamp().unwrap().clean && two.stamp().unwrap().clean, "not flushed");
    ensure!(has(two, "a/b").as_deref() == Some("1") && has(two, "left").is_none() && has(two, ".hidden").is_none());
    ensure!(two.sh(&format!("readlink {folder}/within")) == "/run/replica/own/elsewhere");
    ensure!(has(two, "old").is_none());
    ensure!(two.kept() == [format!("{}/old=of osm2", folder.trim_start_matches('/'))], "{:?}", two.kept());
    look(one)?;
    look(two)?;
    // The second node serves; its last change cannot be flushed, and is fetched.
    ensure!(two.prepare_with(&with(two, folder))?.pushing);
    one.deaf(true);
    two.write(&format!("{folder}/a/late"), "2");
    // The link is a folder now, where the other node has the link still.
    two.sh(&format!("rm {folder}/within; mkdir {folder}/within; printf new > {folder}/within/file; rm {folder}/a/b"));
    two.stop_with(&with(two, folder));
    one.deaf(false);
    let ready = one.prepare_with(&with(one, folder))?;
    ensure!(ready.pushing && ready.epoch == 3, "{ready:?}");
    ensure!(has(one, "a/late").as_deref() == Some("2") && has(one, "a/b").is_none() && has(one, "left").is_some());
    ensure!(has(one, "within/file").as_deref() == Some("new"));
    let kept = format!("{}/a/b=1", folder.trim_start_matches('/'));
    ensure!(one.kept().contains(&kept), "{:?}", one.kept());
    look(one)?;
    look(two)?;
    // What lsyncd does: it names the folders at both ends.
    one.pass_with(&with(one, folder), &ready);
    let checks = one.contact_with(&with(one, folder), 3, true);
    ensure!(checks.iter().all(|check| check.verdict == Verdict::Ok), "{INSTANCE}: {checks:?}");
    look(one)?;
    look(two)
}
