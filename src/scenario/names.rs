//! Which names, ids and times are allowed. pcs checks little of this, and the cluster finds out late.

/// What [`is_host_name`] allows, as the end of "must be ...".
pub const HOST_NAME: &str = "a host name: letters, digits, - and ., at most 63 between dots, not localhost";
/// What [`is_cluster_name`] allows.
pub const CLUSTER_NAME: &str = "1 to 32 letters, digits, - and _, and not debian (the empty cluster of a distribution)";
/// What [`is_id`] allows.
pub const ID: &str = "an id: a letter or _, then letters, digits, . _ and -";
/// What [`seconds`](crate::ocf::params::seconds) allows.
pub const TIME: &str = "a time like 30s, 10min or 4h";

/// A host name as RFC 1123 has it.
pub fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253
        && name.split('.').all(label)
        && !name.split('.').next().is_some_and(|first| first.eq_ignore_ascii_case("localhost"))
        && name.bytes().any(|b| b.is_ascii_alphabetic())
}

/// What pcs 0.10.6 and later take without force. `debian` is refused: the script removes clusters of that name.
pub fn is_cluster_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !name.starts_with('-')
        && name != "debian"
}

/// An id in the cluster information base.
pub fn is_id(id: &str) -> bool {
    id.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names() {
        for good in ["osm1", "osm1.priv", "a-b.c", "1a", &"a".repeat(63)] {
            assert!(is_host_name(good), "{good}");
        }
        for bad in ["", "bad node", "n/1", "-a", "a-", "a..b", ".a", "é", "localhost", "10.0.0.1", &"a".repeat(64)] {
            assert!(!is_host_name(bad), "{bad}");
        }
    }

    #[test]
    fn cluster_names_and_ids() {
        assert!(is_cluster_name("ovd-sm") && is_id("_a.b-1"));
        assert!(!is_cluster_name("debian") && !is_cluster_name("a b") && !is_cluster_name(&"a".repeat(33)));
        assert!(!is_id("1a") && !is_id("a:1") && !is_id("") && !is_id("é"));
    }
}
