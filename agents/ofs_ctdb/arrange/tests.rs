#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::agents::ofs_ctdb::spec::SPEC;

const RELEASE: Release = Release(4, 17);

/// A host below a folder, with a volume: a file system of its own, as every Linux has one there.
struct Host {
    root: tempfile::TempDir,
    places: Places,
}

impl Host {
    fn new() -> Self {
        let root = tempfile::tempdir_in("/dev/shm").unwrap();
        let at = |name: &str| root.path().join(name);
        for folder in ["etc/samba", "etc/default", "etc/ctdb/events/legacy", "scripts", "nfs/ovd"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("etc/samba/smb.conf"), "[global]\n  workgroup = OVD\n").unwrap();
        fs::write(at("etc/ctdb/ctdb.conf"), "# of the package\n[logging]\n\tlocation = syslog\n").unwrap();
        for name in ["50.samba.script", "48.netbios.script"] {
            fs::write(at("scripts").join(name), "#!/bin/sh\n").unwrap();
            fs::set_permissions(at("scripts").join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(at("slaveserver.conf"), format!("[FileServer]\ndata_dir = {}\n", at("nfs/ovd").display())).unwrap();
        let places = Places {
            program: "/usr/sbin/inuvika-ha".into(),
            scripts: at("scripts"),
            former: vec![at("etc/default/ctdb")],
            slaveserver: at("slaveserver.conf"),
            backups: at("backups"),
        };
        Self { root, places }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap()
    }

    fn wanted(&self, node: &str, link: &str) -> Wanted {
        let mut params = Params::none(&SPEC);
        for (name, path) in [
            ("shared", "nfs/ctdb"),
            ("data", "nfs/ovd"),
            ("config_dir", "etc/ctdb"),
            ("smb_conf", "etc/samba/smb.conf"),
        ] {
            params.set(name, &self.at(path).display().to_string()).unwrap();
        }
        let nodes = vec![node.parse().unwrap(), "192.168.33.12".parse().unwrap()];
        Wanted::new(&params, nodes, "172.16.4.26/24".parse().unwrap(), Some(link.to_owned())).unwrap()
    }

    fn look(&self) -> Arrangement {
        self.wanted("127.0.0.1", "lo").look(RELEASE, &self.places, false, &limit()).unwrap()
    }
}

fn limit() -> Deadline {
    Deadline::after(Duration::from_secs(30))
}

fn said(found: &Arrangement, name: &str) -> String {
    let check = found.checks.iter().find(|check| check.name == name).unwrap();
    format!("{} {}", check.verdict.word(), check.detail)
}

#[test]
fn it_is_shown_first_written_once_and_kept() {
    let host = Host::new();
    let before = host.look();
    assert!(before.may_write() && said(&before, "data_dir").starts_with("ok "), "{before:?}");
    let shown = before.show(&limit());
    for line in [
        "+\tclustering = yes\n",
        "+KeepaliveInterval=2\n",
        "+127.0.0.1\n",
        "+172.16.4.26/24 lo\n",
        "+\tcluster lock = ",
        "(mode 700)\n",
        "(in place of a file that differs)\n",
        "50.samba.script -> ",
        "48.netbios.script -> ",
        "99.inuvika-ha.script -> /usr/sbin/inuvika-ha\n",
        "notification/50.inuvika-ha.script -> /usr/sbin/inuvika-ha\n",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(!host.at("nfs/ctdb").exists() && !host.at("backups").exists(), "a look has changed something");

    let kept = before.write(&host.places, "now").unwrap().unwrap();
    assert_eq!(host.text("nfs/ctdb/nodes"), "127.0.0.1\n192.168.33.12\n");
    // What the package says of the rest is still there.
    let conf = host.text("etc/ctdb/ctdb.conf");
    assert!(conf.contains("# of the package\n") && conf.contains("location = syslog") && conf.contains("cluster lock"));
    for name in ["etc/ctdb/ctdb.conf", "etc/ctdb/nodes", "etc/ctdb/ctdb.tunables", "etc/samba/smb.conf"] {
        assert!(fs::read_link(host.at(name)).unwrap().starts_with(host.at("nfs/ctdb")), "{name}");
    }
    let mode = fs::metadata(host.at("nfs/ctdb/private")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let former = kept.join(host.at("etc/samba/smb.conf").strip_prefix("/").unwrap());
    assert_eq!(fs::read_to_string(former).unwrap(), "[global]\n  workgroup = OVD\n");

    let again = host.look();
    assert_eq!(again.count(), 0, "{}", again.show(&limit()));
    assert_eq!(again.write(&host.places, "later").unwrap(), None);
    assert_eq!(host.wanted("127.0.0.1", "lo").verify(RELEASE, &limit()), Ok(()));
}

#[test]
fn the_guides_link_goes_and_its_file_becomes_the_new_one() {
    let host = Host::new();
    fs::create_dir(host.at("nfs/ctdb")).unwrap();
    fs::write(host.at("nfs/ctdb/ctdb.conf"), "CTDB_RECOVERY_LOCK=/mnt/lock\nCTDB_MANAGES_SAMBA=yes\n").unwrap();
    symlink(host.at("nfs/ctdb/ctdb.conf"), host.at("etc/default/ctdb")).unwrap();
    let found = host.look();
    found.write(&host.places, "now").unwrap();
    assert!(fs::symlink_metadata(host.at("etc/default/ctdb")).is_err());
    let conf = host.text("nfs/ctdb/ctdb.conf");
    assert!(conf.contains("\tcluster lock = /mnt/lock\n") && !conf.contains("CTDB_"), "{conf}");
    let copy = host.at("backups/ofs-config-now").join(host.at("nfs/ctdb/ctdb.conf").strip_prefix("/").unwrap());
    assert!(fs::read_to_string(copy).unwrap().starts_with("CTDB_RECOVERY_LOCK"));
    assert_eq!(host.look().count(), 0);
}

#[test]
fn a_script_that_is_switched_off_is_switched_on() {
    let host = Host::new();
    host.look().write(&host.places, "now").unwrap();
    let script = host.at("etc/ctdb/events/legacy/50.samba.script");
    fs::remove_file(&script).unwrap();
    fs::write(&script, "#!/bin/sh\n# ours\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).unwrap();
    let found = host.look();
    assert_eq!(found.show(&limit()), format!("mode of {}: may be run\n", script.display()));
    found.write(&host.places, "later").unwrap();
    assert_eq!(host.look().count(), 0);
}

#[test]
fn an_address_of_the_clusters_is_none_of_ctdbs() {
    let host = Host::new();
    host.look().write(&host.places, "now").unwrap();
    let wanted = Wanted { link: None, ..host.wanted("127.0.0.1", "lo") };
    let look = || wanted.look(RELEASE, &host.places, false, &limit()).unwrap();
    assert_eq!((look().count(), look().write(&host.places, "later").unwrap().is_some()), (1, true));
    assert_eq!(host.text("etc/ctdb/public_addresses"), "# Pacemaker has the address: CTDB has none.\n");
    // The agent does not miss it.
    let site = Site::read(&wanted.config, Generation::Conf, &limit()).unwrap();
    assert!(site.public.is_empty() && site.hints.is_empty(), "{:?}", site.hints);
    fs::write(host.at("etc/ctdb/public_addresses"), "").unwrap();
    let site = Site::read(&wanted.config, Generation::Conf, &limit()).unwrap();
    assert!(site.hints.iter().any(|hint| hint.contains("has no address")), "{:?}", site.hints);
}

#[test]
fn the_wrong_host_or_volume_is_left_alone() {
    let host = Host::new();
    let look = |wanted: Wanted| wanted.look(RELEASE, &host.places, false, &limit()).unwrap();
    let stranger = look(host.wanted("192.168.33.11", "lo"));
    assert!(!stranger.may_write() && stranger.count() == 0, "{stranger:?}");
    assert!(said(&stranger, "node").starts_with("failed this host has the first address of no file server"));
    let unlinked = look(host.wanted("127.0.0.1", "ens999"));
    assert!(!unlinked.may_write() && said(&unlinked, "link").contains("no link ens999"), "{unlinked:?}");
    let mut elsewhere = host.wanted("127.0.0.1", "lo");
    elsewhere.config.shared = "/nonexistent/ctdb".into();
    let found = look(elsewhere);
    assert!(!found.may_write() && said(&found, "shared folder").contains("mount it"), "{found:?}");

    // What is ovd-slaveserver's is reported, and does not stand in the way.
    for (text, reason) in [
        ("[FileServer]\ndata_dir = /srv/ovd\n", "is /srv/ovd, and not on"),
        ("[main]\nroles = FileServer\n", "has no data_dir in [FileServer]"),
    ] {
        fs::write(host.at("slaveserver.conf"), text).unwrap();
        let found = host.look();
        assert!(found.may_write() && said(&found, "data_dir").contains(reason), "{found:?}");
    }
}

/// A folder that root may not write to as root is told from one that it may: whoever runs this is the one that its file system makes
/// of root.
#[test]
fn who_root_is_on_the_volume_is_tried_and_nothing_is_left() {
    let host = Host::new();
    let checks = checks::root(&host.wanted("127.0.0.1", "lo"), &limit());
    let me = nix::unistd::geteuid();
    for check in &checks {
        let wanted = if me.is_root() { "root is root".to_owned() } else { format!("is of user {me}: its server") };
        assert!(check.detail.contains(&wanted) && checks::may_write(&checks) == me.is_root(), "{check:?}");
    }
    assert_eq!(checks.len(), 2);
    assert_eq!(fs::read_dir(host.at("nfs")).unwrap().count() + fs::read_dir(host.at("nfs/ovd")).unwrap().count(), 1);
    // A folder that takes nothing.
    let mut proc = host.wanted("127.0.0.1", "lo");
    proc.config.shared = "/proc/self".into();
    let checks = checks::root(&proc, &limit());
    assert!(
        !checks::may_write(&checks) && checks[0].detail.starts_with("root cannot write to /proc/self: "),
        "{checks:?}"
    );
}
