//! A database, asked as its client would ask.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::thread;

use inuvika_ha::ocf::deadline::Deadline;
use inuvika_ha::probe::mysql::{Database, Place, Trouble};
use inuvika_ha::secret::Secret;
use nix::unistd::User;

use crate::Body;
use crate::server::{LOST, Manner, OTHER, Server, fake, within};

pub const TRIALS: &[(&str, Body)] = &[
    ("a_database_that_answers_is_well", answers),
    ("a_server_that_refuses_is_told_apart", refuses),
    ("a_server_with_too_many_connections_refuses", is_full),
    ("a_hanging_server_costs_no_more_than_its_time", hangs),
    ("nobody_there_is_unreachable", nobody),
    ("a_name_without_an_answer_costs_no_more_than_its_time", unresolved),
    ("what_is_no_database_is_unreachable", no_database),
    ("a_damaged_greeting_is_trouble_and_no_panic", damaged),
];

const FOLDER: &str = "/run/database";
const PORT: u16 = 3306;
const MAX_CONNECTIONS: usize = 10;

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let folder = Path::new(FOLDER);
        fs::create_dir(folder).unwrap();
        let user = User::from_name("mysql").unwrap().expect("the package of the database makes a user mysql");
        chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
        let made = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--user=mysql", "--skip-test-db", "--auth-root-authentication-method=normal"])
            // Names of temporary files come from process ids, which others in namespaces of their own have, too.
            .args([format!("--datadir={FOLDER}/data"), format!("--tmpdir={FOLDER}")])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let setup = "CREATE DATABASE ovd;\nCREATE USER ovd@'127.0.0.1' IDENTIFIED BY 'hunter2';\n\
                     CREATE USER ovd@localhost IDENTIFIED BY 'hunter2';\nGRANT ALL ON ovd.* TO ovd@'127.0.0.1';\n\
                     GRANT ALL ON ovd.* TO ovd@localhost;\n";
        fs::write(folder.join("setup.sql"), setup).unwrap();
        let mut command = Command::new("mariadbd");
        command.args(["--no-defaults", "--user=mysql", "--bind-address=0.0.0.0", "--skip-name-resolve"]).args([
            format!("--datadir={FOLDER}/data"),
            format!("--tmpdir={FOLDER}"),
            format!("--socket={FOLDER}/server.sock"),
            format!("--pid-file={FOLDER}/server.pid"),
            format!("--init-file={FOLDER}/setup.sql"),
            format!("--port={PORT}"),
            format!("--max-connections={MAX_CONNECTIONS}"),
        ]);
        Server::start(&mut command, &format!("127.0.0.1:{PORT}"), &folder.join("log"))
    })
}

fn database(place: Place) -> Database {
    Database { place, user: "ovd".into(), password: Secret::new("hunter2"), name: "ovd".into() }
}

fn tcp(host: &str, port: u16) -> Database {
    database(Place::Tcp(host.into(), port))
}

fn own() -> Database {
    tcp("127.0.0.1", PORT)
}

fn unreachable(database: &Database, limit_ms: u64, text: &str) {
    let answer = within(limit_ms, |deadline| database.select_1(deadline));
    let Err(Trouble::Unreachable(said)) = &answer else { panic!("{answer:?}") };
    assert!(said.contains(text) && !said.contains('\n') && !said.contains("hunter2"), "{said}");
}

fn refused(database: &Database, text: &str) {
    let answer = within(3000, |deadline| database.select_1(deadline));
    let Err(Trouble::Refused(said)) = &answer else { panic!("{answer:?}") };
    assert!(said.contains(text) && !said.contains('\n') && !said.contains("hunter2"), "{said}");
}

fn answers() {
    server();
    let database_without_name = Database { name: String::new(), ..own() };
    for database in [
        own(),
        tcp("localhost", PORT),
        database(Place::Socket("/run/database/server.sock".into())),
        database_without_name,
    ] {
        assert_eq!(within(3000, |deadline| database.select_1(deadline)), Ok(()), "{database:?}");
    }
}

fn refuses() {
    server();
    let access = "database 127.0.0.1:3306 refuses: Access denied for user 'ovd'@'127.0.0.1'";
    refused(&Database { password: Secret::new("hunter2!"), ..own() }, &format!("{access} (1045)"));
    refused(&Database { password: Secret::default(), ..own() }, &format!("{access} (using password: NO) (1045)"));
    refused(&Database { user: "nobody".into(), ..own() }, "Access denied for user 'nobody'@'127.0.0.1' (1045)");
    refused(&Database { name: "other".into(), ..own() }, "to database 'other' (1044)");
    // Another node may be allowed: for this one it is as good as out of reach.
    unreachable(&tcp(OTHER, PORT), 3000, "Host '10.77.0.1' is not allowed to connect to this MariaDB server (1130)");
    let root = Database { user: "root".into(), password: Secret::default(), name: "other".into(), ..own() };
    let socket = Place::Socket("/run/database/server.sock".into());
    refused(&Database { place: socket, ..root }, "Unknown database 'other' (1049)");
}

fn is_full() {
    server();
    // Connections that never log in count as well. One more is kept for administrators.
    let mut taken = Vec::new();
    for _ in 0..=MAX_CONNECTIONS {
        let mut stream = TcpStream::connect(("127.0.0.1", PORT)).unwrap();
        let _ = stream.read(&mut [0; 256]).unwrap();
        taken.push(stream);
    }
    refused(&own(), "database 127.0.0.1:3306 refuses: Too many connections (1040)");
}

fn hangs() {
    let text = "database 127.0.0.1:3306: no answer in ";
    server().stopped(|| unreachable(&own(), 1000, text));
    let socket = database(Place::Socket("/run/database/server.sock".into()));
    server().stopped(|| unreachable(&socket, 1000, "database /run/database/server.sock: no answer in "));
}

fn nobody() {
    unreachable(&tcp("127.0.0.1", 3), 5000, "database 127.0.0.1:3: connection refused");
    unreachable(&tcp("::1", 3), 5000, "database [::1]:3: connection refused");
    unreachable(&tcp(LOST, PORT), 1000, "database 10.88.0.9:3306: no answer in ");
    unreachable(&database(Place::Socket("/run/none.sock".into())), 5000, "database /run/none.sock: no such socket");
    let over = own().select_1(&Deadline::after(std::time::Duration::ZERO));
    assert!(matches!(over, Err(Trouble::Unreachable(_))), "{over:?}");
}

fn unresolved() {
    unreachable(&tcp("dbmy.invalid", PORT), 1000, "database dbmy.invalid:3306: no answer in ");
    let set = |state| assert!(Command::new("ip").args(["link", "set", "nowhere", state]).status().unwrap().success());
    set("down");
    unreachable(&tcp("dbmy.invalid", PORT), 3000, "database dbmy.invalid:3306: its name does not resolve: ");
    set("up");
    assert!(Command::new("ip").args(["route", "add", "default", "dev", "nowhere"]).status().unwrap().success());
}

fn no_database() {
    let at = |address: SocketAddr| tcp("127.0.0.1", address.port());
    for (manner, text) in [
        (Manner::Silent, ": no answer in "),
        (Manner::Closes, ": connection broken off before an answer"),
        (Manner::Says(b"SSH-2.0-OpenSSH_9.2\r\n"), ""),
        (Manner::Says(b"\x00\x00\x00\x00"), ""),
        (Manner::Says(b"\x03\x00\x00\x00\x0a\x00\x00"), ": answers, but not as a MySQL server"),
        (Manner::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), ""),
        (Manner::Drips(b"\x4a\x00\x00\x00\x0a"), ": no answer in "),
    ] {
        // Who answers gets the time that a busy machine may need.
        unreachable(&at(fake(manner).0), if text.contains("no answer") { 1000 } else { 5000 }, text);
    }
}

/// The real server's greeting, and what it may say to the answer, with some bytes changed: the same ones in every run.
fn damaged() {
    const ROUNDS: u32 = 300;
    server();
    let mut greeting = [0; 256];
    let length = TcpStream::connect(("127.0.0.1", PORT)).unwrap().read(&mut greeting).unwrap();
    let ok = b"\x07\0\0\x02\0\0\0\x02\0\0\0";
    let switch = b"\x2c\0\0\x02\xfemysql_native_password\0abcdefghijklmnopqrst\0";
    let refusal = b"\x17\0\0\x02\xff\x15\x04#28000Access denied";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let database = tcp("127.0.0.1", listener.local_addr().unwrap().port());
    let fake = thread::spawn(move || {
        let mut state = 1u32;
        let mut random = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as usize % below
        };
        // The length of the login data follows the version, its end and 20 bytes: -128, which the library cannot count with.
        let version = greeting[5..].iter().position(|byte| *byte == 0).unwrap();
        let mut odd = greeting[..length].to_vec();
        odd[5 + version + 21] = 0x80;
        for (stream, round) in listener.incoming().flatten().zip(1..=ROUNDS) {
            let mut stream = stream;
            let answer: &[u8] = [&ok[..], switch, refusal][random(3)];
            let greeting = if round == 1 { odd.clone() } else { greeting[..length].to_vec() };
            for mut bytes in [greeting, answer.to_vec(), ok.to_vec()] {
                for _ in 0..if round == 1 { 0 } else { random(4) } {
                    // Mostly behind the packet's header, or nothing of it would be looked at.
                    let at = if random(8) == 0 { random(bytes.len()) } else { 4 + random(bytes.len() - 4) };
                    bytes[at] = random(256) as u8;
                }
                if stream.write_all(&bytes).is_err() {
                    break;
                }
                let _ = stream.set_read_timeout(Some(std::time::Duration::from_millis(20)));
                let _ = stream.read(&mut [0; 4096]);
            }
            if round == ROUNDS {
                break;
            }
        }
    });
    for _ in 0..ROUNDS {
        match within(500, |deadline| database.select_1(deadline)) {
            Ok(()) => {}
            Err(Trouble::Unreachable(said) | Trouble::Refused(said)) => {
                assert!(!said.contains('\n') && !said.contains("hunter2") && said.len() < 300, "{said}");
            }
        }
    }
    fake.join().unwrap();
}
