//! Hosts and networks of a trial: network namespaces with tables of their own, gone with the trial.
//!
//! ```ignore
//! let site = Site::new(2);                                        // client, director, two real servers
//! site.serve(80);                                                 // each answers with its own name
//! site.director.must(&[Change::AddService(..)])?;                 // the layer under test
//! site.director.ha(&["lvs", "show"]);                             // the shipped binary
//! site.director.agent("lvs-director", "lvs").with_param(..);      // an agent: `director.enter(|| agent.run("start"))`
//! assert_eq!(site.director.rules(), [..]);                        // the judge
//! site.client.ask(to, &[])?;                                      // what a client gets
//! ```

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::ops::Deref;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use inuvika_ha::sys::ipvs::{Change, Entry, Ipvs, Key, Protocol, explain};

use crate::netns::{Namespace, address_line};
use crate::subject::Subject;

/// How long a client waits for each step of its question.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a server waits for more of a question: longer than an address takes to move.
const LONGER: Duration = Duration::from_secs(30);

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A TCP service.
pub fn tcp(address: &str, port: u16) -> Key {
    Key::Address { protocol: Protocol::Tcp, address: ip(address), port }
}

/// A host. `Namespace` can do more: `enter`, `ip`, `run`, `try_run`, `nft`.
pub struct Host {
    pub name: String,
    namespace: Namespace,
}

impl Deref for Host {
    type Target = Namespace;

    fn deref(&self) -> &Namespace {
        &self.namespace
    }
}

impl Host {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), namespace: Namespace::new() }
    }

    /// Sets a variable of its network, such as `net.ipv4.ip_forward`.
    pub fn sysctl(&self, name: &str, value: &str) {
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        self.enter(|| std::fs::write(path, value)).unwrap();
    }

    /// A connection to its IPVS.
    pub fn ipvs(&self) -> Result<Ipvs> {
        self.enter(Ipvs::open).context("open")
    }

    /// Its table, through the layer under test.
    pub fn list(&self) -> Result<Vec<Entry>> {
        self.ipvs()?.list().context("list")
    }

    /// Makes changes, none of which may fail.
    pub fn must(&self, changes: &[Change]) -> Result<()> {
        let failed = self.ipvs()?.apply(changes).context("apply")?;
        match failed.first() {
            None => Ok(()),
            Some((index, error)) => {
                bail!("{} of {} failed: {}", failed.len(), changes.len(), explain(&changes[*index], error))
            }
        }
    }

    /// The judge: its table as `ipvsadm --restore` would read it, sorted.
    pub fn rules(&self) -> Vec<String> {
        let mut rules: Vec<_> = self.run("ipvsadm -S -n").lines().map(|line| line.trim_end().to_owned()).collect();
        rules.sort();
        rules
    }

    /// The judge's counters: connections that the first real server with this `ADDRESS:PORT` got. The kernel sums them up
    /// every two seconds: wait for what has to come.
    pub fn connections(&self, server: &str) -> Result<u64> {
        Ok(self.numbers("--stats", server)?.0)
    }

    /// The judge's upper and lower threshold of the first real server with this `ADDRESS:PORT`.
    pub fn thresholds(&self, server: &str) -> Result<(u64, u64)> {
        self.numbers("--thresholds", server)
    }

    /// The first two numbers that the judge lists for a real server.
    fn numbers(&self, option: &str, server: &str) -> Result<(u64, u64)> {
        let listing = self.run(&format!("ipvsadm -L -n --exact {option}"));
        let mut lines = listing.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let words = lines.find(|words| words.get(1) == Some(&server));
        let words = words.with_context(|| format!("no {server} in:\n{listing}"))?;
        let number = |index: usize| words.get(index).and_then(|word| word.parse().ok()).context("no number");
        Ok((number(2)?, number(3)?))
    }

    /// Runs the shipped binary.
    pub fn ha(&self, words: &[&str]) -> Output {
        self.command("inuvika-ha").args(words).output().unwrap()
    }

    /// An agent as a resource of this node, as Pacemaker calls it. Its calls go inside `enter`.
    pub fn agent(&self, agent_type: &str, instance: &str) -> Subject {
        let path = format!("/usr/lib/ocf/resource.d/inuvika/{agent_type}").into();
        Subject { path, agent_type: agent_type.to_owned(), instance: instance.to_owned(), env: Vec::new() }
    }

    /// Serves its name to every question over HTTP on all addresses, until the value is dropped.
    pub fn serve(&self, port: u16) -> Server {
        Server::start(self, port)
    }

    /// Asks over HTTP, with lines to add to the question's head; the answer's body.
    pub fn ask(&self, to: SocketAddr, head: &[&str]) -> Result<String> {
        self.enter(|| {
            let mut stream = TcpStream::connect_timeout(&to, PATIENCE).with_context(|| format!("connect to {to}"))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let head: String = head.iter().map(|line| format!("{line}\r\n")).collect();
            write!(stream, "GET / HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n{head}\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).with_context(|| format!("read from {to}"))?;
            let (head, body) = answer.split_once("\r\n\r\n").with_context(|| format!("{to} says {answer:?}"))?;
            ensure!(head.starts_with("HTTP/1.1 200 "), "{to} says {head:?}");
            Ok(body.trim_end().to_owned())
        })
    }
}

/// A web server in a thread of this program.
pub struct Server {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU32>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(host: &Host, port: u16) -> Self {
        // One socket for both families, unless the host has no IPv6.
        let listener = host.enter(|| TcpListener::bind(("::", port)).or_else(|_| TcpListener::bind(("0.0.0.0", port))));
        let listener = listener.unwrap();
        listener.set_nonblocking(true).unwrap();
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (told, count, name) = (stop.clone(), answered.clone(), host.name.clone());
        let thread = std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let (name, count) = (name.clone(), count.clone());
                        std::thread::spawn(move || {
                            answer(stream, &name).map(|()| count.fetch_add(1, Ordering::Relaxed))
                        });
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(5)),
                    Err(_) => std::thread::sleep(Duration::from_millis(50)),
                }
            }
        });
        Self { stop, answered, thread: Some(thread) }
    }

    /// How many questions it has answered.
    pub fn answered(&self) -> u32 {
        self.answered.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn answer(mut stream: TcpStream, name: &str) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(LONGER))?;
    let (mut question, mut part) = (Vec::new(), [0; 1024]);
    while !question.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut part)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => question.extend_from_slice(&part[..read]),
        }
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close";
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{name}\n", name.len() + 1)
}

/// A network: a switch that hosts are plugged into.
pub struct Network {
    switch: Namespace,
    ports: AtomicU32,
}

impl Network {
    pub fn new() -> Self {
        let switch = Namespace::new();
        switch.ip_all(&["link add br0 type bridge".to_owned(), "link set br0 up".to_owned()]);
        Self { switch, ports: AtomicU32::new(0) }
    }

    /// Connects a host by a new link with these addresses, each with its prefix length, and these gateways.
    pub fn plug(&self, host: &Host, link: &str, addresses: &[&str], gateways: &[&str]) {
        let port = format!("port{}", self.ports.fetch_add(1, Ordering::Relaxed));
        let mut lines = vec![
            format!("link add {link} type veth peer name {port} netns {}", self.switch.path()),
            format!("link set {link} up"),
        ];
        lines.extend(addresses.iter().map(|address| address_line(address, link)));
        lines.extend(gateways.iter().map(|gateway| format!("route add default via {gateway}")));
        host.ip_all(&lines);
        self.switch.ip_all(&[format!("link set {port} master br0 up")]);
    }
}

/// A director between the network of clients and that of real servers, as LVS-NAT wants it.
///
/// Outside (`eth0`): client .9, director .1, virtual address [`VIP`]; 198.51.100.0/24 and 2001:db8:51::/64. Inside (`eth1`
/// of the director, `eth0` of real servers): director .1, real servers .11 and so on; 10.0.0.0/24 and fd00:10::/64.
pub struct Site {
    pub client: Host,
    pub director: Host,
    pub servers: Vec<Host>,
    pub outside: Network,
    pub inside: Network,
}

pub const VIP: &str = "198.51.100.100";
pub const VIP6: &str = "2001:db8:51::100";

impl Site {
    pub fn new(servers: u8) -> Self {
        let (outside, inside) = (Network::new(), Network::new());
        let (client, director) = (Host::new("client"), Host::new("director"));
        outside.plug(&client, "eth0", &["198.51.100.9/24", "2001:db8:51::9/64"], &[]);
        let (vip, vip6) = (format!("{VIP}/24"), format!("{VIP6}/64"));
        outside.plug(&director, "eth0", &["198.51.100.1/24", "2001:db8:51::1/64", &vip, &vip6], &[]);
        inside.plug(&director, "eth1", &["10.0.0.1/24", "fd00:10::1/64"], &[]);
        director.sysctl("net.ipv4.ip_forward", "1");
        director.sysctl("net.ipv6.conf.all.forwarding", "1");
        let servers = (1..=servers).map(|number| {
            let host = Host::new(&format!("rs{number}"));
            let (v4, v6) = (format!("{}/24", Self::server(number)), format!("{}/64", Self::server6(number)));
            inside.plug(&host, "eth0", &[&v4, &v6], &["10.0.0.1", "fd00:10::1"]);
            host
        });
        Self { client, director, servers: servers.collect(), outside, inside }
    }

    /// The address of a real server, counted from 1.
    pub fn server(number: u8) -> String {
        format!("10.0.0.{}", 10 + number)
    }

    pub fn server6(number: u8) -> String {
        format!("fd00:10::{}", 10 + u16::from(number))
    }

    /// A web server on each real server.
    pub fn serve(&self, port: u16) -> Vec<Server> {
        self.servers.iter().map(|host| host.serve(port)).collect()
    }
}

/// Waits until something is true, which it has to be within `limit`.
pub fn wait_for(limit: Duration, what: &str, mut is_true: impl FnMut() -> Result<bool>) -> Result<()> {
    let started = Instant::now();
    while !is_true()? {
        ensure!(started.elapsed() < limit, "waited {} s for {what}", limit.as_secs());
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
