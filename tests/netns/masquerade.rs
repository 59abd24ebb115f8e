//! Clients on the network of the real servers. nft stands in for IPVS: it sends what comes to the virtual address to a real
//! server, and connection tracking knows what it was sent to, as it does of IPVS with `net.ipv4.vs.conntrack = 1`.

use std::net::{IpAddr, TcpListener, TcpStream};
use std::time::Duration;

use inuvika_ha::sys::nft::{self, Masquerade};
use inuvika_ha::sys::source_nat::Found;

use super::support::{Namespace, connect};

const PORT: u16 = 8080;

/// A client, a director and a real server, each on a link with the director.
struct Site {
    client: Namespace,
    director: Namespace,
    server: Namespace,
    v6: bool,
}

impl Site {
    fn new(v6: bool) -> Self {
        let site = Self { client: Namespace::new(), director: Namespace::new(), server: Namespace::new(), v6 };
        connect(&site.client, "eth0", &site.director, "eth0");
        connect(&site.server, "eth0", &site.director, "eth1");
        let length = if v6 { 64 } else { 24 };
        for (host, ip, link) in [
            (&site.client, site.ip(1, 9), "eth0"),
            (&site.director, site.ip(1, 1), "eth0"),
            (&site.director, site.ip(2, 1), "eth1"),
            (&site.server, site.ip(2, 7), "eth0"),
        ] {
            host.address(&format!("{ip}/{length}"), link);
        }
        for (host, net) in [(&site.client, 1), (&site.server, 2)] {
            host.ip(&format!("route add default via {}", site.ip(net, 1)));
        }
        let forwarding = if v6 { "net/ipv6/conf/all/forwarding" } else { "net/ipv4/ip_forward" };
        site.director.enter(|| std::fs::write(format!("/proc/sys/{forwarding}"), "1")).unwrap();
        let (family, name) = if v6 { ("ip6", "[{}]") } else { ("ip", "{}") };
        let to = name.replace("{}", &site.ip(2, 7).to_string());
        site.director.nft(&format!(
            "table {family} balancer {{ chain in {{ type nat hook prerouting priority -100; \
             {family} daddr {} tcp dport {PORT} dnat to {to}:{PORT}; }}; }}",
            site.virtual_address()
        ));
        site
    }

    fn ip(&self, net: u8, host: u8) -> IpAddr {
        match self.v6 {
            false => IpAddr::from([10, 78, net, host]),
            true => IpAddr::from([0xfd78, 0, 0, u16::from(net), 0, 0, 0, u16::from(host)]),
        }
    }

    fn virtual_address(&self) -> IpAddr {
        self.ip(1, 100)
    }

    fn wanted(&self) -> Masquerade {
        let clients = if self.v6 { "fd78:0:0:1::/64" } else { "10.78.1.0/24" };
        Masquerade {
            name: "inuvika_test".into(),
            virtual_addresses: vec![self.virtual_address()],
            clients: vec![clients.parse().unwrap()],
            servers: vec![self.ip(2, 7), self.ip(2, 8)],
        }
    }

    /// Who the real server sees when somebody connects to this address.
    fn seen(&self, from: &Namespace, to: IpAddr) -> IpAddr {
        let listener = self.server.enter(|| TcpListener::bind((self.ip(2, 7), PORT))).unwrap();
        let limit = Duration::from_secs(5);
        let client = from.enter(|| TcpStream::connect_timeout(&(to, PORT).into(), limit)).unwrap();
        let seen = listener.accept().unwrap().1.ip();
        drop(client);
        seen
    }
}

#[test]
fn a_real_server_sees_the_director_instead_of_a_near_client() {
    for v6 in [false, true] {
        let site = Site::new(v6);
        let (director, wanted) = (&site.director, site.wanted());
        let host = if v6 { "128" } else { "32" };
        director.address(&format!("{}/{host}", site.virtual_address()), "eth0");
        assert_eq!(director.enter(|| wanted.inspect()).unwrap(), Found::Absent);
        assert_eq!(site.seen(&site.client, site.virtual_address()), site.ip(1, 9));

        director.enter(|| wanted.apply()).unwrap();
        assert_eq!(director.enter(|| wanted.inspect()).unwrap(), Found::Equal { packets: 0 });
        assert_eq!(site.seen(&site.client, site.virtual_address()), site.ip(2, 1));
        assert_eq!(director.enter(|| wanted.inspect()).unwrap(), Found::Equal { packets: 1 });
        // Who asks the real server by its own name is who he is.
        assert_eq!(site.seen(&site.client, site.ip(2, 7)), site.ip(1, 9));

        // A client from elsewhere is left alone.
        let elsewhere = if v6 { "2001:db8::/64" } else { "198.51.100.0/24" };
        let elsewhere = Masquerade { clients: vec![elsewhere.parse().unwrap()], ..wanted.clone() };
        assert!(matches!(director.enter(|| elsewhere.inspect()).unwrap(), Found::Differs(_)));
        director.enter(|| elsewhere.apply()).unwrap();
        assert_eq!(site.seen(&site.client, site.virtual_address()), site.ip(1, 9));

        let nothing = Masquerade { servers: Vec::new(), ..wanted.clone() };
        let family = if v6 { "IPv6" } else { "IPv4" };
        let left = Found::Differs(format!("a table for {family} is there"));
        assert_eq!(director.enter(|| nothing.inspect()).unwrap(), left);
        director.enter(|| nothing.apply()).unwrap();
        assert_eq!(director.enter(|| nothing.inspect()).unwrap(), Found::Equal { packets: 0 });
        assert!(!director.run("nft list ruleset").contains("inuvika_test"));

        director.enter(|| wanted.apply()).unwrap();
        assert!(director.enter(|| nft::remove(&wanted.name)).unwrap());
        assert_eq!(director.enter(|| wanted.inspect()).unwrap(), Found::Absent);
    }
}

/// What nft lists, it has to be able to read again.
#[test]
fn the_table_of_near_clients_survives_being_saved() {
    for v6 in [false, true] {
        let site = Site::new(v6);
        let (director, wanted) = (&site.director, site.wanted());
        director.enter(|| wanted.apply()).unwrap();
        let listed = director.run("nft list ruleset");
        let rule = "daddr @virtual ip6 saddr @clients ip6 daddr @servers counter packets 0 bytes 0 masquerade";
        let rule = if v6 { rule.to_owned() } else { rule.replace("ip6", "ip") };
        assert!(listed.contains(&format!("ct original {} {rule}", if v6 { "ip6" } else { "ip" })), "{listed}");
        director.run("nft flush ruleset");
        director.nft(&listed);
        assert_eq!(director.enter(|| wanted.inspect()).unwrap(), Found::Equal { packets: 0 });
        director.nft(&format!("add rule {} inuvika_test postrouting accept", if v6 { "ip6" } else { "ip" }));
        assert!(matches!(director.enter(|| wanted.inspect()).unwrap(), Found::Differs(_)));
    }
}
