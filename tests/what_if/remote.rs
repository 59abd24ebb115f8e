//! Remote nodes: simulated, and drawn.

use super::{inuvika_ha, json_well, list, row, runs, simulate};

/// Two remote nodes, of which the services of the set-up keep away, and a job that prefers one of them.
const REMOTE: &str = r#"
[[remote]]
name = "far1"
address = "192.168.100.31"

[[remote]]
name = "far2"
address = "192.168.100.32"

[[resource]]
id = "job"
agent = "ocf:pacemaker:Dummy"
op = [{ name = "monitor", interval = "10s", timeout = "20s" }]

[[location]]
resource = "job"
node = "far1"
score = 500

[[fencing]]
name = "fence-far"
node = ["far1", "far2"]
agent = "fence_vmware_rest"
options.ip = "vcenter.example.com"
options.pcmk_host_map = "far1:d;far2:e"
"#;

#[test]
fn a_remote_node_is_lost_without_a_vote() {
    let away: Vec<String> = ["near", "web", "store", "pair"]
        .iter()
        .flat_map(|id| {
            ["far1", "far2"]
                .map(|node| format!("[[location]]\nresource = \"{id}\"\nnode = \"{node}\"\nscore = \"-INFINITY\"\n"))
        })
        .collect();
    let text = format!("{}{REMOTE}{}", include_str!("../pcs/free.toml"), away.join("\n"));
    let (report, code) = simulate(&text);
    assert_eq!(code, 0, "{report:#}");
    assert!(report["votes"] == 3 && runs(&json_well(&report), "job") == ["far1"], "{report:#}");
    let lost = row(&report, "far1 is lost");
    assert!(lost["kind"] == "remote" && lost["single"] == true && lost["quorum"].is_null(), "{lost:#}");
    assert_eq!(runs(lost, "job"), ["far2"], "{lost:#}");
    assert_eq!((list(&lost["interrupted"]), list(&lost["missing"])), (vec!["far1", "job"], vec!["far1"]), "{lost:#}");
    let steps = list(&lost["steps"]);
    assert!(steps.contains(&"switch off far1") && steps.last() == Some(&"start job on far2"), "{steps:?}");
    // The connection's monitor, fencing, the connection's stop or the job's start.
    assert_eq!(lost["seconds"], 30 + 30 + 60 + 60, "{lost:#}");
    assert!(list(&row(&report, "far2 is lost")["lost"]).is_empty());
    // What cannot start on a remote node goes to the other one.
    assert_eq!(runs(row(&report, "job cannot start on far1"), "job"), ["far2"]);
    // With the node that has its connection a remote node is not lost.
    let home = runs(&json_well(&report), "far1")[0].to_owned();
    let moved = row(&report, &format!("{home} is lost"));
    assert!(runs(moved, "job") == ["far1"] && runs(moved, "far1") != [home.as_str()], "{moved:#}");
    let notes = serde_json::to_string(&report["notes"]).unwrap();
    assert!(notes.contains("no vote: far1, far2"), "{notes}");
    // What may run nowhere else is lost with it.
    let only = ["web1", "web2", "far2"]
        .map(|node| format!("[[location]]\nresource = \"job\"\nnode = \"{node}\"\nscore = \"-INFINITY\"\n"));
    let (report, code) = simulate(&format!("{text}{}", only.join("\n")));
    let single = list(&report["single_points_of_failure"]);
    assert!(code == 1 && single.contains(&"far1 is lost") && !single.contains(&"far2 is lost"), "{single:?}");
}

/// A remote node is a frame of its own, with what it runs; no connection is in it.
#[test]
fn remote_nodes_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.toml");
    std::fs::write(&file, format!("{}{REMOTE}", include_str!("../pcs/free.toml"))).unwrap();
    let output = inuvika_ha().arg("diagram").arg(&file).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let drawn = String::from_utf8(output.stdout).unwrap();
    let said = |text: &str| drawn.matches(&format!(">{text}</text>")).count();
    // Its connection is drawn in each of the three members, its name in its own frame.
    assert_eq!((said("far1"), said("remote: runs services, no vote"), said("192.168.100.31")), (4, 2, 1));
    assert_eq!((said("holds connections, and votes"), said("runs services, and votes")), (1, 2));
    assert_eq!(said("switches off far1, far2"), 1);
}
