//! Runs generated scripts with the real pcs against a CIB file, and asks crm_simulate what the cluster would do.
//!
//! pcs wants the agents installed. They are shown to it in a mount namespace of the test's own, so nothing outside
//! changes: a stub for each agent answers meta-data, made from the same table as the real one.
#![allow(dead_code)] // every test crate uses a part of it

use assert_cmd::Command;
use inuvika_ha::agents::specs;
use inuvika_ha::ocf::spec::Spec;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, Mutex, OnceLock};

/// Where the examples stand.
pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcs-examples")
}

/// The generator's command line.
pub fn inuvika_ha() -> Command {
    Command::new(env!("CARGO_BIN_EXE_inuvika-ha"))
}

/// A folder with a live CIB file, agents, a secret and a stub of what a node has.
pub struct Trial {
    folder: tempfile::TempDir,
    /// The example's scenario, with secrets in this folder.
    pub scenario: String,
}

impl Trial {
    /// A fresh cluster for the scenario of an example.
    pub fn new(example: &str) -> Trial {
        Trial::of(&examples().join(example).join("scenario.toml"))
    }

    /// A fresh cluster for a scenario.
    pub fn of(scenario: &Path) -> Trial {
        let folder = tempfile::tempdir().unwrap();
        let scenario = std::fs::read_to_string(scenario).unwrap();
        let trial = Trial { scenario: scenario.replace("/etc/inuvika-ha", folder.path().to_str().unwrap()), folder };
        // A secret with everything that XML and shells trip over.
        for name in ["ipmi.secret", "strip.secret", "vcenter.secret"] {
            trial.write(name, "a&b<c>\"d'e$f\\g h;`i`\n", 0o600);
        }
        trial.write("hacluster.secret", "a b'c\n", 0o600);
        let nodes = trial.scenario.split("[[node]]\n").skip(1);
        let names: Vec<_> = nodes.filter_map(|node| node.strip_prefix("name = ")?.lines().next()).collect();
        trial.write("live.xml", &fresh_cib(&names), 0o600);
        for spec in specs() {
            trial.write(&format!("agents/{}", spec.name), &stub_agent(spec), 0o755);
        }
        trial.write("enter", ENTER, 0o755);
        trial
    }

    /// The example, configured by its script, and what that said. pcs takes its time, so the tests of a process share what it made.
    pub fn configured(example: &str) -> (Trial, String) {
        Trial::shared(example, "pcs-0.11")
    }

    /// The same, made in one piece; by pcs in the long form. Whether both make the same: `tests/at_once.rs`.
    pub fn configured_at_once(example: &str) -> Trial {
        let long = std::env::var_os("INUVIKA_TEST_FULL").is_some();
        Trial::shared(example, if long { "pcs-0.11" } else { "cib" }).0
    }

    fn shared(example: &str, dialect: &str) -> (Trial, String) {
        static MADE: Mutex<BTreeMap<String, Arc<OnceLock<[String; 2]>>>> = Mutex::new(BTreeMap::new());
        let made = Arc::clone(MADE.lock().unwrap().entry(format!("{example} {dialect}")).or_default());
        let trial = Trial::new(example);
        let [live, said] = made.get_or_init(|| {
            let said = trial.apply(&without_units(&trial.script_in(dialect, &trial.scenario)));
            [trial.read("live.xml"), said]
        });
        trial.write("live.xml", live, 0o600);
        (trial, said.clone())
    }

    /// A file of this trial.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of this trial.
    pub fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// What a file of this trial holds.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The script for this trial's scenario after `edits` (old text, new text) to it.
    pub fn script(&self, edits: &[(&str, &str)]) -> String {
        let mut scenario = self.scenario.clone();
        for (old, new) in edits {
            assert!(scenario.contains(old), "the scenario has no {old}");
            scenario = scenario.replace(old, new);
        }
        self.script_for(&scenario)
    }

    /// The script for another scenario.
    pub fn script_for(&self, scenario: &str) -> String {
        self.script_in("pcs-0.11", scenario)
    }

    /// The script in another dialect.
    pub fn script_in(&self, dialect: &str, scenario: &str) -> String {
        self.script_with(&["--dialect", dialect], scenario)
    }

    /// The script with other options.
    pub fn script_with(&self, options: &[&str], scenario: &str) -> String {
        self.write("scenario.toml", scenario, 0o644);
        let output = inuvika_ha().arg("pcs").args(options).arg(self.path("scenario.toml")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let backups = self.path("backups");
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(script.contains("\nbackups=/var/lib/inuvika-ha\n"));
        script.replace("backups=/var/lib/inuvika-ha", &format!("backups={}", backups.display()))
    }

    /// Runs a script on the live CIB file.
    pub fn run(&self, script: &str, arguments: &[&str]) -> Output {
        self.write("script.sh", script, 0o755);
        let live = self.path("live.xml");
        self.enter(&[&["./script.sh", "--cib", live.to_str().unwrap()], arguments].concat())
    }

    /// Runs a command in the trial's folder and its own mount and network namespace.
    pub fn enter(&self, command: &[&str]) -> Output {
        let mut unshare = std::process::Command::new("unshare");
        unshare.args(["--mount", "--net"]);
        if !nix::unistd::geteuid().is_root() {
            unshare.arg("--map-root-user");
        }
        unshare.arg("./enter").args(command).current_dir(self.folder.path()).output().unwrap()
    }

    /// Runs a script that must succeed; its output.
    pub fn apply(&self, script: &str) -> String {
        let output = self.run(script, &[]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Lets crm_simulate run `arguments` from one CIB file to another; what it says from the transition on.
    pub fn simulate(&self, from: &str, arguments: &[&str], to: &str) -> String {
        let mut command = std::process::Command::new("crm_simulate");
        command.arg("-x").arg(self.path(from)).arg("-S").args(arguments).arg("-O").arg(self.path(to));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text[text.find("Transition Summary:").unwrap()..].to_owned()
    }
}

/// The script with a stand-in for the unit of the file server: where no systemd runs, nobody knows a unit.
pub fn without_units(script: &str) -> String {
    let xml = "class=\"systemd\" type=\"ovd-slaveserver\"";
    let dummy = "class=\"ocf\" type=\"Dummy\" provider=\"heartbeat\"";
    script.replace("systemd:ovd-slaveserver", "ocf:heartbeat:Dummy").replace(xml, dummy)
}

/// The lines of crm_simulate's summary that name `resources`, spaces squeezed.
pub fn summary(simulated: &str, resources: &[&str]) -> Vec<String> {
    let part = simulated.split("Executing Cluster Transition").next().unwrap();
    let squeezed = part.lines().map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" "));
    squeezed.filter(|line| resources.iter().any(|resource| line.split(' ').any(|word| word == *resource))).collect()
}

/// What crm_simulate's transition does to a resource, in its order, as `monitor=3000 on osm1.priv`.
pub fn transition(simulated: &str, resource: &str) -> Vec<String> {
    let part = simulated.split("Executing Cluster Transition").nth(1).unwrap_or_default();
    let part = part.split("Revised Cluster Status").next().unwrap_or_default();
    let words = part.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let actions = words.filter(|words| words.starts_with(&["*", "Resource", "action:", resource]));
    actions.map(|words| words[4..].join(" ")).collect()
}

/// Shows the agents to pcs and gives the node its address, then runs the command.
const ENTER: &str = "#!/bin/bash
set -euo pipefail
all=/usr/lib/ocf/resource.d
mkdir -p hold etc-corosync pcsd
mount --bind $all hold
mount -t tmpfs tmpfs $all
for provider in hold/*; do
    mkdir \"$all/${provider#*/}\"
    [ \"$provider\" = hold/inuvika ] || mount --bind \"$provider\" \"$all/${provider#*/}\"
done
mkdir -p $all/inuvika
cp agents/* $all/inuvika/
mount --bind etc-corosync /etc/corosync
mount --bind pcsd /var/lib/pcsd
ip link set lo up
ip address add 192.168.100.11/24 dev lo
exec \"$@\"
";

/// A CIB with every node online and nothing configured.
fn fresh_cib(names: &[&str]) -> String {
    let (mut nodes, mut states) = (String::new(), String::new());
    for (id, name) in names.iter().enumerate().map(|(index, name)| (index + 1, name)) {
        writeln!(nodes, "<node id=\"{id}\" uname={name}/>").unwrap();
        let state = "in_ccm=\"true\" crmd=\"online\" join=\"member\" expected=\"member\"";
        writeln!(states, "<node_state id=\"{id}\" uname={name} {state}/>").unwrap();
    }
    format!(
        "<cib crm_feature_set=\"3.16.1\" validate-with=\"pacemaker-3.9\" epoch=\"1\" num_updates=\"0\" admin_epoch=\"0\" \
         have-quorum=\"1\" dc-uuid=\"1\"><configuration><crm_config/><nodes>{nodes}</nodes><resources/><constraints/>\
         </configuration><status>{states}</status></cib>\n"
    )
}

/// An agent that only knows its meta-data.
fn stub_agent(spec: &Spec) -> String {
    let text = "<longdesc lang=\"en\">-</longdesc><shortdesc lang=\"en\">-</shortdesc>";
    let mut xml = format!(
        "<?xml version=\"1.0\"?>\n<resource-agent name=\"{}\" version=\"1\"><version>1.1</version>{text}<parameters>\n",
        spec.name
    );
    for param in spec.all_params() {
        let (name, required) = (param.name, u8::from(param.required));
        writeln!(
            xml,
            "<parameter name=\"{name}\" required=\"{required}\">{text}<content type=\"string\"/></parameter>"
        )
        .unwrap();
    }
    xml += "</parameters><actions>\n";
    for action in spec.actions.iter().filter(|action| action.is_advertised()) {
        let interval = action.interval.map(|s| format!(" interval=\"{s}s\"")).unwrap_or_default();
        let depth = action.depth.map(|depth| format!(" depth=\"{depth}\"")).unwrap_or_default();
        writeln!(xml, "<action name=\"{}\" timeout=\"{}s\"{interval}{depth}/>", action.name, action.timeout).unwrap();
    }
    xml += "</actions></resource-agent>";
    format!("#!/bin/sh\n[ \"$1\" = meta-data ] || exit 3\ncat <<'END'\n{xml}\nEND\n")
}
