//! Options for people: `ovd-vip-src monitor --param virtual_ip=10.20.1.10 --json`.
//!
//! A cluster manager passes the action alone, and whatever else comes must be ignored (OCF 1.1, "Execution Syntax"), so
//! only what begins with one of these names is looked at.

/// How the checks are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A table for people.
    Table,
    /// One JSON object.
    Json,
    /// One XML element.
    Xml,
}

/// The options given after the action.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ByHand {
    /// `--param NAME=VALUE`, in order.
    pub params: Vec<(String, String)>,
    /// `--instance NAME`.
    pub instance: Option<String>,
    /// `--depth 0|10|20`.
    pub depth: Option<u8>,
    /// `--timeout SECONDS`.
    pub timeout: Option<u64>,
    /// `--json` or `--xml`.
    pub format: Option<Format>,
    /// What was not understood.
    pub ignored: Vec<String>,
}

/// The options, and what they are for.
pub const OPTIONS: [(&str, &str); 7] = [
    ("--param NAME=VALUE", "stands in for OCF_RESKEY_NAME (may be repeated)"),
    ("--instance NAME", "the resource's id; without parameters, those of its last start on this node are used"),
    ("--depth 0|10|20", "check level of monitor and validate-all"),
    ("--timeout SECONDS", "ends by itself before this (default 20)"),
    ("--json, --xml", "print the checks as data"),
    (
        "--resource ID",
        "inuvika-ha agent only: with the parameters and the timeout that the cluster has for this resource",
    ),
    ("--force", "inuvika-ha agent only: start, stop or reload what Pacemaker manages"),
];

/// The lines of the help text.
pub fn help() -> String {
    let lines = OPTIONS.iter().map(|(option, text)| format!("  {option:18}  {text}\n"));
    std::iter::once("Options for runs by hand:\n".to_owned()).chain(lines).collect()
}

impl ByHand {
    /// Reads the words after the action. Err is one line for the user.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (name, inline) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (word.as_str(), None),
            };
            let mut value = |what: &str| {
                inline.clone().or_else(|| words.next().cloned()).ok_or_else(|| format!("{name} needs {what}"))
            };
            match name {
                "--param" => {
                    let pair = value("NAME=VALUE")?;
                    let (key, text) =
                        pair.split_once('=').ok_or_else(|| format!("--param {pair}: write NAME=VALUE"))?;
                    options.params.push((key.to_owned(), text.to_owned()));
                }
                "--instance" => options.instance = Some(value("a resource id")?),
                "--depth" => {
                    let text = value("0, 10 or 20")?;
                    options.depth = Some(text.parse().map_err(|_| format!("--depth {text}: write 0, 10 or 20"))?);
                }
                "--timeout" => {
                    let text = value("seconds")?;
                    options.timeout = Some(
                        text.parse()
                            .ok()
                            .filter(|s| (1..=86_400).contains(s))
                            .ok_or_else(|| format!("--timeout {text}: write seconds"))?,
                    );
                }
                "--json" => options.format = Some(Format::Json),
                "--xml" => options.format = Some(Format::Xml),
                _ => options.ignored.push(word.clone()),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Result<ByHand, String> {
        ByHand::parse(&line.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn both_spellings_of_an_option_are_read() {
        let options = parse(&["--param", "nic=eth0", "--param=virtual_ip=10.0.0.1", "--depth=10", "--json", "rest"]);
        let pairs = vec![("nic".to_owned(), "eth0".to_owned()), ("virtual_ip".to_owned(), "10.0.0.1".to_owned())];
        let wanted = ByHand {
            params: pairs,
            depth: Some(10),
            format: Some(Format::Json),
            ignored: vec!["rest".to_owned()],
            ..ByHand::default()
        };
        assert_eq!(options, Ok(wanted));
    }

    #[test]
    fn a_wrong_option_says_what_it_needs() {
        assert_eq!(parse(&["--param"]), Err("--param needs NAME=VALUE".to_owned()));
        assert_eq!(parse(&["--param", "nic"]), Err("--param nic: write NAME=VALUE".to_owned()));
        assert_eq!(parse(&["--timeout", "0"]), Err("--timeout 0: write seconds".to_owned()));
        assert_eq!(parse(&["--depth", "deep"]), Err("--depth deep: write 0, 10 or 20".to_owned()));
    }
}
