//! What a person at a terminal gets.

use anyhow::{Result, ensure};

use crate::Body;
use crate::host::{agent, expect, sh};

pub const TRIALS: &[(&str, Body)] = &[
    ("monitor on a terminal prints its checks", table),
    ("without parameters those of the last start are used", recorded),
    ("--json and XML say the same", data),
    ("trace_ra writes a timed log of every step", trace),
    ("validate-all looks at the host at level 10 only", validate),
    ("words that do not fit are told", wrong_words),
    ("an unknown name is no agent", unknown_name),
];

fn terminal(words: &str) -> String {
    let path = agent().path.display().to_string();
    // script(1) gives it a terminal; the exit code of the agent is its own.
    sh(&format!("script -qec '{path} {words}' /dev/null; echo code $?")).replace('\r', "")
}

fn table() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let said = terminal("monitor --instance vip_src --param virtual_ip=10.20.1.10 --depth 10");
    for part in ["rules", "virtual ip", "cluster peers", "other host", "ms\n", "exit code 0: ok", "code 0"] {
        ensure!(said.contains(part), "{part:?} is missing:\n{said}");
    }
    sh("nft flush ruleset");
    let said = terminal("monitor --instance vip_src --param virtual_ip=10.20.1.10");
    ensure!(said.contains("exit code 7: not running") && said.contains("code 7"), "{said}");
    ensure!(!said.contains("ocf-exit-reason"), "{said}");
    Ok(())
}

fn recorded() -> Result<()> {
    expect(&agent().with_param("destinations", "10.0.0.0/8"), "start", 0)?;
    let said = terminal("monitor");
    ensure!(
        said.contains("ovd-vip-src vip_src (parameters of its last start)") && said.contains("exit code 0"),
        "{said}"
    );
    expect(&agent(), "stop", 0)?;
    let said = terminal("monitor");
    ensure!(said.contains("parameter virtual_ip is required") && said.contains("code 6"), "{said}");
    Ok(())
}

fn data() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let json: serde_json::Value = serde_json::from_str(&agent().call(&["monitor", "--json"]).stdout)?;
    ensure!(
        json["code"] == 0 && json["checks"][0]["name"] == "rules" && json["checks"][0]["verdict"] == "ok",
        "{json}"
    );
    sh("nft flush ruleset");
    let run = agent().recurring().with("OCF_OUTPUT_FORMAT", "xml").run("monitor");
    std::fs::write("/run/agents/report.xml", &run.stdout)?;
    let code = sh("xmllint --xpath 'string(/agent-report/@code)' /run/agents/report.xml");
    let verdict = sh("xmllint --xpath 'string(/agent-report/check[@name=\"rules\"]/@verdict)' /run/agents/report.xml");
    ensure!(run.code == 7 && code.trim() == "7" && verdict.trim() == "stopped", "{run}: {}", run.stdout);
    Ok(())
}

fn trace() -> Result<()> {
    let log = "/run/agents/trace";
    let agent = agent().with_param("trace_ra", "1").with_param("trace_file", log);
    expect(&agent, "start", 0)?;
    expect(&agent, "monitor", 0)?;
    let text = std::fs::read_to_string(log)?;
    for part in ["start vip_src", "parameter virtual_ip=10.20.1.10", "WriteRules", "exit code 0", "monitor vip_src"] {
        ensure!(text.contains(part), "{part:?} is missing:\n{text}");
    }
    let times: Vec<f64> = text.lines().filter_map(|l| l.split_whitespace().next()?.parse().ok()).collect();
    ensure!(times.len() == text.lines().count(), "{text}");
    // The usual place, as crmsh's `resource trace` expects it.
    let dir = "/run/agents/varlib";
    expect(&agent.with_param("trace_file", "").with("HA_VARLIB", dir), "stop", 0)?;
    let files = sh(&format!("ls {dir}/trace_ra/ovd-vip-src"));
    ensure!(files.starts_with("vip_src.stop.20"), "{files}");
    Ok(())
}

fn validate() -> Result<()> {
    let absent = agent().with_param("nic", "nolink0");
    expect(&absent, "validate-all", 0)?;
    let run = expect(&absent.with("OCF_CHECK_LEVEL", "10"), "validate-all", 5)?;
    ensure!(run.stderr.contains("this host has no link nolink0"), "{run}");
    expect(&agent().with("OCF_CHECK_LEVEL", "10"), "validate-all", 0)?;
    Ok(())
}

fn wrong_words() -> Result<()> {
    for (words, code, part) in [
        (vec!["monitor", "--param", "virtual_ip"], 2, "write NAME=VALUE"),
        (vec!["monitor", "--param", "virtualip=1"], 6, "no parameter 'virtualip'"),
        (vec!["monitor", "--timeout", "soon"], 2, "write seconds"),
        (vec!["restart"], 3, "no action 'restart'"),
        (vec![], 2, "Usage: ovd-vip-src ACTION"),
    ] {
        let run = agent().call(&words);
        ensure!(run.code == code && run.stderr.contains(part), "{words:?} gave {run}");
    }
    Ok(())
}

fn unknown_name() -> Result<()> {
    let said = sh("cd /run/agents && ln -sf inuvika-ha my-ovd-vip-src && ./my-ovd-vip-src monitor 2>&1; echo code $?");
    ensure!(said.contains("unknown name") && said.contains("ovd-vip-src") && said.contains("code 5"), "{said}");
    let said = sh("/run/agents/inuvika-ha agent ovd-vip-src frob 2>&1; echo code $?");
    ensure!(said.contains("code 3"), "{said}");
    let said = sh("/run/agents/inuvika-ha agents --links");
    ensure!(said.contains("ln -sf /usr/sbin/inuvika-ha /usr/lib/ocf/resource.d/inuvika/ovd-vip-src"), "{said}");
    Ok(())
}
