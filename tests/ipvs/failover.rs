//! Two directors: the addresses move from one to the other, and a download goes on.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::Body;
use crate::bed::{Host, Site, VIP, ip, wait_for};
use crate::resource::{Resource, rules, same};

pub const TRIALS: &[(&str, Body)] =
    &[("an_open_download_survives_when_the_addresses_move", an_open_download_survives_when_the_addresses_move)];

/// The way of real servers to their clients: it moves with the virtual address.
const GATEWAY: &str = "10.0.0.1";
const PARTS: usize = 60;
const PART: usize = 1000;

/// What the download consists of.
fn part(number: usize) -> Vec<u8> {
    vec![u8::try_from(number % 251).unwrap(); PART]
}

/// Sends the parts slowly to the first client.
fn send(listener: &TcpListener) -> std::io::Result<()> {
    let (mut stream, _) = listener.accept()?;
    for number in 0..PARTS {
        stream.write_all(&part(number))?;
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Takes the addresses to a director, as IPaddr2 does: neighbours are told.
fn hand_over(site: &Site, from: &Host, to: &Host) {
    for (address, link) in [(VIP, "eth0"), (GATEWAY, "eth1")] {
        from.ip(&format!("address del {address}/24 dev {link}"));
        to.ip(&format!("address add {address}/24 dev {link}"));
    }
    for neighbour in site.servers.iter().chain([&site.client]) {
        neighbour.ip("neigh flush all");
    }
}

fn an_open_download_survives_when_the_addresses_move() -> Result<()> {
    let site = Site::new(1);
    let (first, second) = (&site.director, Host::new("second"));
    // Its own address inside, as the other one moves.
    first.ip("address add 10.0.0.3/24 dev eth1");
    first.ip("address del 10.0.0.1/24 dev eth1");
    first.ip("address add 10.0.0.1/24 dev eth1");
    site.outside.plug(&second, "eth0", &["198.51.100.2/24"], &[]);
    site.inside.plug(&second, "eth1", &["10.0.0.2/24"], &[]);
    // It ends with the trial, as nothing else keeps it.
    let listener = site.servers[0].enter(|| TcpListener::bind("0.0.0.0:80"))?;
    let with = |host, instance| {
        let resource = Resource::new(host, instance, 1).with("check", "none").with("sync", "yes");
        resource.with("sync_nic", "eth1").with("sync_id", "7")
    };
    let (one, two) = (with(first, "move-first"), with(&second, "move-second"));
    one.must("start", 0)?;
    two.must("start", 0)?;
    // Warm before anything moves.
    same(&second.rules(), &rules(&[1]))?;

    let sent = std::thread::spawn(move || send(&listener));
    let to = SocketAddr::new(ip(VIP), 80);
    let mut stream = site.client.enter(|| TcpStream::connect_timeout(&to, Duration::from_secs(5)))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut take = |number: usize| -> Result<()> {
        let mut bytes = vec![0; PART];
        stream.read_exact(&mut bytes).with_context(|| format!("part {number}"))?;
        ensure!(bytes == part(number), "part {number} is not what was sent");
        Ok(())
    };
    let mut number = 0;
    wait_for(Duration::from_secs(60), "the second director to hear of the connection", || {
        ensure!(number < PARTS / 2, "half of the download, and still unknown: {}", second.run("ipvsadm -L -n -c"));
        take(number)?;
        number += 1;
        Ok(second.run("ipvsadm -L -n -c").contains("ESTABLISHED"))
    })?;
    hand_over(&site, first, &second);
    (number..PARTS).try_for_each(&mut take)?;
    sent.join().unwrap()?;
    eprintln!("ipvs: moved after part {number} of {PARTS}");
    // What comes now is of the second.
    let _server = site.servers[0].serve(80);
    ensure!(site.client.ask(to, &[])? == "rs1");
    one.stop()?;
    two.stop()
}
