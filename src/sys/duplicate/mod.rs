//! Does another host on the segment have this address? Asked on the wire, as a host does before it takes an address.
//!
//! IPv4: ARP probes (RFC 5227, 2.1.1), with the sender 0.0.0.0 so that nobody's neighbour table changes. IPv6: neighbour
//! solicitations from `::` (RFC 4862, 5.4.2), which every holder must answer to all nodes.
//!
//! All of pnet is in this module, so that it can be replaced in one place.

mod arp;
mod ndp;

use std::io;
use std::net::IpAddr;
use std::os::fd::IntoRawFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use pnet::datalink::{self, Channel, ChannelType, Config, DataLinkReceiver, DataLinkSender, MacAddr, NetworkInterface};

use super::links::Link;
use crate::ocf::deadline::Deadline;

/// Between the two probes: a frame that gets lost costs one, not both.
const SECOND_PROBE: Duration = Duration::from_millis(100);
/// How long answers are waited for, from the first probe on.
const WINDOW: Duration = Duration::from_millis(250);
/// The longest wait for one frame; the deadline is looked at in between.
const FRAME_WAIT: Duration = Duration::from_millis(10);

/// A hardware address of Ethernet.
pub type Mac = [u8; 6];

/// The hardware address of another host that claims `address` on the segment of `link`; `None` when nobody does within
/// 250 ms, and at once when the link is down, has no carrier, or is not Ethernet.
///
/// Claims from `own_macs` do not count: a second link on the same segment, or one that answers for all of the host's
/// addresses (the kernel's `arp_ignore=0`), is this host. Pass [`super::links::local_macs`]. Probes of others for the same
/// address do not count either: who asks does not have it.
///
/// # Errors
/// `TimedOut` when the deadline leaves no time to ask, else what the kernel says, with its errno.
pub fn other_holder(link: &Link, address: IpAddr, own_macs: &[Mac], deadline: &Deadline) -> io::Result<Option<Mac>> {
    let Some(mac) = link.mac.filter(|_| link.up && link.carrier && link.ethernet) else { return Ok(None) };
    // Without ARP a link has no IPv4 neighbours to ask; neighbour discovery is switched off by the same flag.
    if link.no_arp {
        return Ok(None);
    }
    if deadline.passed() {
        return Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("ask {} who has {address}: no time left", link.name),
        ));
    }
    let question = Question::new(address, mac);
    let window = deadline.within(WINDOW);
    let (mut sender, mut receiver) = open(link, question.protocol)?;

    let mut probes = 0;
    while !window.passed() {
        let due = SECOND_PROBE * probes;
        if probes < 2 && window.used() >= due {
            probes += 1;
            match sender.send_to(&question.frame, None) {
                Some(sent) => sent?,
                None => return Err(io::Error::from_raw_os_error(Errno::EMSGSIZE as i32)),
            }
        }
        let claim = match receiver.next() {
            Ok(frame) => (question.claimed_by)(frame, address),
            Err(error) if is_pause(&error) => None,
            Err(error) => return Err(error),
        };
        if let Some(other) = claim.filter(|other| !own_macs.contains(other) && *other != mac) {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// What is asked, and how an answer is told.
struct Question {
    /// The EtherType to listen to.
    protocol: u16,
    frame: Vec<u8>,
    /// Who claims the address in this frame.
    claimed_by: fn(&[u8], IpAddr) -> Option<Mac>,
}

impl Question {
    fn new(address: IpAddr, mac: Mac) -> Self {
        match address {
            IpAddr::V4(address) => {
                Self { protocol: arp::ETHERTYPE, frame: arp::probe(mac, address), claimed_by: arp::claimed_by }
            }
            IpAddr::V6(address) => {
                Self { protocol: ndp::ETHERTYPE, frame: ndp::solicitation(mac, address), claimed_by: ndp::claimed_by }
            }
        }
    }
}

type Ends = (Box<dyn DataLinkSender>, Box<dyn DataLinkReceiver>);

/// Opens a packet socket that gets whole frames of one protocol only: with all frames of a busy link its buffer would
/// overflow before the answer comes. pnet binds to the protocol of a "layer 3" channel, and takes the socket's type from
/// the socket it is given.
fn open(link: &Link, protocol: u16) -> io::Result<Ends> {
    // Protocol none: nothing arrives before pnet binds it.
    let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None)?;
    let config = Config {
        read_timeout: Some(FRAME_WAIT),
        write_timeout: Some(FRAME_WAIT),
        channel_type: ChannelType::Layer3(protocol),
        promiscuous: false,
        socket_fd: Some(socket.into_raw_fd()), // pnet closes it, also when opening the channel fails
        ..Config::default()
    };
    match datalink::channel(&interface(link), config)? {
        Channel::Ethernet(sender, receiver) => Ok((sender, receiver)),
        _ => Err(io::Error::other(format!("open packet socket on {}: unknown kind of channel", link.name))),
    }
}

/// The link as pnet wants it: number and hardware address are what it uses.
fn interface(link: &Link) -> NetworkInterface {
    NetworkInterface {
        name: link.name.clone(),
        description: String::new(),
        index: link.index,
        mac: link.mac.map(MacAddr::from),
        ips: Vec::new(),
        flags: 0,
    }
}

/// Whether an error only says that no frame has come yet.
fn is_pause(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), TimedOut | WouldBlock | Interrupted)
}
