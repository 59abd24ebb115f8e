//! What clients get through a director.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use inuvika_ha::sys::ipvs::{Change, Forwarding};

use crate::Body;
use crate::bed::{Site, VIP, VIP6, ip, tcp, wait_for};
use crate::table::{server, service};

pub const TRIALS: &[(&str, Body)] = &[
    ("two_real_servers_take_turns_behind_nat", two_real_servers_take_turns_behind_nat),
    ("the_binary_and_its_agents_run_on_a_host", the_binary_and_its_agents_run_on_a_host),
];

fn two_real_servers_take_turns_behind_nat() -> Result<()> {
    let site = Site::new(2);
    let servers = site.serve(8080);
    for (vip, addresses) in [(VIP, [1, 2].map(Site::server)), (VIP6, [1, 2].map(Site::server6))] {
        let key = tcp(vip, 80);
        let added = addresses.iter().map(|address| Change::AddServer(key, server(address, 8080, Forwarding::Nat)));
        let changes: Vec<_> = std::iter::once(Change::AddService(service(key, "rr"))).chain(added).collect();
        site.director.must(&changes)?;
        let before = servers.iter().map(|server| server.answered()).collect::<Vec<_>>();
        let answers: Result<Vec<_>> = (0..8).map(|_| site.client.ask(SocketAddr::new(ip(vip), 80), &[])).collect();
        let answers = answers?;
        ensure!(answers.windows(2).all(|two| two[0] != two[1]), "{vip}: {answers:?}");
        for ((number, address), (real, before)) in (1..).zip(&addresses).zip(servers.iter().zip(before)) {
            let name = format!("rs{number}");
            ensure!(answers.iter().filter(|answer| **answer == name).count() == 4, "{vip}: {answers:?}");
            // The client may have its answer before that is counted.
            wait_for(Duration::from_secs(30), &format!("{name} to have answered 4"), || {
                Ok(real.answered() - before == 4)
            })?;
            let address = SocketAddr::new(ip(address), 8080).to_string();
            let counted = || Ok(site.director.connections(&address)? == 4);
            wait_for(Duration::from_secs(30), &format!("the judge to count 4 for {name}"), counted)?;
        }
    }

    // A weight of zero gets nothing new.
    let quiet = inuvika_ha::sys::ipvs::RealServer { weight: 0, ..server(&Site::server(1), 8080, Forwarding::Nat) };
    site.director.must(&[Change::EditServer(tcp(VIP, 80), quiet)])?;
    for _ in 0..4 {
        let answer = site.client.ask(SocketAddr::new(ip(VIP), 80), &[])?;
        ensure!(answer == "rs2", "{answer}");
    }
    Ok(())
}

fn the_binary_and_its_agents_run_on_a_host() -> Result<()> {
    let site = Site::new(0);
    let output = site.director.ha(&["--version"]);
    ensure!(output.status.success() && output.stdout.starts_with(b"inuvika-ha "), "{output:?}");
    // An agent that has nothing to look after here.
    let agent = site.director.agent("ovd-vip-src", "vip_src").with_param("ip", VIP).probing();
    let run = site.director.enter(|| agent.run("monitor"));
    ensure!(run.code == 7, "{run}");
    Ok(())
}
