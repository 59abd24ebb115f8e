//! The network: two directors, a node that only votes, three real servers behind them, a router, a client beyond it. Addresses are the example's.
//!
//! `eth0` of directors and real servers: 192.168.71.0/24, the virtual address .205, the router .1. `eth1` of directors:
//! 192.168.68.0/24, the cluster's own. The client: 198.51.100.9, beyond the router.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::sync::{LazyLock, Mutex, Once};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::bed::{Host, Network, Server, ip};
use crate::cib;
use crate::node::{CONFIGURATION, Node};
use crate::power::{self, Switched};
use crate::view::View;

pub const VIP: &str = "192.168.71.205";
/// The nodes in the order of the scenario, and the ends of their addresses. The last one only votes.
pub const NODES: [(&str, u8); 3] = [("litsha21", 203), ("litsha22", 201), ("litsha23", 202)];
/// The ends of the addresses of real servers.
const SERVERS: [u8; 3] = [220, 150, 121];
/// A service that is none of ours.
pub const FOREIGN: &str = "-A -t 192.0.2.7:80 -s lc";

pub struct Lab {
    nodes: Vec<Node>,
    pub servers: Vec<Host>,
    _answering: Vec<Server>,
    pub client: Host,
    pub fenced: Mutex<Vec<Switched>>,
    lan: Network,
    cluster: Network,
    _router: Host,
    _outside: Network,
}

/// The one lab of this guest.
pub static LAB: LazyLock<Lab> = LazyLock::new(Lab::new);

/// Longer than a lost node takes.
pub const LONG: Duration = Duration::from_secs(240);

impl Lab {
    fn new() -> Self {
        let (lan, cluster, outside) = (Network::new(), Network::new(), Network::new());
        let (router, client) = (Host::new("router"), Host::new("client"));
        lan.plug(&router, "eth0", &["192.168.71.1/24"], &[]);
        outside.plug(&router, "eth1", &["198.51.100.1/24"], &[]);
        router.sysctl("net.ipv4.ip_forward", "1");
        outside.plug(&client, "eth0", &["198.51.100.9/24"], &["198.51.100.1"]);
        let servers: Vec<Host> = (1..)
            .zip(SERVERS)
            .map(|(number, end)| {
                let host = Host::new(&format!("rs{number}"));
                lan.plug(&host, "eth0", &[&format!("192.168.71.{end}/24")], &[VIP]);
                host
            })
            .collect();
        let answering = servers.iter().map(|host| host.serve(80)).collect();
        fs::write(CONFIGURATION, corosync_conf()).unwrap();
        power::install();
        let nodes = NODES.iter().map(|(name, _)| Node::new(name)).collect();
        let fenced = Mutex::default();
        Self { nodes, servers, _answering: answering, client, fenced, lan, cluster, _router: router, _outside: outside }
    }

    pub fn node(&self, name: &str) -> &Node {
        self.nodes.iter().find(|node| node.name == name).unwrap()
    }

    pub fn directors(&self) -> &[Node] {
        &self.nodes[..2]
    }

    /// Switches a node on.
    pub fn boot(&self, node: &Node) {
        let end = NODES.iter().find(|(name, _)| *name == node.name).unwrap().1;
        let host = Host::new(&node.name);
        self.lan.plug(&host, "eth0", &[&format!("192.168.71.{end}/24")], &["192.168.71.1"]);
        self.cluster.plug(&host, "eth1", &[&format!("192.168.68.{end}/24")], &[]);
        node.boot(host);
    }

    /// Makes the cluster, unless it is there.
    pub fn start(&'static self) -> Result<()> {
        static ONCE: Once = Once::new();
        if ONCE.is_completed() {
            return Ok(());
        }
        ONCE.call_once(|| {
            std::thread::spawn(|| power::serve(self));
            self.nodes.iter().for_each(|node| self.boot(node));
        });
        let took = wait_for(LONG, "three nodes with a quorum and a coordinator", || {
            let view = View::of(&self.nodes[0])?;
            Ok(view.online().len() == 3 && view.has_coordinator())
        })?;
        said("the cluster is up", took);
        let begun = Instant::now();
        self.nodes[0].run(&["cibadmin", "--replace", "--scope", "configuration", "--xml-file", cib::PLACE])?;
        // An emulated processor is always busy: Pacemaker would hold back actions for that.
        let busy = ["--type", "crm_config", "--name", "load-threshold", "--update", "2000%"];
        self.nodes[0].run(&[&["crm_attribute"][..], &busy].concat())?;
        self.settle()?;
        said("the configuration is in force", begun.elapsed());
        Ok(())
    }

    /// Waits until the cluster has nothing left to do.
    pub fn settle(&self) -> Result<()> {
        let node = self.nodes.iter().find(|node| node.host().is_ok()).context("every node is off")?;
        node.run(&["crm_resource", "--wait", "--timeout=240"]).map(drop)
    }

    /// What a node sees that is on.
    pub fn view(&self) -> Result<View> {
        let mut trouble = String::new();
        for node in self.nodes.iter().filter(|node| node.host().is_ok()) {
            match View::of(node) {
                Ok(view) if view.has_quorum() => return Ok(view),
                Ok(_) => {}
                Err(error) => write!(trouble, "; {error:#}")?,
            }
        }
        bail!("no node has quorum{trouble}")
    }

    /// The director that has the address, by crm_mon and by its own links; nobody else has it.
    pub fn holder(&self) -> Result<&Node> {
        let view = self.view()?;
        let names = view.nodes_of("virtual_ip");
        let [name] = names[..] else { bail!("the address is on {names:?}") };
        for node in &self.nodes {
            let Ok(host) = node.host() else { continue };
            let has = !host.ip(&format!("-o address show to {VIP}")).is_empty();
            ensure!(has == (node.name == name), "crm_mon has the address on {name}, {}: {has}", node.name);
        }
        Ok(self.node(name))
    }

    /// Waits until another director than `old` has the address; which, and how long that took.
    pub fn wait_moved(&self, old: &Node) -> Result<(&Node, Duration)> {
        let mut new = None;
        let took = wait_for(LONG, &format!("the address to leave {}", old.name), || {
            new = Some(self.holder()?).filter(|holder| holder.name != old.name);
            Ok(new.is_some())
        })?;
        Ok((new.context("nobody has the address")?, took))
    }

    /// Asks once; who has answered.
    pub fn ask(&self) -> Result<String> {
        self.client.ask(SocketAddr::new(ip(VIP), 80), &[])
    }

    /// The judge's table with these weights, of all real servers.
    pub fn rules(weights: [u32; 3]) -> Vec<String> {
        let mut rules = vec![format!("-A -t {VIP}:80 -s rr")];
        rules.extend(
            SERVERS
                .iter()
                .zip(weights)
                .map(|(end, weight)| format!("-a -t {VIP}:80 -r 192.168.71.{end}:80 -m -w {weight}")),
        );
        rules.sort();
        rules
    }

    /// Waits until the table of every director that runs is this.
    pub fn wait_rules(&self, weights: [u32; 3]) -> Result<Duration> {
        let wanted = Self::rules(weights);
        wait_for(LONG, &format!("the weights {weights:?} on all directors"), || {
            for node in self.directors() {
                let found = node.rules()?;
                ensure!(found == wanted, "{}: {found:?}", node.name);
            }
            Ok(true)
        })
    }

    /// How often a node has started its director since it booted, as the cluster manager wrote it down.
    pub fn started(&self, node: &Node) -> Result<usize> {
        let log = node.run(&["cat", "/var/log/pacemaker/pacemaker.log"])?;
        let starts = log.lines().filter(|line| line.contains("Result of start operation for lvs_director on ")).count();
        ensure!(starts > 0, "{} has started no director", node.name);
        Ok(starts)
    }

    /// What a person needs when a trial fails.
    pub fn report(&self) {
        for node in &self.nodes {
            let log = "grep -hE ' (warning|error|crit|notice): |lvs-director\\(' /var/log/pacemaker/pacemaker.log";
            for line in [
                "crm_mon -1rfA",
                "ip -br address show",
                "ipvsadm -S -n",
                "tail -n 3 /var/log/*.out",
                &format!("{log} | tail -n 25"),
            ] {
                eprintln!("--- {}: {line}\n{}", node.name, node.said(line).trim_end());
            }
        }
    }
}

fn corosync_conf() -> String {
    // An emulated processor that is busy must not look like a lost node; and knet's threads alone would keep it busy.
    let mut text = "totem {\n version: 2\n cluster_name: lvs\n transport: udpu\n token: 10000\n}\n\
                    quorum {\n provider: corosync_votequorum\n}\n\
                    logging {\n to_stderr: yes\n to_syslog: no\n}\nnodelist {\n"
        .to_owned();
    for (id, (name, end)) in (1..).zip(NODES) {
        let _ = writeln!(text, " node {{\n  ring0_addr: 192.168.68.{end}\n  name: {name}\n  nodeid: {id}\n }}");
    }
    text + "}\n"
}

/// Waits until something is true; how long that took. An error counts as not yet.
pub fn wait_for(limit: Duration, what: &str, mut is_true: impl FnMut() -> Result<bool>) -> Result<Duration> {
    let started = Instant::now();
    loop {
        let last = is_true();
        if matches!(last, Ok(true)) {
            return Ok(started.elapsed());
        }
        if started.elapsed() > limit {
            let cause = last.err().map(|error| format!(" (last: {error:#})")).unwrap_or_default();
            bail!("waited {} s for {what}{cause}", limit.as_secs());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// A line for the record.
pub fn said(what: &str, took: Duration) {
    eprintln!("ipvs_cluster: {what}: {:.1} s", took.as_secs_f32());
}
