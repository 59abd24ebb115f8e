//! A real MariaDB on the host `dbmy`, with the stand-in Session Manager's tables; it can be stopped, frozen and hidden.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::enter::DIR;
use super::exec::{Machine, control};
use super::host::Host;
use super::net::NETS;
use super::node::Node;

/// It gets this long to start, and to stop.
const LIMIT: Duration = Duration::from_secs(30);
/// A query for a judge gets this long.
const QUERY: Duration = Duration::from_secs(10);
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
const TABLES: &str = "CREATE DATABASE ovd CHARACTER SET utf8mb4; USE ovd;
    CREATE TABLE ovd_servers (fqdn VARCHAR(255) PRIMARY KEY, status VARCHAR(32) NOT NULL DEFAULT 'pending');
    CREATE TABLE ovd_sessions (id CHAR(32) PRIMARY KEY, node VARCHAR(64) NOT NULL);
    CREATE TABLE ovd_news (id INT PRIMARY KEY, title VARCHAR(64) NOT NULL, content TEXT NOT NULL);
    INSERT INTO ovd_news VALUES (1, 'Première', 'A <stand-in> for tests');";
/// The table that hides the database from nodes, in the network of its host alone.
const FIREWALL: &str = "add table inet hidden
add set inet hidden nodes { type ether_addr; }
add chain inet hidden input { type filter hook input priority -300; }
add rule inet hidden input tcp dport 3306 ether saddr @nodes drop
";

/// A database server; it ends with this value, at the latest with the lab.
#[derive(Debug)]
pub struct Database {
    server: Host,
    home: PathBuf,
    process: Mutex<Option<Child>>,
}

impl Database {
    /// The name under which nodes find it, on the network `priv`.
    pub const HOST: &str = "dbmy.priv";
    /// The name of the database, and of the user who may do everything with it from both networks.
    pub const NAME: &str = "ovd";
    /// That user's password, with characters that careless programs trip over.
    pub const PASSWORD: &str = r#"p'w"\é%s &<$;"#;

    /// Makes a database on that host and starts it, on port 3306 of all its addresses.
    pub fn start(server: &Host) -> Result<Self> {
        let home = PathBuf::from(DIR).join("database");
        fs::create_dir(&home).context("create the database's folder, which only one database can have")?;
        let database = Self { server: server.clone(), home, process: Mutex::new(None) };
        let [data, temporary] = database.folders();
        let install = ["--skip-test-db", "--auth-root-authentication-method=normal", &data, &temporary];
        control("", &[&["mariadb-install-db"], OPTIONS, &install].concat())
            .context("make a database with mariadb-server, which tests/support/install installs")?;
        control(FIREWALL, &["nsenter", &format!("--net=/run/netns/{}", server.name()), "nft", "-f", "-"])?;
        database.start_again()?;
        let mut sql = TABLES.to_owned();
        for from in ["192.168.100.%", "10.20.1.%"] {
            let password = Self::PASSWORD.replace('\\', r"\\").replace('\'', "''");
            let (name, user) = (Self::NAME, format!("'{}'@'{from}'", Self::NAME));
            sql += &format!("CREATE USER {user} IDENTIFIED BY '{password}'; GRANT ALL ON {name}.* TO {user};");
        }
        database.query(&sql).context("make the tables")?;
        Ok(database)
    }

    /// Starts it on its data and waits until it answers. Fine when it runs.
    pub fn start_again(&self) -> Result<()> {
        let mut process = self.process();
        if let Some(child) = process.as_mut()
            && child.try_wait()?.is_none()
        {
            return Ok(());
        }
        let log = File::options().create(true).append(true).open(self.home.join("log")).context("open its log")?;
        let own = [format!("--socket={}", self.socket()), format!("--pid-file={}", self.home.join("pid").display())];
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/run/netns/{}", self.server.name()))
            .arg("mariadbd")
            .args(OPTIONS)
            .args(self.folders())
            .args(own);
        command.args(["--bind-address=0.0.0.0", "--port=3306"]);
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

    /// Makes it silent for that node alone, whatever address the node sends from, also for open connections and also
    /// after the node's next boot. Fine when it is hidden already.
    pub fn hide_from(&self, node: &Node) -> Result<()> {
        self.firewall("add", node)
    }

    /// Makes it answer that node again. Fine when it is not hidden.
    pub fn show_to(&self, node: &Node) -> Result<()> {
        // So that there is something to delete.
        self.firewall("add", node)?;
        self.firewall("delete", node)
    }

    /// What a query gives, for judges: a line for each row, tabulators between values. As root, over a local socket.
    pub fn query(&self, sql: &str) -> Result<String> {
        let limit = format!("{}", QUERY.as_secs());
        let socket = format!("--socket={}", self.socket());
        let client = ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", "--user=root", &socket];
        control(sql, &[&["timeout", &limit], &client[..], &["--batch", "--skip-column-names"]].concat())
    }

    /// The end of what it said.
    pub fn log(&self) -> String {
        let text = fs::read_to_string(self.home.join("log")).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn firewall(&self, verb: &str, node: &Node) -> Result<()> {
        let addresses = NETS.map(|net| node.mac(net)).join(", ");
        self.server.sh(&format!("nft {verb} element inet hidden nodes '{{ {addresses} }}'"))?;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let process = self.process();
        let child = process.as_ref().context("the database does not run")?;
        kill(Pid::from_raw(child.id().cast_signed()), signal).with_context(|| format!("send {signal} to mariadbd"))
    }

    fn folders(&self) -> [String; 2] {
        let home = self.home.display();
        [format!("--datadir={home}/data"), format!("--tmpdir={home}")]
    }

    fn socket(&self) -> String {
        self.home.join("socket").display().to_string()
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(child) = self.process().as_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
