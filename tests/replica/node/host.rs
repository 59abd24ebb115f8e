//! The host of both nodes: keys, the program, and scripts in place of the cluster's tools.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

/// Everything of these tests; on the lab's tmpfs.
pub const ROOT: &str = "/run/replica";
/// Each node's own part of it.
pub const OWN: &str = "/run/replica/own";

/// Makes keys, the program, and the cluster's tools, once.
pub fn make() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        fs::create_dir_all(ROOT).unwrap();
        let sh = |line: &str| {
            let out = Command::new("bash").args(["-ec", line]).output().unwrap();
            assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
        };
        sh(&format!(
            "cd {ROOT}; mkdir -p up work lib libwork
             for key in key other host1 host2; do ssh-keygen -q -t ed25519 -N '' -f $key; done
             for n in 1 2; do echo \"10.77.0.$n $(cut -d' ' -f1,2 host$n.pub)\"; done > known_hosts
             mount -t overlay -o lowerdir=/usr/sbin,upperdir=up,workdir=work overlay /usr/sbin
             mount -t overlay -o lowerdir=/var/lib,upperdir=lib,workdir=libwork overlay /var/lib
             mkdir -p /var/lib/inuvika-ha
             # This machine's lsyncd is enabled at boot, as its package leaves it.
             for folder in /etc/rc[2-5S].d; do mount -t tmpfs tmpfs $folder; done"
        ));
        let program = Path::new("/usr/sbin/inuvika-ha");
        let _ = fs::remove_file(program);
        fs::copy(env!("CARGO_BIN_EXE_inuvika-ha"), program).unwrap();
        script("crm_node", &format!("#!/bin/sh\ncat {OWN}/name\n"));
        script("crm_attribute", CRM_ATTRIBUTE);
    });
}

fn script(name: &str, text: &str) {
    let path = PathBuf::from("/usr/sbin").join(name);
    let _ = fs::remove_file(&path);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Values as files NODE.NAME or NAME; the file `down` makes it fail as without a cluster, `silent` keeps it from
/// answering.
const CRM_ATTRIBUTE: &str = r#"#!/bin/bash
cd /run/replica/cib
node= name= value= get=
while getopts N:n:v:l:t:s:Gq option; do
    case $option in
    N) node=$OPTARG. ;;
    n) name=$OPTARG ;;
    v) value=$OPTARG ;;
    G) get=1 ;;
    esac
done
if [ -e down ]; then
    echo 'crm_attribute: Could not connect to the CIB: Transport endpoint is not connected' >&2
    exit 102
fi
if [ -z "$get" ]; then
    echo "$value" >"$node$name"
    # It is done, and nobody is told.
    [ ! -e silent ] || exec sleep 60
elif [ -e "$node$name" ]; then
    cat "$node$name"
else
    echo 'crm_attribute: Error performing operation: No such device or address' >&2
    exit 105
fi
"#;
