//! Words of a shell command.

/// `word` as one word of a shell command, whatever it holds.
pub fn quote(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_./:=@,+-".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quote;
    use proptest::prelude::*;

    #[test]
    fn plain_words_stay_readable() {
        assert_eq!(quote("ip=10.20.1.10"), "ip=10.20.1.10");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote("#uname"), "'#uname'");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn a_shell_gives_back_what_went_in(words in prop::collection::vec("[^\0]{0,40}", 1..8)) {
            let line = words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
            let script = format!("printf '%s\\0' {line}");
            let output = std::process::Command::new("bash").args(["-c", &script]).output()?;
            let expected: Vec<u8> = words.iter().flat_map(|word| word.bytes().chain([0])).collect();
            prop_assert_eq!(output.stdout, expected);
        }
    }
}
