//! Every command of the scripts for versions that do not run here, against a table of what those versions take.

use super::Node;
use super::trial::Trial;
use regex::Regex;
use std::collections::BTreeSet;

const TABLE: &str = include_str!("forms.tsv");

/// Writes down what it is asked, each word quoted, and does of it what the script looks at: a property, the end of an operation, a group.
const PCS: &str = r#"#!/bin/bash
asked=''
[ "$1" != -f ] || { file=$2; shift 2; }
for word in "$@"; do printf -v word %q "$word"; asked+=" $word"; done
echo "${asked# }" >>calls
case "$*" in
    --version) echo "$PCS_VERSION" ;;
    'host auth '* | 'cluster auth '*) cat >/dev/null ;;
    'cluster corosync '*) echo "Error: Error connecting to $3 - (HTTP error: ${PCS_REFUSES:-400})" >&2; exit 1 ;;
    'cluster setup '*) printf 'totem {\n cluster_name: ovd-sm\n}\n' >/etc/corosync/corosync.conf ;;
    'property set '*) CIB_file=$file cibadmin --modify --allow-create --scope crm_config --xml-text \
        "<cluster_property_set id='o'><nvpair id='o-${3%%=*}' name='${3%%=*}' value='${3#*=}'/></cluster_property_set>" ;;
    'resource group add '*) CIB_file=$file cibadmin --modify --allow-create --scope resources --xml-text \
        "<group id='$4'><primitive id='$5' class='ocf' provider='heartbeat' type='Dummy'/></group>" ;;
    'resource op remove '*) CIB_file=$file cibadmin --delete --xpath "//op[@id='$4']" ;;
esac >/dev/null
case "$*" in --version) echo "$PCS_VERSION" ;; esac
"#;
/// /etc/hosts of the test's own.
const GETENT: &str = "#!/bin/sh\necho \"192.168.100.1$(printf %s \"$2\" | tr -dc 0-9) STREAM $2\"\n";
/// Nothing has to settle.
const CRM_RESOURCE: &str = "#!/bin/sh\ncase \"$*\" in --wait*) exit 0 ;; esac\nexec /usr/sbin/crm_resource \"$@\"\n";

/// A configuration that other hands and earlier scenarios left: nearly everything has to be changed, and some to be removed.
const EARLIER: &str = r#"<configuration><crm_config/><nodes>@</nodes><resources>
<primitive id="virtual_ip" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id="a"><nvpair id="a1" name="nic" value="eth9"/></instance_attributes>
<operations><op id="b" name="monitor" interval="77s"/><op id="b2" name="monitor" interval="78s"/></operations></primitive>
<primitive id="fence-osm1.priv" class="stonith" type="fence_ipmilan"><instance_attributes id="c"><nvpair id="c1" name="cipher" value="3"/></instance_attributes></primitive>
<primitive id="other" class="ocf" provider="heartbeat" type="Dummy"/><primitive id="f" class="stonith" type="fence_ipmilan"/>
<group id="mine"><primitive id="session_manager" class="ocf" provider="inuvika" type="ovd-osm"/></group>
<clone id="mine-too"><primitive id="vip_src" class="ocf" provider="inuvika" type="ovd-vip-src"/></clone>
</resources><constraints>
<rsc_location id="location-virtual_ip-osm1.priv-prefer" rsc="virtual_ip" node="osm1.priv" score="9"/>
<rsc_location id="location-virtual_ip-osm2.priv-prefer" rsc="virtual_ip" node="osm2.priv" score="9"/>
<rsc_location id="elsewhere" rsc="virtual_ip" node="osm2.priv" score="9"/>
</constraints></configuration>"#;

struct Form {
    name: String,
    /// What the version takes: ok, D or E.
    takes: String,
    command: Regex,
}

fn forms(version: &str) -> Vec<Form> {
    let mut lines =
        TABLE.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let column = head.iter().position(|name| *name == version).unwrap_or_else(|| panic!("no column {version}"));
    let form = |row: Vec<&str>| {
        assert_eq!(row.len(), head.len(), "{row:?}");
        Form {
            name: row[0].to_owned(),
            takes: row[column].to_owned(),
            command: Regex::new(&format!("^(?:{})$", row.last().unwrap())).unwrap(),
        }
    };
    lines.map(form).collect()
}

/// Runs a script as that version would have to; what it was asked.
fn calls(node: &Node, version: &str, refuses: &str, arguments: &str) -> Vec<String> {
    let output = node.run(&format!("PCS_VERSION={version} PCS_REFUSES={refuses}"), arguments);
    assert!(output.status.success(), "{version}: {} {output:?}", String::from_utf8_lossy(&output.stderr));
    node.trial.read("calls").lines().filter(|call| *call != "--version").map(str::to_owned).collect()
}

/// The same for another example, without its cluster.
fn on_a_file(node: &Node, example: &str, version: &str) -> Vec<String> {
    let other = Trial::new(example);
    for program in ["pcs", "crm_resource", "crm_verify"] {
        other.write(&format!("bin/{program}"), &node.trial.read(&format!("bin/{program}")), 0o755);
    }
    // The other examples have clones with something to say.
    let scenario = other.scenario.replace("clone = { interleave = true }", "clone = true");
    other.write("script.sh", &other.script_with(&["--pcs-version", version], &scenario), 0o755);
    let line = format!("PATH=$PWD/bin:$PATH PCS_VERSION={version} ./script.sh --cib live.xml");
    let output = other.enter(&["bash", "-c", &line]);
    assert!(output.status.success(), "{example} for {version}: {output:?}");
    other.read("calls").lines().filter(|call| *call != "--version").map(str::to_owned).collect()
}

#[test]
fn every_command_is_one_that_the_version_takes() {
    let node = Node::new();
    node.trial.write("bin/pcs", PCS, 0o755);
    node.trial.write("bin/getent", GETENT, 0o755);
    node.trial.write("bin/crm_resource", CRM_RESOURCE, 0o755);
    // What this pcs does not do is missing in the end.
    node.trial.write("bin/crm_verify", "#!/bin/sh\nexit 0\n", 0o755);
    let fresh = node.trial.read("live.xml");
    let start = fresh.find("<configuration>").unwrap();
    let end = fresh.find("<status>").unwrap();
    let nodes = &fresh[fresh.find("<nodes>").unwrap() + 7..fresh.find("</nodes>").unwrap()];
    let earlier = format!("{}{}{}", &fresh[..start], EARLIER.replace('@', nodes), &fresh[end..]);
    let mut used = BTreeSet::new();
    let full = std::env::var_os("INUVIKA_TEST_FULL").is_some();
    for (version, refuses, always) in [
        ("0.9.149", "500", true),
        ("0.9.164", "500", false),
        ("0.9.169", "500", true),
        ("0.10.4", "500", true),
        ("0.10.8", "400", false),
        ("0.10.11", "400", false),
        ("0.10.18", "400", false),
        ("0.11.5", "400", false),
        ("0.12.0", "400", true),
    ] {
        if !always && !full {
            continue;
        }
        let forms = forms(version);
        let script = node.trial.script_with(&["--pcs-version", version], &node.trial.scenario);
        node.trial.write("script.sh", &script, 0o755);
        let mut all = Vec::new();
        for (cib, arguments) in [(&fresh, ""), (&earlier, "--prune")] {
            node.trial.write("live.xml", cib, 0o600);
            node.trial.write("etc-corosync/corosync.conf", "", 0o644);
            all.extend(calls(&node, version, refuses, arguments));
        }
        let others: &[_] = match full || version == "0.9.169" {
            true => &["abiquo-remote-services", "ovd-file-server", "free"],
            false => &["free"],
        };
        for example in others {
            all.extend(on_a_file(&node, example, version));
        }
        for call in &all {
            let fitting: Vec<_> = forms.iter().filter(|form| form.command.is_match(call)).collect();
            let names: Vec<_> = fitting.iter().map(|form| format!("{}: {}", form.name, form.takes)).collect();
            assert!(fitting.iter().any(|form| form.takes == "ok"), "pcs {version} does not take: {call} ({names:?})");
            used.extend(fitting.iter().filter(|form| form.takes == "ok").map(|form| form.name.clone()));
        }
        for part in ["setup", "cib-push", "op add", "constraint remove", "resource ungroup", "stonith delete"] {
            assert!(all.iter().any(|call| call.contains(part)), "{version} was not asked for {part}: {all:#?}");
        }
    }
    // A row that no script needs proves nothing.
    let unused: Vec<_> =
        forms("0.11.5").into_iter().map(|form| form.name).filter(|name| !used.contains(name)).collect();
    assert_eq!(unused, Vec::<String>::new());
}
