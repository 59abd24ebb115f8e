//! What is sent and what is read, byte by byte, without a kernel: `tests/ipvs` asks a real one.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use nix::errno::Errno;
use proptest::prelude::*;

use crate::sys::netlink::{Attributes, Writer, attribute};

use super::wire::{part, read_server, read_service};
use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn web() -> Service {
    Service {
        key: Key::Address { protocol: Protocol::Tcp, address: ip("192.0.2.1"), port: 80 },
        scheduler: "wlc".into(),
        scheduler_flags: [false; 3],
        one_packet: false,
        persistence: None,
    }
}

fn server(address: &str, port: u16) -> RealServer {
    let forwarding = Forwarding::Nat;
    RealServer { address: ip(address), port, forwarding, weight: 1, upper_threshold: 0, lower_threshold: 0 }
}

fn written(change: &Change) -> Vec<u8> {
    let mut writer = Writer::default();
    change.write(&mut writer);
    writer.bytes().to_vec()
}

#[cfg(target_endian = "little")]
#[test]
fn a_service_is_written_as_the_kernel_reads_it() {
    let mut service = web();
    service.scheduler_flags = [true, false, true];
    service.persistence =
        Some(Persistence { timeout: Duration::from_secs(300), prefix: 24, engine: Some("sip".into()) });
    #[rustfmt::skip]
    let expected = [
        92, 0, 1, 0x80,
        6, 0, 1, 0, 2, 0, 0, 0,
        6, 0, 2, 0, 6, 0, 0, 0,
        20, 0, 3, 0, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        6, 0, 4, 0, 0, 80, 0, 0,
        8, 0, 6, 0, b'w', b'l', b'c', 0,
        12, 0, 7, 0, 1 + 8 + 0x20, 0, 0, 0, 255, 255, 255, 255,
        8, 0, 8, 0, 44, 1, 0, 0,
        8, 0, 9, 0, 255, 255, 255, 0,
        8, 0, 11, 0, b's', b'i', b'p', 0,
    ];
    assert_eq!(written(&Change::AddService(service.clone())), expected);
    assert_eq!(written(&Change::EditService(service)), expected);
}

#[cfg(target_endian = "little")]
#[test]
fn a_server_is_written_as_the_kernel_reads_it() {
    let key = Key::Mark { mark: 0x0102_0304, family: Family::V4 };
    let mut server = server("2001:db8::5", 8080);
    server.forwarding = Forwarding::Tunnel(Tunnel::Gue { port: 6080, checksum: true });
    (server.weight, server.upper_threshold, server.lower_threshold) = (256, 50, 20);
    #[rustfmt::skip]
    let service = [20, 0, 1, 0x80, 6, 0, 1, 0, 2, 0, 0, 0, 8, 0, 5, 0, 4, 3, 2, 1];
    #[rustfmt::skip]
    let which = [
        6, 0, 11, 0, 10, 0, 0, 0,
        20, 0, 1, 0, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5,
        6, 0, 2, 0, 0x1f, 0x90, 0, 0,
    ];
    #[rustfmt::skip]
    let what = [
        8, 0, 3, 0, 2, 0, 0, 0,
        8, 0, 4, 0, 0, 1, 0, 0,
        8, 0, 5, 0, 50, 0, 0, 0,
        8, 0, 6, 0, 20, 0, 0, 0,
        5, 0, 13, 0, 1, 0, 0, 0,
        6, 0, 14, 0, 0x17, 0xc0, 0, 0,
        6, 0, 15, 0, 1, 0, 0, 0,
    ];
    let whole = [&service[..], &[96, 0, 2, 0x80], &which, &what].concat();
    assert_eq!(written(&Change::AddServer(key, server)), whole);
    let gone = [&service[..], &[40, 0, 2, 0x80], &which].concat();
    assert_eq!(written(&Change::DeleteServer(key, server.address, server.port)), gone);
    assert_eq!(written(&Change::DeleteService(key)), service);
}

#[test]
fn a_service_without_persistence_has_the_whole_address_as_its_mask() {
    for (address, mask) in [("192.0.2.1", u32::MAX), ("2001:db8::1", 128)] {
        let key = Key::Address { protocol: Protocol::Udp, address: ip(address), port: 53 };
        let bytes = written(&Change::AddService(Service { key, ..web() }));
        let mask_attribute = attribute(attribute(&bytes, part::SERVICE).unwrap(), 9).unwrap();
        assert_eq!(mask_attribute, mask.to_ne_bytes(), "{address}");
    }
}

#[test]
fn a_server_without_a_family_has_that_of_its_service() {
    // Before 3.18: no family (11), no 64-bit counters, no tunnel type.
    let mut reply = Writer::default();
    let mut address = [0; 16];
    address[..4].copy_from_slice(&[10, 0, 0, 1]);
    reply.attribute(1, &address);
    reply.attribute(2, &80u16.to_be_bytes());
    for (kind, value) in [(3, 2u32), (4, 7), (5, 0), (6, 0), (7, 11), (8, 12), (9, 13)] {
        reply.attribute(kind, &value.to_ne_bytes());
    }
    let (found, connections) = read_server(reply.bytes(), Family::V4).unwrap();
    assert_eq!(found.address, ip("10.0.0.1"));
    assert_eq!((found.forwarding, found.weight), (Forwarding::Tunnel(Tunnel::Ipip), 7));
    assert_eq!(connections, Connections { active: 11, inactive: 12, persistent: 13 });
    assert_eq!(read_server(reply.bytes(), Family::V6).unwrap().0.address, ip("a00:1::"));
}

#[test]
fn what_the_kernel_adds_is_no_difference() {
    let bytes = written(&Change::AddService(web()));
    let mut hashed = attribute(&bytes, part::SERVICE).unwrap().to_vec();
    // IP_VS_SVC_F_HASHED in the flags, and a timeout that means nothing without persistence.
    let flags = hashed.windows(4).position(|at| at == [12, 0, 7, 0]);
    if let Some(at) = flags {
        hashed[at + 4] |= 2;
    }
    assert_eq!(read_service(&hashed), Some(web()));
}

#[test]
fn what_makes_no_sense_is_left_out() {
    let bytes = written(&Change::AddService(web()));
    let good = attribute(&bytes, part::SERVICE).unwrap();
    for kind in [1, 2] {
        let mut bad = Writer::default();
        for (found, value) in Attributes(good) {
            bad.attribute(found, if found == kind { &[99, 99] } else { value });
        }
        assert_eq!(read_service(bad.bytes()), None, "attribute {kind}");
    }
    assert_eq!(read_service(&[]), None);
    assert_eq!(read_server(&[], Family::V4), None);
}

#[test]
fn errors_are_explained_in_one_line_with_a_remedy() {
    let mut persistent = web();
    persistent.persistence =
        Some(Persistence { timeout: Duration::from_secs(1), prefix: 32, engine: Some("sip".into()) });
    let key = web().key;
    let other_family = server("2001:db8::5", 80);
    for (change, errno, part) in [
        (Change::AddService(web()), Errno::ENOENT, "modprobe ip_vs_wlc"),
        (Change::EditService(persistent), Errno::ENOENT, "ip_vs_pe_sip"),
        (Change::EditService(web()), Errno::ESRCH, "edit service tcp 192.0.2.1:80: there is no such service"),
        (Change::AddService(web()), Errno::EEXIST, "is there already"),
        (Change::AddServer(key, server("10.0.0.1", 80)), Errno::EEXIST, "add server 10.0.0.1:80 of tcp 192.0.2.1:80"),
        (Change::AddServer(key, server("10.0.0.1", 80)), Errno::EINVAL, "not the address of one host"),
        (
            Change::AddServer(key, other_family),
            Errno::EINVAL,
            "[2001:db8::5]:80 of tcp 192.0.2.1:80: a server of the other",
        ),
        (Change::DeleteServer(key, ip("10.0.0.1"), 80), Errno::ENOENT, "no such server"),
        (Change::EditServer(key, server("10.0.0.1", 80)), Errno::ERANGE, "out of range"),
        (Change::DeleteService(key), Errno::EPERM, "CAP_NET_ADMIN"),
        (Change::DeleteService(Key::Mark { mark: 7, family: Family::V6 }), Errno::EIO, "mark 7 (IPv6): "),
    ] {
        let text = explain(&change, &io::Error::from_raw_os_error(errno as i32));
        assert!(text.contains(part), "{text:?} lacks {part:?}");
        assert!(!text.contains('\n') && text.len() <= 160, "{text:?}");
    }
    let none = io::Error::new(io::ErrorKind::Unsupported, NoIpvs);
    assert!(NoIpvs::is(&none) && !NoIpvs::is(&io::Error::from_raw_os_error(2)));
    assert!(explain(&Change::DeleteService(key), &none).contains("modprobe ip_vs"));
}

fn any_address(v6: bool) -> BoxedStrategy<IpAddr> {
    if v6 { any::<[u8; 16]>().prop_map(IpAddr::from).boxed() } else { any::<[u8; 4]>().prop_map(IpAddr::from).boxed() }
}

fn any_key() -> impl Strategy<Value = Key> {
    let protocol = prop_oneof![Just(Protocol::Tcp), Just(Protocol::Udp), Just(Protocol::Sctp)];
    let address = any::<bool>().prop_flat_map(any_address);
    prop_oneof![
        (protocol, address, any::<u16>()).prop_map(|(protocol, address, port)| Key::Address {
            protocol,
            address,
            port
        }),
        (any::<u32>(), any::<bool>())
            .prop_map(|(mark, v6)| Key::Mark { mark, family: if v6 { Family::V6 } else { Family::V4 } }),
    ]
}

fn any_service() -> impl Strategy<Value = Service> {
    let persistence = proptest::option::of((any::<u32>(), 1..=128u8, proptest::option::of("[a-z]{1,15}")));
    (any_key(), "[a-z]{1,15}", any::<[bool; 3]>(), any::<bool>(), persistence).prop_map(
        |(key, scheduler, scheduler_flags, one_packet, persistence)| {
            let persistence = persistence.map(|(timeout, prefix, engine)| Persistence {
                timeout: Duration::from_secs(timeout.into()),
                prefix: prefix.min(key.family().bits()),
                engine,
            });
            Service { key, scheduler, scheduler_flags, one_packet, persistence }
        },
    )
}

fn any_server() -> impl Strategy<Value = RealServer> {
    let tunnel = prop_oneof![
        Just(Tunnel::Ipip),
        (any::<u16>(), any::<bool>()).prop_map(|(port, checksum)| Tunnel::Gue { port, checksum }),
        any::<bool>().prop_map(|checksum| Tunnel::Gre { checksum }),
    ];
    let forwarding = prop_oneof![
        Just(Forwarding::Nat),
        Just(Forwarding::Direct),
        Just(Forwarding::Local),
        Just(Forwarding::Bypass),
        tunnel.prop_map(Forwarding::Tunnel),
    ];
    let address = any::<bool>().prop_flat_map(any_address);
    (address, any::<u16>(), forwarding, any::<[u32; 3]>()).prop_map(|(address, port, forwarding, numbers)| {
        let [weight, upper_threshold, lower_threshold] = numbers;
        RealServer { address, port, forwarding, weight, upper_threshold, lower_threshold }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again(service in any_service(), server in any_server()) {
        let bytes = written(&Change::AddService(service.clone()));
        prop_assert_eq!(read_service(attribute(&bytes, part::SERVICE).unwrap()), Some(service.clone()));
        let bytes = written(&Change::AddServer(service.key, server));
        let read = read_server(attribute(&bytes, part::DEST).unwrap(), service.key.family());
        prop_assert_eq!(read, Some((server, Connections::default())));
    }

    #[test]
    fn cut_and_damaged_replies_never_panic(
        service in any_service(),
        server in any_server(),
        end in 0..200usize,
        (at, byte) in (0..200usize, any::<u8>()),
        noise in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let key = service.key;
        for bytes in [written(&Change::AddService(service)), written(&Change::AddServer(key, server)), noise] {
            let mut damaged = bytes.clone();
            if let Some(place) = damaged.get_mut(at) {
                *place = byte;
            }
            for reply in [&bytes[..end.min(bytes.len())], &damaged] {
                for inner in std::iter::once(reply).chain(Attributes(reply).map(|(_, value)| value)) {
                    let _ = (read_service(inner), read_server(inner, Family::V4), read_server(inner, Family::V6));
                }
            }
        }
    }
}
