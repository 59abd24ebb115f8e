//! A real MariaDB server for the namespace that the test is in: no service manager, its own data.
#![allow(dead_code)] // every test crate uses a part of it

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The user of the Session Manager.
pub const USER: &str = "ovd";
/// Its password, with what quoting trips over.
pub const PASSWORD: &str = "it's 100% \"s\\e\\cret\" é";
/// Its database.
pub const NAME: &str = "ovd";

/// A running server; it ends with this value, by its own process id.
#[derive(Debug)]
pub struct MariaDb {
    folder: PathBuf,
    port: u16,
    /// Words before the program, such as those that enter a namespace.
    prefix: Vec<String>,
    address: String,
    server: Option<Child>,
}

impl MariaDb {
    /// A server in `folder` (made anew) on `port` of 127.0.0.1, with the Session Manager's database and user.
    pub fn start(folder: &Path, port: u16) -> Result<Self> {
        Self::start_in(Vec::new(), "127.0.0.1", folder, port)
    }

    /// The same, run behind the words `prefix` and listening on `address`.
    pub fn start_in(prefix: Vec<String>, address: &str, folder: &Path, port: u16) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let data = folder.join("data");
        let install = ["--no-defaults", "--user=root", "--auth-root-authentication-method=normal", "--skip-test-db"];
        let output = Command::new("mariadb-install-db")
            .args(install)
            .arg(format!("--datadir={}", data.display()))
            .output()
            .context("run mariadb-install-db")?;
        ensure!(output.status.success(), "mariadb-install-db: {}", String::from_utf8_lossy(&output.stderr));
        let mut database = Self { folder: folder.to_owned(), port, prefix, address: address.to_owned(), server: None };
        database.up()?;
        let quoted = PASSWORD.replace('\\', "\\\\").replace('\'', "''");
        database.query(&format!(
            "CREATE DATABASE {NAME}; CREATE USER '{USER}'@'%' IDENTIFIED BY '{quoted}'; GRANT ALL ON {NAME}.* TO '{USER}'@'%'"
        ))?;
        Ok(database)
    }

    /// Starts the server again on the same data, and waits until it answers.
    pub fn up(&mut self) -> Result<()> {
        let at = |name: &str| self.folder.join(name).display().to_string();
        let log = fs::File::options().create(true).append(true).open(at("log"))?;
        let mut words = self.prefix.clone();
        words.push("mariadbd".to_owned());
        let (program, prefix) = words.split_first().context("no program")?;
        let server = Command::new(program)
            .args(prefix)
            .args(["--no-defaults", "--user=root", "--skip-name-resolve", "--innodb-buffer-pool-size=8M"])
            .args(["--innodb-flush-log-at-trx-commit=0", "--performance-schema=OFF"])
            .arg(format!("--datadir={}", at("data")))
            .arg(format!("--socket={}", at("socket")))
            .arg(format!("--pid-file={}", at("pid")))
            .arg(format!("--bind-address={}", self.address))
            .arg(format!("--port={}", self.port))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("start mariadbd")?;
        self.server = Some(server);
        let begun = Instant::now();
        loop {
            let last = self.query("SELECT 1");
            if last.is_ok() {
                return Ok(());
            }
            let text = || fs::read_to_string(at("log")).unwrap_or_default();
            ensure!(begun.elapsed() < Duration::from_secs(30), "mariadbd does not answer: {last:?}\n{}", text());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends the server and waits for its end.
    pub fn down(&mut self) -> Result<()> {
        let Some(mut server) = self.server.take() else { return Ok(()) };
        // A stopped one could not act on SIGTERM.
        let id = Pid::from_raw(server.id().cast_signed());
        kill(id, Signal::SIGCONT)?;
        kill(id, Signal::SIGTERM)?;
        server.wait()?;
        Ok(())
    }

    /// Stops the server's processes where they are; connections are taken and never answered.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets them go on.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::SIGCONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let server = self.server.as_ref().context("the database is down")?;
        Ok(kill(Pid::from_raw(server.id().cast_signed()), signal)?)
    }

    /// What the mariadb client prints for a query, asked as root over the server's own socket.
    pub fn query(&self, sql: &str) -> Result<String> {
        let output = Command::new("mariadb")
            .args(["--no-defaults", "--user=root", "--batch", "--skip-column-names", "--execute", sql])
            .arg(format!("--socket={}", self.folder.join("socket").display()))
            .output()
            .context("run mariadb")?;
        ensure!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// The Session Manager's settings for a database at `host`, as it writes them.
pub fn settings(host: &str, password: &str) -> String {
    let sql = serde_json::json!({
        "type": "mysql", "host": host, "user": USER, "password": password, "database": NAME, "prefix": "ovd_"
    });
    serde_json::json!({ "general": { "sql": sql, "system_in_maintenance": 0 } }).to_string()
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        let _ = self.down();
    }
}
