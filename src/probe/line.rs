//! Texts of others and times, made fit for one line.

use std::time::Instant;

/// The first line of `text` that is not empty, at most `limit` characters of it; control characters are replaced.
pub fn first_line(text: &str, limit: usize) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().take(limit).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The time since `started`, as "3.0 s".
pub fn seconds(started: Instant) -> String {
    format!("{:.1} s", started.elapsed().as_secs_f32())
}

#[cfg(test)]
mod tests {
    use super::first_line;

    #[test]
    fn texts_of_others_stay_one_short_line() {
        assert_eq!(first_line("\r\n  a\u{7}b\u{1b}[1m \nsecond", 80), "a?b?[1m");
        assert_eq!(first_line("abcdef", 3), "abc");
        assert_eq!(first_line("\n\n", 3), "");
    }
}
