#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::ocf::params::Params;

const SAMBA: &str = "[global]\n   workgroup = OVD\n[ovd]\n   path = /mnt/nfs/ovd\n   clustering = yes\n";
/// The guide's file, as an administrator may have gone on with it.
const GUIDE: &str = "CTDB_RECOVERY_LOCK=/mnt/nfs/ctdb/lockfile\nCTDB_MANAGES_SAMBA=yes\nCTDB_NODES=/mnt/nfs/ctdb/nodes\n\
                     CTDB_PUBLIC_ADDRESSES=/mnt/nfs/ctdb/public_addresses\nCTDB_SERVICE_SMB=smbd\nCTDB_SERVICE_NMB=nmbd\n\
                     CTDB_LOGGING=syslog\nCTDB_DEBUGLEVEL=NOTICE\nCTDB_START_AS_DISABLED=yes\nCTDB_NOSETSCHED=no\n\
                     CTDB_SET_RecoveryBanPeriod=60\nCTDB_SAMBA_CHECK_PORTS=\"445 139\"\nCTDB_MANAGES_WINBIND=yes\n\
                     CTDB_NODE_ADDRESS=192.168.33.11\nCTDB_DBDIR=tmpfs\nCTDB_SOCKET=/tmp/ctdb.socket\n";

fn wanted(link: Option<&str>) -> Wanted {
    let params = Params::none(&super::super::super::spec::SPEC);
    let nodes = ["192.168.33.11", "192.168.33.12"].map(|word| word.parse().unwrap()).to_vec();
    let mut all = Wanted::new(&params, nodes, "172.16.4.26/24".parse().unwrap(), link.map(str::to_owned)).unwrap();
    all.is_debian = true;
    all
}

fn samba() -> Present {
    Present { smb: Some(SAMBA.to_owned()), ..Present::default() }
}

fn composed(version: (u32, u32), present: &Present) -> Composed {
    compose(&wanted(Some("ens32")), Release(version.0, version.1), present).unwrap()
}

fn file<'a>(all: &'a Composed, name: &str) -> &'a str {
    all.files.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_str()).unwrap_or_default()
}

/// The same files, as they are after they were written.
fn written(all: &Composed, before: Present) -> Present {
    let text = |name: &str| Some(file(all, name).to_owned()).filter(|text| !text.is_empty());
    Present {
        conf: text("ctdb.conf"),
        tunables: text("ctdb.tunables"),
        options: text("script.options"),
        nodes: text("nodes"),
        public: text("public_addresses"),
        smb: text("smb.conf"),
        ..before
    }
}

#[test]
fn from_nothing_in_the_words_of_each_release() {
    let names = |all: &Composed| all.files.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let new = composed((4, 17), &samba());
    assert_eq!(names(&new), ["ctdb.conf", "ctdb.tunables", "nodes", "public_addresses", "smb.conf"]);
    assert_eq!(file(&new, "ctdb.conf"), "[cluster]\n\tcluster lock = /mnt/nfs/ctdb/lockfile\n");
    assert_eq!(file(&new, "ctdb.tunables"), "KeepaliveInterval=2\nKeepaliveLimit=3\nMonitorInterval=5\n");
    assert_eq!(file(&new, "nodes"), "192.168.33.11\n192.168.33.12\n");
    assert_eq!(file(&new, "public_addresses"), "172.16.4.26/24 ens32\n");
    assert_eq!(
        file(&new, "smb.conf"),
        "[global]\n\tprivate dir = /mnt/nfs/ctdb/private\n\tidmap config * : backend = tdb2\n\tclustering = yes\n   workgroup = OVD\n\
         [ovd]\n   path = /mnt/nfs/ovd\n   clustering = yes\n"
    );
    // Where the guide's lines end up when they are appended.
    assert_eq!(new.notes, ["smb.conf has clustering in [ovd], where Samba does not look: it is in [global] now"]);
    let between = composed((4, 9), &samba());
    assert_eq!(file(&between, "ctdb.conf"), "[cluster]\n\trecovery lock = /mnt/nfs/ctdb/lockfile\n");

    let old = composed((4, 8), &samba());
    assert_eq!(names(&old), ["ctdb.conf", "nodes", "public_addresses", "smb.conf"]);
    assert_eq!(
        file(&old, "ctdb.conf"),
        "CTDB_RECOVERY_LOCK=/mnt/nfs/ctdb/lockfile\nCTDB_MANAGES_SAMBA=yes\nCTDB_NODES=/mnt/nfs/ctdb/nodes\n\
         CTDB_PUBLIC_ADDRESSES=/mnt/nfs/ctdb/public_addresses\nCTDB_SERVICE_SMB=smbd\nCTDB_SERVICE_NMB=nmbd\n\
         CTDB_SET_KeepaliveInterval=2\nCTDB_SET_KeepaliveLimit=3\nCTDB_SET_MonitorInterval=5\n"
    );
}

#[test]
fn the_guides_file_is_taken_over_once() {
    let own_options = Some("# of the package\nCTDB_RPCINFO_LOCALHOST=\"127.0.0.1\"\n".to_owned());
    let guide = Present { conf: Some(GUIDE.to_owned()), former: variables(GUIDE), own_options, ..samba() };
    let new = composed((4, 17), &guide);
    assert_eq!(
        file(&new, "ctdb.conf"),
        "[cluster]\n\tcluster lock = /mnt/nfs/ctdb/lockfile\n\n[logging]\n\tlocation = syslog\n\tlog level = NOTICE\n\n\
         [legacy]\n\tstart as disabled = true\n"
    );
    assert_eq!(
        file(&new, "ctdb.tunables"),
        "RecoveryBanPeriod=60\nKeepaliveInterval=2\nKeepaliveLimit=3\nMonitorInterval=5\n"
    );
    assert_eq!(
        file(&new, "script.options"),
        "# of the package\nCTDB_RPCINFO_LOCALHOST=\"127.0.0.1\"\nCTDB_SAMBA_CHECK_PORTS=\"445 139\"\nCTDB_SERVICE_NMB=nmbd\nCTDB_SERVICE_SMB=smbd\n"
    );
    for name in ["CTDB_MANAGES_WINBIND", "CTDB_NODE_ADDRESS", "CTDB_DBDIR", "CTDB_SOCKET", "CTDB_NOSETSCHED"] {
        assert!(new.notes.iter().any(|note| note.starts_with(name)), "{name}: {:?}", new.notes);
    }
    assert!(new.notes.iter().any(|note| note.contains("no node may have that")), "{:?}", new.notes);
    // A shell's test is no section.
    let tested = Present { conf: Some(format!("[ -e /x ]\n{GUIDE}")), ..samba() };
    assert!(file(&composed((4, 17), &tested), "ctdb.conf").starts_with("[cluster]\n"));
    // The second node, and every later run, find what is written; what an administrator takes out stays out.
    let again = composed((4, 17), &written(&new, guide));
    assert_eq!(again.files, new.files);
    assert!(again.notes.iter().all(|note| note.starts_with("smb.conf")), "{:?}", again.notes);
}

#[test]
fn a_second_run_finds_nothing_to_do() {
    for version in [(4, 8), (4, 9), (4, 17)] {
        let once = composed(version, &samba());
        assert_eq!(composed(version, &written(&once, samba())).files, once.files, "{version:?}");
    }
}

#[test]
fn what_an_administrator_has_chosen_stays() {
    let conf = "[cluster]\n  recovery lock = !/usr/local/bin/lock\n[logging]\n  location = syslog\n";
    let tunables = "KeepaliveInterval=1\nKeepaliveLimit=10\nMonitorInterval=30\n";
    let smb = "[global]\n clustering = True\n idmap config * : backend = tdb2\n private dir = /mnt/nfs/ctdb/private\n";
    let present = Present {
        conf: Some(conf.to_owned()),
        tunables: Some(tunables.to_owned()),
        smb: Some(smb.to_owned()),
        public: Some("172.16.4.27/24 ens32\n".to_owned()),
        ..Present::default()
    };
    let all = composed((4, 17), &present);
    assert_eq!((file(&all, "ctdb.conf"), file(&all, "ctdb.tunables"), file(&all, "smb.conf")), (conf, tunables, smb));
    assert_eq!(file(&all, "public_addresses"), "172.16.4.27/24 ens32\n172.16.4.26/24 ens32\n");
    // 15 seconds and more are too long.
    let slow = Present { tunables: Some("KeepaliveInterval=3\nKeepaliveLimit=4\n".to_owned()), ..present };
    assert_eq!(
        file(&composed((4, 17), &slow), "ctdb.tunables"),
        "KeepaliveInterval=2\nKeepaliveLimit=3\nMonitorInterval=5\n"
    );
}

#[test]
fn what_cannot_be_is_one_line() {
    let mixed = Present { conf: Some("[cluster]\n".to_owned()), ..samba() };
    let wrong = compose(&wanted(None), Release(4, 8), &mixed).unwrap_err();
    assert!(wrong.contains("of CTDB 4.9 and newer, and 4.8 is installed here"), "{wrong}");
    let wrong = compose(&wanted(None), Release(4, 17), &Present::default()).unwrap_err();
    assert_eq!(wrong, "there is no /etc/samba/smb.conf");
}
