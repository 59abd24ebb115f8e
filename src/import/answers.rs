//! What the administrator adds to old files: addresses that they only name, and decisions.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// Answers to questions that files leave open.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// The cluster's name.
    pub cluster: Option<String>,
    /// Addresses by name: of nodes (one for each link), routers, services.
    pub addresses: BTreeMap<String, Vec<IpAddr>>,
    /// Whether the cluster goes without fencing.
    pub accept_split_brain: bool,
}

impl Answers {
    /// Reads `NAME=ADDRESS` or `NAME=ADDRESS,ADDRESS`.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn address(&mut self, word: &str) -> Result<(), String> {
        let wrong = || format!("\"{}\" must be NAME=ADDRESS, or NAME=ADDRESS,ADDRESS", word.escape_debug());
        let (name, list) = word.split_once('=').ok_or_else(wrong)?;
        let addresses = list.split(',').map(|one| one.trim().parse()).collect::<Result<Vec<IpAddr>, _>>();
        let addresses = addresses.map_err(|_| wrong())?;
        if name.is_empty() {
            return Err(wrong());
        }
        self.addresses.insert(name.to_owned(), addresses);
        Ok(())
    }

    /// Takes names from a text as /etc/hosts is; what is said by [`Answers::address`] counts for more, and so does a line further up.
    pub fn hosts(&mut self, text: &str) {
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let Some(Ok(address)) = words.next().map(str::parse::<IpAddr>) else { continue };
            if address.is_loopback() {
                continue;
            }
            for name in words {
                self.addresses.entry(name.to_owned()).or_insert_with(|| vec![address]);
            }
        }
    }

    /// The addresses of a name; of an address, itself.
    pub(super) fn of(&self, name: &str) -> Option<Vec<IpAddr>> {
        match name.parse() {
            Ok(address) => Some(vec![address]),
            Err(_) => self.addresses.get(name).cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Answers;

    #[test]
    fn an_answer_counts_for_more_than_a_hosts_file() {
        let mut answers = Answers::default();
        assert!(answers.address("a=192.0.2.1,2001:db8::1").is_ok());
        for wrong in ["a", "=192.0.2.1", "a=", "a=b", "a=192.0.2.1,"] {
            assert!(answers.address(wrong).is_err_and(|line| line.contains("must be NAME=")), "{wrong}");
        }
        answers.hosts("127.0.0.1 localhost a\n192.0.2.9 a b # c\nnonsense d\n192.0.2.8 b\n");
        let of = |name| answers.of(name).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(of("a"), Some(vec!["192.0.2.1".into(), "2001:db8::1".into()]));
        assert_eq!((of("b"), of("c"), of("d")), (Some(vec!["192.0.2.9".into()]), None, None));
        assert_eq!(of("192.0.2.7"), Some(vec!["192.0.2.7".into()]));
    }
}
