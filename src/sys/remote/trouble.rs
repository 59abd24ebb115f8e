//! What ssh and rsync complain about, in words: what, where, what to do. 128 bytes are all that Pacemaker keeps.

use super::Remote;
use crate::ocf::exit::one_line;

/// Complaints of ssh: what it says, what it means. `{host}`, `{user}`, `{key}`, `{known}` are filled in. The first that fits counts.
const SSH: &[(&str, &str)] = &[
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "{host} has another host key than {known} says: was it reinstalled? then ssh-keygen -R {host}, ssh-keyscan",
    ),
    ("Host key verification failed", "host key of {host} is not known: ssh-keyscan{option} {host} >> {known}"),
    ("UNPROTECTED PRIVATE KEY FILE", "others may read the key {key}, so ssh does not use it: chmod 600"),
    ("bad permissions", "others may read the key {key}, so ssh does not use it: chmod 600"),
    ("Bad owner or permissions", "wrong owner or mode of ssh's configuration here: {said}"),
    ("not accessible", "the key {key} is missing here"),
    ("Load key", "the key {key} cannot be used: {said}"),
    ("Permission denied", "{host} does not accept the key {key} for {user}: see its authorized_keys, owner and mode"),
    ("Could not resolve hostname", "the name {host} does not resolve"),
    ("Connection refused", "{host} port {port} (ssh): connection refused"),
    ("No route to host", "{host} port {port} (ssh): no route to host"),
    ("timed out", "{host} port {port} (ssh): no answer"),
    ("Timeout, server", "{host} port {port} (ssh): stopped answering"),
    ("Connection closed", "{host} port {port} (ssh): closes the connection (from= of the key? MaxStartups?)"),
    ("Connection reset", "{host} port {port} (ssh): breaks the connection off"),
];

/// What is wrong when ssh has ended with 255, having said `errors`.
pub(super) fn of_ssh(remote: &Remote, errors: &str) -> String {
    known(remote, errors).unwrap_or_else(|| match last_line(errors) {
        "" => format!("ssh to {} ended with an error, without a word", remote.host),
        line => one_line(&format!("ssh to {}: {line}", remote.host)),
    })
}

/// What is wrong when rsync has ended with `code`, having said `errors`. `there` is whether it was writing at the other host.
/// The codes are those of rsync(1), "EXIT VALUES".
pub(super) fn of_rsync(remote: &Remote, code: Option<i32>, errors: &str, there: bool) -> String {
    let host = if there { remote.host.as_str() } else { "this node" };
    let said = || first_of(errors, "rsync");
    let full = ["No space left", "Disk quota exceeded"].iter().any(|text| errors.contains(text));
    let reason = match (code, full) {
        (_, true) => format!("disk full on {host}, make room: {}", said()),
        // The other host's own program in front of rsync says why; rsync may end before that does, with a code of its own.
        _ if refused(errors).is_some() => format!("{}: {}", remote.host, refused(errors).unwrap_or_default()),
        (Some(255), _) => of_ssh(remote, errors),
        (Some(127), _) => format!("rsync is not installed on {}", remote.host),
        (Some(12), _) if errors.contains("command not found") || errors.contains("rsync: not found") => {
            format!("rsync is not installed on {}", remote.host)
        }
        // The connection broke, which ssh has said a line of.
        (Some(12 | 10), _) => known(remote, errors)
            .unwrap_or_else(|| format!("rsync with {}: the connection broke off: {}", remote.host, said())),
        (Some(30 | 35), _) => format!("rsync with {}: no data for too long", remote.host),
        (Some(11), _) => format!("rsync cannot write on {host}: {}", said()),
        (Some(23), _) => format!("rsync with {}: not everything could be copied: {}", remote.host, said()),
        (Some(code), _) => format!("rsync with {}: exit code {code}: {}", remote.host, said()),
        (None, _) => format!("rsync with {} was killed", remote.host),
    };
    one_line(&reason)
}

/// The line of `inuvika-ha replica receive`.
fn refused(errors: &str) -> Option<&str> {
    errors.lines().find_map(|line| line.strip_prefix("inuvika-ha: ").filter(|text| text.starts_with("refused: ")))
}

fn known(remote: &Remote, errors: &str) -> Option<String> {
    let (_, words) = SSH.iter().find(|(text, _)| errors.contains(text))?;
    let file = |path: &Option<std::path::PathBuf>, default: &str| {
        path.as_ref().map_or(default.to_owned(), |path| path.display().to_string())
    };
    let text = words
        .replace("{host}", &remote.host)
        .replace("{user}", &remote.user)
        .replace("{port}", &remote.port.to_string())
        .replace("{option}", &if remote.port == 22 { String::new() } else { format!(" -p {}", remote.port) })
        .replace("{key}", &file(&remote.identity, "of ssh's choice"))
        .replace("{known}", &file(&remote.known_hosts, "known_hosts"))
        .replace("{said}", last_line(errors));
    Some(one_line(&text))
}

/// The first line that a program called `name` wrote itself, without its name; else the first at all.
fn first_of(errors: &str, name: &str) -> String {
    let lines = || errors.lines().map(str::trim).filter(|line| !line.is_empty());
    let own = lines().find(|line| line.starts_with(name)).or_else(|| lines().next()).unwrap_or("no reason given");
    own.split_once(": ").filter(|(head, _)| *head == name).map_or(own, |(_, rest)| rest).to_owned()
}

fn last_line(errors: &str) -> &str {
    errors.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::remote;
    use super::*;
    use crate::ocf::exit::REASON_MAX;

    #[test]
    fn what_ssh_says_becomes_what_to_do() {
        let peer = Remote { identity: Some("/root/.ssh/sync_rsa".into()), ..remote("osm2.priv") };
        for (said, wanted) in [
            ("Host key verification failed.\n", "ssh-keyscan osm2.priv >> known_hosts"),
            (
                "root@osm2.priv: Permission denied (publickey).",
                "osm2.priv does not accept the key /root/.ssh/sync_rsa for root",
            ),
            ("@ WARNING: UNPROTECTED PRIVATE KEY FILE! @\nPermission denied (publickey)", "chmod 600"),
            ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.", "another host key"),
            ("ssh: connect to host osm2.priv port 22: Connection refused", "connection refused"),
            ("something new", "ssh to osm2.priv: something new"),
            ("", "without a word"),
        ] {
            let reason = of_ssh(&peer, said);
            assert!(reason.contains(wanted) && reason.len() <= REASON_MAX, "{said}: {reason}");
        }
    }

    #[test]
    fn what_rsync_says_becomes_what_to_do() {
        let peer = remote("osm2.priv");
        for (code, said, wanted) in [
            (11, "rsync: [receiver] write failed on \"/a/b\": No space left on device (28)", "disk full on osm2.priv"),
            (12, "Host key verification failed.\nrsync: connection unexpectedly closed", "ssh-keyscan osm2.priv"),
            (12, "bash: rsync: command not found", "rsync is not installed on osm2.priv"),
            (30, "", "no data for too long"),
            (23, "rsync: [sender] link_stat \"/a\" failed: No such file (2)\nrsync error: some", "not everything"),
            (99, "", "exit code 99"),
            (
                12,
                "inuvika-ha: refused: this node was active in epoch 2\nrsync: connection unexpectedly",
                "osm2.priv: refused: ",
            ),
        ] {
            let reason = of_rsync(&peer, Some(code), said, true);
            assert!(reason.contains(wanted) && reason.len() <= REASON_MAX, "{code} {said}: {reason}");
        }
    }
}
