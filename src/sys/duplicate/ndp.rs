//! Neighbour solicitations for duplicate address detection (RFC 4861, RFC 4862) and the advertisements that answer.

use std::net::{IpAddr, Ipv6Addr};

use pnet::datalink::MacAddr;
use pnet::packet::Packet;
use pnet::packet::ethernet::{EtherTypes, EthernetPacket, MutableEthernetPacket};
use pnet::packet::icmpv6::ndp::{MutableNeighborSolicitPacket, NeighborSolicitPacket};
use pnet::packet::icmpv6::{Icmpv6Packet, Icmpv6Types, checksum};
use pnet::packet::ip::IpNextHeaderProtocols;
use pnet::packet::ipv6::{Ipv6Packet, MutableIpv6Packet};

use super::Mac;

/// IPv6's EtherType.
pub const ETHERTYPE: u16 = 0x86dd;
/// Messages that came through a router have less, and are not from this segment.
const HOP_LIMIT: u8 = 255;
/// Length of an advertisement before its options, without type, code and checksum.
const BODY: usize = 20;

/// A frame that asks the holder of `target`, without telling an address of our own.
pub fn solicitation(mac: Mac, target: Ipv6Addr) -> Vec<u8> {
    let group = solicited_node(target);
    let mut message = vec![0; NeighborSolicitPacket::minimum_packet_size()];
    if let Some(mut solicit) = MutableNeighborSolicitPacket::new(&mut message) {
        solicit.set_icmpv6_type(Icmpv6Types::NeighborSolicit);
        solicit.set_target_addr(target);
    }
    let sum = Icmpv6Packet::new(&message).map(|packet| checksum(&packet, &Ipv6Addr::UNSPECIFIED, &group));
    if let Some(mut solicit) = MutableNeighborSolicitPacket::new(&mut message) {
        solicit.set_checksum(sum.unwrap_or_default());
    }

    let mut packet = vec![0; Ipv6Packet::minimum_packet_size() + message.len()];
    if let Some(mut ip) = MutableIpv6Packet::new(&mut packet) {
        ip.set_version(6);
        ip.set_payload_length(message.len() as u16);
        ip.set_next_header(IpNextHeaderProtocols::Icmpv6);
        ip.set_hop_limit(HOP_LIMIT);
        ip.set_source(Ipv6Addr::UNSPECIFIED);
        ip.set_destination(group);
        ip.set_payload(&message);
    }

    let [.., a, b, c, d] = group.octets();
    let mut frame = vec![0; EthernetPacket::minimum_packet_size() + packet.len()];
    if let Some(mut ethernet) = MutableEthernetPacket::new(&mut frame) {
        ethernet.set_destination(MacAddr::new(0x33, 0x33, a, b, c, d));
        ethernet.set_source(MacAddr::from(mac));
        ethernet.set_ethertype(EtherTypes::Ipv6);
        ethernet.set_payload(&packet);
    }
    frame
}

/// The group that every holder of `target` listens to: ff02::1:ff00:0 with the last three bytes of the address.
fn solicited_node(target: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = target.octets();
    Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c])
}

/// Who advertises `address` in this frame: the hardware address in the message, else the frame's sender.
///
/// The options are read by hand: pnet's arithmetic on their length field overflows for values above 31.
pub fn claimed_by(frame: &[u8], address: IpAddr) -> Option<Mac> {
    let ethernet = EthernetPacket::new(frame).filter(|ethernet| ethernet.get_ethertype() == EtherTypes::Ipv6)?;
    let ip = Ipv6Packet::new(ethernet.payload())?;
    if ip.get_next_header() != IpNextHeaderProtocols::Icmpv6 || ip.get_hop_limit() != HOP_LIMIT {
        return None;
    }
    let message = Icmpv6Packet::new(ip.payload())?;
    if message.get_icmpv6_type() != Icmpv6Types::NeighborAdvert {
        return None;
    }
    let body = message.payload();
    let (_, target) = body.get(..BODY)?.split_last_chunk::<16>()?;
    if IpAddr::from(*target) != address {
        return None;
    }
    Some(target_mac(body.get(BODY..)?).unwrap_or(ethernet.get_source().octets()))
}

/// The option "target link-layer address" (2), whose length is counted in units of eight bytes.
fn target_mac(mut options: &[u8]) -> Option<Mac> {
    const TARGET: u8 = 2;
    while let [kind, units, value @ ..] = options {
        if *kind == TARGET && *units == 1 {
            return value.first_chunk().copied();
        }
        if *units == 0 {
            return None;
        }
        options = options.get(usize::from(*units) * 8..)?;
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    const ME: Mac = [2, 0, 0, 0, 0, 1];
    const OTHER: Mac = [2, 0, 0, 0, 0, 2];

    fn vip() -> Ipv6Addr {
        "2001:db8::12:3456".parse().unwrap()
    }

    /// An advertisement made from a solicitation, whose fields lie at the same places.
    fn advertisement(options: &[u8]) -> Vec<u8> {
        let mut frame = solicitation(OTHER, vip());
        frame[54] = 136;
        frame.extend(options);
        let length = (frame.len() - 54) as u16;
        frame[18..20].copy_from_slice(&length.to_be_bytes());
        frame
    }

    #[test]
    fn a_solicitation_goes_to_the_holders_group() {
        let frame = solicitation(ME, vip());
        assert_eq!(frame[..6], [0x33, 0x33, 0xff, 0x12, 0x34, 0x56]);
        assert_eq!(frame[22..38], [0; 16], "from nobody");
        assert_eq!(frame[38..54], "ff02::1:ff12:3456".parse::<Ipv6Addr>().unwrap().octets());
        assert_eq!((frame.len(), frame[21], frame[54]), (78, 255, 135));
        assert_eq!(frame[62..78], vip().octets());
    }

    #[test]
    fn advertisements_claim_and_solicitations_do_not() {
        let third = [2, 0, 0, 0, 0, 3];
        let option = [&[2, 1], third.as_slice()].concat();
        assert_eq!(claimed_by(&advertisement(&[]), vip().into()), Some(OTHER));
        assert_eq!(claimed_by(&advertisement(&option), vip().into()), Some(third));
        assert_eq!(
            claimed_by(&advertisement(&[[14, 1, 0, 0, 0, 0, 0, 0].as_slice(), &option].concat()), vip().into()),
            Some(third)
        );
        assert_eq!(claimed_by(&advertisement(&option), "2001:db8::1".parse().unwrap()), None);
        assert_eq!(claimed_by(&solicitation(OTHER, vip()), vip().into()), None);
        let mut routed = advertisement(&option);
        routed[21] = 64;
        assert_eq!(claimed_by(&routed, vip().into()), None);
    }

    #[test]
    fn broken_frames_are_passed_over() {
        for options in [&[2][..], &[2, 0, 1], &[1, 255, 0], &[9, 32, 0, 0], &[2, 1, 1, 1]] {
            assert_eq!(claimed_by(&advertisement(options), vip().into()), Some(OTHER), "{options:?}");
        }
        let whole = advertisement(&[]);
        for length in 0..whole.len() {
            assert_eq!(claimed_by(&whole[..length], vip().into()), None, "{length} bytes");
        }
    }
}
