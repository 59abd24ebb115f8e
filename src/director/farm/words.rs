//! The small words of a director's configuration: addresses, ranges, ports, weights, methods of forwarding.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::sys::ipvs::Protocol;

/// Real servers of one range, at most: a slip of the pen must not fill the kernel's table.
const RANGE_MAX: u128 = 4096;

/// Real servers in one word, `192.0.2.21-26:8080@3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers {
    /// Their addresses, at least one.
    pub addresses: Vec<IpAddr>,
    /// Their port, when given.
    pub port: Option<u16>,
    /// Their weight, when given.
    pub weight: Option<u32>,
}

/// Reads `ADDRESS`, `FIRST-LAST`, each with `:PORT` and `@WEIGHT`; IPv6 with a port stands in brackets.
pub fn servers(word: &str) -> Result<Servers, String> {
    let (place, weight) = match word.rsplit_once('@') {
        None => (word, None),
        Some((place, weight)) => (place, Some(self::weight(weight)?)),
    };
    let (addresses, port) = split_port(place)?;
    Ok(Servers { addresses: range(addresses)?, port, weight })
}

/// Reads `ADDRESS` or `ADDRESS:PORT`.
pub fn endpoint(word: &str) -> Result<(IpAddr, Option<u16>), String> {
    let (text, port) = split_port(word)?;
    Ok((address(text)?, port))
}

/// Reads a port, 0 included.
pub fn port(word: &str) -> Result<u16, String> {
    number(word).ok_or_else(|| format!("{word:?} is not a port: must be 0 to 65535"))
}

/// Reads the port of a service: TCP, unless `/udp`, `/sctp` or `/tcp` stands behind it.
pub fn service_port(word: &str) -> Result<(u16, Protocol), String> {
    let (number, protocol) = word.split_once('/').unwrap_or((word, "tcp"));
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "sctp" => Protocol::Sctp,
        _ => return Err(format!("{word:?} is of no protocol that is balanced: must be like 80, 53/udp or 36412/sctp")),
    };
    Ok((port(number)?, protocol))
}

/// Reads a weight.
pub fn weight(word: &str) -> Result<u32, String> {
    number::<u16>(word).map(u32::from).ok_or_else(|| format!("{word:?} is not a weight: must be 0 to 65535"))
}

/// Digits alone: a sign is no part of a number here.
fn number<T: std::str::FromStr>(word: &str) -> Option<T> {
    word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse().ok())?
}

/// Takes the port off its end.
fn split_port(word: &str) -> Result<(&str, Option<u16>), String> {
    if let Some(rest) = word.strip_prefix('[') {
        let (inside, after) = rest.split_once(']').ok_or_else(|| format!("{word:?} has no ] after its ["))?;
        return match after.strip_prefix(':') {
            Some(text) => Ok((inside, Some(port(text)?))),
            None if after.is_empty() => Ok((inside, None)),
            None => Err(format!("{word:?}: after ] only :PORT may follow")),
        };
    }
    match word.split_once(':') {
        Some((address, text)) if !text.contains(':') => Ok((address, Some(port(text)?))),
        _ => Ok((word, None)),
    }
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not an address: must be like 192.0.2.21 or 2001:db8::21"))
}

/// `FIRST-LAST`, where LAST may be its last number alone: `192.0.2.21-26`, `2001:db8::21-2f`.
fn range(text: &str) -> Result<Vec<IpAddr>, String> {
    let Some((first, last)) = text.split_once('-') else {
        return Ok(vec![address(text)?]);
    };
    let wrong = |what: &str| format!("range {text:?} {what}");
    let first = address(first)?;
    let head = |separator| text.split_once('-').and_then(|(first, _)| first.rsplit_once(separator));
    let last = match (first, last.parse()) {
        (_, Ok(last)) => last,
        (IpAddr::V4(_), _) => address(&format!("{}.{last}", head('.').map_or("", |(net, _)| net)))
            .map_err(|_| wrong("must end in an address or a number up to 255"))?,
        (IpAddr::V6(_), _) => address(&format!("{}:{last}", head(':').map_or("", |(net, _)| net)))
            .map_err(|_| wrong("must end in an address or its last group"))?,
    };
    let (from, to) = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => (u128::from(u32::from(first)), u128::from(u32::from(last))),
        (IpAddr::V6(first), IpAddr::V6(last)) => (u128::from(first), u128::from(last)),
        _ => return Err(wrong("is from one address family into the other")),
    };
    if from > to {
        return Err(wrong("ends before it begins"));
    }
    if to - from >= RANGE_MAX {
        return Err(wrong(&format!("has more than {RANGE_MAX} addresses")));
    }
    let nth = |number: u128| match first {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX))),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from(number)),
    };
    Ok((from..=to).map(nth).collect())
}

/// How packets get to a real server, without the details of a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Masquerading.
    Nat,
    /// Direct routing.
    Direct,
    /// A tunnel.
    Tunnel,
}

/// Reads a method: keepalived's words and ldirectord's.
pub fn method(word: &str) -> Result<Method, String> {
    match word.to_ascii_lowercase().as_str() {
        "nat" | "masq" => Ok(Method::Nat),
        "dr" | "gate" => Ok(Method::Direct),
        "tun" | "ipip" => Ok(Method::Tunnel),
        _ => Err(format!("{word:?} is not a way to forward: must be nat (masq), dr (gate) or tun (ipip)")),
    }
}

/// Checks the name of a scheduler or persistence engine: it becomes part of a kernel module's name, 15 bytes at most.
pub fn module(word: &str, what: &str) -> Result<String, String> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if (1..16).contains(&word.len()) && word.bytes().all(good) {
        return Ok(word.to_owned());
    }
    Err(format!("{word:?} is not the name of a {what}: must be 1 to 15 of a-z, 0-9 and _"))
}

/// Bits that scheduler flags stand for, and which scheduler understands them.
pub fn scheduler_flag(word: &str, scheduler: &str) -> Result<usize, String> {
    let (bit, of) = match word {
        "flag-1" => (0, None),
        "flag-2" => (1, None),
        "flag-3" => (2, None),
        "sh-fallback" => (0, Some("sh")),
        "sh-port" => (1, Some("sh")),
        "mh-fallback" => (0, Some("mh")),
        "mh-port" => (1, Some("mh")),
        _ => {
            let all = "sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2 or flag-3";
            return Err(format!("{word:?} is not a scheduler flag: must be {all}"));
        }
    };
    match of {
        Some(of) if of != scheduler => Err(format!("{word:?} is for scheduler {of:?}, not {scheduler:?}")),
        _ => Ok(bit),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn real_servers_in_one_word() {
        for (word, first, last, count, port, weight) in [
            ("192.0.2.21", "192.0.2.21", "192.0.2.21", 1, None, None),
            ("192.0.2.21-26", "192.0.2.21", "192.0.2.26", 6, None, None),
            ("192.0.2.250-192.0.3.5:81@7", "192.0.2.250", "192.0.3.5", 12, Some(81), Some(7)),
            ("192.0.2.21:8080@0", "192.0.2.21", "192.0.2.21", 1, Some(8080), Some(0)),
            ("2001:db8::9-f", "2001:db8::9", "2001:db8::f", 7, None, None),
            ("[2001:db8::9-2001:db8::10]:80@65535", "2001:db8::9", "2001:db8::10", 8, Some(80), Some(65535)),
            ("[2001:db8::9]@2", "2001:db8::9", "2001:db8::9", 1, None, Some(2)),
        ] {
            let read = servers(word).unwrap();
            let ends = (read.addresses[0].to_string(), read.addresses[read.addresses.len() - 1].to_string());
            assert_eq!((ends.0.as_str(), ends.1.as_str(), read.addresses.len()), (first, last, count), "{word}");
            assert_eq!((read.port, read.weight), (port, weight), "{word}");
        }
    }

    #[test]
    fn what_is_no_real_server_is_refused() {
        for (word, reason) in [
            ("", "not an address"),
            ("web1", "not an address"),
            ("192.0.2.21-", "must end in"),
            ("192.0.2.21-256", "must end in"),
            ("192.0.2.21-20", "ends before it begins"),
            ("192.0.2.21-2001:db8::1", "the other"),
            ("10.0.0.0-10.0.16.0", "more than 4096"),
            ("::-1:0:0:0", "more than 4096"),
            ("192.0.2.21:http", "not a port"),
            ("192.0.2.21:65536", "not a port"),
            ("192.0.2.21:+80", "not a port"),
            ("192.0.2.21@65536", "not a weight"),
            ("192.0.2.21@-1", "not a weight"),
            ("192.0.2.0/24", "not an address"),
            ("[2001:db8::1", "no ]"),
            ("[2001:db8::1]80", "after ]"),
        ] {
            let said = servers(word).unwrap_err();
            assert!(said.contains(reason), "{word}: {said}");
        }
    }

    #[test]
    fn a_flag_belongs_to_its_scheduler() {
        assert_eq!(scheduler_flag("sh-port", "sh"), Ok(1));
        assert_eq!(scheduler_flag("flag-3", "rr"), Ok(2));
        assert!(scheduler_flag("mh-port", "sh").unwrap_err().contains("is for scheduler \"mh\""));
        assert!(module("wlc", "scheduler").is_ok() && module("w-lc", "scheduler").is_err());
        assert!(module("", "scheduler").is_err() && module("sixteen_letters_", "scheduler").is_err());
    }
}
