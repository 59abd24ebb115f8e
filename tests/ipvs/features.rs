//! Every feature of IPVS: what is written, what ipvsadm says of it, and what is read again.

use anyhow::{Result, ensure};
use inuvika_ha::sys::ipvs::{Change, Entry, Family, Forwarding, Key, Protocol, RealServer, Service, Tunnel};

use crate::Body;
use crate::bed::{ip, tcp};
use crate::table::{additions, director, persistence, same, server, service};

pub const TRIALS: &[(&str, Body)] = &[
    ("every_feature_is_as_ipvsadm_prints_it_and_is_read_again", every_feature),
    ("every_scheduler_of_the_kernel_is_taken", every_scheduler),
];

/// A service with real servers, and the judge's lines for it.
type Example = (Service, Vec<RealServer>, &'static [&'static str]);

fn examples() -> Vec<Example> {
    use Forwarding::{Direct, Nat, Tunnel as Wrapped};
    let udp = |address: &str, port| Key::Address { protocol: Protocol::Udp, address: ip(address), port };
    let sctp = Key::Address { protocol: Protocol::Sctp, address: ip("192.0.2.1"), port: 9 };
    let mark = |mark, family| Key::Mark { mark, family };
    let gue = |port, checksum| Wrapped(Tunnel::Gue { port, checksum });
    let gre = |checksum| Wrapped(Tunnel::Gre { checksum });
    vec![
        (
            service(tcp("192.0.2.1", 80), "wlc"),
            vec![
                server("10.0.0.1", 8080, Nat),
                RealServer { weight: 0, ..server("10.0.0.2", 8080, Nat) },
                RealServer { weight: 65_535, upper_threshold: 50, lower_threshold: 20, ..server("10.0.0.3", 80, Nat) },
            ],
            &[
                "-A -t 192.0.2.1:80 -s wlc",
                "-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 1",
                "-a -t 192.0.2.1:80 -r 10.0.0.2:8080 -m -w 0",
                "-a -t 192.0.2.1:80 -r 10.0.0.3:80 -m -w 65535",
            ],
        ),
        (
            Service { persistence: persistence(300, 24, None), ..service(tcp("192.0.2.1", 0), "rr") },
            vec![server("10.0.0.1", 0, Direct)],
            &["-A -t 192.0.2.1:0 -s rr -p 300 -M 255.255.255.0", "-a -t 192.0.2.1:0 -r 10.0.0.1:0 -g -w 1"],
        ),
        (
            Service { persistence: persistence(60, 32, None), ..service(tcp("192.0.2.2", 80), "rr") },
            vec![
                server("10.0.0.1", 80, Wrapped(Tunnel::Ipip)),
                server("10.0.0.2", 80, gue(6080, true)),
                server("10.0.0.3", 80, gue(6081, false)),
                server("10.0.0.4", 80, gre(false)),
                server("10.0.0.5", 80, gre(true)),
                server("fd00::6", 80, Wrapped(Tunnel::Ipip)),
            ],
            &[
                "-A -t 192.0.2.2:80 -s rr -p 60",
                "-a -t 192.0.2.2:80 -r 10.0.0.1:80 -i -w 1 --tun-type ipip",
                "-a -t 192.0.2.2:80 -r 10.0.0.2:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum",
                "-a -t 192.0.2.2:80 -r 10.0.0.3:80 -i -w 1 --tun-type gue --tun-port 6081 --tun-nocsum",
                "-a -t 192.0.2.2:80 -r 10.0.0.4:80 -i -w 1 --tun-type gre --tun-nocsum",
                "-a -t 192.0.2.2:80 -r 10.0.0.5:80 -i -w 1 --tun-type gre --tun-csum",
                "-a -t 192.0.2.2:80 -r [fd00::6]:80 -i -w 1 --tun-type ipip",
            ],
        ),
        (
            Service { one_packet: true, ..service(udp("192.0.2.1", 53), "rr") },
            vec![server("10.0.0.1", 53, Nat)],
            &["-A -u 192.0.2.1:53 -s rr -o", "-a -u 192.0.2.1:53 -r 10.0.0.1:53 -m -w 1"],
        ),
        (
            Service { persistence: persistence(90, 32, Some("sip")), ..service(udp("192.0.2.1", 5060), "rr") },
            vec![],
            &["-A -u 192.0.2.1:5060 -s rr -p 90 --pe sip"],
        ),
        (
            service(sctp, "wrr"),
            vec![server("10.0.0.1", 9, Nat)],
            &["-A --sctp-service 192.0.2.1:9 -s wrr", "-a --sctp-service 192.0.2.1:9 -r 10.0.0.1:9 -m -w 1"],
        ),
        (
            Service { scheduler_flags: [true, true, false], ..service(tcp("192.0.2.3", 80), "sh") },
            vec![],
            &["-A -t 192.0.2.3:80 -s sh -b sh-fallback,sh-port"],
        ),
        (
            Service { scheduler_flags: [false, true, true], ..service(tcp("192.0.2.4", 80), "wrr") },
            vec![],
            &["-A -t 192.0.2.4:80 -s wrr -b flag-2,flag-3"],
        ),
        (
            service(mark(7, Family::V4), "rr"),
            vec![server("10.0.0.1", 0, Direct)],
            &["-A -f 7 -s rr", "-a -f 7 -r 10.0.0.1:0 -g -w 1"],
        ),
        (
            service(mark(0x7fff_ffff, Family::V6), "rr"),
            vec![server("fd00::1", 0, Direct)],
            &["-A -f 2147483647 -6 -s rr", "-a -f 2147483647 -6 -r [fd00::1]:0 -g -w 1"],
        ),
        (
            service(tcp("2001:db8::1", 443), "rr"),
            vec![server("10.0.0.1", 443, Wrapped(Tunnel::Ipip)), server("fd00::1", 8443, Nat)],
            &[
                "-A -t [2001:db8::1]:443 -s rr",
                "-a -t [2001:db8::1]:443 -r 10.0.0.1:443 -i -w 1 --tun-type ipip",
                "-a -t [2001:db8::1]:443 -r [fd00::1]:8443 -m -w 1",
            ],
        ),
        (
            Service { persistence: persistence(300, 64, None), ..service(udp("2001:db8::1", 53), "rr") },
            vec![],
            &["-A -u [2001:db8::1]:53 -s rr -p 300 -M 64"],
        ),
    ]
}

fn every_feature() -> Result<()> {
    let host = director();
    let (mut changes, mut lines) = (Vec::new(), Vec::new());
    let mut entries: Vec<Entry> = Vec::new();
    for (service, servers, judged) in examples() {
        changes.extend(additions(&service, &servers));
        lines.extend(judged.iter().map(|line| (*line).to_owned()));
        let mut servers: Vec<_> = servers.into_iter().map(|server| (server, Default::default())).collect();
        servers.sort_by_key(|(server, _)| (server.address, server.port));
        entries.push(Entry { service, servers });
    }
    host.must(&changes)?;
    lines.sort();
    same(&host.rules(), &lines)?;
    // ipvsadm does not save thresholds.
    ensure!(host.thresholds("10.0.0.3:80")? == (50, 20) && host.thresholds("10.0.0.2:8080")? == (0, 0));
    entries.sort_by_key(|entry| entry.service.key);
    same(&host.list()?, &entries)
}

fn every_scheduler() -> Result<()> {
    let host = director();
    let names = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "fo", "ovf"];
    let services = names.iter().zip(1..).map(|(name, port)| service(tcp("192.0.2.1", port), name));
    let changes: Vec<_> = services.clone().map(Change::AddService).collect();
    host.must(&changes)?;
    let lines: Vec<_> = names.iter().zip(1..).map(|(name, port)| format!("-A -t 192.0.2.1:{port} -s {name}")).collect();
    let rules = host.rules();
    ensure!(rules.len() == lines.len() && lines.iter().all(|line| rules.contains(line)), "{rules:#?}");
    let listed: Vec<_> = host.list()?.into_iter().map(|entry| entry.service).collect();
    same(&listed, &services.collect::<Vec<_>>())
}
