//! One measured run of a command.

use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

/// What one run cost, its descendants included.
#[derive(Clone, Debug)]
pub struct Sample {
    pub code: i32,
    pub wall_ms: f64,
    pub cpu_ms: f64,
    pub memory_kib: f64,
    pub processes: f64,
}

/// Runs `command` with this environment in a fresh copy of this program, which measures it.
pub fn of(command: &[&str], environment: &[(String, String)]) -> Sample {
    let me = std::env::current_exe().unwrap();
    let environment = environment.iter().map(|(name, value)| (name, value));
    let out = Command::new(me).arg("--sample").args(command).env_clear().envs(environment).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    let fields: Vec<f64> = text.split_whitespace().map(|f| f.parse().unwrap()).collect();
    Sample {
        code: fields[0] as i32,
        wall_ms: fields[1],
        cpu_ms: fields[2],
        memory_kib: fields[3],
        processes: fields[4],
    }
}

/// Measures `command`.
pub fn take(command: &[String]) -> Sample {
    // In a PID namespace of its own, process ids are handed out one by one: the distance between two tells how many
    // processes and threads were made between them.
    let before = marker();
    // The markers are children too: their CPU time is subtracted, their memory is far below any agent's but /bin/true's.
    let cpu = || {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
        let ms = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 * 1e3 + t.tv_usec() as f64 / 1e3;
        ms(usage.user_time()) + ms(usage.system_time())
    };
    let cpu_before = cpu();
    let begin = Instant::now();
    let status =
        Command::new(&command[0]).args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let wall_ms = begin.elapsed().as_secs_f64() * 1e3;
    let cpu_ms = cpu() - cpu_before;
    let memory_kib = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() as f64;
    let processes = f64::from(marker() - before - 1);
    Sample { code: status.code().unwrap_or(-1), wall_ms, cpu_ms, memory_kib, processes }
}

fn marker() -> u32 {
    let mut child = Command::new("/bin/true").spawn().unwrap();
    let id = child.id();
    child.wait().unwrap();
    id
}

impl Sample {
    /// The form in which the copy hands it over.
    pub fn line(&self) -> String {
        format!("{} {} {} {} {}", self.code, self.wall_ms, self.cpu_ms, self.memory_kib, self.processes)
    }

    /// Each figure's median.
    pub fn median_of(samples: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(samples.iter().map(figure).collect());
        Self {
            code: 0,
            wall_ms: of(|s| s.wall_ms),
            cpu_ms: of(|s| s.cpu_ms),
            memory_kib: of(|s| s.memory_kib),
            processes: of(|s| s.processes),
        }
    }
}

/// The middle value.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
