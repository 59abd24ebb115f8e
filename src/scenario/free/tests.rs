//! What is refused, and what a scenario becomes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::pcs::dialect::{self, Wish};
use crate::pcs::plan;
use crate::scenario::read;
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("example.toml");

fn script(text: &str) -> String {
    dialect::find("pcs-0.11", &Wish::default()).unwrap().render(&plan(&read("s.toml", text).unwrap().scenario))
}

/// Why the example with this at its end is refused.
fn refusal(more: &str) -> String {
    let wrong = read("s.toml", &format!("{EXAMPLE}\n{more}"));
    let line = wrong.map(|_| "nothing is wrong".to_owned()).unwrap_or_else(|fault| fault.to_string());
    assert!(!line.contains('\n'), "{line}");
    line
}

#[test]
fn what_the_cluster_would_choke_on_is_refused_with_its_line() {
    let resource = |more: &str| format!("[[resource]]\nid = \"x\"\nagent = \"ocf:heartbeat:Dummy\"\n{more}");
    for (more, reason) in [
        ("[[resource]]\nid = \"a:1\"\nagent = \"lsb:a\"", "\"a:1\" is not allowed: must be an id"),
        ("[[resource]]\nid = \"Promoted\"\nagent = \"lsb:a\"", "means something else to pcs"),
        ("[[resource]]\nid = \"x-clone\"\nagent = \"lsb:a\"", "pcs gives names with \"-clone\" by itself"),
        ("[[resource]]\nid = \"website\"\nagent = \"lsb:a\"", "website is a resource already"),
        ("[[resource]]\nid = \"virtual_ip\"\nagent = \"lsb:a\"", "virtual_ip is a resource of this set-up already"),
        ("[[resource]]\nid = \"fence-web1\"\nagent = \"lsb:a\"", "fence-web1 is a resource already"),
        ("[[resource]]\nid = \"x\"\nagent = \"fence_ipmilan\"", "that is for [[fencing]]"),
        ("[[resource]]\nid = \"x\"\nagent = \"ocf:pacemaker:remote\"", "that is for [[remote]]"),
        ("[[resource]]\nid = \"x\"\nagent = \"heartbeat:x\"", "must be an agent like"),
        ("[[resource]]\nid = \"x\"\nagent = \"ocf:inuvika:nothing\"", "there are"),
        (
            "[[resource]]\nid = \"x\"\nagent = \"ocf:inuvika:ovd-vip-src\"\nparams.nonsense = 1",
            "ovd-vip-src has no such parameter",
        ),
        ("[[resource]]\nid = \"x\"\nagent = \"ocf:inuvika:ovd-vip-src\"", "ovd-vip-src refuses this"),
        (&resource("params.db_password = \"secret\""), "is a secret and must not stand here"),
        (&resource("params.\"a b\" = 1"), "must be a name"),
        (&resource("params.a = \"two\\nlines\""), "text without control characters"),
        (&resource("params.a = \"\""), "text without control characters, not empty"),
        (&resource("target = \"on\""), "must be started or stopped"),
        (&resource("meta.target-role = \"Stopped\""), "comes from the key target"),
        (&resource("clone = true\npromotable = true"), "exclude each other"),
        (&resource("op = [{ name = \"monitor\", interval = \"10 parsecs\" }]"), "must be a time"),
        (&resource("op = [{ name = \"monitor\", interval = 0 }]"), "needs an interval"),
        (&resource("op = [{ name = \"status\" }]"), "must be what Pacemaker runs"),
        (&resource("op = [{ name = \"start\", on_fail = \"demote\" }]"), "demote is for"),
        (&resource("op = [{ name = \"monitor\" }, { name = \"monitor\", depth = 10 }]"), "with this interval"),
        (&resource("op = [{ name = \"monitor\", role = \"Promoted\" }]"), "only instances of a promotable resource"),
        ("[[group]]\nid = \"g\"\nmembers = [\"queue\"]", "queue is in a group already"),
        ("[[group]]\nid = \"g\"\nmembers = [\"store\"]", "clone the group instead"),
        ("[[group]]\nid = \"g\"\nmembers = [\"virtual_ip\"]", "must be the id of a [[resource]]"),
        ("[[colocation]]\nresource = \"website\"\nwith = \"nothing\"", "must be a resource or group of this file"),
        ("[[colocation]]\nresource = \"website\"\nwith = \"website\"", "is the same resource"),
        ("[[colocation]]\nresource = \"website\"\nwith = \"virtual_ip\"\nscore = 5", "say it once"),
        ("[[colocation]]\nresource = \"jobs\"\nwith = \"store\"\nscore = \"INF\"", "must be a whole number"),
        ("[[colocation]]\nresource = \"jobs\"\nwith = \"store\"\nscore = 1000000", "must be a whole number"),
        ("[[colocation]]\nresource = \"jobs\"\nwith = \"store\"\nrole = \"Promoted\"", "jobs is not promotable"),
        ("[[order]]\nfirst = \"jobs\"\nthen = \"store\"\nfirst_action = \"demote\"", "jobs is not promotable"),
        (
            "[[order]]\nfirst = \"jobs\"\nthen = \"store\"\nkind = \"always\"",
            "must be Mandatory, Optional or Serialize",
        ),
        ("[[order]]\nid = \"o\"\nsets = [{ resources = [\"jobs\"] }]", "two resources or more"),
        ("[[location]]\nresource = \"jobs\"\nnode = \"vote1\"", "vote1 only votes"),
        ("[[location]]\nresource = \"jobs\"\nnode = \"web3\"", "must be a node of this file: web1, web2"),
        ("[[location]]\nresource = \"jobs\"\nnode = \"web2\"", "say it once"),
        ("[[location]]\nid = \"l\"\nresource = \"jobs\"\nwhen = \"a is b\"", "must be \"defined NAME\""),
        ("[[location]]\nid = \"l\"\nresource = \"jobs\"\nwhen = \"a eq integer b\"", "\"b\" is no integer"),
        ("[[location]]\nid = \"l\"\nresource = \"jobs\"\nwhen = \"#uname eq web3\"", "web3 is no node"),
        ("[[location]]\nid = \"l\"\nresource = \"jobs\"\nwhen = [\"defined a\", \"defined b\"]", "needs match"),
        (
            "[[fencing_level]]\nnode = \"vote1\"\nlevel = 1\ndevices = [\"outlets\"]",
            "must be a device that switches off vote1",
        ),
        ("[[fencing_level]]\nnode = \"web1\"\nlevel = 1\ndevices = [\"outlets\"]", "web1 has a level 1 already"),
        ("[[fencing]]\nname = \"stop\"\nnode = \"web1\"\nagent = \"fence_x\"", "means something else to pcs"),
        ("[[fencing]]\nname = \"a-clone\"\nnode = \"web1\"\nagent = \"fence_x\"", "pcs gives names with"),
        ("[[resource]]\nid = \"x\"\nagent = \"ocf:heartbeat:IPaddr2\"\nparams.ip = \"web\"", "the agent takes no name"),
        ("[[fencing_level]]\nnode = \"web1\"\nlevel = 10\ndevices = [\"outlets\"]", "from 1 to 9"),
        ("[[alert]]\nid = \"a\"\npath = \"alert.sh\"", "must be an absolute path"),
        ("[[alert]]\nid = \"a\"\npath = \"/a\"\nrecipients = [\"it's me\"]", "with an apostrophe"),
        ("[[alert]]\nid = \"a\"\npath = \"/a\"\noptions.password = \"x\"", "is a secret"),
        ("[[remote]]\nname = \"far\"\naddress = \"192.168.100.21\"", "no device can switch off far"),
        ("[[remote]]\nname = \"far\"\naddress = \"192.168.100.11\"", "is an address of web1"),
        ("[defaults]\nresource-stickiness = 1", "comes from [failover]"),
        ("[quorum_device]\nhost = \"web1\"", "is a node of this cluster"),
        ("[sbd]\nwatchdog = \"watchdog\"", "must be a path below /dev"),
        ("[session_manager]\n", "unknown key"),
    ] {
        let line = refusal(more);
        assert!(line.contains(reason) && line.starts_with("s.toml:"), "{more}\n{line}");
    }
}

#[test]
fn any_set_up_may_have_more() {
    let text = include_str!("../../../pcs-examples/ovd-session-manager/scenario.toml");
    let more = "[[resource]]\nid = \"extra\"\nagent = \"systemd:extra\"\n[[colocation]]\nresource = \"extra\"\nwith = \
                \"session_manager\"\n";
    let script = script(&format!("{text}\n{more}"));
    for line in [
        "own extra systemd:extra \\\n",
        "never extra on pcs3.priv\n",
        "colocation extra with session_manager score=INFINITY\n",
        "colocation session_manager with virtual_ip score=INFINITY\n",
    ] {
        assert!(script.contains(line), "{line}{script}");
    }
    let wrong = format!("{text}\n[[order]]\nfirst = \"lsyncd\"\nthen = \"session_manager\"\n");
    assert!(read("s.toml", &wrong).unwrap_err().to_string().contains("is ordered by the set-up"));
}

#[test]
fn without_an_address_and_with_what_cannot_be_tried_here() {
    let (before, rest) = EXAMPLE.split_once("[virtual_ip]").unwrap();
    let (_, after) = rest.split_once("# agent:").unwrap();
    let without = format!("{before}# agent:{after}");
    let without = without.replace("[[colocation]]\nresource = \"website\"\nwith = \"virtual_ip\"\n", "");
    let without =
        without.replace("[[colocation]]\nresource = \"virtual_ip\"\nwith = \"store\"\nwith_role = \"Promoted\"\n", "");
    let without = without.replace("[[order]]\nfirst = \"virtual_ip\"\nthen = \"website\"\nkind = \"Optional\"\n", "");
    assert!(!script(&without).contains("virtual_ip"));

    let (before, _) = EXAMPLE.split_once("\n[[fencing]]").unwrap();
    let more = "[quorum_device]\nhost = \"q.example.com\"\naddress = \"192.168.100.99\"\n[sbd]\ntimeout = 10\n";
    let text = format!("fencing = \"watchdog\"\n{before}\n{more}")
        .replace("address = \"192.168.100.11\"", "address = [\"192.168.100.11\", \"10.0.0.11\"]")
        .replace("address = \"192.168.100.12\"", "address = [\"192.168.100.12\", \"10.0.0.12\"]")
        .replace("address = \"192.168.100.13\"", "address = [\"192.168.100.13\", \"10.0.0.13\"]");
    let script = script(&text);
    for part in [
        "q.example.com addr=192.168.100.99 -u hacluster",
        "addr=192.168.100.11 addr=10.0.0.11",
        "\nquorum_device host=q.example.com algorithm=ffsplit\n",
        "\nsbd watchdog=/dev/watchdog SBD_WATCHDOG_TIMEOUT=10\n",
        "property stonith-watchdog-timeout=-1\n",
    ] {
        assert!(script.contains(part), "{part}{script}");
    }
}

/// Any text that a value may be.
fn text() -> impl Strategy<Value = String> {
    "[^\\p{Cc}\u{fffe}\u{ffff}]{1,30}"
}

fn toml(text: &str) -> String {
    ::toml::Value::String(text.to_owned()).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// The steps are words of a shell: bash reads each value as it stood in the scenario.
    #[test]
    fn a_shell_gives_back_every_value(values in prop::collection::vec(text(), 4), name in "[a-z][a-z0-9_]{0,8}") {
        let [param, meta, option, attribute] = [0, 1, 2, 3].map(|index| toml(&values[index]));
        let name = format!("n{name}");
        let more = format!(
            "[[resource]]\nid = \"x\"\nagent = \"ocf:heartbeat:Dummy\"\nparams.{name} = {param}\nmeta.{name} = {meta}\n\
             [[alert]]\nid = \"y\"\npath = \"/p\"\noptions.{name} = {option}\n"
        );
        let text = format!("{EXAMPLE}\n{more}").replace("site = \"north\"", &format!("site = {attribute}"));
        let script = script(&text);
        let steps = script.split("# Step 1: ").nth(1).unwrap_or_default();
        let begins = |verb: &str| steps.split(&format!("\n{verb} ")).nth(1).unwrap_or_default().to_owned();
        // A command ends with the first line that does not go on.
        let mut wanted = Vec::new();
        let mut shell = String::from("show() { printf '%s\\0' \"$@\"; }\n");
        for (verb, value) in [
            ("own x", format!("{name}={}", values[0])),
            ("own x", format!("{name}={}", values[1])),
            ("alert y", format!("{name}={}", values[2])),
            ("attributes web1", format!("site={}", values[3])),
        ] {
            let mut command = String::new();
            for line in begins(verb).lines() {
                command.push_str(line);
                command.push('\n');
                if !line.ends_with('\\') { break; }
            }
            shell.push_str("show ");
            shell.push_str(&command);
            wanted.push(value);
        }
        let output = std::process::Command::new("bash").args(["-c", &shell]).output()?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let words: Vec<&str> = printed.split('\0').collect();
        for value in wanted {
            prop_assert!(words.contains(&value.as_str()), "{value:?} is not in {words:?}");
        }
    }
}
