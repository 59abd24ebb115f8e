#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;

const CONF: &str = "[logging]\n location = syslog\n[cluster]\n recovery lock = /mnt/nfs/ctdb/lockfile\n";
const FORMER_TEXT: &str = "CTDB_RECOVERY_LOCK=/mnt/nfs/ctdb/lockfile\nCTDB_MANAGES_SAMBA=yes\n\
                           CTDB_NODES=/mnt/nfs/ctdb/nodes\nCTDB_SERVICE_SMB=smbd\nCTDB_SERVICE_NMB=nmbd\n";

fn settled(mut site: Site, former: &str, generation: Generation) -> Result<Site, String> {
    site.settle(&variables(former), generation, Path::new("/etc/ctdb")).map(|()| site)
}

#[test]
fn the_generation_follows_from_the_version() {
    for (text, generation) in [
        ("4.17.12-Debian\n", Some(Generation::Conf)),
        ("4.9.0", Some(Generation::Conf)),
        ("5.0.1", Some(Generation::Conf)),
        ("CTDB version: 4.8.12\n", Some(Generation::Variables)),
        ("2.5.6", Some(Generation::Variables)),
        ("unknown", None),
        ("", None),
    ] {
        assert_eq!(version(text).map(Generation::of), generation, "{text:?}");
    }
}

#[test]
fn each_generation_finds_lock_and_samba_in_its_own_files() {
    let conf =
        Site::of_conf(&Ini::parse(CONF), &variables("CTDB_SERVICE_SMB=smb\n"), |part| part.script != "49.winbind");
    let conf = settled(conf, "", Generation::Conf).unwrap();
    assert_eq!(conf.lock_file(), Some(Path::new("/mnt/nfs/ctdb/lockfile")));
    let parts: Vec<_> = conf.parts.iter().map(|(part, name)| (part.script, name.as_deref())).collect();
    assert_eq!(parts, [("50.samba", Some("smb")), ("48.netbios", None)]);
    let newer = Site::of_conf(&Ini::parse(&CONF.replace("recovery", "cluster")), &BTreeMap::new(), |_| true);
    assert_eq!(newer.lock, conf.lock);
    let former = settled(Site::of_variables(&variables(FORMER_TEXT)), FORMER_TEXT, Generation::Variables).unwrap();
    assert_eq!(former.lock, conf.lock);
    let parts: Vec<_> = former.parts.iter().map(|(part, name)| (part.script, name.as_deref())).collect();
    assert_eq!(parts, [("50.samba", Some("smbd")), ("48.netbios", Some("nmbd"))]);
    let path = |generation| former_or(&variables(FORMER_TEXT), generation, "CTDB_NODES", "/etc/ctdb/nodes".into());
    assert_eq!(path(Generation::Variables), Path::new("/mnt/nfs/ctdb/nodes"));
    assert_eq!(path(Generation::Conf), Path::new("/etc/ctdb/nodes"));
}

#[test]
fn the_other_generations_files_are_refused_with_their_reason() {
    let conf = |is_enabled| Site::of_conf(&Ini::parse(""), &BTreeMap::new(), move |_| is_enabled);
    let said = settled(conf(true), FORMER_TEXT, Generation::Conf).unwrap_err();
    assert!(said.contains("no recovery lock in /etc/ctdb/ctdb.conf (this CTDB ignores"), "{said}");
    let said = settled(Site::of_variables(&BTreeMap::new()), "", Generation::Variables).unwrap_err();
    assert!(said.contains("(this CTDB ignores ctdb.conf)"), "{said}");
    let without = Site::of_conf(&Ini::parse(CONF), &BTreeMap::new(), |_| false);
    let said = settled(without, "", Generation::Conf).unwrap_err();
    assert!(said.contains("ctdb event script enable legacy 50.samba"), "{said}");
    let both = Site::of_conf(&Ini::parse(CONF), &BTreeMap::new(), |_| true);
    assert_eq!(settled(both, FORMER_TEXT, Generation::Conf).unwrap().hints.len(), 1);
    let command = Site { lock: Some("!/usr/bin/etcd-lock".to_owned()), ..Site::default() };
    assert_eq!(command.lock_file(), None);
}

#[test]
fn nodes_and_public_addresses_are_taken_apart() {
    assert_eq!(nodes("192.168.33.11\n#192.168.33.12\n\n fd00::13 \n").unwrap().len(), 2);
    for (text, said) in [("", "no node"), ("# a\n", "no node"), ("osm1\n", "'osm1' is no"), ("::1\n::1\n", "twice")] {
        assert!(nodes(text).unwrap_err().contains(said), "{text:?}");
    }
    let all = public_addresses("# VIP\n172.16.4.26/24 ens32,ens33\n172.16.4.27/24\nfd00::26/64\tens32\n").unwrap();
    assert_eq!(all[0], Public { net: "172.16.4.26/24".parse().unwrap(), links: vec!["ens32".into(), "ens33".into()] });
    assert!(all[1].links.is_empty() && all[2].links == ["ens32"]);
    assert!(public_addresses("").unwrap().is_empty());
    for wrong in ["172.16.4.26 ens32\n", "ens32 172.16.4.26/24\n", "172.16.4.26/33 ens32\n"] {
        assert!(public_addresses(wrong).unwrap_err().contains("ADDRESS/BITS"), "{wrong}");
    }
}

#[test]
fn samba_has_to_be_clustered() {
    for good in ["[global]\nclustering = yes\n", "[Global]\n Clustering=TRUE\n", "[global]\ninclude = /x\n"] {
        assert_eq!(clustered(&Ini::parse(good)), Ok(()), "{good}");
    }
    for wrong in ["", "[global]\nclustering = no\n", "[share]\nclustering = yes\n", "[global]\n# clustering = yes\n"] {
        assert!(clustered(&Ini::parse(wrong)).unwrap_err().contains("clustering = yes"), "{wrong}");
    }
}
