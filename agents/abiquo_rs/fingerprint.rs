//! The properties in a few letters, so that nodes can tell whether theirs are equal, and which keys are not: the guide demands
//! equal ones. A node attribute is read by many, so there is only a checksum of each value, with a key that no more than the
//! cluster's nodes have: without it nobody can try out which value it may be. So passwords are compared, too.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ring::hmac::{self, HMAC_SHA256};

use super::properties::Properties;

/// Where nodes of a cluster have a secret of their own: corosync's key, and that for remote nodes.
const KEYS: [&str; 2] = ["/etc/corosync/authkey", "/etc/pacemaker/authkey"];
/// Bytes of it at most, and at least.
const CAP: u64 = 4096;
const ENOUGH_SECRET: usize = 16;
/// What our key is made from it for, so that what is done with the one says nothing of the other.
const PURPOSE: &[u8] = b"inuvika-ha abiquo-rs properties 2";
/// What a fingerprint begins with. One that begins otherwise is another version's, and says nothing.
const BEGIN: &str = "p2.";
/// The letters of the rest.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Letters for a key, and for its value.
const KEY: usize = 3;
const VALUE: usize = 4;
/// Keys at most: attributes are kept by every node of the cluster.
const ENOUGH: usize = 400;

/// What makes fingerprints of this cluster.
#[derive(Debug)]
pub struct Maker {
    key: hmac::Key,
}

impl Maker {
    /// With the secret that the nodes share; none where there is no such file, or where others may read it.
    pub fn of_cluster() -> Option<Self> {
        KEYS.iter().find_map(|path| secret(Path::new(path))).map(|secret| Self::new(&secret))
    }

    fn new(secret: &[u8]) -> Self {
        let own = hmac::sign(&hmac::Key::new(HMAC_SHA256, secret), PURPOSE);
        Self { key: hmac::Key::new(HMAC_SHA256, own.as_ref()) }
    }

    /// The fingerprint of all properties but those in `own`, which may differ from node to node.
    pub fn make(&self, properties: &Properties, own: &[String]) -> String {
        let parts: Vec<String> = self.parts(properties, own).map(|(_, part)| part).collect();
        format!("{}{}", self.begin(), parts.concat())
    }

    /// Which version it is, and with which key it was made: of nodes with different keys nothing can be compared.
    fn begin(&self) -> String {
        format!("{BEGIN}{}.", self.letters("", VALUE))
    }

    /// Each key that is compared, with its part.
    fn parts<'a>(&'a self, properties: &'a Properties, own: &'a [String]) -> impl Iterator<Item = (&'a str, String)> {
        let compared = properties.iter().filter(|(key, _)| own.iter().all(|one| one != key));
        compared.take(ENOUGH).map(|(key, value)| {
            let value = self.letters(&format!("{key}={}", value.trim()), VALUE);
            (key, self.letters(key, KEY) + &value)
        })
    }

    /// So many digits, to the base of 62, of the checksum of a text.
    fn letters(&self, text: &str, count: usize) -> String {
        let sum = hmac::sign(&self.key, text.as_bytes());
        let mut rest = sum.as_ref().iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let digit = |rest: &mut u64| {
            let digit = DIGITS.get(usize::try_from(*rest % 62).unwrap_or_default()).copied().unwrap_or(b'0');
            *rest /= 62;
            char::from(digit)
        };
        (0..count).map(|_| digit(&mut rest)).collect()
    }

    /// Whether a fingerprint was made with another secret: then it says nothing about the properties.
    pub fn is_foreign(&self, theirs: &str) -> bool {
        theirs.starts_with(BEGIN) && !theirs.starts_with(&self.begin())
    }

    /// How the properties here differ from those with the fingerprint `theirs`: keys, never values. None when they do not.
    pub fn difference(&self, properties: &Properties, own: &[String], theirs: &str) -> Option<String> {
        let theirs = theirs.strip_prefix(&self.begin());
        let theirs = theirs.filter(|text| text.is_ascii() && text.len() % (KEY + VALUE) == 0)?;
        let theirs: Vec<&[u8]> = theirs.as_bytes().chunks(KEY + VALUE).collect();
        let ours: Vec<(&str, String)> = self.parts(properties, own).collect();
        let other = ours.iter().filter(|(_, part)| !theirs.contains(&part.as_bytes())).map(|(key, _)| *key);
        let mut named: Vec<String> = other.map(str::to_owned).collect();
        let has_key = |part: &&&[u8]| ours.iter().any(|(_, our)| our.as_bytes().get(..KEY) == part.get(..KEY));
        match theirs.iter().filter(|part| !has_key(part)).count() {
            0 => {}
            1 => named.push("one key that is not here".to_owned()),
            count => named.push(format!("{count} keys that are not here")),
        }
        (!named.is_empty()).then(|| named.join(", "))
    }
}

/// The content of a file that is long enough for a secret, and that not everybody may read.
fn secret(path: &Path) -> Option<Vec<u8>> {
    let file = File::open(path).ok()?;
    if file.metadata().ok()?.mode() & 0o007 != 0 {
        return None;
    }
    let mut secret = Vec::new();
    file.take(CAP).read_to_end(&mut secret).ok()?;
    (secret.len() >= ENOUGH_SECRET).then_some(secret)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::cluster::attribute;

    fn properties(text: &str) -> Properties {
        Properties::parse(text.as_bytes()).unwrap()
    }

    fn maker() -> Maker {
        Maker::new(b"a secret of this cluster")
    }

    fn differ(a: &str, b: &str) -> Option<String> {
        maker().difference(&properties(a), &[], &maker().make(&properties(b), &[]))
    }

    #[test]
    fn keys_are_named_and_order_is_nothing() {
        assert_eq!(differ("a=1\nb=2\n", "[x]\nb : 2 \na=1"), None);
        assert_eq!(differ("a=1\nb=2\nc=3", "a=1\nb=4\nc=5").as_deref(), Some("b, c"));
        assert_eq!(differ("a=1\nb=2", "a=1").as_deref(), Some("b"));
        assert_eq!(differ("a=1", "a=1\nb=2").as_deref(), Some("one key that is not here"));
        assert_eq!(differ("a=1", "b=2\nc=3").as_deref(), Some("a, 2 keys that are not here"));
    }

    #[test]
    fn passwords_are_compared_and_own_keys_are_not() {
        for key in ["abiquo.rabbitmq.password", "some.pwd", "url"] {
            let found = differ(&format!("{key}=amqp://u:p@h/"), &format!("{key}=amqp://u:q@h/"));
            assert_eq!(found.as_deref(), Some(key));
        }
        let own = ["node.name".to_owned()];
        let theirs = maker().make(&properties("node.name=2"), &own);
        assert_eq!(maker().difference(&properties("node.name=1"), &own, &theirs), None);
    }

    #[test]
    fn without_the_secret_nothing_can_be_told() {
        let (all, other) = (properties("a=1\nb=2"), Maker::new(b"a secret of another cluster"));
        let theirs = other.make(&all, &[]);
        assert_eq!(maker().difference(&properties("a=2"), &[], &theirs), None);
        assert!(maker().is_foreign(&theirs) && !maker().is_foreign(&maker().make(&all, &[])));
        assert!(!maker().is_foreign("p1.abc") && !maker().is_foreign(""));
        let part = |text: String| text.split('.').nth(2).unwrap().to_owned();
        assert_ne!(part(maker().make(&all, &[])), part(theirs), "a value can be tried out");
        assert!(!format!("{:?}", maker()).contains("a secret of"));
    }

    #[test]
    fn a_secret_that_others_may_read_is_none() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authkey");
        for (text, mode, is_one) in
            [("0123456789abcdef", 0o400, true), ("0123456789abcdef", 0o444, false), ("short", 0o400, false)]
        {
            let _ = std::fs::remove_file(&path);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(secret(&path).is_some(), is_one, "{text} {mode:o}");
        }
        assert_eq!(secret(&folder.path().join("none")), None);
    }

    #[test]
    fn it_can_be_a_node_attribute() {
        let many: String = (0..500).map(|n| format!("key{n}={n}\n")).collect();
        let text = maker().make(&properties(&many), &[]);
        assert!(attribute::is_value(&text), "{}", text.len());
        assert_eq!(differ("a=1", ""), Some("a".to_owned()));
    }

    #[test]
    fn what_is_no_fingerprint_says_nothing() {
        let begin = maker().begin();
        let wrong = ["abc", "\u{e9}\u{e9}\u{e9}x"].map(|rest| format!("{begin}{rest}"));
        for text in ["", "ok", "p1.abcdefg", "p2.abcd.abcdefg"].into_iter().chain(wrong.iter().map(String::as_str)) {
            assert_eq!(maker().difference(&properties("a=1"), &[], text), None, "{text}");
        }
        assert_eq!(maker().difference(&properties("a=1"), &[], &begin).as_deref(), Some("a"));
    }
}
