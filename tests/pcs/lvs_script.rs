//! The script for directors of LVS: run again, after edits, and for other ways of forwarding.

use super::check_as_bash;
use super::lvs_director::{EXAMPLE, OURS};
use crate::trial::{Trial, summary, transition};
use std::process::Command;

#[test]
fn a_second_run_changes_nothing_and_repairs_what_others_changed() {
    let (trial, output) = Trial::configured(EXAMPLE);
    let script = trial.script(&[]);
    assert!(output.contains("ip route replace default via 192.168.71.205\n"), "{output}");
    assert!(output.contains("inuvika-ha lvs doctor --from CLIENT"), "{output}");
    let first = trial.read("live.xml");
    let verify = Command::new("crm_verify").arg("-x").arg(trial.path("live.xml")).output().unwrap();
    assert!(verify.status.success(), "{verify:?}");
    let again = trial.apply(&script);
    assert!(again.contains("configured like this already") && !again.contains("    pcs"), "{again}");
    assert_eq!(trial.read("live.xml"), first);

    // Another number of instances and another preference are put right; what is drained stays so.
    for command in [
        &["resource", "meta", "lvs_director-clone", "clone-max=1", "interleave=false"][..],
        &["resource", "update", "lvs_director", "drained=192.168.71.150", "scheduler=wlc"],
        &["constraint", "remove", "location-virtual_ip-lvs_director-healthy-6"],
    ] {
        let output = trial.enter(&[&["pcs", "-f", "live.xml"], command].concat());
        assert!(output.status.success(), "{output:?}");
    }
    let edited = trial.read("live.xml").replace("node=\"litsha21\" score=\"200\"", "node=\"litsha21\" score=\"5\"");
    trial.write("live.xml", &edited, 0o600);
    let output = trial.apply(&script);
    let live = trial.read("live.xml");
    assert!(!live.contains("clone-max") && live.contains("name=\"interleave\" value=\"true\""), "{live}");
    assert!(live.contains("name=\"drained\" value=\"192.168.71.150\""), "{live}");
    assert!(live.contains("name=\"scheduler\" value=\"rr\""), "{live}");
    assert!(live.contains("location-virtual_ip-lvs_director-healthy-6-rule\" score=\"241\""), "{live}");
    assert!(live.contains("node=\"litsha21\" score=\"200\""), "{live}");
    assert_eq!(output.matches("    pcs").count(), 5, "{output}");
    assert!(trial.apply(&script).contains("configured like this already"));
}

#[test]
fn an_edited_scenario_changes_the_rules() {
    let (mut trial, _) = Trial::configured(EXAMPLE);
    // A director less on the list of those that may run, one port less, no router any more.
    trial.scenario = trial.scenario.replace("[router]\naddress = \"192.168.71.1\"\n", "");
    let edits =
        [("ports = \"80 443\"", "ports = 80"), ("litsha23\"\nrole = \"director\"", "litsha23\"\nrole = \"quorum\"")];
    let script = trial.script(&edits);
    let output = trial.apply(&script);
    let live = trial.read("live.xml");
    for number in [1, 2, 3, 4, 5, 6, 8, 12] {
        let there = live.contains(&format!("location-virtual_ip-lvs_director-healthy-{number}\""));
        assert_eq!(there, number <= 6, "{number}: {live}");
    }
    for resource in ["lvs_director-clone", "virtual_ip"] {
        assert!(live.contains(&format!("location-{resource}-litsha23-never")), "{resource}: {live}");
    }
    assert!(!live.contains("router-reached-"), "{live}");
    assert!(
        output.contains("left as it is: router-clone (to remove it: pcs resource delete router-clone)"),
        "{output}"
    );
    let again = trial.apply(&script);
    assert!(again.contains("nothing to push") && !again.contains("    pcs"), "{again}");
    // Nothing runs on a node that only votes, nor is looked for there.
    let text = trial.simulate("live.xml", &[], "up.xml");
    assert!(summary(&text, OURS).iter().all(|line| !line.contains("litsha23")), "{text}");
    let looked = ["virtual_ip", "lvs_director:0", "lvs_director"].map(|id| transition(&text, id)).concat();
    assert!(looked.iter().all(|line| !line.contains("litsha23")), "{looked:?}");
}

#[test]
fn a_farm_in_a_file_and_other_ways_of_forwarding() {
    let trial = Trial::new(EXAMPLE);
    let (head, rest) = trial.scenario.split_once("[lvs_director]").unwrap();
    let (_, tail) = rest.split_once("[failover]").unwrap();
    let with = |section: &str| trial.script_for(&format!("{head}[lvs_director]\n{section}\n[failover]{tail}"));
    let file = with("config = \"/etc/inuvika-ha/lvs.toml\"");
    assert!(file.contains(" virtual_ip= ports= ") && file.contains("config=/etc/inuvika-ha/lvs.toml"), "{file}");
    let steps: Vec<_> = file.lines().filter(|line| line.contains("lvs_director-healthy gte integer ")).collect();
    assert_eq!(steps.len(), 9, "{steps:?}");
    assert!(steps[8].ends_with(" 256") && file.contains("say '    tun:'\n"), "{file}");
    let simple =
        |way: &str| with(&format!("ports = 80\nreal_servers = \"192.168.71.220-225\"\nforwarding = \"{way}\""));
    let dr = simple("dr");
    assert!(dr.contains("arp_ignore=1") && dr.contains("ip address add 192.168.71.205/32 dev lo'\n"), "{dr}");
    assert!(!dr.contains("default via") && !dr.contains("tunl0"));
    let tun = simple("tun");
    assert!(tun.contains("ip address add 192.168.71.205/32 dev tunl0'\n") && tun.contains("rp_filter=0"), "{tun}");
    let far = with("ports = 80\nreal_servers = \"10.0.0.5\"");
    assert!(far.contains("10.0.0.5 is not in 192.168.71.0/24"), "{far}");
    for (script, name) in [(file, "file.sh"), (dr, "dr.sh"), (tun, "tun.sh"), (far, "far.sh")] {
        trial.write(name, &script, 0o755);
        check_as_bash(&trial.path(name));
    }
}
