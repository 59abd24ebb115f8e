//! ARP probes (RFC 5227) and the claims that answer them.

use std::net::{IpAddr, Ipv4Addr};

use pnet::datalink::MacAddr;
use pnet::packet::Packet;
use pnet::packet::arp::{ArpHardwareTypes, ArpOperations, ArpPacket, MutableArpPacket};
use pnet::packet::ethernet::{EtherTypes, EthernetPacket, MutableEthernetPacket};

use super::Mac;

/// ARP's EtherType.
pub const ETHERTYPE: u16 = 0x0806;

/// A frame that asks all hosts for `target` without telling an address of our own.
pub fn probe(mac: Mac, target: Ipv4Addr) -> Vec<u8> {
    let mut body = vec![0; ArpPacket::minimum_packet_size()];
    if let Some(mut arp) = MutableArpPacket::new(&mut body) {
        arp.set_hardware_type(ArpHardwareTypes::Ethernet);
        arp.set_protocol_type(EtherTypes::Ipv4);
        arp.set_hw_addr_len(6);
        arp.set_proto_addr_len(4);
        arp.set_operation(ArpOperations::Request);
        arp.set_sender_hw_addr(MacAddr::from(mac));
        arp.set_sender_proto_addr(Ipv4Addr::UNSPECIFIED);
        arp.set_target_hw_addr(MacAddr::zero());
        arp.set_target_proto_addr(target);
    }
    let mut frame = vec![0; EthernetPacket::minimum_packet_size() + body.len()];
    if let Some(mut ethernet) = MutableEthernetPacket::new(&mut frame) {
        ethernet.set_destination(MacAddr::broadcast());
        ethernet.set_source(MacAddr::from(mac));
        ethernet.set_ethertype(EtherTypes::Arp);
        ethernet.set_payload(&body);
    }
    frame
}

/// Who says in this frame that it has `address`: in a reply, or unasked in a gratuitous request.
pub fn claimed_by(frame: &[u8], address: IpAddr) -> Option<Mac> {
    let ethernet = EthernetPacket::new(frame).filter(|ethernet| ethernet.get_ethertype() == EtherTypes::Arp)?;
    let arp = ArpPacket::new(ethernet.payload())?;
    let is_ours = arp.get_hardware_type() == ArpHardwareTypes::Ethernet
        && arp.get_protocol_type() == EtherTypes::Ipv4
        && IpAddr::V4(arp.get_sender_proto_addr()) == address;
    is_ours.then(|| arp.get_sender_hw_addr().octets())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    const ME: Mac = [2, 0, 0, 0, 0, 1];
    const OTHER: Mac = [2, 0, 0, 0, 0, 2];
    const VIP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);

    #[test]
    fn a_probe_has_the_bytes_of_the_standard() {
        let mut expected = vec![0xff; 6];
        expected.extend(ME);
        expected.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
        expected.extend(ME);
        expected.extend([0; 10]);
        expected.extend(VIP.octets());
        assert_eq!(probe(ME, VIP), expected);
    }

    #[test]
    fn replies_and_gratuitous_requests_claim_and_probes_do_not() {
        let mut reply = probe(OTHER, Ipv4Addr::UNSPECIFIED);
        reply[28..32].copy_from_slice(&VIP.octets());
        assert_eq!(claimed_by(&reply, VIP.into()), Some(OTHER), "gratuitous request");
        reply[21] = 2;
        assert_eq!(claimed_by(&reply, VIP.into()), Some(OTHER), "reply");
        assert_eq!(claimed_by(&reply, "192.0.2.11".parse().unwrap()), None);
        assert_eq!(claimed_by(&probe(OTHER, VIP), VIP.into()), None);
        for length in 0..reply.len() {
            assert_eq!(claimed_by(&reply[..length], VIP.into()), None, "{length} bytes");
        }
    }
}
