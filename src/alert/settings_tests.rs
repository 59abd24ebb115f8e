#![allow(clippy::unwrap_used, reason = "a test may panic")]
use super::*;

fn parse(text: &str) -> Result<Settings, String> {
    Settings::parse(Source { file: "a.toml", text }).map_err(|fault| fault.to_string())
}

#[test]
fn the_shipped_example_is_good() {
    let settings = parse(include_str!("../../packaging/alert.toml")).unwrap();
    let mail = settings.mail.unwrap();
    assert_eq!((mail.port, mail.tls), (587, Tls::StartTls));
    assert_eq!(settings.gather, Duration::from_secs(5));
}

#[test]
fn every_optional_key_of_the_example_is_good_too() {
    // The lines that are commented out are `# key = value`; comments proper have no `=` after one word.
    let text = include_str!("../../packaging/alert.toml");
    let bare = |line: &str| {
        let rest = line.strip_prefix('#').map(str::trim_start).unwrap_or(line).to_owned();
        let is_key = |rest: &str| rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
        if line.starts_with('#') && !is_key(&rest) && !rest.starts_with('[') { String::new() } else { rest }
    };
    let all: Vec<String> = text.lines().map(bare).filter(|line| !line.starts_with("password = ")).collect();
    let settings = parse(&all.join("\n")).unwrap();
    assert!(settings.hook.is_some() && settings.file.is_some() && settings.mail.unwrap().login.is_some());
}

#[test]
fn faults_are_one_line_with_a_place() {
    let mail = "[mail]\nhost = \"mail\"\nfrom = \"a@b.c\"\n";
    for (text, said) in [
        (String::new(), "a.toml:1:1: has none of [mail], [hook] and [file]: nobody would be told"),
        (format!("every = 9999\n{mail}"), "a.toml:1:9: every: 9999 is not allowed: must be 0 to 3600 seconds"),
        (format!("{mail}username = \"u\"\n"), "a.toml:4:12: mail.username: needs password_file or password"),
        (format!("{mail}password = \"hunter2\"\n"), "a.toml:4:12: mail.password: needs username"),
        (
            format!("{mail}tls = \"none\"\nusername = \"u\"\npassword = \"hunter2\"\n"),
            "a.toml:5:12: mail.username: would send the password without encryption: set tls to starttls or implicit",
        ),
        (
            format!("{mail}to = \"ops\"\n"),
            "a.toml:4:6: mail.to: \"ops\" is not allowed: must be a mail address, such as ops@example.com or Ops <ops@example.com>",
        ),
        ("[hook]\nurl = \"ftp://x/\"\n".to_owned(), "a.toml:2:7: hook.url: is neither http nor https"),
        (
            "[hook]\nurl = \"http://x/\"\ntoken_file = \"/x\"\n".to_owned(),
            "a.toml:3:14: hook.token_file: would be sent without encryption: use an https URL",
        ),
        ("[file]\npath = \"x\"\n".to_owned(), "a.toml:2:8: file.path: \"x\" is not allowed: must be an absolute path"),
    ] {
        let got = parse(&text).unwrap_err();
        assert_eq!(got, said);
        assert!(!got.contains("hunter2"));
    }
}
