//! The web server that ovd-osm and the stock agents apache and symlink look after: the same one, in turn.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

pub use crate::support::apache::PROGRAM;
use crate::support::osm_host;

/// The instance of the test host that is measured.
pub const INSTANCE: usize = 0;

/// As many processes as Debian's configuration gives a server without load, and the page that the agent apache asks for.
const EXTRA: &str = "StartServers 5\nMinSpareServers 5\nMaxSpareServers 10\n\
                     LoadModule status_module modules/mod_status.so\n\
                     <Location /server-status>\nSetHandler server-status\n</Location>\n";

/// Makes the database and the server's configuration; nothing runs yet but the database.
pub fn prepare() {
    osm_host::params(INSTANCE);
    let mut file = OpenOptions::new().append(true).open(config()).unwrap();
    file.write_all(EXTRA.as_bytes()).unwrap();
}

/// The server's configuration file.
pub fn config() -> String {
    osm_host::folder(INSTANCE).join("httpd.conf").display().to_string()
}

/// The link of the agent symlink: another one than ovd-osm's, in the same folder.
pub fn link() -> String {
    format!("{}/cron.d/stock", osm_host::FOLDER)
}

/// Where it leads.
pub fn table() -> String {
    osm_host::folder(INSTANCE).join("table").display().to_string()
}

/// How long the server takes for the request that ovd-osm's monitor of depth 0 makes, in milliseconds: from the connection
/// to the first bytes of the answer.
pub fn answer_ms() -> f64 {
    let begin = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", osm_host::port(INSTANCE))).unwrap();
    stream.write_all(b"OPTIONS * HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).unwrap();
    let ms = begin.elapsed().as_secs_f64() * 1e3;
    assert!(answer[..length].starts_with(b"HTTP/"), "the server answers no HTTP");
    ms
}
