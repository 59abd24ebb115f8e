//! Clients on the real servers' own network (`snat_clients`): the director takes their place towards real servers.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::director::farm::Farm;
use crate::ocf::instance::Instance;
use crate::ocf::operation::Operation;
use crate::sys::ipvs::{Forwarding, Key};
use crate::sys::links;
use crate::sys::nft::{self, Masquerade};
use crate::sys::source_nat::Found;

/// The file in the state folder: this instance may have a table.
const FILE: &str = "lvs.near";

/// The name of the nftables table.
fn name(instance: &Instance) -> String {
    format!("inuvika_lvs_{}", instance.file_name())
}

/// Makes the table as it is wanted.
///
/// # Errors
/// One line: only near clients are cut off without it.
pub fn reconcile(farm: &Farm, op: &Operation) -> Result<(), String> {
    if !farm.snat_clients {
        return remove(op).map_err(|error| format!("remove the source translation of near clients: {error}"));
    }
    let wanted = wanted(farm, op).map_err(|error| format!("read the networks of this host: {error}"))?;
    if wanted.virtual_addresses.is_empty() {
        return Err("snat_clients: is for services with an address and forwarding nat: there is none".to_owned());
    }
    if wanted.clients.is_empty() {
        return Err("snat_clients: this host is in no network of the real servers".to_owned());
    }
    let made = || {
        if matches!(wanted.inspect()?, Found::Equal { .. }) {
            return Ok(false);
        }
        // Before the kernel hears of it, so that a stop after a kill finds it.
        op.state.write(FILE, &true)?;
        wanted.apply().map(|()| true)
    };
    match made() {
        Ok(true) => op.log.info("source translation of near clients written"),
        Ok(false) => {}
        Err(error) => return Err(format!("write the source translation of near clients: {error}")),
    }
    Ok(())
}

fn wanted(farm: &Farm, op: &Operation) -> io::Result<Masquerade> {
    let (mut virtuals, mut servers) = (BTreeSet::new(), BTreeSet::new());
    for service in &farm.services {
        let Key::Address { address, .. } = service.service.key else { continue };
        let all = service.servers.iter().map(|wanted| &wanted.server).chain(&service.sorry);
        let nat: Vec<IpAddr> = all.filter(|s| s.forwarding == Forwarding::Nat).map(|s| s.address).collect();
        if !nat.is_empty() {
            virtuals.insert(address);
            servers.extend(nat);
        }
    }
    let is_near = |net: &links::Network| net.link != "lo" && servers.iter().any(|server| net.network.contains(server));
    let clients: BTreeSet<IpNet> = links::networks()?.into_iter().filter(is_near).map(|net| net.network).collect();
    Ok(Masquerade {
        name: name(&op.instance),
        virtual_addresses: virtuals.into_iter().collect(),
        clients: clients.into_iter().collect(),
        servers: servers.into_iter().collect(),
    })
}

/// Removes the table if this instance has made one.
pub fn remove(op: &Operation) -> io::Result<()> {
    if op.state.read::<bool>(FILE).is_none() {
        return Ok(());
    }
    nft::remove(&name(&op.instance))?;
    op.state.forget(FILE);
    Ok(())
}
