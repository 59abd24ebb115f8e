//! What the webapps need beside themselves, on the host `dbmy`: real Redis, real RabbitMQ, and a listener where NFS would be.
//! Redis can be hidden from a node.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::support::lab::{DIR, Host, Lab, Machine, Net, Node, control, wait_for};

/// Where they are, on both networks of `dbmy`; the nodes use the first.
pub const REDIS: &str = "10.20.1.21:6379";
const REDIS_PASSWORD: &str = "r3dis-p!w";
/// RabbitMQ's, and a wrong one.
pub const RABBIT_PASSWORD: &str = "r4bbit-p!w";
pub const WRONG_PASSWORD: &str = "cl3arly-wrong-p!w";

/// The table that hides Redis from nodes, in the network of its host alone.
const FIREWALL: &str = "add table inet hidden
add set inet hidden nodes { type ether_addr; }
add chain inet hidden input { type filter hook input priority -300; }
add rule inet hidden input tcp dport 6379 ether saddr @nodes drop
";

/// The keys of Abiquo's properties that lead there.
pub fn properties() -> String {
    format!(
        "abiquo.redis.host = 10.20.1.21\nabiquo.redis.port = 6379\nabiquo.redis.password = {REDIS_PASSWORD}\n\
         abiquo.rabbitmq.host = 10.20.1.21\nabiquo.rabbitmq.port = 5672\nabiquo.rabbitmq.username = abiquo\n\
         abiquo.rabbitmq.password = {RABBIT_PASSWORD}\n"
    )
}

/// Answers one call of ONC RPC, as a server of NFS does its NULL procedure.
fn answer_null(mut connection: TcpStream) {
    let mut call = [0; 44];
    let read =
        connection.set_read_timeout(Some(Duration::from_secs(1))).and_then(|()| connection.read_exact(&mut call));
    if read.is_ok() {
        // The call's own id, a reply, accepted, no credentials, success.
        let answer = [&[0x80, 0, 0, 24], &call[4..8], &[0, 0, 0, 1], &[0; 16]].concat();
        drop(connection.write_all(&answer));
    }
}

/// The servers; they end with the lab.
pub struct Servers {
    host: Host,
    home: PathBuf,
    redis: Mutex<Option<Child>>,
}

impl Servers {
    /// Starts them.
    pub fn start(lab: &Lab) -> Result<Self> {
        let home = Path::new(DIR).join("servers");
        fs::create_dir_all(&home).context("make the folder of the servers")?;
        let servers = Self { host: lab.dbmy.clone(), home, redis: Mutex::new(None) };
        lab.phase("started Redis", || servers.start_redis())?;
        lab.phase("started RabbitMQ", || servers.start_rabbit())?;
        lab.dbmy.thread(|| {
            let listener = TcpListener::bind(("0.0.0.0", 2049)).expect("listen where NFS would be");
            listener.incoming().flatten().for_each(answer_null);
        })?;
        let network = format!("--net=/run/netns/{}", lab.dbmy.name());
        control(FIREWALL, &["nsenter", &network, "nft", "-f", "-"])?;
        Ok(servers)
    }

    /// Starts Redis. Fine when it runs.
    pub fn start_redis(&self) -> Result<()> {
        let mut redis = self.redis.lock().unwrap_or_else(PoisonError::into_inner);
        if redis.is_none() {
            let folder = self.home.display().to_string();
            let arguments = ["--bind", "0.0.0.0", "--requirepass", REDIS_PASSWORD, "--save", "", "--dir", &folder];
            *redis = Some(self.spawn("redis", "redis-server", |command| command.args(arguments))?);
        }
        self.wait_open(6379)
    }

    /// Ends Redis: connections are refused.
    pub fn stop_redis(&self) -> Result<()> {
        if let Some(mut child) = self.redis.lock().unwrap_or_else(PoisonError::into_inner).take() {
            child.kill().context("kill Redis")?;
            child.wait().context("wait for the end of Redis")?;
        }
        Ok(())
    }

    /// Makes Redis silent for that node alone. Fine when it is hidden already.
    pub fn hide_redis_from(&self, node: &Node) -> Result<()> {
        self.firewall("add", node)
    }

    /// Makes it answer that node again.
    pub fn show_redis_to(&self, node: &Node) -> Result<()> {
        self.firewall("delete", node)
    }

    fn firewall(&self, verb: &str, node: &Node) -> Result<()> {
        let addresses = [Net::Srv, Net::Priv].map(|net| node.mac(net)).join(", ");
        self.host.sh(&format!("nft {verb} element inet hidden nodes '{{ {addresses} }}'")).map(drop)
    }

    fn start_rabbit(&self) -> Result<()> {
        let folder = self.home.join("rabbit");
        fs::create_dir_all(&folder)?;
        let configuration = folder.join("rabbitmq.conf");
        let text = format!("default_user = abiquo\ndefault_pass = {RABBIT_PASSWORD}\nlisteners.tcp.1 = 0.0.0.0:5672\n");
        fs::write(&configuration, text)?;
        // The script of the package becomes another user first.
        let program = "/usr/lib/rabbitmq/bin/rabbitmq-server";
        // The lab ends it.
        drop(self.spawn("rabbit", program, |command| {
            command.env("HOME", &folder).env("RABBITMQ_NODENAME", "rabbit@localhost").env("RABBITMQ_LOGS", "-");
            command.env("RABBITMQ_MNESIA_BASE", &folder).env("RABBITMQ_LOG_BASE", &folder);
            command.env("RABBITMQ_CONFIG_FILE", &configuration);
            command.env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("plugins"))
        })?);
        // It listens before its users are there.
        wait_for(Duration::from_secs(120), "RabbitMQ to be up", || {
            let said = fs::read_to_string(self.home.join("rabbit.log"))?;
            anyhow::ensure!(said.contains("completed with"), "{said}");
            Ok(true)
        })?;
        self.wait_open(5672)
    }

    fn spawn(&self, name: &str, program: &str, add: impl FnOnce(&mut Command) -> &mut Command) -> Result<Child> {
        let log = fs::File::create(self.home.join(format!("{name}.log")))?;
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.host.name())).arg(program);
        add(&mut command);
        // A group of its own: Ctrl-C is for the outer process, which ends the lab as a whole.
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        command.spawn().with_context(|| format!("start {program}"))
    }

    fn wait_open(&self, port: u16) -> Result<()> {
        let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
        let limit = Duration::from_secs(60);
        wait_for(limit, &format!("port {port}"), || Ok(self.host.output(["bash", "-c", &connect])?.ok())).map(drop)
    }
}
