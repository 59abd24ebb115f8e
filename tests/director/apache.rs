//! Questions to a real Apache: virtual hosts, TLS, IPv6.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use inuvika_ha::director::check::{Method, Verdict};

use crate::Body;
use crate::questions::{Page, down, http, is, late, regex, tcp, text, up};
use crate::rounds::{addresses, measure};
use crate::server::Server;

pub const TRIALS: &[(&str, Body)] = &[
    ("a_connection_is_enough_for_tcp", connects),
    ("a_page_is_judged_by_its_status", statuses),
    ("a_page_is_judged_by_its_body", bodies),
    ("a_page_belongs_to_a_virtual_host", hosts),
    ("a_server_over_https_needs_no_certificate_that_anybody_knows", unverified),
    ("a_certificate_is_verified_when_that_is_asked_for", verified),
    ("the_name_in_the_handshake_chooses_the_certificate", names),
    ("a_stopped_server_costs_no_more_than_its_limit", stopped),
];

pub const FIGURES: &[(&str, Body)] = &[("figure_of_a_thousand_healthy_servers_over_https", figure)];

const FOLDER: &str = "/run/web";
const HTTP: &str = "127.0.0.1:1111";
const HTTP6: &str = "[::1]:1111";
/// The certificates of two virtual hosts, signed by ca.pem.
const TLS: &str = "127.0.0.1:1443";
/// A self-signed certificate that is a CA's own, as `openssl req -x509` makes them.
const SELF_SIGNED: &str = "127.0.0.1:1444";
/// A self-signed certificate that is no CA's.
const LEAF: &str = "127.0.0.1:1445";
/// The first certificate, on every address of the loopback link.
const EVERYWHERE: u16 = 1446;
const CA: &str = "/run/web/ca.pem";

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let folder = Path::new(FOLDER);
        for host in ["default", "other"] {
            fs::create_dir_all(folder.join(host)).unwrap();
            fs::write(folder.join(host).join("status"), format!("I am {host}, load 17\n")).unwrap();
        }
        fs::write(folder.join("default/huge"), [&vec![b'x'; 8 << 20][..], b"end"].concat()).unwrap();
        keys();
        let modules = ["mpm_event", "authz_core", "alias", "ssl"];
        let load = modules.map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"));
        let host = |at: &str, name: &str, root: &str, key: &str| {
            let tls = match key {
                "" => String::new(),
                key => format!(
                    "SSLEngine on\nSSLCertificateFile {FOLDER}/{key}.pem\nSSLCertificateKeyFile {FOLDER}/{key}.key\n"
                ),
            };
            format!("<VirtualHost {at}>\nServerName {name}\nDocumentRoot {FOLDER}/{root}\n{tls}</VirtualHost>\n")
        };
        let text = format!(
            "{}ServerName default.example\nServerRoot {FOLDER}\nPidFile {FOLDER}/pid\nErrorLog {FOLDER}/errors\n\
             User nobody\nGroup nogroup\nListen {HTTP}\nListen {HTTP6}\nListen {TLS}\nListen {SELF_SIGNED}\nListen {LEAF}\n\
             Listen 0.0.0.0:{EVERYWHERE}\n\
             Redirect /moved http://{HTTP}/status\nSSLSessionCache none\n{}",
            load.concat(),
            [
                host("*:1111", "default.example", "default", ""),
                host("*:1111", "other.example", "other", ""),
                host("*:1443", "default.example", "default", "default"),
                host("*:1443", "other.example", "other", "other"),
                host("*:1444", "default.example", "default", "ca"),
                host("*:1445", "default.example", "default", "leaf"),
                host("*:1446", "default.example", "default", "default"),
            ]
            .concat()
        );
        fs::write(folder.join("conf"), text).unwrap();
        let mut command = Command::new("apache2");
        // One process: what hangs is all of it.
        command.args(["-X", "-f"]).arg(folder.join("conf"));
        Server::start(&mut command, HTTP, &folder.join("log"))
    })
}

/// A CA, two certificates signed by it, another CA, and one that is signed by itself without being a CA's.
fn keys() {
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    let signed = |name: &str, names: &str| {
        [
            format!("req {new} -subj /CN={name} -addext subjectAltName={names} -keyout {name}.key -out {name}.csr"),
            format!("x509 -req -in {name}.csr -copy_extensions copy -CA ca.pem -CAkey ca.key -days 2 -out {name}.pem"),
        ]
    };
    let own = |name: &str, more: &str| {
        let alternative = "-addext subjectAltName=DNS:default.example,IP:127.0.0.1";
        format!("req -x509 {new} -subj /CN={name} {alternative} {more} -keyout {name}.key -out {name}.pem")
    };
    let [request, sign] = signed("default", "DNS:default.example,IP:127.0.0.1");
    let [other_request, other_sign] = signed("other", "DNS:other.example");
    let leaf = own("leaf", "-addext basicConstraints=critical,CA:FALSE");
    let ca = own("ca", "-addext keyUsage=keyCertSign,digitalSignature");
    for line in [ca, own("foreign", ""), leaf, request, sign, other_request, other_sign] {
        let words = line.split(' ').filter(|word| !word.is_empty());
        let made = Command::new("openssl").args(words).current_dir(FOLDER).output().unwrap();
        assert!(made.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&made.stderr));
    }
}

fn https(to: &str) -> Page {
    Page { https: true, ..http(to) }
}

fn connects() {
    server();
    for to in [HTTP, HTTP6] {
        is(&tcp(to), 20_000, Verdict::Up, &format!("tcp {to}: connected after "));
    }
}

fn statuses() {
    server();
    for to in [HTTP, HTTP6] {
        up(&http(to), &format!("http {to}/status: status 200 after "));
        let none = Page { path: "/none", ..http(to) };
        down(&none, &format!("http {to}/none: status 404, wanted 200-299 after "));
        up(&Page { status: "404", ..none }, "status 404 after");
    }
    let moved = Page { path: "/moved?a=b", ..http(HTTP) };
    down(&moved, "http 127.0.0.1:1111/moved: status 302, wanted 200-299 after ");
    up(&Page { status: "200,300-399", ..moved }, "status 302");
    up(&Page { method: Method::Head, ..http(HTTP) }, "status 200");
}

fn bodies() {
    server();
    let body = |body| Page { body, ..http(HTTP) };
    up(&body(text("am default, load 17")), "status 200, body as wanted after ");
    up(&body(regex("load [0-9]{1,2}\n$")), "body as wanted");
    up(&body(regex("(?m)load [0-9]{1,2}$")), "body as wanted");
    down(&body(text("load 1[0-9]")), "status 200, but nothing in 22 bytes of body is 'load 1[0-9]' after ");
    down(&body(regex("^load")), "nothing in 22 bytes of body is a match of '^load'");
    // What comes after the first 64 KiB is not read.
    let huge = Page { path: "/huge", ..http(HTTP) };
    up(&Page { body: text("xxx"), ..huge.clone() }, "body as wanted");
    down(&Page { body: text("end"), ..huge }, "nothing in 65536 bytes of body is 'end'");
}

fn hosts() {
    server();
    let host = |host, body| Page { host, body: text(body), ..http(HTTP) };
    up(&host(None, "I am default"), "status 200");
    up(&host(Some("other.example"), "I am other"), "http 127.0.0.1:1111/status of other.example: status 200");
    up(&host(Some("other.example:1111"), "I am other"), "status 200");
    down(&host(Some("third.example"), "I am other"), "nothing in 22 bytes of body");
}

fn unverified() {
    server();
    for to in [TLS, SELF_SIGNED, LEAF] {
        up(&Page { body: text("I am default"), ..https(to) }, &format!("https {to}/status: status 200"));
    }
    down(&Page { path: "/none", ..https(TLS) }, "status 404");
    // Each end speaks to the wrong one.
    down(&https(HTTP), "https 127.0.0.1:1111/status: TLS: ");
    down(&http(TLS), "http 127.0.0.1:1443/status: status 400");
}

fn verified() {
    server();
    let verified = |to, ca| Page { verify: true, ca: Some(ca), ..https(to) };
    up(&verified(TLS, CA), "status 200");
    down(
        &verified(TLS, "/run/web/foreign.pem"),
        "certificate not accepted: it is not signed by the given CA certificates",
    );
    let ca_itself = "certificate not accepted: it is the certificate of a CA itself; sign one for the server with it";
    down(&verified(SELF_SIGNED, CA), ca_itself);
    up(&verified(LEAF, "/run/web/leaf.pem"), "status 200");
    let host = Page { host: Some("third.example"), ..verified(TLS, CA) };
    down(&host, "certificate not accepted: it is for another name; set sni to one of its names");
    up(&Page { sni: Some("default.example"), ..host }, "status 200");
    // Nobody on this system knows the CA.
    let system = Page { ca: None, ..verified(TLS, CA) };
    let answer = crate::questions::one(&system.question(), 20_000);
    assert!(!answer.is_up(), "{answer:?}");
    // What this host lacks is not the server's fault.
    for file in ["/run/web/none.pem", "/run/web/conf"] {
        let question = verified(TLS, file).question();
        is(&question, 20_000, Verdict::Unknown, &format!("read CA certificates {file}: "));
    }
}

fn names() {
    server();
    let of = |sni, host| Page { sni, host, verify: true, ca: Some(CA), body: text("I am other"), ..https(TLS) };
    up(&of(None, Some("other.example")), "body as wanted");
    up(&of(None, Some("other.example:1443")), "body as wanted");
    up(&of(Some("other.example"), Some("other.example")), "body as wanted");
    // Without a name the first host answers; its certificate is for the address, too.
    down(&of(None, None), "nothing in 22 bytes of body is 'I am other'");
}

fn stopped() {
    server().stopped(|| {
        // The kernel accepts for it.
        is(&tcp(HTTP), 20_000, Verdict::Up, "connected");
        late(&http(HTTP), "http 127.0.0.1:1111/status: connected, but no answer");
        late(&https(TLS), "https 127.0.0.1:1443/status: connected, but no TLS handshake");
    });
    up(&http(HTTP), "status 200");
}

fn figure() {
    server();
    let page = |address| Page { https: true, body: text("I am default"), ..http(address) }.question();
    measure("https with body", &addresses(1000, EVERYWHERE).into_iter().map(page).collect::<Vec<_>>());
}
