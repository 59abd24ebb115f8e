use std::fs;

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A file as the Session Manager writes it, with `sql` as its database.
fn file(sql: Value) -> Vec<u8> {
    json!({"general": {"sql": sql, "system_in_maintenance": 0, "admin_language": "auto"}}).to_string().into_bytes()
}

fn at(host: &str) -> Result<Settings, String> {
    Settings::parse(&file(json!({"host": host})), None)
}

fn tcp(host: &str, port: u16) -> Place {
    Place::Tcp(host.into(), port)
}

#[test]
fn what_matters_is_taken_out() {
    let sql = json!({"type": "mysql", "host": "dbmy.priv", "user": "ovd", "password": "hunter2", "database": "ovd",
                     "prefix": "ulteo_"});
    let settings = Settings::parse(&file(sql), Some(Path::new("/x.sock"))).unwrap();
    assert_eq!(settings.database.place, tcp("dbmy.priv", 3306));
    assert_eq!((settings.database.user.as_str(), settings.database.name.as_str()), ("ovd", "ovd"));
    assert_eq!(settings.database.password.reveal(), "hunter2");
    assert!(!settings.maintenance && !settings.is_local());
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn only_the_host_is_needed() {
    for password in [json!(null), json!("")] {
        let settings = Settings::parse(&file(json!({"host": "10.1.1.1", "password": password})), None).unwrap();
        assert_eq!((settings.database.user.as_str(), settings.database.password.reveal()), ("", ""));
    }
    assert_eq!(at("10.1.1.1").unwrap().database.place, tcp("10.1.1.1", 3306));
}

#[test]
fn hosts_come_with_and_without_a_port() {
    for (host, name, port) in [
        ("dbmy.priv:3307", "dbmy.priv", 3307),
        ("10.1.1.1:1", "10.1.1.1", 1),
        ("fd00::21", "fd00::21", 3306),
        ("[fd00::21]", "fd00::21", 3306),
        ("[fd00::21]:3307", "fd00::21", 3307),
        ("db_1", "db_1", 3306),
    ] {
        assert_eq!(at(host).unwrap().database.place, tcp(name, port), "{host}");
    }
    let long = "x".repeat(256);
    for host in [
        " dbmy.priv",
        "db my",
        "db\nmy",
        "db\u{0}",
        "db/x",
        "-db",
        ":3306",
        "db:",
        "db:0",
        "db:65536",
        "db:+1",
        "db:1:2",
        "[fd00::21",
        "[db]:1",
        "[fd00::21]3307",
        "[fd00::21]:",
        "ovd@db",
        &long,
    ] {
        assert!(at(host).unwrap_err().starts_with("general.sql.host "), "{host:?}");
    }
}

#[test]
fn localhost_is_the_socket_where_there_is_one() {
    let socket = Path::new("/run/mysqld/mysqld.sock");
    let with = |host: &str, socket| Settings::parse(&file(json!({"host": host})), socket).unwrap();
    assert_eq!(with("localhost", Some(socket)).database.place, Place::Socket(socket.into()));
    assert_eq!(with("localhost", None).database.place, tcp("127.0.0.1", 3306));
    assert_eq!(with("LocalHost:3307", Some(socket)).database.place, tcp("127.0.0.1", 3307));
    assert_eq!(with("127.0.0.1", Some(socket)).database.place, tcp("127.0.0.1", 3306));
    for host in ["localhost", "127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "0.0.0.0"] {
        assert!(with(host, Some(socket)).is_local(), "{host}");
    }
    for host in ["dbmy.priv", "10.20.1.11", "fd00::1", "localhost.example.com"] {
        assert!(!with(host, Some(socket)).is_local(), "{host}");
    }
}

#[test]
fn maintenance_is_written_in_many_ways() {
    let says = |value: Value| {
        let text = json!({"general": {"sql": {"host": "db"}, "system_in_maintenance": value}}).to_string();
        Settings::parse(text.as_bytes(), None).unwrap().maintenance
    };
    assert!([json!(1), json!("1"), json!(true), json!("true")].into_iter().all(says));
    assert!(![json!(0), json!("0"), json!(false), json!(null), json!(""), json!([]), json!("x")].into_iter().any(says));
    assert!(!Settings::parse(br#"{"general":{"sql":{"host":"db"}}}"#, None).unwrap().maintenance);
}

#[test]
fn a_file_of_no_use_says_why() {
    for (text, reason) in [
        (&b""[..], "empty, as a half-copied file is"),
        (b" \n", "empty, as a half-copied file is"),
        (&[0; 4096], "filled with NUL bytes, as a half-copied file is"),
        (b"a:3:{s:7:\"general\";a:1:{}}", "PHP's serialized format of an older Session Manager, no JSON"),
        (b"{\n\"general\": {", "ends at line 2, column 12 before its JSON does, as a half-copied file does"),
        (b"{\n\"general\" 1}", "no JSON at line 2, column 11"),
        (b"<?php", "no JSON at line 1, column 1"),
        (b"{}", "no general.sql.host"),
        (b"[]", "no general.sql.host"),
        (b"null", "no general.sql.host"),
        (br#"{"general":[]}"#, "no general.sql.host"),
        (br#"{"general":{"sql":[]}}"#, "no general.sql.host"),
        (br#"{"general":{"sql":{"host":""}}}"#, "no general.sql.host"),
        (br#"{"general":{"sql":{"host":{}}}}"#, "general.sql.host is no text"),
        (br#"{"general":{"sql":{"type":"pgsql","host":"db"}}}"#, "general.sql.type is not mysql"),
    ] {
        let shown = String::from_utf8_lossy(text).into_owned();
        assert_eq!(Settings::parse(text, None).unwrap_err(), reason, "{shown}");
    }
}

#[test]
fn an_error_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let said = || Settings::read(&path).unwrap_err();
    let shown = path.display();
    assert_eq!(said(), format!("settings {shown}: No such file or directory (os error 2)"));
    fs::write(&path, "{}").unwrap();
    assert_eq!(said(), format!("settings {shown}: no general.sql.host"));
    File::create(&path).unwrap().set_len(CAP + 1).unwrap();
    assert_eq!(said(), format!("settings {shown}: bigger than 16 MiB"));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(said(), format!("settings {shown}: not a file"));
    assert_eq!(Settings::read(Path::new("/dev/zero")).unwrap_err(), "settings /dev/zero: not a file");
}

/// A file with this password, damaged: `length` bytes of it, of which the one at `hit` is another.
fn damaged(password: &str, length: usize, hit: usize, by: u8) -> Vec<u8> {
    let mut text = file(json!({"host": "db", "user": "Us-0123456789", "password": password}));
    text.truncate(length);
    if let Some(byte) = text.get_mut(hit) {
        *byte = by;
    }
    text
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(reason) = Settings::parse(&text, None) {
            prop_assert!(!reason.contains('\n') && reason.len() <= 128);
        }
    }

    #[test]
    fn no_error_shows_the_password(
        password in "Pw-[a-z]{8}", length in 0..160usize, hit in 0..160usize, by in any::<u8>(), host in any::<String>(),
    ) {
        let odd = file(json!({"host": format!("{host}{password}"), "user": [&password], "password": {"x": &password}}));
        for text in [damaged(&password, length, hit, by), odd] {
            if let Err(reason) = Settings::parse(&text, None) {
                prop_assert!(!reason.contains("Pw-") && !reason.contains("Us-0") && !reason.contains('\n'), "{}", reason);
            }
        }
    }
}
