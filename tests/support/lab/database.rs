//! The database of the farm: on the host `dbmy`, with the stand-in Session Manager's tables. It can be hidden from a node.

use std::ops::Deref;
use std::path::Path;

use anyhow::{Context, Result};

use super::enter::DIR;
use super::exec::{Machine, control};
use super::host::Host;
use super::net::NETS;
use super::node::Node;
use crate::support::mariadb::{self, MariaDb};

const TABLES: &str = "USE ovd;
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

/// The database server of the farm; it ends with this value, at the latest with the lab.
#[derive(Debug)]
pub struct Database {
    server: Host,
    mariadb: MariaDb,
}

impl Database {
    /// The name under which nodes find it, on the network `priv`.
    pub const HOST: &str = "dbmy.priv";
    /// See [`mariadb::PASSWORD`].
    pub const PASSWORD: &str = mariadb::PASSWORD;

    /// Makes a database on that host and starts it, on port 3306 of all its addresses.
    pub fn start(server: &Host) -> Result<Self> {
        let network = format!("--net=/run/netns/{}", server.name());
        let home = Path::new(DIR).join("database");
        let from = ["192.168.100.%", "10.20.1.%"];
        let mariadb = MariaDb::start(&home, &["nsenter", &network], "0.0.0.0", 3306, &from)?;
        control(FIREWALL, &["nsenter", &network, "nft", "-f", "-"])?;
        mariadb.query(TABLES).context("make the tables")?;
        Ok(Self { server: server.clone(), mariadb })
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

    fn firewall(&self, verb: &str, node: &Node) -> Result<()> {
        let addresses = NETS.map(|net| node.mac(net)).join(", ");
        self.server.sh(&format!("nft {verb} element inet hidden nodes '{{ {addresses} }}'"))?;
        Ok(())
    }
}

impl Deref for Database {
    type Target = MariaDb;

    fn deref(&self) -> &MariaDb {
        &self.mariadb
    }
}
