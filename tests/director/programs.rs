//! Programs that look at a server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use inuvika_ha::director::check::{Question, Verdict};

use crate::Body;
use crate::questions::{is, program, round};

pub const TRIALS: &[(&str, Body)] = &[
    ("a_programs_exit_code_is_the_verdict", verdicts),
    ("a_program_knows_which_server_it_looks_at", knows),
    ("a_program_that_hangs_is_killed_with_its_children", hangs),
    ("a_program_that_cannot_run_says_nothing_of_the_server", cannot_run),
    ("many_programs_end_with_the_round", many),
];

fn sh(script: &str) -> Question {
    program(&["/bin/sh", "-c", script])
}

fn verdicts() {
    let about = "/bin/sh for [2001:db8::7]:8080: ";
    is(&sh("exit 0"), 20_000, Verdict::Up, &format!("{about}ok after "));
    is(&sh("echo fine; echo second"), 20_000, Verdict::Up, &format!("{about}ok: fine after "));
    is(&sh("printf 'a\\033[1mb\\n'; exit 3"), 20_000, Verdict::Down, &format!("{about}exit code 3: a?[1mb after "));
    is(&sh("echo why >&2; exit 1"), 20_000, Verdict::Down, "exit code 1: why after ");
    is(&sh("kill -9 $$"), 20_000, Verdict::Down, "ended by signal 9 after ");
    // More than a pipe holds, and no line.
    is(&sh("head -c 9000000 /dev/zero"), 20_000, Verdict::Up, "ok: ????");
}

fn knows() {
    let said =
        "echo \"$ADDRESS $PORT $EXTRA $1\"; test \"$(env | cut -d= -f1 | grep -cvE '^(PWD|SHLVL|_|OLDPWD)$')\" = 5";
    let question = program(&["sh", "-c", said, "0", "http://[{address}]:{port}/"]);
    is(&question, 20_000, Verdict::Up, "ok: 2001:db8::7 8080 a b http://[2001:db8::7]:8080/ after ");
}

fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

fn hangs() {
    let folder = Path::new("/run/programs");
    fs::create_dir_all(folder).unwrap();
    let file = folder.join("pid");
    let script = format!("trap '' TERM; sleep 600 & echo $! > {}; wait; wait; wait", file.display());
    is(&sh(&script), 1000, Verdict::Down, "not done within 1 s");
    let pid = fs::read_to_string(&file).unwrap();
    let begun = Instant::now();
    while is_running(&pid) {
        assert!(begun.elapsed() < Duration::from_secs(10), "its child {pid} lives on");
        thread::sleep(Duration::from_millis(20));
    }
}

fn cannot_run() {
    let folder = Path::new("/run/programs");
    fs::create_dir_all(folder).unwrap();
    let none = "cannot be run: no such program, or it is not executable";
    for argv in ["/run/programs/none", "no-such-program", "/run/programs"] {
        is(&program(&[argv]), 20_000, Verdict::Unknown, none);
    }
    let broken = folder.join("broken");
    fs::write(&broken, "#!/run/programs/no-interpreter\n").unwrap();
    fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).unwrap();
    is(&program(&["/run/programs/broken"]), 20_000, Verdict::Unknown, none);
    fs::write(&broken, "no program\n").unwrap();
    is(&program(&["/run/programs/broken"]), 20_000, Verdict::Unknown, "cannot be run: exec format error");
}

fn many() {
    let hanging: Vec<Question> = (0..200).map(|number| sh(&format!("sleep 600; exit {number}"))).collect();
    let answers = round(&hanging, 500, 1000, 3000);
    let count = |verdict| answers.iter().filter(|answer| answer.verdict == verdict).count();
    // 16 at a time, of which none gets more than its half second.
    assert!(count(Verdict::Up) == 0 && count(Verdict::Down) > 0 && count(Verdict::Unknown) > 0, "{answers:?}");
    let quick: Vec<Question> = (0..200).map(|number| sh(&format!("exit {}", number % 2))).collect();
    let answers = round(&quick, 20_000, 1000, 60_000);
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer.is_up(), number % 2 == 0, "{answer:?}");
    }
}
