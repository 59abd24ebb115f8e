//! The properties in a few letters, so that nodes can tell whether theirs are equal, and which keys are not: the guide demands
//! equal ones. A node attribute is read by everybody, so secrets are left out, and of the other values there is a checksum.

use super::properties::Properties;
use crate::ocf::instance::checksum;

/// What a fingerprint begins with. One that begins otherwise is another version's, and says nothing.
const BEGIN: &str = "p1.";
/// The letters of the rest.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Letters for a key, and for its value.
const KEY: usize = 3;
const VALUE: usize = 4;
/// Keys at most: attributes are kept by every node of the cluster.
const ENOUGH: usize = 400;
/// Words in keys that are nobody else's business, in lower case.
const SECRET: [&str; 8] = ["password", "passwd", "passphrase", "secret", "token", "credential", "private", ".pass"];

/// Whether a key's value must not be seen, not even as a checksum that somebody could try passwords on.
fn is_secret(key: &str, value: &str) -> bool {
    let key = key.to_ascii_lowercase();
    // A URL with a password in it.
    SECRET.iter().any(|word| key.contains(word)) || value.contains("://") && value.contains('@')
}

/// The fingerprint of all properties but secrets and those in `own`, which may differ from node to node.
pub fn of(properties: &Properties, own: &[String]) -> String {
    let parts: Vec<String> = parts(properties, own).map(|(_, part)| part).collect();
    format!("{BEGIN}{}", parts.concat())
}

/// Each key that is compared, with its part.
fn parts<'a>(properties: &'a Properties, own: &'a [String]) -> impl Iterator<Item = (&'a str, String)> {
    let compared = properties.iter().filter(|(key, value)| !is_secret(key, value) && own.iter().all(|one| one != key));
    compared.take(ENOUGH).map(|(key, value)| {
        let value = checksum(&format!("{key}={}", value.trim()));
        (key, letters(checksum(key), KEY) + &letters(value, VALUE))
    })
}

/// The last `count` digits of a number, to the base of 62.
fn letters(number: u32, count: usize) -> String {
    let mut rest = number;
    let digit = |rest: &mut u32| {
        let digit = DIGITS.get(usize::try_from(*rest % 62).unwrap_or_default()).copied().unwrap_or(b'0');
        *rest /= 62;
        char::from(digit)
    };
    (0..count).map(|_| digit(&mut rest)).collect()
}

/// How the properties here differ from those with the fingerprint `theirs`: keys, never values. None when they do not.
pub fn difference(properties: &Properties, own: &[String], theirs: &str) -> Option<String> {
    let theirs = theirs.strip_prefix(BEGIN).filter(|text| text.is_ascii() && text.len() % (KEY + VALUE) == 0)?;
    let theirs: Vec<&[u8]> = theirs.as_bytes().chunks(KEY + VALUE).collect();
    let ours: Vec<(&str, String)> = parts(properties, own).collect();
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::cluster::attribute;

    fn properties(text: &str) -> Properties {
        Properties::parse(text.as_bytes()).unwrap()
    }

    fn differ(a: &str, b: &str) -> Option<String> {
        difference(&properties(a), &[], &of(&properties(b), &[]))
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
    fn secrets_and_own_keys_are_left_out() {
        for key in ["abiquo.rabbitmq.password", "x.SecretKey", "api.token", "ssl.truststore.passphrase"] {
            assert_eq!(differ(&format!("{key}=1"), &format!("{key}=2")), None, "{key}");
            assert_eq!(of(&properties(&format!("{key}=1")), &[]), BEGIN, "{key}");
        }
        assert_eq!(of(&properties("url=amqp://u:p@h/"), &[]), BEGIN);
        let own = ["node.name".to_owned()];
        assert_eq!(difference(&properties("node.name=1"), &own, &of(&properties("node.name=2"), &own)), None);
    }

    #[test]
    fn it_can_be_a_node_attribute() {
        let many: String = (0..500).map(|n| format!("key{n}={n}\n")).collect();
        let text = of(&properties(&many), &[]);
        assert!(attribute::is_value(&text), "{}", text.len());
        assert_eq!(differ("a=1", ""), Some("a".to_owned()));
    }

    #[test]
    fn what_is_no_fingerprint_says_nothing() {
        for text in ["", "ok", "p2.abcdefg", "p1.abc", "p1.\u{e9}\u{e9}\u{e9}x"] {
            assert_eq!(difference(&properties("a=1"), &[], text), None, "{text}");
        }
    }
}
