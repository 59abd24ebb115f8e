//! Texts of others and times, made fit for one line.

use std::io::{self, ErrorKind};
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

/// What is said of a server that goes away.
pub const BROKEN: &str = "connection broken off before an answer";

/// What the network or the resolver said, in few words.
pub fn network(error: &io::Error) -> String {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::ConnectionRefused => "connection refused".into(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => BROKEN.into(),
        // The standard library's words for getaddrinfo(3), which has no kind of its own.
        _ if text.contains("lookup address") => {
            let cause = text.rsplit_once(": ").map_or(text.as_str(), |(_, cause)| cause);
            format!("its name does not resolve: {}", first_line(cause, 80))
        }
        _ => first_line(text.split(" (os error").next().unwrap_or_default(), 80).to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_network_are_few_words() {
        assert_eq!(network(&io::Error::from_raw_os_error(nix::libc::EHOSTUNREACH)), "no route to host");
        assert_eq!(network(&io::Error::from_raw_os_error(nix::libc::ECONNREFUSED)), "connection refused");
        let name = io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(network(&name), "its name does not resolve: Name or service not known");
    }

    #[test]
    fn texts_of_others_stay_one_short_line() {
        assert_eq!(first_line("\r\n  a\u{7}b\u{1b}[1m \nsecond", 80), "a?b?[1m");
        assert_eq!(first_line("abcdef", 3), "abc");
        assert_eq!(first_line("\n\n", 3), "");
    }
}
