//! How the script runs pcs: loaded once, or, where that does not work, started anew for each command. Both do the same.

use super::{configured, small};
use crate::trial::Trial;
use std::process::Output;

/// pcs, which writes down as what it was started.
const NOTED: &str = "#!/usr/bin/python3 -Es
import sys
with open('/proc/self/cmdline', 'rb') as line, open('started', 'ab') as log:
    log.write(line.read().replace(b'\\0', b' ') + b'\\n')
";
const LOADED: &str = "from pcs import app
app.main(sys.argv[1:])
";
const NOT_LOADED: &str = "if '/quick.py' in open('/proc/self/cmdline').read():
    raise ImportError('only as a program')
";
const IN_SHELL: &str = "#!/bin/sh\nexec /usr/sbin/pcs \"$@\"\n";
/// It answers, and is another process afterwards.
const REPLACED: &str = "#!/usr/bin/python3 -Es\nimport os, sys\nos.execv('/usr/sbin/pcs', sys.argv)\n";

/// Runs a script with another pcs.
fn run(trial: &Trial, pcs: &str, script: &str, argument: &str) -> Output {
    trial.write("bin/pcs", pcs, 0o755);
    trial.write("script.sh", script, 0o755);
    trial.enter(&["bash", "-c", &format!("PATH=$PWD/bin:$PATH ./script.sh --cib live.xml {argument}")])
}

/// What a script said that has succeeded, but for the folder and the time in the name of the backup.
fn said(trial: &Trial, output: &Output) -> String {
    assert!(output.status.success() && [&b""[..], b"CIB updated\n"].contains(&&output.stderr[..]), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).replace(trial.path("").to_str().unwrap(), "");
    text.lines().filter(|line| !line.contains("cib-ovd-sm-")).map(|line| format!("{line}\n")).collect()
}

/// The configuration of a trial, with nothing of when it was written.
fn configuration(trial: &Trial) -> String {
    let live = trial.read("live.xml");
    let folder = trial.path("").display().to_string();
    live[live.find("<configuration>").unwrap()..live.find("</configuration>").unwrap()].replace(&folder, "")
}

#[test]
fn loaded_once_or_started_each_time_pcs_does_the_same() {
    let (once, each) = (small(), small());
    let noted = format!("{NOTED}{LOADED}");
    let refusing = format!("{NOTED}{NOT_LOADED}{LOADED}");
    let both = |each_pcs: &str, argument: &str| {
        let first = said(&once, &run(&once, &noted, &once.script(&[]), argument));
        assert_eq!(first, said(&each, &run(&each, each_pcs, &each.script(&[]), argument)));
        assert_eq!(configuration(&once), configuration(&each));
        first
    };
    assert!(both(IN_SHELL, "").contains("\n    pcs resource create vip_src "));
    assert!(both(&refusing, "").ends_with("configured like this already: nothing to push.\n"));
    // Every start: as part of the process that has loaded it, or not.
    let by_itself = |trial: &Trial| -> Vec<String> {
        let started = trial.read("started");
        started.lines().filter(|line| !line.contains("/quick.py ")).map(str::to_owned).collect()
    };
    let alone = by_itself(&once);
    assert!(alone.len() == 1 && alone[0].contains(" cluster cib-push "), "{alone:?}");
    assert!(once.read("started").lines().count() > 20);
    assert!(by_itself(&each).len() == 1 && each.read("started").lines().count() == 2, "{}", each.read("started"));
    assert!(both(REPLACED, "").ends_with("configured like this already: nothing to push.\n"));

    // What others have done: an operation too much, an agent's option, a resource of their own, an attraction of another score.
    for trial in [&once, &each] {
        let live = trial.read("live.xml");
        let edited = live.replace("name=\"nic\" value=\"eth0\"", "name=\"nic\" value=\"eth'9\"");
        let edited = edited.replace(
            "<resources>",
            "<resources><primitive id=\"x\" class=\"ocf\" provider=\"pacemaker\" \
            type=\"Dummy\"><operations><op id=\"x-m\" name=\"monitor\" interval=\"7s\"/></operations></primitive>",
        );
        let edited = edited.replace("score=\"2510\"", "score=\"9\"");
        assert!(edited.contains("eth'9") && edited.contains("\"x-m\"") && edited.contains("\"9\""), "{live}");
        trial.write("live.xml", &edited, 0o600);
    }
    let pruned = both(IN_SHELL, "--prune");
    for line in
        ["pcs resource update virtual_ip ", "pcs constraint remove location-virtual_ip-", "pcs resource delete x\n"]
    {
        assert!(pruned.contains(&format!("    {line}")), "{line}: {pruned}");
    }
}

#[test]
fn nothing_is_changed_when_it_is_ended_and_what_pcs_says_is_shown_when_it_fails() {
    let trial = configured();
    let before = trial.read("live.xml");
    let edits = [("[[fencing]]\nname = \"fence-all\"", "[[fencing]]\nname = \"fence-other\"")];
    let script = trial.script(&edits);
    for (wrong, reason) in [
        (
            "import os\nif 'create' in sys.argv: os.kill(os.getppid(), 9)\n",
            "the process that runs pcs was ended; nothing was pushed",
        ),
        ("import os\nif 'create' in sys.argv: os.kill(os.getpid(), 9)\n", "pcs failed: "),
        ("if 'create' in sys.argv: sys.exit('Error: it\\'s no good')\n", "pcs failed: Error: it's no good"),
    ] {
        let output = run(&trial, &format!("{NOTED}{wrong}{LOADED}"), &script, "");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && text.contains(reason) && text.lines().count() == 1, "{output:?}");
        assert_eq!(trial.read("live.xml"), before);
    }
}

/// Lookups of lists end in subshells: what they miss must not become a configuration.
#[test]
fn nothing_is_pushed_when_it_is_ended_while_it_looks_things_up() {
    let trial = configured();
    let foreign = "<resources><primitive id=\"x\" class=\"ocf\" provider=\"pacemaker\" type=\"Dummy\"/>";
    trial.write(
        "live.xml",
        &trial.read("live.xml").replace("<resources>", foreign).replace("\"eth0\"", "\"eth9\""),
        0o600,
    );
    let before = trial.read("live.xml");
    let script = trial.script(&[]);
    let ended = script.replace("\nforget_earlier\n", "\npkill -KILL -f \"$work/quick.py\"\nforget_earlier\n");
    assert_ne!(script, ended);
    let output = run(&trial, &format!("{NOTED}{LOADED}"), &ended, "--prune");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && text.contains("was ended; nothing was pushed"), "{output:?}");
    assert_eq!(trial.read("live.xml"), before);
}

#[test]
fn ctrl_c_ends_pcs_as_well() {
    let trial = configured();
    let edited = trial.script(&[("[[fencing]]\nname = \"fence-all\"", "[[fencing]]\nname = \"fence-other\"")]);
    let slow = "import os, time\nif 'create' in sys.argv:\n    open('slow', 'w').close()\n    time.sleep(600)\n";
    trial.write("bin/pcs", &format!("{NOTED}{slow}{LOADED}"), 0o755);
    trial.write("script.sh", &edited, 0o755);
    // A job of its own has a process group, which the terminal would signal.
    let line = "set -m; PATH=$PWD/bin:$PATH ./script.sh --cib live.xml >said 2>&1 & job=$!; set +m\n\
                until [ -e slow ]; do kill -0 $job || exit 90; sleep 0.05; done\n\
                pgrep -f \"$PWD/bin/pcs\" >/dev/null || exit 91\n\
                kill -INT -- -$job; wait $job && exit 92\n\
                for ((i = 0; i < 200; i += 1)); do pgrep -f \"$PWD/bin/pcs\" >/dev/null || exit 0; sleep 0.05; done\n\
                pkill -KILL -f \"$PWD/bin/pcs\"; exit 93";
    let output = trial.enter(&["bash", "-c", line]);
    assert!(output.status.success(), "{output:?} {}", trial.read("said"));
}
