//! What `iptables -v -S` prints, as rules that can be compared and deleted again.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

/// A listed rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The chain it stands in.
    pub chain: String,
    /// Packets it has matched.
    pub packets: u64,
    /// The rule as it was printed, without `-A`, chain and counters: what `-D CHAIN` takes, quotes and all.
    pub line: String,
    /// Its options with their values, in an order of their own: tools of different age print them differently.
    clauses: BTreeSet<Vec<String>>,
}

/// A listed table.
#[derive(Debug, Default, Clone)]
pub struct Listing {
    chains: BTreeSet<String>,
    rules: Vec<Rule>,
}

impl Listing {
    /// Reads a whole listing; lines that are neither a chain nor a rule are passed over.
    pub fn parse(text: &str) -> Self {
        let chains = text.lines().filter_map(|line| line.strip_prefix("-N ")).map(|name| name.trim().to_owned());
        Self { chains: chains.collect(), rules: text.lines().filter_map(Rule::parse).collect() }
    }

    /// Whether there is a chain of this name that is not built in.
    pub fn has_chain(&self, chain: &str) -> bool {
        self.chains.contains(chain)
    }

    /// The rules of a chain, in their order.
    pub fn rules_of<'a>(&'a self, chain: &'a str) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(move |rule| rule.chain == chain)
    }

    /// The rules of all chains that send packets to a chain.
    pub fn jumps_to<'a>(&'a self, chain: &'a str) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(move |rule| rule.target() == Some(chain))
    }
}

impl Rule {
    /// Reads a line such as `-A POSTROUTING -d 10.0.0.0/8 -c 0 0 -j SNAT --to-source 10.1.1.1`.
    pub fn parse(line: &str) -> Option<Self> {
        let words = words(line)?;
        let (command, rest) = words.split_first()?;
        let (chain, rest) = rest.split_first()?;
        if command.text != "-A" {
            return None;
        }
        let all = clauses(rest);
        let packets = all.iter().find(|clause| clause.option() == "-c").and_then(|clause| clause.value());
        let line: Vec<&str> =
            all.iter().filter(|clause| clause.option() != "-c").map(|clause| clause.source(line)).collect();
        Some(Self {
            chain: chain.text.clone(),
            packets: packets.and_then(|packets| packets.parse().ok()).unwrap_or_default(),
            line: line.join(" "),
            clauses: all.iter().filter_map(Clause::normal).collect(),
        })
    }

    /// Whether both mean the same, counters aside.
    pub fn same_as(&self, other: &Rule) -> bool {
        self.chain == other.chain && self.clauses == other.clauses
    }

    /// The target or chain that packets go to.
    pub fn target(&self) -> Option<&str> {
        self.value("-j").or_else(|| self.value("-g"))
    }

    /// The one value of an option that is not negated.
    pub fn value(&self, option: &str) -> Option<&str> {
        self.clauses.iter().find_map(|clause| match clause.as_slice() {
            [name, value] if name == option => Some(value.as_str()),
            _ => None,
        })
    }

    /// The names of its options; `!` for a negated one.
    pub fn options(&self) -> impl Iterator<Item = &str> {
        self.clauses.iter().filter_map(|clause| clause.first()).map(String::as_str)
    }

    /// The line of a script for `iptables-restore` that deletes this rule.
    pub fn deletion(&self) -> String {
        format!("-D {} {}\n", self.chain, self.line)
    }
}

/// A word of a line, without its quotes.
struct Word {
    text: String,
    quoted: bool,
    /// Where it stands in the line, quotes included.
    start: usize,
    end: usize,
}

/// An option with what belongs to it: `! --tcp-flags A,B A` is one.
struct Clause<'a>(&'a [Word]);

impl Clause<'_> {
    fn option(&self) -> &str {
        self.0.first().map(|word| word.text.as_str()).unwrap_or_default()
    }

    fn value(&self) -> Option<&str> {
        self.0.get(1).map(|word| word.text.as_str())
    }

    /// How it is written in the line.
    fn source<'a>(&self, line: &'a str) -> &'a str {
        let range = self.0.first().zip(self.0.last()).map(|(first, last)| first.start..last.end);
        range.and_then(|range| line.get(range)).unwrap_or_default()
    }

    /// A form that is the same for all tools; none for what may be left out: counters, protocol modules, any address.
    fn normal(&self) -> Option<Vec<String>> {
        let words: Vec<String> = self.0.iter().map(|word| word.text.clone()).collect();
        match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["-c", ..] | ["-m", "tcp" | "udp"] => None,
            ["-s" | "-d", address] if network(address).is_some_and(|network| network.prefix_len() == 0) => None,
            [.., "-s" | "-d", address] | [.., "--to-source", address] => {
                let last = network(address).map_or((*address).to_owned(), |network| network.to_string());
                Some(words.iter().take(words.len() - 1).cloned().chain([last]).collect())
            }
            _ => Some(words),
        }
    }
}

/// An address with or without prefix length.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().map(|network: IpNet| network.trunc()).or_else(|| text.parse().ok().map(IpAddr::into))
}

/// Groups words by option. A negation belongs to the option after it.
fn clauses(words: &[Word]) -> Vec<Clause<'_>> {
    let is_negation = |word: &Word| !word.quoted && word.text == "!";
    let is_option = |word: &Word| !word.quoted && word.text.starts_with('-') && word.text.len() > 1;
    let begins = |at: usize| {
        let negated = at > 0 && words.get(at - 1).is_some_and(is_negation);
        words.get(at).is_some_and(|word| is_negation(word) || is_option(word) && !negated)
    };
    let starts: Vec<usize> = (0..words.len()).filter(|at| begins(*at)).collect();
    let ends = starts.iter().skip(1).copied().chain([words.len()]);
    starts.iter().zip(ends).filter_map(|(start, end)| words.get(*start..end)).map(Clause).collect()
}

/// Splits a line as the tools do: double quotes hold words together, a backslash takes the next character as it is.
/// `None` when a quote is not closed.
fn words(line: &str) -> Option<Vec<Word>> {
    let mut words: Vec<Word> = Vec::new();
    let mut open: Option<Word> = None;
    let mut in_quotes = false;
    let mut characters = line.char_indices();
    while let Some((at, character)) = characters.next() {
        if character.is_whitespace() && !in_quotes {
            words.extend(open.take());
            continue;
        }
        let word = open.get_or_insert(Word { text: String::new(), quoted: false, start: at, end: at });
        match character {
            '"' => {
                in_quotes = !in_quotes;
                word.quoted = true;
            }
            '\\' => word.text.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => word.text.push(character),
        }
        word.end = characters.offset();
    }
    words.extend(open);
    (!in_quotes).then_some(words)
}
