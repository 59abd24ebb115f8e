//! What a person needs when a trial fails: the view of each node, and the end of its logs.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use anyhow::Result;
use libtest_mimic::Trial;

use super::Lab;
use super::exec::Machine;

const LINES: &str = "30";

/// A trial over a shared lab. When it fails, the lab's report goes to standard error.
pub fn trial(name: &str, lab: fn() -> &'static Lab, body: fn(&Lab) -> Result<()>) -> Trial {
    let own = name.to_owned();
    Trial::test(name, move || {
        let name = &own;
        let lab = lab();
        let begun = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| body(lab)));
        eprintln!("lab: a trial of {:.0} s", begun.elapsed().as_secs_f32());
        match result {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                // The harness gives the reasons of all trials at its end, which is far away, or never reached: so here as well.
                eprintln!("{}\nlab: {name}: {error:#}", report(lab));
                Err(format!("{error:#}").into())
            }
            Err(cause) => {
                eprintln!("{}\nlab: {name}: panicked, see before the report", report(lab));
                resume_unwind(cause)
            }
        }
    })
}

/// The state of the whole lab as text.
pub fn report(lab: &Lab) -> String {
    let mut text = String::new();
    for done in lab.fencing.done() {
        let _ =
            writeln!(text, "power switch: {} {}, {:.1} s ago", done.node, done.action, done.at.elapsed().as_secs_f32());
    }
    for node in lab.nodes() {
        let pacemaker = "grep -E '[[:space:]](warning|error|crit|notice): ' /var/log/pacemaker/pacemaker.log";
        let told = "journalctl -q -o short-precise --no-pager | grep -E '(ovd-lsyncd|abiquo-rs|ofs-ctdb)[(]'";
        for (title, script) in [
            ("crm_mon", "crm_mon -1 -r -f -m 2>&1".to_owned()),
            ("addresses", "ip -br address".to_owned()),
            (
                "web server",
                "tail -qn 10 /var/log/apache2/*error.log /opt/abiquo/tomcat/logs/catalina.out 2>/dev/null".to_owned(),
            ),
            ("told", format!("grep -s . /var/lib/inuvika-ha/*/stamp; {told} | tail -n {LINES}")),
            ("failed units", "systemctl --failed --no-legend --plain".to_owned()),
            ("pacemaker.log", format!("{pacemaker} | tail -n {LINES}")),
            ("journal", format!("journalctl -q --no-pager -p warning -n {LINES} -o short-precise")),
        ] {
            let said = match node.output_with(Duration::from_secs(10), b"", &["bash", "-c", &script]) {
                Ok(output) => output.stdout + &output.stderr,
                Err(error) => format!("{error:#}"),
            };
            let _ = writeln!(text, "--- {}: {title} ---\n{}", node.name(), said.trim_end());
        }
    }
    text
}
