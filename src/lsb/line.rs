//! One line of a settings file: NAME=value, as shells and systemd's EnvironmentFile= read it alike, without either of them.
//!
//! What the two read differently, or what only a shell could answer, is refused instead of guessed.

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// Nothing: empty, or a comment.
    Nothing,
    /// A name with its value; the offsets are those of the name and of the value in the line, in bytes.
    Setting {
        /// The name, as it stands there.
        name: String,
        /// The value, without quotes.
        value: String,
        /// Where the name is.
        name_at: usize,
        /// Where the value is.
        value_at: usize,
    },
}

/// What is wrong with a line, and at which of its bytes.
pub type Wrong = (usize, String);

/// Reads one line, without its end.
///
/// # Errors
/// What is wrong, and where.
pub fn read(line: &str) -> Result<Line, Wrong> {
    let start = line.len() - line.trim_start().len();
    let text = line.trim();
    if text.is_empty() || text.starts_with(['#', ';']) {
        return Ok(Line::Nothing);
    }
    let (name_at, text) = match text.strip_prefix("export ") {
        Some(rest) => (start + text.len() - rest.trim_start().len(), rest.trim_start()),
        None => (start, text),
    };
    let Some((name, rest)) = text.split_once('=') else {
        return Err((name_at, "is no setting: write NAME=value, or # before a comment".to_owned()));
    };
    let is_name = |name: &str| {
        let mut bytes = name.bytes();
        bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if !is_name(name) {
        return Err((name_at, "is no setting: write NAME=value, without space around the =".to_owned()));
    }
    let value_at = name_at + name.len() + 1;
    let value = value(rest).map_err(|(at, why)| (value_at + at, why))?;
    Ok(Line::Setting { name: name.to_owned(), value, name_at, value_at })
}

/// The value that stands after the `=`.
fn value(text: &str) -> Result<String, Wrong> {
    let mut value = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => quoted(&mut chars, at, '\'', &mut value)?,
            '"' => quoted(&mut chars, at, '"', &mut value)?,
            '\\' => match chars.next() {
                Some((_, next)) => value.push(next),
                None => return Err((at, "goes on in the next line: write it in one".to_owned())),
            },
            '$' | '`' => return Err((at, unexpanded(c))),
            c if c.is_whitespace() => {
                let rest = text.get(at..).unwrap_or_default().trim_start();
                if rest.is_empty() || rest.starts_with('#') {
                    return Ok(value);
                }
                return Err((at, "a value with spaces has to be in quotes".to_owned()));
            }
            ';' | '&' | '|' | '<' | '>' | '(' | ')' => {
                return Err((at, format!("a value with {c} has to be in quotes")));
            }
            c => value.push(c),
        }
    }
    Ok(value)
}

/// Reads on to the quote that ends what began at `at`.
fn quoted(
    chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
    at: usize,
    quote: char,
    value: &mut String,
) -> Result<(), Wrong> {
    while let Some((here, c)) = chars.next() {
        match c {
            c if c == quote => return Ok(()),
            '\\' if quote == '"' => match chars.next() {
                Some((_, next @ ('"' | '\\' | '$' | '`'))) => value.push(next),
                Some((_, next)) => value.extend(['\\', next]),
                None => break,
            },
            '$' | '`' if quote == '"' => return Err((here, unexpanded(c))),
            c => value.push(c),
        }
    }
    Err((at, format!("the quote {quote} is not closed on this line")))
}

fn unexpanded(sign: char) -> String {
    format!("no shell reads this file, so {sign} has no meaning: write the value itself, or put it in single quotes")
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test may panic")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pair(line: &str) -> (String, String) {
        match read(line) {
            Ok(Line::Setting { name, value, .. }) => (name, value),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn values_are_what_a_shell_makes_of_them() {
        for (line, name, value) in [
            ("NIC=eth0", "NIC", "eth0"),
            ("  export VIRTUAL_IP=10.20.1.10  # the guide's", "VIRTUAL_IP", "10.20.1.10"),
            ("ADDRESS='10.0.0.0/8, 192.0.2.0/24'", "ADDRESS", "10.0.0.0/8, 192.0.2.0/24"),
            (r#"a="x \" \$ \n"'y z'w"#, "a", r#"x " $ \ny zw"#),
            (r"b=a\ b", "b", "a b"),
            ("VIRTUAL_IP=", "VIRTUAL_IP", ""),
            ("c=''", "c", ""),
            ("d=a#b", "d", "a#b"),
        ] {
            assert_eq!(pair(line), (name.to_owned(), value.to_owned()), "{line}");
        }
        for line in ["", "   ", "# NIC=eth1", "; NIC=eth1"] {
            assert_eq!(read(line), Ok(Line::Nothing), "{line}");
        }
    }

    #[test]
    fn what_only_a_shell_could_answer_is_refused_where_it_stands() {
        for (line, at, part) in [
            ("eth0", 0, "is no setting"),
            ("NIC = eth0", 0, "without space"),
            ("1a=b", 0, "is no setting"),
            (" NIC=$(hostname)", 5, "no shell reads"),
            ("NIC=\"`x`\"", 5, "no shell reads"),
            ("NIC=eth0 eth1", 8, "in quotes"),
            ("NIC=eth0; reboot", 8, "in quotes"),
            ("NIC='eth0", 4, "not closed"),
            ("NIC=eth0\\", 8, "next line"),
        ] {
            let Err((found, why)) = read(line) else { panic!("{line} was taken") };
            assert!(found == at && why.contains(part), "{line}: {found} {why}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused_within_it(line in "[ -~é]{0,60}") {
            match read(&line) {
                Ok(Line::Setting { name_at, value_at, .. }) => prop_assert!(name_at < value_at && value_at <= line.len()),
                Ok(Line::Nothing) => {}
                Err((at, why)) => prop_assert!(at <= line.len() && !why.contains('\n')),
            }
        }

        #[test]
        fn what_a_shell_quotes_comes_back(value in "[ -~é]{0,40}") {
            let line = format!("A='{}'", value.replace('\'', r"'\''"));
            prop_assert_eq!(pair(&line).1, value);
        }
    }
}
