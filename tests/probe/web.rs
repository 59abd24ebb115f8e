//! A web server, asked whether it answers and for a page.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use inuvika_ha::ocf::deadline::Deadline;
use inuvika_ha::probe::alive;
use inuvika_ha::probe::http::{Answer, Page};

use crate::Body;
use crate::server::{LOST, Manner, Server, fake, within};

pub const TRIALS: &[(&str, Body)] = &[
    ("a_web_server_answers_for_itself", is_alive),
    ("a_web_server_that_does_not_answer_is_dead", is_dead),
    ("a_page_arrives_as_it_is", pages),
    ("a_page_that_does_not_arrive_costs_no_more_than_its_time", no_page),
    ("a_question_says_no_more_than_it_has_to", question),
    ("a_certificate_is_checked_when_that_is_asked_for", certificates),
];

const FOLDER: &str = "/run/web";
const HTTP: &str = "127.0.0.1:1111";

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let folder = Path::new(FOLDER);
        fs::create_dir_all(folder.join("pages")).unwrap();
        fs::write(folder.join("pages/status"), "<error id=\"1\" message=\"\u{e9}\"/>").unwrap();
        fs::write(folder.join("pages/bytes"), b"a\xffb").unwrap();
        fs::write(folder.join("pages/huge"), vec![b'x'; 8 << 20]).unwrap();
        keys();
        let modules = ["mpm_event", "authz_core", "alias", "ssl"];
        let load = modules.map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"));
        // Another certificate for each port.
        let tls = [("1443", "server"), ("1444", "ca")].map(|(port, key)| {
            format!(
                "Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\nSSLEngine on\nSSLCertificateFile {FOLDER}/{key}.pem\n\
                 SSLCertificateKeyFile {FOLDER}/{key}.key\n</VirtualHost>\n"
            )
        });
        let text = format!(
            "{}ServerName osm1.priv\nServerRoot {FOLDER}\nPidFile {FOLDER}/pid\nErrorLog {FOLDER}/errors\nUser nobody\n\
             Group nogroup\nListen {HTTP}\nDocumentRoot {FOLDER}/pages\nRedirect /moved http://{HTTP}/status\n\
             SSLSessionCache none\n{}",
            load.concat(),
            tls.concat()
        );
        fs::write(folder.join("conf"), text).unwrap();
        let mut command = Command::new("apache2");
        // One process: what hangs is all of it.
        command.args(["-X", "-f"]).arg(folder.join("conf"));
        Server::start(&mut command, HTTP, &folder.join("log"))
    })
}

/// A CA, a certificate signed by it for 127.0.0.1, and another CA.
fn keys() {
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    for line in [
        format!("req -x509 {new} -subj /CN=ca -addext subjectAltName=IP:127.0.0.1 -keyout ca.key -out ca.pem"),
        format!("req -x509 {new} -subj /CN=other -keyout other.key -out other.pem"),
        format!("req {new} -subj /CN=osm1.priv -addext subjectAltName=IP:127.0.0.1 -keyout server.key -out server.csr"),
        "x509 -req -in server.csr -copy_extensions copy -CA ca.pem -CAkey ca.key -days 2 -out server.pem".to_owned(),
    ] {
        let made = Command::new("openssl").args(line.split(' ')).current_dir(FOLDER).output().unwrap();
        assert!(made.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&made.stderr));
    }
}

fn ask(address: &str, limit_ms: u64) -> Result<String, String> {
    within(limit_ms, |deadline| alive::ask(address.parse().unwrap(), deadline))
}

fn get(url: &str, limit_ms: u64) -> Result<Answer, String> {
    let page = Page { url: url.into(), cookie: String::new(), ca: None };
    within(limit_ms, |deadline| page.get(deadline))
}

fn fails(url: &str, text: &str) {
    // Who answers gets the time that a busy machine may need.
    let said = get(url, if text.contains("no answer") { 1000 } else { 5000 }).unwrap_err();
    assert!(said.contains(text) && !said.contains('\n') && !said.contains("secret"), "{said}");
}

fn is_alive() {
    server();
    assert_eq!(ask(HTTP, 3000).unwrap(), "HTTP/1.1 200 OK");
    let (address, asked) = fake(Manner::Answers(b"HTTP/1.1 500 Internal Server Error\r\n"));
    assert_eq!(ask(&address.to_string(), 3000).unwrap(), "HTTP/1.1 500 Internal Server Error");
    assert!(asked.recv().unwrap().starts_with("OPTIONS * HTTP/1.0\r\nHost: 127.0.0.1:"));
    let (address, _asked) = fake(Manner::Answers(&[b"HTTP/1.1 200 ", &[b'x'; 400] as &[u8]].concat().leak()[..]));
    assert_eq!(ask(&address.to_string(), 3000).unwrap().len(), 64);
}

fn is_dead() {
    let silent = |said: String, begin: &str| assert!(said.starts_with(begin), "{said}");
    server().stopped(|| silent(ask(HTTP, 1000).unwrap_err(), "no answer from 127.0.0.1:1111 in "));
    assert_eq!(ask("127.0.0.1:3", 5000).unwrap_err(), "127.0.0.1:3 refuses connections");
    assert_eq!(ask("[::1]:3", 5000).unwrap_err(), "[::1]:3 refuses connections");
    silent(ask(&format!("{LOST}:80"), 500).unwrap_err(), "no answer from 10.88.0.9:80 in ");
    assert!(alive::ask(HTTP.parse().unwrap(), &Deadline::after(std::time::Duration::ZERO)).is_err());
    for (manner, text) in [
        (Manner::Silent, "no answer from ADDRESS in "),
        (Manner::Drips(b"HTTP/1.1 200 a very long reason "), "no answer from ADDRESS in "),
        (Manner::Answers(b"HTTP/1.1 200 OK, but no end"), "no answer from ADDRESS in "),
        (Manner::Answers(b"SSH-2.0-\x1b[2J\r\n"), "ADDRESS answers no HTTP: 'SSH-2.0-?[2J'"),
        (Manner::Answers(b"\x16\x03"), "ADDRESS answers no HTTP: '??'"),
    ] {
        let address = fake(manner).0.to_string();
        let said = ask(&address, if text.contains("no answer") { 1000 } else { 5000 }).unwrap_err();
        assert!(said.starts_with(&text.replace("ADDRESS", &address)), "{said}");
    }
    // Closed before or after the request has arrived: that is a matter of microseconds.
    let address = fake(Manner::Closes).0.to_string();
    let said = ask(&address, 5000).unwrap_err();
    assert!(said.ends_with(" closes the connection without an answer") || said.ends_with(" breaks the connection off"));
}

fn pages() {
    server();
    let answer = get("http://127.0.0.1:1111/status?x=1", 3000).unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "<error id=\"1\" message=\"\u{e9}\"/>"));
    assert_eq!(get("http://127.0.0.1:1111/none", 3000).unwrap().status, 404);
    assert_eq!(get("http://127.0.0.1:1111/moved", 3000).unwrap().status, 302);
    assert_eq!(get("http://127.0.0.1:1111/bytes", 3000).unwrap().body, "a\u{fffd}b");
    assert_eq!(get("http://127.0.0.1:1111/huge", 3000).unwrap().body.len(), 64 << 10);
    assert_eq!(get("http://localhost:1111/status", 3000).unwrap().status, 200);
}

fn no_page() {
    let url = "http://127.0.0.1:1111/status?secret";
    server().stopped(|| fails(url, "no answer in "));
    fails("http://127.0.0.1:3/?secret", "connection refused");
    fails(&format!("http://{LOST}/?secret"), "no answer in ");
    fails("http://osm.invalid/?secret", "no answer in ");
    let (silent, _asked) = fake(Manner::Silent);
    fails(&format!("https://{silent}/?secret"), "no answer in ");
    for (manner, text) in [
        (Manner::Silent, "no answer in "),
        (Manner::Drips(b"HTTP/1.1 200 OK\r\nx: y\r\n"), "no answer in "),
        (Manner::Answers(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"), "no answer in "),
        (Manner::Closes, ""),
        (Manner::Says(b"SSH-2.0-OpenSSH_9.2\r\n"), "no HTTP answer: "),
        (Manner::Answers(b"HTTP/9\r\n"), "no HTTP answer: "),
    ] {
        let (address, _asked) = fake(manner);
        fails(&format!("http://{address}/?secret"), text);
    }
}

fn question() {
    let (address, asked) = fake(Manner::Answers(b"HTTP/1.1 204 No Content\r\n\r\n"));
    let page = Page { url: format!("http://{address}/a?b=c#d"), cookie: "PHPSESSID=inuvika".into(), ca: None };
    assert_eq!(within(3000, |deadline| page.get(deadline)).unwrap().status, 204);
    let asked = asked.recv().unwrap();
    assert!(asked.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\ncookie: PHPSESSID=inuvika\r\n"), "{asked}");
    let bad = Page { cookie: "a\nb".into(), ..page };
    assert_eq!(within(3000, |d| bad.get(d)).unwrap_err(), "cookie has characters that no header may have");
}

fn certificates() {
    server();
    let tls = |url: &str, ca: Option<&str>| {
        let ca = ca.map(|name| PathBuf::from(FOLDER).join(name));
        let page = Page { url: url.into(), cookie: String::new(), ca };
        within(3000, |deadline| page.get(deadline)).map(|answer| answer.status)
    };
    let url = "https://127.0.0.1:1443/status";
    assert_eq!(tls(url, None), Ok(200));
    assert_eq!(tls("https://localhost:1444/status", None), Ok(200));
    assert_eq!(tls(url, Some("ca.pem")), Ok(200));
    let not = "certificate not accepted: it is ";
    assert_eq!(tls(url, Some("other.pem")), Err(format!("{not}not signed by the given CA certificates")));
    let wrong = format!("{not}for another name; use one of its names in the URL");
    assert_eq!(tls("https://localhost:1443/status", Some("ca.pem")), Err(wrong));
    let ca = format!("{not}the certificate of a CA itself; sign one for the server with it");
    assert_eq!(tls("https://127.0.0.1:1444/status", Some("ca.pem")), Err(ca));
    for (file, text) in
        [("conf", "read CA certificates /run/web/conf: "), ("none", "read CA certificates /run/web/none: ")]
    {
        assert!(tls(url, Some(file)).unwrap_err().starts_with(text));
    }
    let plain: SocketAddr = fake(Manner::Answers(b"HTTP/1.1 400 Bad Request\r\n\r\n")).0;
    assert!(tls(&format!("https://{plain}/"), None).unwrap_err().starts_with("TLS: "));
}
