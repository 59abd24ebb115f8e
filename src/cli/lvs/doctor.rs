//! `inuvika-ha lvs doctor`: why a client gets no answer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use clap::Args;

use super::{Failure, print, refused};
use crate::agents::lvs_director::by_hand::{Director, Place, place};
use crate::director::farm::Farm;
use crate::director::name;
use crate::ocf::exit::Failure as Refusal;
use crate::sys::ipvs::{Forwarding, Key};

/// Explain the way of a client's packets and of the answers, and what is missing on this director
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// The client's address
    #[arg(long, value_name = "CLIENT")]
    from: IpAddr,
    /// The resource; default: the only director that was started on this host
    #[arg(long, value_name = "RESOURCE")]
    instance: Option<String>,
}

impl Doctor {
    pub(super) fn run(self) -> Result<(), Failure> {
        let name = super::only(self.instance.as_deref())?;
        let director = Director::new(&name, &[]).map_err(refused)?;
        let (farm, report) = director.farm().and_then(|farm| Ok((farm, director.look()?))).map_err(refused)?;
        let mut text = String::new();
        // Writing to a String cannot fail.
        let pending = report.pending.iter().map(name::change);
        for line in pending.chain(report.notes).chain(report.reason) {
            let _ = writeln!(text, "to look at: {line}");
        }
        for line in lines(&farm, self.from).map_err(refused)? {
            let _ = writeln!(text, "{line}");
        }
        print(&text)
    }
}

/// The ways, by virtual address and forwarding.
fn lines(farm: &Farm, client: IpAddr) -> Result<Vec<String>, Refusal> {
    let mut ways: BTreeMap<(IpAddr, &str), Vec<IpAddr>> = BTreeMap::new();
    for service in &farm.services {
        let Key::Address { address, .. } = service.service.key else { continue };
        for wanted in service.servers.iter().filter(|_| address.is_ipv4() == client.is_ipv4()) {
            let word = match wanted.server.forwarding {
                Forwarding::Direct => "dr",
                Forwarding::Tunnel(_) => "tun",
                _ => "nat",
            };
            ways.entry((address, word)).or_default().push(wanted.server.address);
        }
    }
    if ways.is_empty() {
        return Ok(vec![format!("no service has an address that {client} could connect to")]);
    }
    let client_at = place(client)?;
    let mut lines = Vec::new();
    for ((address, word), mut servers) in ways {
        servers.sort();
        servers.dedup();
        lines.push(match place(address)? {
            Place::Here(link) => format!("{address} is here, on {link}"),
            _ => format!("{address} is not on this host: run this where it is (only that director gets packets)"),
        });
        if let Place::Here(_) = client_at {
            lines.push(format!(
                "{client} is this director itself: what it sends to {address} does not take the usual way"
            ));
        }
        lines.extend(answers(farm, client, &client_at, word, &servers)?);
    }
    Ok(lines)
}

/// How answers get back.
fn answers(
    farm: &Farm,
    client: IpAddr,
    client_at: &Place,
    word: &str,
    servers: &[IpAddr],
) -> Result<Vec<String>, Refusal> {
    if word != "nat" {
        let what = "real servers answer by themselves: each needs the virtual address on a link without ARP \
                    (lo; arp_ignore=1, arp_announce=2) and its own way to the client";
        let wrapped = if word == "tun" { ", and a tunnel link with rp_filter=0" } else { "" };
        return Ok(vec![format!("{word}: {what}{wrapped}")]);
    }
    let mut lines = Vec::new();
    for server in servers {
        let at = place(*server)?;
        let same = matches!((&at, client_at), (Place::Near(of), Place::Near(from)) if of.network == from.network);
        lines.push(match at {
            _ if same && farm.snat_clients => {
                format!("nat: {server} is in the client's network; snat_clients lets it answer to the director")
            }
            _ if same => format!(
                "nat: {server} is in the client's network and answers {client} directly, which takes that for a stranger: \
                 set snat_clients=yes"
            ),
            Place::Here(_) => format!("nat: {server} is this director itself"),
            Place::Near(net) => format!(
                "nat: {server} on {} has to answer through this director: its way to {client} must be an address of this \
                 director (one that moves with the virtual address)",
                net.link
            ),
            Place::Far => format!(
                "nat: {server} is behind a router: that router must send what {server} answers back to this director"
            ),
        });
    }
    Ok(lines)
}
