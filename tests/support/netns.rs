//! Network namespaces for tests. They have no name: an open file of this process is all that keeps them, so that the kernel
//! takes them away when the process ends, however it ends.

use std::fs::File;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::sched::{CloneFlags, setns, unshare};

/// A network namespace with its loopback up.
pub struct Namespace {
    /// What keeps it. Not passed on to programs: one that outlives this process must not keep it, too.
    file: File,
}

impl Namespace {
    /// Makes one.
    pub fn new() -> Self {
        let file = in_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            File::open("/proc/thread-self/ns/net").unwrap()
        });
        let namespace = Self { file };
        namespace.ip("link set lo up");
        namespace
    }

    /// Where other programs find it, as long as this process lives.
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }

    /// Runs code in a thread inside. Sockets that it opens stay there.
    pub fn enter<R: Send>(&self, code: impl FnOnce() -> R + Send) -> R {
        in_thread(|| {
            setns(&self.file, CloneFlags::CLONE_NEWNET).unwrap();
            code()
        })
    }

    /// A program that will run inside.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args([&format!("--net={}", self.path()), "--", program]);
        command
    }

    /// Runs a program inside to its end; the words of `line` are its arguments.
    pub fn try_run(&self, line: &str) -> Output {
        let mut words = line.split_whitespace();
        self.command(words.next().unwrap()).args(words).output().unwrap()
    }

    /// The same, and it must succeed. Returns its standard output.
    pub fn run(&self, line: &str) -> String {
        let output = self.try_run(line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `ip` inside.
    pub fn ip(&self, line: &str) -> String {
        self.run(&format!("ip {line}"))
    }

    /// Runs `ip` inside once for several lines: much faster where a process is slow to start.
    pub fn ip_all(&self, lines: &[String]) {
        feed(self.command("ip").args(["-batch", "-"]), &lines.join("\n"));
    }

    /// Gives `nft` a script.
    pub fn nft(&self, script: &str) {
        feed(self.command("nft").args(["-f", "-"]), script);
    }

    /// Adds an address that is usable at once.
    pub fn address(&self, address: &str, link: &str) {
        self.ip(&address_line(address, link));
    }
}

/// Runs code in a thread of its own: what it does to its namespaces ends with it.
fn in_thread<R: Send>(code: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| scope.spawn(code).join()).unwrap()
}

/// What `ip` reads to add an address that is usable at once.
pub fn address_line(address: &str, link: &str) -> String {
    let nodad = if address.contains(':') { " nodad" } else { "" };
    format!("address add {address} dev {link}{nodad}")
}

/// Connects two namespaces by a pair of links, both up.
pub fn connect(one: &Namespace, link: &str, other: &Namespace, peer: &str) {
    let pair = format!("link add {link} type veth peer name {peer} netns {}", other.path());
    one.ip_all(&[pair, format!("link set {link} up")]);
    other.ip(&format!("link set {peer} up"));
}

/// Two hosts on one segment: `here` has `eth0`, `there` has `peer0`.
pub struct Pair {
    pub here: Namespace,
    pub there: Namespace,
}

/// The addresses of one family in a [`Pair`].
pub struct Plan {
    /// Of `here`.
    pub own: IpAddr,
    /// Of `here` too: the virtual one.
    pub vip: IpAddr,
    /// Of `there`.
    pub peer: IpAddr,
    /// Of `there` too: one that is excluded, and one that is no destination.
    pub kept: IpAddr,
    pub elsewhere: IpAddr,
}

impl Plan {
    pub fn of(v6: bool) -> Self {
        let ip = |last: u8| match v6 {
            false => IpAddr::from([10, 77, 0, last]),
            true => IpAddr::from([0xfd77, 0, 0, 0, 0, 0, 0, u16::from(last)]),
        };
        Self { own: ip(1), vip: ip(10), peer: ip(2), kept: ip(3), elsewhere: ip(200) }
    }

    fn with_length(ip: IpAddr) -> String {
        format!("{ip}/{}", if ip.is_ipv4() { 24 } else { 64 })
    }
}

impl Pair {
    /// Both with the addresses of both plans.
    pub fn new() -> Self {
        let pair = Self { here: Namespace::new(), there: Namespace::new() };
        connect(&pair.here, "eth0", &pair.there, "peer0");
        for plan in [Plan::of(false), Plan::of(true)] {
            pair.here.address(&Plan::with_length(plan.own), "eth0");
            // Deprecated as a source, so that the kernel does not choose it by itself.
            let host = if plan.vip.is_ipv4() { format!("{}/24", plan.vip) } else { format!("{}/128", plan.vip) };
            let unwanted = if plan.vip.is_ipv6() { "nodad preferred_lft 0" } else { "" };
            pair.here.ip(&format!("address add {host} dev eth0 {unwanted}"));
            for ip in [plan.peer, plan.kept, plan.elsewhere] {
                pair.there.address(&Plan::with_length(ip), "peer0");
            }
        }
        pair
    }

    /// A connection from `here` (from the address `from`, if given) to `to`: both ends, and who the peer sees.
    pub fn connection(&self, from: Option<IpAddr>, to: IpAddr) -> (TcpStream, TcpStream, IpAddr) {
        let listener = self.there.enter(|| TcpListener::bind((to, 0))).unwrap();
        let target = listener.local_addr().unwrap();
        let client = match from {
            None => self.here.enter(|| TcpStream::connect_timeout(&target, Duration::from_secs(3))).unwrap(),
            Some(from) => {
                let command = format!("nc -s {from} -w 2 {} {}", target.ip(), target.port());
                self.here.run(&format!("timeout 3 {command} -z"));
                let (stream, seen) = listener.accept().unwrap();
                return (stream.try_clone().unwrap(), stream, seen.ip());
            }
        };
        let (server, seen) = listener.accept().unwrap();
        (client, server, seen.ip())
    }

    /// The address a peer sees when a new connection is opened to `to`.
    pub fn tcp_source(&self, to: IpAddr) -> IpAddr {
        self.connection(None, to).2
    }

    /// The address a peer sees of a packet from and to UDP port `port`.
    pub fn udp_source(&self, to: IpAddr, port: u16) -> IpAddr {
        let own = Plan::of(to.is_ipv6()).own;
        let receiver = self.there.enter(|| UdpSocket::bind((to, port))).unwrap();
        receiver.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        let sender = self.here.enter(|| UdpSocket::bind((own, port))).unwrap();
        sender.send_to(b"x", SocketAddr::new(to, port)).unwrap();
        receiver.recv_from(&mut [0; 8]).unwrap().1.ip()
    }
}

/// Runs a program that reads `script`, and must succeed.
fn feed(command: &mut Command, script: &str) {
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?} {script}: {}", String::from_utf8_lossy(&output.stderr));
}
