//! A real Pacemaker cluster on one machine.
//!
//! Nodes are containers that boot this machine's own root file system under an overlay, with two networks as in the
//! guide for the session manager. Everything lives in namespaces that end with the program, whatever ends it: see `enter`.
//!
//! ```ignore
//! fn main() {
//!     lab::enter();                                            // first thing, before any thread
//!     let lab = Lab::new(&["osm1", "osm2", "pcs3"]).unwrap();  // booted, pcsd answers, no cluster yet
//!     lab.node("osm1").run(["pcs", "status"]).unwrap();
//! }
//! ```

mod cgroup;
mod cluster;
mod database;
mod enter;
mod exec;
mod fencing;
mod host;
mod image;
mod meter;
mod net;
mod node;
mod report;
mod requirements;
mod source;
mod xml;

use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

pub use cgroup::Cgroup;
pub use cluster::{Failure, Status, wait_for, wait_idle};
pub use database::Database;
pub use enter::{DIR, STAGE, enter, inside};
pub use exec::{LIMIT, Machine, Output, control};
pub use fencing::{Fencing, Switched};
pub use host::Host;
pub use image::{ANSWER_PORT, PASSWORD};
pub use meter::{Meter, Outage, PERIOD, Question};
pub use net::{Net, Network};
pub use node::Node;
pub use report::{report, trial};
pub use requirements::missing;
pub use source::{Proto, SourceWatch};
pub use xml::Element;

/// The service address of the guide.
pub const VIP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 20, 1, 10));

/// Networks, nodes, hosts and the power switch.
#[derive(Debug)]
pub struct Lab {
    /// Cables and partitions.
    pub net: Arc<Network>,
    /// The power switch that `fence_lab` asks.
    pub fencing: Arc<Fencing>,
    /// Where clients of the service are.
    pub client: Host,
    /// The database server of the guide, 10.20.1.21 and 192.168.100.21: a network namespace. `Database::start` makes it one.
    pub dbmy: Host,
    nodes: Vec<Arc<Node>>,
    watch: SourceWatch,
}

impl Lab {
    /// A lab with these nodes, booted at the same time. pcsd answers in each; there is no cluster yet.
    pub fn new(names: &[&str]) -> Result<Self> {
        if !inside() {
            bail!("call lab::enter() first thing in main");
        }
        let started = Instant::now();
        for dir in ["node", "shared"] {
            fs::create_dir_all(Path::new(DIR).join(dir)).with_context(|| format!("create folder {dir}"))?;
        }
        let net = Arc::new(Network::new()?);
        let image = image::Image::new()?;
        let mut numbers = Vec::new();
        for (index, name) in names.iter().enumerate() {
            numbers.push((*name, net::number_of(name, index)?));
        }
        let mut nodes = Vec::new();
        for (name, number) in &numbers {
            let root = image.root(name, &hosts_file(name, &numbers))?;
            nodes.push(Arc::new(Node::new(&net, name, *number, root)));
        }
        let fencing = Fencing::start(nodes.clone())?;
        let client = Host::new(&net, "client", net::number_of("client", 0)?)?;
        let dbmy = Host::new(&net, "dbmy", net::number_of("dbmy", 0)?)?;
        let watch = SourceWatch::start(&dbmy)?;
        let lab = Self { net, fencing, client, dbmy, nodes, watch };
        say("prepared", started.elapsed());
        lab.phase(&format!("booted {}", names.join(" ")), || lab.boot_all())?;
        Ok(lab)
    }

    /// All nodes.
    pub fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// A node by its short name, which must exist.
    pub fn node(&self, name: &str) -> &Node {
        let found = self.nodes.iter().find(|node| node.name() == name);
        found.unwrap_or_else(|| panic!("the lab has no node {name}"))
    }

    /// The node with that name in the cluster, such as `osm1.priv`.
    pub fn by_cluster_name(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().map(Arc::as_ref).find(|node| node.cluster_name() == name)
    }

    /// Boots every node that is off, at the same time.
    pub fn boot_all(&self) -> Result<()> {
        std::thread::scope(|scope| {
            let threads: Vec<_> = self.nodes.iter().map(|node| scope.spawn(|| node.boot())).collect();
            threads.into_iter().try_for_each(|thread| thread.join().ok().context("a boot panicked")?)
        })
    }

    /// What the cluster says, as one node sees it.
    pub fn status(&self, seen_by: &str) -> Result<Status> {
        Status::seen_by(self.node(seen_by))
    }

    /// Where the server `dbmy` sees a connection or datagram come from that a machine sends to its address `target`:
    /// one of `lab.dbmy.address(Net::Srv)`, `lab.dbmy.address(Net::Priv)`, `lab.dbmy.address6()`.
    pub fn source_seen_by_server(&self, machine: &dyn Machine, proto: Proto, target: IpAddr) -> Result<IpAddr> {
        self.watch.source_of(machine, proto, target)
    }

    /// Starts to measure the outage of the stand-in service on `address`, as the client sees it.
    pub fn measure(&self, address: IpAddr) -> Result<Meter> {
        Meter::start(&self.client, (address, ANSWER_PORT).into(), Question::default())
    }

    /// The folder that is the same one in all nodes, at /srv/shared; a stand-in for a shared file system.
    pub fn shared(&self) -> std::path::PathBuf {
        Path::new(DIR).join("shared")
    }

    /// Does something and prints how long it took.
    pub fn phase<T>(&self, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let started = Instant::now();
        let result = work().with_context(|| what.to_owned());
        if result.is_ok() {
            say(what, started.elapsed());
        }
        result
    }

    /// For `--keep`: says how to get in, and waits for Enter or, without a terminal, for a signal.
    pub fn keep(&self) -> Result<()> {
        eprint!("lab: kept; from another terminal of this host:\n{}", self.how_to_enter());
        eprintln!("lab: press Enter or Ctrl-C to end it and everything in it");
        if std::io::stdin().read_line(&mut String::new()).context("wait for Enter")? == 0 {
            loop {
                std::thread::park();
            }
        }
        Ok(())
    }

    /// For a person: how to get into each machine, from another terminal of the host.
    pub fn how_to_enter(&self) -> String {
        let mut text = String::new();
        for node in &self.nodes {
            let command = node.how_to_enter().unwrap_or_else(|error| format!("{error:#}"));
            let _ = writeln!(text, "{:8} {command}", node.name());
        }
        text
    }
}

fn say(what: &str, took: Duration) {
    eprintln!("lab: {what}: {:.1} s", took.as_secs_f32());
}

/// /etc/hosts of a node as the guide has it: the private names of all, and the other session manager's alias.
fn hosts_file(own: &str, numbers: &[(&str, u8)]) -> String {
    let mut text = format!("127.0.0.1 localhost\n127.0.1.1 {own}\n::1 localhost ip6-localhost ip6-loopback\n\n");
    for (name, number) in numbers.iter().copied().chain([("dbmy", 21)]) {
        let other = matches!((own, name), ("osm1", "osm2") | ("osm2", "osm1"));
        let alias = if other { " the-other-osm" } else { "" };
        let _ = writeln!(text, "{} {name}.priv{alias}", Net::Priv.address(number));
    }
    text
}
