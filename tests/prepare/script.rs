//! The script on a node: written for a scenario, run there, judged by what it says and writes.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::support::lab::{Machine, Node, Output};

/// Where it lies on the node.
pub const SCRIPT: &str = "/root/prepare.sh";
/// Where it keeps what it replaced, and the public keys of nodes.
pub const FOLDER: &str = "/var/lib/inuvika-ha/prepare";
/// With what shells and chpasswd trip over.
pub const PASSWORD: &str = "a b'c:d$e\\f";

/// The script for an example, after edits to the scenario, on a node.
pub fn install(node: &Node, example: &str, edits: &[(&str, &str)]) -> Result<()> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcs-examples");
    let mut text = std::fs::read_to_string(examples.join(example).join("scenario.toml"))?;
    for (old, new) in edits {
        ensure!(text.contains(old), "the example has no {old}");
        text = text.replace(old, new);
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("scenario.toml");
    std::fs::write(&file, text)?;
    // For the release of this machine, which is that of the lab.
    let script =
        Command::new(env!("CARGO_BIN_EXE_inuvika-ha")).args(["pcs", "--part", "prepare"]).arg(file).output()?;
    ensure!(script.status.success(), "{script:?}");
    node.write_file(SCRIPT, script.stdout, 0o755)
}

pub fn run(node: &Node, setting: &str, option: &str) -> Result<Output> {
    let line = format!("HACLUSTER_PASSWORD_FILE=/root/secret {setting} {SCRIPT} {option} </dev/null");
    let output = node.output_with(Duration::from_secs(120), b"", &["bash", "-c", &line])?;
    ensure!(!format!("{}{}", output.stdout, output.stderr).contains(PASSWORD), "the password is told");
    Ok(output)
}

pub fn ended(node: &Node, setting: &str, option: &str, code: i32) -> Result<String> {
    let output = run(node, setting, option)?;
    ensure!(output.code == Some(code), "{}: not {code}: {}", node.name(), output.describe());
    Ok(output.stdout)
}

/// Everything that the script may write to. Its own folders are not there before the first run.
pub const STATE: &str = "shopt -s nullglob; \
     find /etc /root/.ss[h] /var/lib/inuvika-h[a] /var/lib/dpkg -xdev -type f -newer /run/mark ! -path '*/dpkg/lock*'";

/// Another run finds nothing to do, says so, and has written nothing.
pub fn again(node: &Node) -> Result<()> {
    node.sh("touch /run/mark; sleep 1.1")?;
    let text = ended(node, "", "", 0)?;
    ensure!(text.contains("\nNothing had to be changed.\n"), "{text}");
    let written = node.sh(STATE)?;
    ensure!(written.trim().is_empty(), "a second run wrote {written}");
    Ok(())
}
