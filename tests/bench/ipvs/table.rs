//! What the benchmark prints: the table of the README, and what follows from it.

use crate::crowd::SERVERS;
use crate::farm::Size;
use crate::guest::Clock;
use crate::timed::Timed;
use crate::{By, Figures};

/// One line of the table.
pub struct Row {
    pub size: Size,
    pub by: By,
    /// By round; none: it could not be measured then.
    pub samples: Vec<Option<Figures>>,
    /// Why not.
    pub trouble: Option<String>,
}

impl By {
    pub fn is_ours(self) -> bool {
        matches!(self, By::Ours | By::Agent)
    }

    fn name(self) -> &'static str {
        match self {
            By::Ours => "inuvika-ha, a round in process",
            By::Agent => "inuvika-ha, start and monitor",
            By::Restore => "ipvsadm -R (one change: -e)",
            By::Keepalived => "keepalived, from its start",
            By::Calls => "ipvsadm, a call each",
            By::Ldirectord => "ldirectord, from its start",
        }
    }
}

impl Row {
    pub fn new(size: Size, by: By) -> Self {
        Self { size, by, samples: Vec::new(), trouble: None }
    }

    fn median(&self, of: impl Fn(&Figures) -> Option<f64>) -> Option<f64> {
        median(self.samples.iter().flatten().filter_map(of).collect())
    }
}

/// Prints everything.
pub fn print(rows: &[Row], crowd: &[Timed], clock: Clock) {
    println!(
        "| real servers | who | from empty ms | nothing to do ms | one change ms | `ipvsadm -R` / from empty | \
         `ipvsadm -R` / nothing to do | peak memory MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for row in rows {
        line(row, rows.iter().find(|other| other.by == By::Restore && other.size == row.size));
    }
    for row in rows {
        if let Some(trouble) = &row.trouble {
            let first = trouble.lines().next().unwrap_or_default();
            println!("\n{} with {}: could not be measured: {first}", row.by.name(), servers(row.size));
        }
    }
    let rounds = rows.iter().map(|row| row.samples.len()).max().unwrap_or_default();
    let time = match clock {
        Clock::Time => "In a guest, on 2 processors",
        Clock::Instructions => "In a guest, on 1 processor; a ms is a million instructions",
    };
    println!("\n{rounds} rounds in turn, medians; ldirectord once. {time}.");
    growth(rows);
    print_crowd(crowd);
}

fn line(row: &Row, restore: Option<&Row>) {
    let (of, memory) = (|value: Option<f64>, digits| shown(value, digits), |f: &Figures| f.memory.map(|m| m / 1024.0));
    // Round by round: a slow moment of the machine cancels out.
    let ratio = |of: &dyn Fn(&Figures) -> Option<f64>| {
        let pairs = row.samples.iter().zip(restore.iter().flat_map(|other| &other.samples));
        median(pairs.filter_map(|(own, other)| Some(other.as_ref()?.empty / of(own.as_ref()?)?)).collect())
    };
    let (empty, nothing) = (|f: &Figures| Some(f.empty), |f: &Figures| f.nothing);
    let ratios = if row.by == By::Restore { (None, None) } else { (ratio(&empty), ratio(&nothing)) };
    println!(
        "| {} | {} | {} | {} | {} | {} | {} | {} |",
        servers(row.size),
        row.by.name(),
        of(row.median(empty), 3),
        of(row.median(nothing), 3),
        of(row.median(|f| f.change), 3),
        of(ratios.0, 2),
        of(ratios.1, 2),
        of(row.median(memory), 2),
    );
}

/// What a round takes for each real server, and what of that is not the kernel's.
fn growth(rows: &[Row]) {
    for row in rows.iter().filter(|row| row.by == By::Ours && row.size.all() >= 100) {
        let each = |value: Option<f64>| shown(value.map(|ms| ms * 1e3 / row.size.all() as f64), 3);
        println!(
            "{}: in process {} us for each real server from empty, of which {} us beside the kernel's table; {} us with \
             nothing to do, of which {} us beside it.",
            servers(row.size),
            each(row.median(|f| Some(f.empty))),
            each(row.median(|f| f.share_empty)),
            each(row.median(|f| f.nothing)),
            each(row.median(|f| f.share)),
        );
    }
}

fn print_crowd(crowd: &[Timed]) {
    let of = |figure: fn(&Timed) -> f64| median(crowd.iter().map(figure).collect()).unwrap_or_default();
    println!(
        "On this machine itself, {} rounds over {SERVERS} healthy http servers: {:.0} ms, {:.0} ms of CPU, {:.1} MiB (medians).",
        crowd.len(),
        of(|timed| timed.wall_ms),
        of(|timed| timed.cpu_ms),
        of(|timed| timed.memory_kib) / 1024.0
    );
}

fn servers(size: Size) -> String {
    match size.services {
        1 => size.servers.to_string(),
        services => format!("{} ({services} services)", size.all()),
    }
}

/// A value with so many digits that count, if there is one.
fn shown(value: Option<f64>, digits: i32) -> String {
    let Some(value) = value else { return "-".to_owned() };
    let before = if value < 1.0 { 0 } else { value.log10() as i32 + 1 };
    format!("{value:.*}", usize::try_from(digits - before).unwrap_or_default())
}

/// The middle value.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
