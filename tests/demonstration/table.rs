//! The table at the end.

use std::fmt::Write;

use super::events::Row;

/// One line for each event, and below it what Pacemaker recorded.
pub fn render(rows: &[Row]) -> String {
    let mut text = String::from("\n");
    let _ = writeln!(
        text,
        "{:26} {:>9} {:>12} {:>7}  {:14} {:12} {:>11}",
        "what happened", "over in", "client outage", "lost", "active node", "source seen", "sessions"
    );
    for row in rows {
        let (before, after) = &row.active;
        let node = if before == after { before.clone() } else { format!("{before} -> {after}") };
        let _ = writeln!(
            text,
            "{:26} {:>7.1} s {:>10.2} s  {:>3}/{:<4} {:14} {:12} {:>11}",
            row.what,
            row.took.as_secs_f32(),
            row.outage.longest.as_secs_f32(),
            row.outage.lost,
            row.outage.polls,
            node,
            row.source,
            format!("{} of {}", row.sessions.1, row.sessions.0)
        );
        if row.recorded.is_empty() {
            let _ = writeln!(text, "    Pacemaker recorded no failure");
        }
        for line in &row.recorded {
            let _ = writeln!(text, "    {line}");
        }
    }
    text.push_str(
        "\nclient outage: longest time without a good page of the stand-in Session Manager on the virtual IP, asked for every 20 ms.\n\
         source seen: the address a server sees of a connection that the active node opens.\n\
         sessions: those that a client has been told are kept, so far, and those of them that the active node has, byte for\n\
         byte. A node that loses power takes the last seconds with it; on its return they are put into its backup folder.\n",
    );
    text
}
