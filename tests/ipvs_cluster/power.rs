//! Fencing: a device in the guest that switches the power of a node off and on again.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::lab::Lab;

/// The device's agent. One of this name is among the fence agents of the distribution: the guest has this one instead.
pub const AGENT: &str = "fence_dummy";
pub const PLACE: &str = "/usr/sbin/fence_dummy";
/// Where it asks, on a file system that all nodes share with the trials.
const FOLDER: &str = "/var/power";

/// Speaks the fence agents' API, as far as Pacemaker uses it.
pub const DEVICE: &str = r#"#!/bin/bash
action=reboot node=
read_option() {
    case $1 in
        action=*) action=${1#*=} ;;
        plug=* | port=* | nodename=*) node=${1#*=} ;;
    esac
}
if [ "$1" = -o ]; then
    action=$2
elif [ $# -gt 0 ]; then
    for word; do read_option "${word#--}"; done
else
    while read -r word; do read_option "$word"; done
fi
case $action in
    metadata)
        cat <<'END'
<?xml version="1.0"?>
<resource-agent name="fence_dummy" shortdesc="Power switch of the guest">
<longdesc>Switches a node of the guest off and on.</longdesc>
<vendor-url></vendor-url>
<parameters>
<parameter name="action" unique="0" required="1">
<getopt mixed="-o, --action=[action]"/><content type="string" default="reboot"/><shortdesc lang="en">Action</shortdesc>
</parameter>
<parameter name="plug" unique="0" required="0">
<getopt mixed="-n, --plug=[name]"/><content type="string"/><shortdesc lang="en">Node</shortdesc>
</parameter>
</parameters>
<actions>
<action name="on" automatic="0"/><action name="off"/><action name="reboot"/><action name="status"/>
<action name="list"/><action name="monitor"/><action name="metadata"/>
</actions>
</resource-agent>
END
        ;;
    off | reboot)
        [ -n "$node" ] || exit 1
        echo "$action $node" >"/var/power/.$$" && mv "/var/power/.$$" "/var/power/ask-$node" || exit 1
        for ((i = 0; i < 300; i++)); do
            [ -e "/var/power/ask-$node" ] || exit 0
            sleep 0.2
        done
        exit 1
        ;;
esac
exit 0
"#;

/// What was switched, and when.
pub type Switched = (String, Instant);

/// Puts the device in its place and does what it asks for, as long as the guest runs.
pub fn install() {
    fs::create_dir_all(FOLDER).unwrap();
    fs::write(PLACE, DEVICE).unwrap();
    let executable = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    fs::set_permissions(PLACE, executable).unwrap();
}

/// Does what the device asks for. Never returns.
pub fn serve(lab: &Lab) {
    loop {
        for entry in fs::read_dir(FOLDER).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(node) = name.strip_prefix("ask-") else { continue };
            let asked = fs::read_to_string(entry.path()).unwrap_or_default();
            lab.node(node).cut();
            lab.fenced.lock().unwrap().push((node.to_owned(), Instant::now()));
            fs::remove_file(Path::new(FOLDER).join(&name)).unwrap();
            if asked.starts_with("reboot") {
                lab.boot(lab.node(node));
            }
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
