//! The virtual IP itself: is it here, and is it nowhere else.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::config::Config;
use super::not_here;
use crate::ocf::exit::Failure;
use crate::ocf::operation::Operation;
use crate::sys::duplicate;
use crate::sys::links::{self, Holder};

/// How long start waits for the virtual IP: IPaddr2 returns when the address is there, so this covers an IPv6 address
/// that is still tentative and a start without the order constraint.
const WAIT: Duration = Duration::from_secs(5);

/// Who has the virtual IP: the link that is asked for where several have it, else one that is not the loopback.
pub fn find(config: &Config) -> std::io::Result<Option<Holder>> {
    let mut all = links::holders(config.virtual_ip)?;
    all.sort_by_key(|holder| (config.nic.as_ref() != Some(&holder.link), holder.link == "lo"));
    Ok(all.into_iter().next())
}

/// The link that has the virtual IP, waited for.
pub fn wait(config: &Config, op: &Operation) -> Result<String, Failure> {
    let began = Instant::now();
    let limit = op.deadline.within(WAIT);
    loop {
        let holder = find(config).map_err(|e| Failure::io("read addresses", &e))?;
        match judge(config, holder.as_ref()) {
            Ok(link) => {
                op.step(&format!("virtual IP is on {link}"));
                return Ok(link);
            }
            Err((detail, may_change)) => {
                if !may_change || !limit.sleep(Duration::from_millis(20)) {
                    let waited = began.elapsed().as_secs();
                    let after = if waited > 0 { format!(" after {waited} s") } else { String::new() };
                    return Err(not_here(config, format!("{detail}{after}: start its IPaddr2 first, on this node")));
                }
            }
        }
    }
}

/// The link of a holder that will do; else what is wrong, and whether waiting may help.
pub fn judge(config: &Config, holder: Option<&Holder>) -> Result<String, (String, bool)> {
    let Some(holder) = holder else { return Err(("is on no link".to_owned(), true)) };
    match &config.nic {
        Some(nic) if *nic != holder.link => Err((format!("is on {}, not on {nic}", holder.link), true)),
        _ if holder.dad_failed => Err(("is a duplicate: the kernel found another host with it".to_owned(), false)),
        _ if holder.tentative => Err(("is still tentative".to_owned(), true)),
        _ if config.nic.is_none() && holder.link == "lo" => {
            Err(("is on lo, which no connection leaves by".to_owned(), false))
        }
        _ => Ok(holder.link.clone()),
    }
}

/// Fails when another host answers for the virtual IP.
pub fn nobody_else(virtual_ip: IpAddr, link: &str, op: &Operation) -> Result<(), Failure> {
    match other_host(virtual_ip, link, op) {
        Ok(None) => Ok(()),
        Ok(Some(mac)) => {
            Err(Failure::generic(format!("another host has {virtual_ip} too: {mac} answers for it on {link}")))
        }
        // Not being able to ask is no proof of a duplicate: the service comes first.
        Err(error) => {
            op.log.warning(&format!("cannot ask {link} for another holder of {virtual_ip}: {error}"));
            Ok(())
        }
    }
}

/// The MAC address of another host that answers for the virtual IP.
pub fn other_host(virtual_ip: IpAddr, link: &str, op: &Operation) -> std::io::Result<Option<String>> {
    let links = links::links()?;
    let Some(asked) = links.iter().find(|l| l.name == link) else { return Ok(None) };
    let own: Vec<[u8; 6]> = links.iter().filter_map(|l| l.mac).collect();
    let found = duplicate::other_holder(asked, virtual_ip, &own, &op.deadline)?;
    op.step(&format!("asked {link} who has {virtual_ip}: {found:?}"));
    Ok(found.map(|mac| mac.map(|byte| format!("{byte:02x}")).join(":")))
}
