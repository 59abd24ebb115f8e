//! A real MariaDB server with data of its own: no service manager, and it can be stopped and frozen.
#![allow(dead_code)] // every test crate uses a part of it

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::lab::control;

/// The name of the Session Manager's database, and of the user who may do everything with it.
pub const NAME: &str = "ovd";
/// That user's password, with characters that careless programs trip over.
pub const PASSWORD: &str = r#"p'w"\é%s &<$;"#;

/// It gets this long to start, and to stop.
const LIMIT: Duration = Duration::from_secs(30);
/// A query for a judge gets this long, in seconds.
const QUERY: &str = "10";
/// Small and quick: no logs worth keeping, no names of clients.
const OPTIONS: &[&str] = &[
    "--no-defaults",
    "--user=root",
    "--skip-name-resolve",
    "--innodb-log-file-size=4M",
    "--innodb-buffer-pool-size=8M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-fast-shutdown=1",
];

/// A database server; it ends with this value, by its own process id.
#[derive(Debug)]
pub struct MariaDb {
    home: PathBuf,
    /// The words before the program: how to get to where it runs.
    prefix: Vec<String>,
    listen: [String; 2],
    process: Mutex<Option<Child>>,
}

impl MariaDb {
    /// Makes a database in the folder `home`, which must not exist, and starts it behind the words `prefix` (such as those
    /// that enter a namespace), on `port` of `address`. There is the Session Manager's user, who may come from the hosts
    /// `from`.
    pub fn start(home: &Path, prefix: &[&str], address: &str, port: u16, from: &[&str]) -> Result<Self> {
        fs::create_dir_all(home.parent().context("no folder")?)?;
        fs::create_dir(home).context("create the database's folder, which only one database can have")?;
        let database = Self {
            home: home.to_owned(),
            prefix: prefix.iter().map(|word| (*word).to_owned()).collect(),
            listen: [format!("--bind-address={address}"), format!("--port={port}")],
            process: Mutex::new(None),
        };
        let data = format!("--datadir={}", database.at("data"));
        // Names of temporary files come from process ids, which others in namespaces of their own have, too.
        let temporary = format!("--tmpdir={}", home.display());
        let install = ["--skip-test-db", "--auth-root-authentication-method=normal", &data, &temporary];
        control("", &[&["mariadb-install-db"], OPTIONS, &install].concat()).context("make a database")?;
        database.start_again()?;
        let password = PASSWORD.replace('\\', r"\\").replace('\'', "''");
        let mut sql = format!("CREATE DATABASE {NAME} CHARACTER SET utf8mb4;");
        for host in from {
            let user = format!("'{NAME}'@'{host}'");
            sql += &format!("CREATE USER {user} IDENTIFIED BY '{password}'; GRANT ALL ON {NAME}.* TO {user};");
        }
        database.query(&sql).context("make the user")?;
        Ok(database)
    }

    /// Starts it on its data and waits until it answers. Fine when it runs.
    pub fn start_again(&self) -> Result<()> {
        let mut process = self.process();
        if process.is_some() {
            return Ok(());
        }
        let log = File::options().create(true).append(true).open(self.at("log")).context("open its log")?;
        let mut words: Vec<&str> = self.prefix.iter().map(String::as_str).collect();
        words.push("mariadbd");
        let own = [
            format!("--datadir={}", self.at("data")),
            format!("--tmpdir={}", self.home.display()),
            format!("--socket={}", self.at("socket")),
            format!("--pid-file={}", self.at("pid")),
        ];
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(OPTIONS).args(own).args(&self.listen);
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn();
        let child = process.insert(child.context("start mariadbd")?);
        let started = Instant::now();
        while self.query("SELECT 1").is_err() {
            if let Some(status) = child.try_wait()? {
                *process = None;
                bail!("mariadbd ended with {status}:\n{}", self.log());
            }
            if started.elapsed() > LIMIT {
                bail!("mariadbd does not answer after {} s:\n{}", LIMIT.as_secs(), self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Stops it in good order and waits for its end: connections are refused. Fine when it does not run.
    pub fn stop(&self) -> Result<()> {
        let mut process = self.process();
        let Some(child) = process.as_mut() else { return Ok(()) };
        for signal in [Signal::SIGTERM, Signal::SIGCONT] {
            kill(Pid::from_raw(child.id().cast_signed()), signal).context("stop mariadbd")?;
        }
        let started = Instant::now();
        while child.try_wait()?.is_none() {
            if started.elapsed() > LIMIT {
                bail!("mariadbd does not end within {} s:\n{}", LIMIT.as_secs(), self.log());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        *process = None;
        Ok(())
    }

    /// Makes it hang: the kernel takes connections, and nobody answers.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::SIGCONT)
    }

    /// What a query gives, for judges: a line for each row, tabulators between values. As root, over a local socket.
    pub fn query(&self, sql: &str) -> Result<String> {
        let socket = format!("--socket={}", self.at("socket"));
        let client = ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", "--user=root", &socket];
        control(sql, &[&["timeout", QUERY], &client[..], &["--batch", "--skip-column-names"]].concat())
    }

    /// The end of what it said.
    pub fn log(&self) -> String {
        let text = fs::read_to_string(self.at("log")).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let process = self.process();
        let child = process.as_ref().context("the database does not run")?;
        super::frozen::signal(Pid::from_raw(child.id().cast_signed()), signal)
            .with_context(|| format!("send {signal} to mariadbd"))
    }

    fn at(&self, name: &str) -> String {
        self.home.join(name).display().to_string()
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        if let Some(child) = self.process().as_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The Session Manager's settings with its database at `host`, as it writes them.
pub fn settings(host: &str, password: &str) -> serde_json::Value {
    let sql = serde_json::json!({
        "type": "mysql", "host": host, "user": NAME, "password": password, "database": NAME, "prefix": "ovd_"
    });
    serde_json::json!({ "general": { "sql": sql, "system_in_maintenance": 0 } })
}
