//! ocf-tester, the resource-agents' own judge, on the director's agent.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use anyhow::{Result, ensure};

use crate::Body;
use crate::bed::{Site, VIP};

pub const TRIALS: &[(&str, Body)] = &[
    ("ocf_tester_passes_the_director", ocf_tester_passes_the_director),
    ("ocf_tester_fails_a_director_that_does_not_stop", ocf_tester_fails_a_director_that_does_not_stop),
];

const AGENT: &str = "/usr/lib/ocf/resource.d/inuvika/lvs-director";

fn judge(site: &Site, agent: &str) -> Output {
    let address = format!("virtual_ip={VIP}");
    let mut command = site.director.command("ocf-tester");
    command.args(["-n", "tested", "-o", &address, "-o", "ports=80", "-o", "real_servers=10.0.0.11-12"]);
    command.args(["-o", "check=http:/", agent]);
    command.output().unwrap()
}

fn text_of(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

fn ocf_tester_passes_the_director() -> Result<()> {
    let site = Site::new(2);
    let servers = site.serve(80);
    let output = judge(&site, AGENT);
    let text = text_of(&output);
    ensure!(output.status.success() && text.ends_with(&format!("{AGENT} passed all tests\n")), "{text}");
    // Nothing but what actions are optional: each complaint is a line with an asterisk.
    let optional = |line: &&str| !line.ends_with(" action (optional)") && !line.ends_with(" clones (optional)");
    let complaints: Vec<_> = text.lines().filter(|line| line.starts_with('*')).filter(optional).collect();
    ensure!(complaints.is_empty(), "{text}");
    // It ran for real: both starts asked the real servers.
    ensure!(servers.iter().all(|server| server.answered() >= 2), "no real server was asked twice: {text}");
    ensure!(site.director.rules().is_empty(), "left: {:?}", site.director.rules());
    ensure!(!fs::exists("/run/inuvika-ha/tested")?, "its state is left");
    Ok(())
}

fn ocf_tester_fails_a_director_that_does_not_stop() -> Result<()> {
    let site = Site::new(2);
    let _servers = site.serve(80);
    let broken = "/tmp/lvs-director";
    fs::write(broken, format!("#!/bin/sh\n[ \"$1\" = stop ] || exec {AGENT} \"$@\"\n"))?;
    fs::set_permissions(broken, fs::Permissions::from_mode(0o700))?;
    let output = judge(&site, broken);
    let text = text_of(&output);
    ensure!(output.status.code() == Some(1), "{text}");
    ensure!(text.contains("* rc=0: Monitoring a stopped resource should return 7"), "{text}");
    ensure!(text.contains("Your agent has too restrictive permissions"), "{text}");
    ensure!(text.contains(&format!("{broken} failed ")), "{text}");
    // The real one cleans up.
    let agent = site.director.agent("lvs-director", "tested").with_param("virtual_ip", VIP).with_param("ports", "80");
    let agent = agent.with_param("real_servers", "10.0.0.11-12");
    let run = site.director.enter(|| agent.run("stop"));
    ensure!(run.code == 0 && site.director.rules().is_empty(), "{run}: {:?}", site.director.rules());
    Ok(())
}
