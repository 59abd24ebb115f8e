//! What `monitor` and `validate-all` look at. Nothing here changes anything.

use std::net::IpAddr;
use std::path::Path;

use super::config::Config;
use super::rules::{Backend, Rules, name};
use super::{Applied, is_there, judge, peers, vip};
use crate::ocf::check::{Check, Verdict};
use crate::ocf::operation::Operation;
use crate::sys::{iptables, links, nft};

/// Where systemd would start the guide's unit at boot.
const GUIDE_UNIT: &str = "/etc/systemd/system/multi-user.target.wants/cluster-vip-src.service";

/// The checks of monitor: depth 0 asks the kernel only; depth 10 the network too.
pub fn checks(config: &Config, op: &Operation) -> Vec<Check> {
    let applied = Applied::read(op);
    let holder = vip::find(config);
    let link = config
        .nic
        .clone()
        .or_else(|| holder.as_ref().ok()?.as_ref().map(|h| h.link.clone()))
        .or_else(|| applied.as_ref().map(|a| a.link.clone()));
    let rules = Check::run("rules", || match &link {
        Some(link) => {
            let backend = applied.as_ref().map_or_else(|| Backend::choose(config.backend), |a| a.backend);
            let known = applied.as_ref().map(|a| a.peers.clone());
            let peers = known.unwrap_or_else(|| peers::of_cluster(None).unwrap_or_default().0);
            judge(Rules::new(config, &op.instance, backend, link, &peers).inspect(&op.deadline), link, config)
        }
        None if is_there(op) => {
            (Verdict::Degraded, format!("virtual IP {} is on no link: rules not compared", config.virtual_ip))
        }
        None => (Verdict::Stopped, format!("source address rules for {} are not there", config.virtual_ip)),
    });
    if rules.verdict == Verdict::Stopped {
        return vec![rules];
    }
    // Not being able to look (no iptables here) on a node that has nothing of ours is no sign of something running.
    if rules.verdict == Verdict::Failed && op.is_probe() && !is_there(op) {
        return vec![Check { verdict: Verdict::Stopped, ..rules }];
    }
    let mut checks = vec![rules];
    checks.push(Check::run("single rule", || single(config, applied.as_ref(), op)));
    checks.push(Check::run("virtual ip", || match &holder {
        Err(error) => (Verdict::Failed, format!("read addresses: {error}")),
        Ok(holder) => match vip::judge(config, holder.as_ref()) {
            Ok(link) => (Verdict::Ok, format!("{} is on {link}", config.virtual_ip)),
            // IPaddr2 heals its address in place: failing here would only add a restart of ours to it.
            Err((detail, _)) => (Verdict::Degraded, format!("virtual IP {} {detail}", config.virtual_ip)),
        },
    }));
    checks.push(Check::run("cluster peers", || peers_kept(config, applied.as_ref(), op)));
    let asks = op.depth >= 10 && config.arp_check && matches!(holder, Ok(Some(_)));
    if let Some(link) = link.filter(|_| asks) {
        checks.push(Check::run("other host", || on_the_wire(config.virtual_ip, &link, op)));
    }
    checks
}

/// Rules in iptables' nftables tables that give the virtual IP as source, our own chain's aside.
pub fn others(config: &Config, op: &Operation) -> std::io::Result<Vec<String>> {
    let own = iptables::chain(&name(&op.instance));
    let all = nft::foreign_snat(config.virtual_ip)?;
    Ok(all.iter().filter(|rule| rule.chain != own).map(ToString::to_string).collect())
}

/// Whether rules have come that rewrite to the virtual IP as well.
fn single(config: &Config, applied: Option<&Applied>, op: &Operation) -> (Verdict, String) {
    let mut others: Vec<String> = match others(config, op) {
        Ok(others) => others,
        Err(error) => return (Verdict::Failed, format!("read the nat table: {error}")),
    };
    let known = applied.map_or(0, |a| a.others);
    if others.len() <= known {
        others.clear();
    }
    // The legacy tables can be read by their own program only.
    if op.depth >= 10 && others.is_empty() {
        match iptables::stale_rules(config.virtual_ip, &op.deadline.within(super::LOOK)) {
            Ok(rules) => others.extend(rules.iter().map(ToString::to_string)),
            Err(error) => return (Verdict::Degraded, format!("cannot look for rules of cluster-vip-src: {error}")),
        }
    }
    match others.last() {
        None => (Verdict::Ok, "no new rule of others gives this source".to_owned()),
        Some(rule) => (Verdict::Failed, format!("another rule gives source {} too: {rule}", config.virtual_ip)),
    }
}

/// Whether every node that corosync knows by now was known at start.
fn peers_kept(config: &Config, applied: Option<&Applied>, op: &Operation) -> (Verdict, String) {
    let now = match peers::of_cluster(None) {
        Ok((now, _)) => now,
        Err(failure) => return (Verdict::Degraded, failure.reason),
    };
    let Some(applied) = applied else { return (Verdict::Ok, format!("cluster addresses: {}", now.len())) };
    if !applied.unknown.is_empty() {
        let names = applied.unknown.join(", ");
        return (Verdict::Degraded, format!("cannot resolve cluster node {names}: add it to /etc/hosts, then restart"));
    }
    let same_family = |address: &IpAddr| address.is_ipv4() == config.virtual_ip.is_ipv4();
    let known = |address: IpAddr| {
        applied.peers.iter().any(|p| p.address == address) || config.exclude.iter().any(|net| net.contains(&address))
    };
    match now.iter().find(|peer| same_family(&peer.address) && !known(peer.address)) {
        None => (Verdict::Ok, format!("cluster addresses that keep their source: {}", applied.peers.len())),
        Some(new) => (
            Verdict::Degraded,
            format!("node {} ({}) is new: run 'pcs resource restart {}'", new.node, new.address, op.instance.name()),
        ),
    }
}

fn on_the_wire(virtual_ip: IpAddr, link: &str, op: &Operation) -> (Verdict, String) {
    match vip::other_host(virtual_ip, link, op) {
        Ok(None) => (Verdict::Ok, format!("nobody else on {link} answers for {virtual_ip}")),
        // Moving would not help: the other host would be there still.
        Ok(Some(mac)) => (Verdict::Degraded, format!("another host has {virtual_ip} too: {mac} answers on {link}")),
        Err(error) => (Verdict::Degraded, format!("cannot ask {link} who has {virtual_ip}: {error}")),
    }
}

/// The checks of validate-all at level 10: can this host do it.
pub fn host(config: &Config, op: &Operation) -> Vec<Check> {
    let mut checks = vec![Check::run("backend", || match Backend::choose(config.backend) {
        Backend::Nftables if nft::can_translate() => (Verdict::Ok, "nftables".to_owned()),
        Backend::Nftables => (Verdict::Failed, "this kernel cannot translate addresses with nftables".to_owned()),
        Backend::Iptables => match crate::sys::process::find("iptables") {
            Some(path) => (Verdict::Ok, path.display().to_string()),
            None => (Verdict::Failed, "iptables is not installed and this kernel needs it".to_owned()),
        },
    })];
    if let Some(nic) = &config.nic {
        checks.push(Check::run("link", || match links::by_name(nic) {
            Ok(Some(link)) if link.up => (Verdict::Ok, format!("{nic} is up")),
            Ok(Some(_)) => (Verdict::Degraded, format!("{nic} is down")),
            Ok(None) => (Verdict::Failed, format!("this host has no link {nic}")),
            Err(error) => (Verdict::Failed, format!("read links: {error}")),
        }));
    }
    checks.push(Check::run("cluster peers", || match peers::of_cluster(Some(&op.deadline.within(super::RESOLVE))) {
        Ok((peers, unknown)) if unknown.is_empty() => (Verdict::Ok, format!("cluster addresses: {}", peers.len())),
        Ok((_, unknown)) => (Verdict::Degraded, format!("cannot resolve {}: add it to /etc/hosts", unknown.join(", "))),
        Err(failure) => (Verdict::Degraded, failure.reason),
    }));
    checks.push(Check::run("guide's unit", || {
        if Path::new(GUIDE_UNIT).exists() {
            (
                Verdict::Degraded,
                "cluster-vip-src starts at boot: run 'systemctl disable --now cluster-vip-src'".to_owned(),
            )
        } else {
            (Verdict::Ok, "does not start at boot".to_owned())
        }
    }));
    checks
}
