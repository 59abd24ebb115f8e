//! Every importer, with files under tests/import that somebody has spoilt: no panic, no hang, and what succeeds is taken by the
//! generator. Always the same row of inputs; how far it goes is a matter of time: a few seconds, with INUVIKA_TEST_FULL minutes,
//! with INUVIKA_FUZZ_SECONDS as long as that says for each importer. tests/fuzz has the same for cargo-fuzz.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "fuzz/judge.rs"]
mod judge;

use inuvika_ha::import::{File, Kind};
use judge::judge;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The most of a processor's time that one input may take.
const LIMIT: Duration = Duration::from_secs(10);
/// When it hangs: on a machine that does other things as well, little may take long.
const PATIENCE: Duration = Duration::from_secs(180);
/// Words that mean something to one importer or another.
const WORDS: &str = "? \" ' \\ # = :: / @ {x} { } [ ] [[ < > </ /> <rm> <service name=\"a\"> ref=\"a\" true false 0 1 -1 4294967296 \
                     99999999999999999999 INFINITY -INFINITY 10.0.0.1 ::1 255.255.255.0 /24 node ucast ping IPaddr:: drbddisk:: \
                     Filesystem:: meta op monitor interval=0 timeout=1w clone promotable master rule score=x pingd defined set with \
                     then start é \u{2028} \u{fffe} \u{7f} %s $(x) `x` Promoted x-clone virtual_ip localhost debian [DEFAULT] fs#0 {env.x} nodes \
                     = S10x passwd= password token pcs ccs stonith constraint location colocation order --addnode group add";

/// A row of numbers that is always the same (splitmix64).
struct Row(u64);

impl Row {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`, which is above 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// The sets of files of a kind.
fn sets(kind: &str) -> Vec<Vec<File>> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import");
    let mut folders: Vec<_> = std::fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders.retain(|folder| {
        let arguments = std::fs::read_to_string(folder.join("arguments")).unwrap();
        arguments.split_whitespace().next() == Some(kind)
    });
    let files = |folder: std::path::PathBuf| {
        let mut names: Vec<_> =
            std::fs::read_dir(folder.join("in")).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        let file = |path: std::path::PathBuf| File {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            text: std::fs::read_to_string(&path).unwrap(),
        };
        names.into_iter().map(file).collect()
    };
    folders.into_iter().map(files).collect()
}

/// Spoils one place of one file.
fn spoil(files: &mut Vec<File>, others: &[Vec<File>], row: &mut Row) {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let which = row.below(files.len());
    let act = row.below(100);
    if act == 0 && files.len() > 1 {
        files.remove(which);
        return;
    }
    let text = &mut files[which].text;
    let mut place = |text: &str| {
        let mut at = row.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (a, b) = (place(text), place(text));
    let (from, to) = (a.min(b), a.max(b));
    // Most of the time not far away.
    let mut near = (from + row.below(24)).min(text.len());
    while !text.is_char_boundary(near) {
        near -= 1;
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    match act {
        1..=4 => text.truncate(from),
        5..=6 => text.replace_range(from..to, ""),
        7..=9 => {
            let piece = text[from..to.min(from + 2000).max(from)].to_owned();
            let piece: String = piece.chars().take(500).collect();
            text.insert_str(from, &piece);
        }
        10..=30 => text.replace_range(from..near.max(from), ""),
        31..=65 => {
            let word = words[row.below(words.len())];
            let space = ["", " ", "\n"][row.below(3)];
            text.replace_range(
                from..if row.below(2) == 0 { near.max(from) } else { from },
                &format!("{space}{word}{space}"),
            );
        }
        66..=75 => {
            // A line somewhere else, or twice.
            let mut all = lines(text);
            if !all.is_empty() {
                let line = all[row.below(all.len())].clone();
                all.insert(row.below(all.len() + 1), line);
                *text = all.join("\n");
            }
        }
        76..=85 => {
            let mut all = lines(text);
            if !all.is_empty() {
                all.remove(row.below(all.len()));
                *text = all.join("\n");
            }
        }
        86..=93 => {
            let other = &others[row.below(others.len())];
            let line = lines(&other[row.below(other.len())].text);
            if !line.is_empty() {
                let line = &line[row.below(line.len())];
                text.insert_str(from, &format!("\n{line}\n"));
            }
        }
        94..=98 => {
            let character = char::from_u32(u32::try_from(row.next() % 0x3000).unwrap()).unwrap_or('\u{0}');
            text.insert(from, character);
        }
        _ => {
            // The same again and again, a little different each time.
            let all = lines(text);
            if !all.is_empty() {
                let line = all[row.below(all.len())].clone();
                let times = [50, 500, 8000][row.below(3)];
                for n in 0..times {
                    if text.len() > 1 << 20 {
                        break;
                    }
                    let next =
                        if row.below(2) == 0 { line.replace(['1', 'a'], &n.to_string()) } else { format!("{line}{n}") };
                    text.push('\n');
                    text.push_str(&next);
                }
            }
        }
    }
}

fn run(name: &str) {
    let (_, kind) = ALL.into_iter().find(|(word, _)| *word == name).unwrap();
    let usual = if std::env::var_os("INUVIKA_TEST_FULL").is_some() { 60 } else { 1 };
    let seconds = std::env::var("INUVIKA_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let seed = std::env::var("INUVIKA_FUZZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
    let own = sets(name);
    assert!(!own.is_empty(), "no set of files for {name}");
    let others: Vec<Vec<File>> = ALL.iter().flat_map(|(word, _)| sets(word)).collect();
    let mut row = Row(seed);
    let (send, receive) = channel::<(Vec<File>, bool)>();
    let (done, ends) = channel::<(Option<String>, Duration)>();
    let worker = std::thread::spawn(move || {
        for (files, accept) in receive {
            let begin = processor_time();
            let ended = catch_unwind(AssertUnwindSafe(|| judge(kind, &files, accept)));
            let said = ended.err().map(|reason| {
                let text = reason.downcast_ref::<String>().cloned();
                text.or_else(|| reason.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
            });
            if done.send((said, processor_time().saturating_sub(begin))).is_err() {
                return;
            }
        }
    });
    let begin = Instant::now();
    let mut count = 0_u64;
    // Some in any case, however slow the machine is.
    while begin.elapsed() < Duration::from_secs(seconds) || count < 100 {
        let mut files = own[row.below(own.len())].clone();
        for _ in 0..=row.below(6) {
            spoil(&mut files, &others, &mut row);
        }
        let shown =
            || files.iter().map(|file| format!("{}{}\n{}\n", judge::FILE, file.name, file.text)).collect::<String>();
        send.send((files.clone(), row.below(2) == 0)).unwrap();
        match ends.recv_timeout(PATIENCE) {
            Ok((None, took)) if took < LIMIT => count += 1,
            Ok((None, took)) => panic!("{name}, input {count}: takes {took:?}\n{}", keep(&shown())),
            Ok((Some(reason), _)) => panic!("{name}, input {count}: {reason}\n{}", keep(&shown())),
            Err(RecvTimeoutError::Timeout) => {
                panic!("{name}, input {count}: hangs\n{}", keep(&shown()))
            }
            Err(RecvTimeoutError::Disconnected) => {
                panic!("{name}, input {count}: the process gave up\n{}", keep(&shown()))
            }
        }
    }
    drop(send);
    worker.join().unwrap();
}

/// What this thread has had of a processor.
fn processor_time() -> Duration {
    Duration::from(nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap())
}

/// Where the input can be found again.
fn keep(text: &str) -> String {
    let file = tempfile::Builder::new().prefix("inuvika-fuzz-").suffix(".txt").tempfile().unwrap();
    let (mut file, path) = file.keep().unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    format!("the files: {}", path.display())
}

/// What was found once: KIND-NAME.txt.
#[test]
fn what_was_found_stays_mended() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (_, kind) = ALL.iter().find(|(word, _)| name.starts_with(&format!("{word}-"))).expect("KIND-NAME.txt");
        let files = judge::files(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        [true, false].into_iter().for_each(|accept| judge(*kind, &files, accept));
        count += 1;
    }
    assert!(count > 0);
}

const ALL: [(&str, Kind); 5] = [
    ("lvs", Kind::Lvs),
    ("abiquo", Kind::Abiquo),
    ("heartbeat", Kind::Heartbeat),
    ("cman", Kind::Cman),
    ("opensvc", Kind::Opensvc),
];

#[test]
fn lvs() {
    run("lvs");
}

#[test]
fn abiquo() {
    run("abiquo");
}

#[test]
fn heartbeat() {
    run("heartbeat");
}

#[test]
fn cman() {
    run("cman");
}

#[test]
fn opensvc() {
    run("opensvc");
}
