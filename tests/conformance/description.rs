//! What an agent says of itself.

use std::process::Command;

use crate::fixture::Fixture;
use crate::support::subject::Subject;
use crate::{Question, ensure};

pub const QUESTIONS: &[Question] = &[
    ("meta-data needs no root and no environment", as_nobody),
    ("meta-data is valid by its DTD", dtd),
    ("meta-data is OCF 1.1", rng),
    ("meta-data is the committed file", committed),
    ("meta-data cannot be stopped by a closed pipe", closed_pipe),
    ("another OCF version is refused", other_version),
    ("help names every parameter", help),
];

fn as_nobody(fixture: &Fixture) -> Result<(), String> {
    let path = fixture.subject.path.display().to_string();
    let out = Command::new("su")
        .args(["nobody", "-s", "/bin/sh", "-c", &format!("env -i OCF_ROOT=/usr/lib/ocf {path} meta-data")])
        .output()
        .map_err(|e| e.to_string())?;
    ensure(out.status.success() && out.stdout.ends_with(b"</resource-agent>\n"), || format!("{out:?}"))
}

fn lint(subject: &Subject, arguments: &[&str]) -> Result<(), String> {
    let file = tempfile::NamedTempFile::new().map_err(|e| e.to_string())?;
    std::fs::write(file.path(), subject.run("meta-data").stdout).map_err(|e| e.to_string())?;
    let out = Command::new("xmllint")
        .arg("--noout")
        .args(arguments)
        .arg(file.path())
        // ra-api-1.dtd is found here; ocf-tester does the same.
        .current_dir("/usr/share/resource-agents")
        .output()
        .map_err(|e| format!("xmllint: {e}"))?;
    ensure(out.status.success(), || String::from_utf8_lossy(&out.stderr).into_owned())
}

fn dtd(fixture: &Fixture) -> Result<(), String> {
    lint(&fixture.subject, &["--valid", "--path", "/usr/share/resource-agents"])
}

fn rng(fixture: &Fixture) -> Result<(), String> {
    let version = fixture.subject.run("meta-data").stdout.contains("<version>1.1</version>");
    ensure(version, || "not version 1.1".to_owned())?;
    lint(&fixture.subject, &["--relaxng", "/usr/share/pcs/data/ocf-1.1.rng"])
}

fn committed(fixture: &Fixture) -> Result<(), String> {
    let Some(spec) = fixture.spec else { return Ok(()) };
    let path = format!("{}/metadata/{}.xml", env!("CARGO_MANIFEST_DIR"), spec.name);
    let file = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    ensure(file == fixture.subject.run("meta-data").stdout, || {
        format!("metadata/{0}.xml is older than the table: run '{0} meta-data > metadata/{0}.xml'", spec.name)
    })
}

fn closed_pipe(fixture: &Fixture) -> Result<(), String> {
    let mut child = fixture.subject.begin("meta-data");
    drop(child.stdout.take());
    let out = child.wait_with_output().map_err(|e| e.to_string())?;
    // A shell agent may die of SIGPIPE; nobody may panic.
    ensure(out.status.code() != Some(101) && out.stderr.is_empty(), || format!("{out:?}"))
}

fn other_version(fixture: &Fixture) -> Result<(), String> {
    let run = fixture.subject.with("OCF_RA_VERSION_MAJOR", "2").run("monitor");
    ensure(run.code == 5 && run.stderr.contains("OCF version 2"), || format!("monitor gave {run}"))
}

fn help(fixture: &Fixture) -> Result<(), String> {
    let run = fixture.subject.run("help");
    let missing = fixture.spec.into_iter().flat_map(Spec::all_params).find(|p| !run.stdout.contains(p.name));
    ensure(run.code == 0 && missing.is_none(), || format!("{run}, without {:?}", missing.map(|p| p.name)))
}

use inuvika_ha::ocf::spec::Spec;
