//! Changes of texts that leave everything else in them as it is: other entries, comments, order.

use std::net::IpAddr;

use ipnet::IpNet;

use super::super::files::{name_of_variable, plain};

/// `text` with `key = value` in `[section]`, in place of any value of it, or of one of its other names, there.
pub fn entry(text: &str, section: &str, key: &str, value: &str, others: &[&str]) -> String {
    let means = |name: &str| plain(name) == key || others.contains(&plain(name).as_str());
    let line = format!("\t{key} = {value}");
    let mut lines: Vec<String> = Vec::new();
    let (mut inside, mut head, mut done) = (false, None, false);
    // A line goes on behind a backslash: what goes with one that is taken out goes, too.
    let (mut goes_on, mut out) = (false, false);
    for old in text.lines() {
        let whole = !std::mem::replace(&mut goes_on, old.ends_with('\\'));
        if !whole {
            if !out {
                lines.push(old.to_owned());
            }
            continue;
        }
        let trimmed = old.trim();
        let is_comment = trimmed.starts_with(['#', ';']);
        out = false;
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            inside = plain(name) == section;
            if inside && head.is_none() {
                head = Some(lines.len());
            }
        } else if let Some((name, now)) = trimmed.split_once('=').filter(|_| inside && !is_comment)
            && means(name)
        {
            out = true;
            if !done {
                done = true;
                let same = plain(name) == key && now.trim() == value;
                lines.push(if same { old.to_owned() } else { line.clone() });
            }
            continue;
        }
        lines.push(old.to_owned());
    }
    match head {
        _ if done => {}
        Some(head) => {
            // Behind whatever the section's own line goes on with.
            let mut at = head + 1;
            while lines.get(at - 1).is_some_and(|before| before.ends_with('\\')) {
                if at == lines.len() {
                    lines.push(String::new());
                }
                at += 1;
            }
            lines.insert(at, line);
        }
        None => {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.extend([format!("[{section}]"), line]);
        }
    }
    joined(&lines)
}

/// `text` with the variable `NAME=value`, in place of any value of it. Tunables of CTDB are written alike.
pub fn variable(text: &str, name: &str, value: &str) -> String {
    let line = format!("{name}={value}");
    let mut done = false;
    let mut lines = Vec::new();
    for old in text.lines() {
        if name_of_variable(old).is_none_or(|given| given != name) {
            lines.push(old.to_owned());
        } else if !done {
            done = true;
            lines.push(line.clone());
        }
    }
    if !done {
        lines.push(line);
    }
    joined(&lines)
}

/// A nodes file with these nodes. The place of a line is the number of its node: a node that is not wanted is commented out, and one
/// that was is put back where it stood; new ones come last.
pub fn nodes(text: &str, wanted: &[IpAddr]) -> String {
    let mut missing: Vec<IpAddr> = wanted.to_vec();
    let mut lines: Vec<String> = Vec::new();
    let address = |line: &str| line.trim().trim_start_matches('#').trim().parse::<IpAddr>().ok();
    let is_there = |one: &IpAddr| text.lines().any(|line| !line.trim().starts_with('#') && address(line) == Some(*one));
    for old in text.lines() {
        let is_out = old.trim().starts_with('#');
        let line = match address(old) {
            Some(one) if missing.contains(&one) && !(is_out && is_there(&one)) => {
                missing.retain(|other| *other != one);
                if is_out { one.to_string() } else { old.to_owned() }
            }
            Some(one) if !is_out => format!("#{one}"),
            _ => old.to_owned(),
        };
        lines.push(line);
    }
    lines.extend(missing.iter().map(ToString::to_string));
    joined(&lines)
}

/// A file of public addresses with this one on this link, or without it. Others stay.
pub fn public(text: &str, address: &IpNet, link: Option<&str>) -> String {
    let line = link.map(|link| format!("{address} {link}"));
    let mut missing = line.clone();
    let mut lines = Vec::new();
    for old in text.lines() {
        let net = old.split_whitespace().next().and_then(|word| word.parse::<IpNet>().ok());
        if net.is_none_or(|net| net.addr() != address.addr()) {
            lines.push(old.to_owned());
        } else if let Some(line) = missing.take() {
            let same = old.split_whitespace().eq(line.split_whitespace());
            lines.push(if same { old.to_owned() } else { line });
        }
    }
    lines.extend(missing);
    let mark = "# Pacemaker has the address: CTDB has none.";
    if line.is_none() && lines.is_empty() {
        lines.push(mark.to_owned());
    }
    lines.retain(|old| line.is_none() || old != mark);
    joined(&lines)
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::super::super::files::{Ini, variables};
    use super::*;

    #[test]
    fn an_entry_goes_into_its_section_and_nothing_else_changes() {
        let text =
            "# Samba\n[global]\n  workgroup = OVD\n  Clustering=no\n  clustering = no\n[homes]\n  clustering = maybe\n";
        assert_eq!(
            entry(text, "global", "clustering", "yes", &[]),
            "# Samba\n[global]\n  workgroup = OVD\n\tclustering = yes\n[homes]\n  clustering = maybe\n"
        );
        // Where the guide has it appended, it would be one of the last share.
        assert_eq!(
            entry("[global]\n a = b\n[homes]\n", "global", "private dir", "/x", &[]),
            "[global]\n\tprivate dir = /x\n a = b\n[homes]\n"
        );
        assert_eq!(entry("", "cluster", "cluster lock", "/x", &[]), "[cluster]\n\tcluster lock = /x\n");
        assert_eq!(entry("[a]\nb = c", "cluster", "k", "v", &[]), "[a]\nb = c\n\n[cluster]\n\tk = v\n");
        let former = "[cluster]\n recovery lock = /old \\\n  /more\n node address = 10.0.0.1\n";
        assert_eq!(
            entry(former, "cluster", "cluster lock", "/x", &["recovery lock"]),
            "[cluster]\n\tcluster lock = /x\n node address = 10.0.0.1\n"
        );
        assert_eq!(entry("[c]\n# k = v\n", "c", "k", "v", &[]), "[c]\n\tk = v\n# k = v\n");
    }

    #[test]
    fn a_variable_is_there_once() {
        assert_eq!(variable("# x\nA=1\nB=2\nexport A=3\n", "A", "4"), "# x\nA=4\nB=2\n");
        assert_eq!(variable("B=2", "A", "4"), "B=2\nA=4\n");
    }

    #[test]
    fn nodes_keep_their_numbers() {
        let all = |words: &[&str]| words.iter().map(|word| word.parse().unwrap()).collect::<Vec<IpAddr>>();
        assert_eq!(nodes("", &all(&["10.0.0.1", "10.0.0.2"])), "10.0.0.1\n10.0.0.2\n");
        let there = "10.0.0.2\n10.0.0.1\n";
        assert_eq!(nodes(there, &all(&["10.0.0.1", "10.0.0.2"])), there);
        assert_eq!(nodes(there, &all(&["10.0.0.1", "10.0.0.3"])), "#10.0.0.2\n10.0.0.1\n10.0.0.3\n");
        assert_eq!(nodes("#10.0.0.2\n10.0.0.1\n", &all(&["10.0.0.1", "10.0.0.2"])), "10.0.0.2\n10.0.0.1\n");
        assert_eq!(nodes("# ours\nfd00::1\n", &all(&["fd00::1"])), "# ours\nfd00::1\n");
    }

    #[test]
    fn the_address_is_there_or_not() {
        let net: IpNet = "172.16.4.26/24".parse().unwrap();
        assert_eq!(public("", &net, Some("ens32")), "172.16.4.26/24 ens32\n");
        assert_eq!(public("172.16.4.26/24   ens32\n", &net, Some("ens32")), "172.16.4.26/24   ens32\n");
        let two = "172.16.4.26/16 eth0\n172.16.4.27/24 eth0\n";
        assert_eq!(public(two, &net, Some("ens32")), "172.16.4.26/24 ens32\n172.16.4.27/24 eth0\n");
        let none = public("172.16.4.26/24 ens32\n", &net, None);
        assert_eq!(none, "# Pacemaker has the address: CTDB has none.\n");
        assert_eq!(public(&none, &net, None), none);
        assert_eq!(public(&none, &net, Some("ens32")), "172.16.4.26/24 ens32\n");
    }

    #[test]
    fn a_section_whose_line_goes_on_is_not_taken_for_the_value() {
        for text in ["[a]\\\n", "[a]\\\n\\\n", "[a]\\\nx\ny = 1\n"] {
            let once = entry(text, "a", "b", "c", &[]);
            assert_eq!(Ini::parse(&once).get("a", "b"), Some("c"), "{once}");
            assert_eq!(entry(&once, "a", "b", "c", &[]), once);
        }
    }

    proptest! {
        /// Whatever stands there: the value is what a reader finds, and a second time nothing changes.
        #[test]
        fn what_was_written_is_read(text in "([ \\[\\]=#a-c;\\\\]{0,12}\n){0,6}", value in "[a-z/]{1,8}") {
            let once = entry(&text, "a", "b c", &value, &["c"]);
            let ini = Ini::parse(&once);
            prop_assert_eq!(ini.get("a", "b c"), Some(value.as_str()), "{}", once);
            prop_assert_eq!(entry(&once, "a", "b c", &value, &["c"]), once);
            let once = variable(&text, "b", &value);
            prop_assert_eq!(variables(&once).remove("b"), Some(value.clone()));
            prop_assert_eq!(variable(&once, "b", &value), once);
        }
    }
}
