//! What a director remembers in its state folder: gone, or at odds with another director's.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::Body;
use crate::bed::{Site, VIP};
use crate::resource::{Resource, rules, same};

pub const TRIALS: &[(&str, Body)] = &[
    ("a_stop_without_memory_names_what_it_leaves", a_stop_without_memory_names_what_it_leaves),
    ("the_first_director_of_a_host_sets_the_timeouts", the_first_director_of_a_host_sets_the_timeouts),
];

fn a_stop_without_memory_names_what_it_leaves() -> Result<()> {
    let site = Site::new(2);
    let _servers = site.serve(80);
    let resource = Resource::new(&site.director, "lost", 2);
    resource.must("stop", 0)?;
    ensure!(!resource.log().contains("nothing says"), "{}", resource.log());
    resource.must("start", 0)?;
    fs::remove_dir_all("/run/inuvika-ha/lost")?;
    resource.round(7)?;
    // They could be another program's, which the first start would take over.
    resource.must("stop", 0)?;
    same(&site.director.rules(), &rules(&[1, 1]))?;
    let said =
        format!("in the kernel's table: tcp {VIP}:80: as this resource makes them, but nothing says that it did");
    ensure!(resource.log().contains(&said), "{}", resource.log());
    resource.no_state()?;
    // What Pacemaker does next.
    resource.must("start", 0)?;
    ensure!(resource.log().contains("was in the kernel's table already: taken over"), "{}", resource.log());
    resource.stop()
}

fn the_first_director_of_a_host_sets_the_timeouts() -> Result<()> {
    let site = Site::new(1);
    let _servers = site.serve(80);
    let director = |name: &str, port: u16, timeouts: &str| -> Result<Resource<'_>> {
        let service = format!("[[service]]\nvirtual = \"{VIP}:{port}\"\nreal = \"10.0.0.11:80\"\n");
        let file = format!("/tmp/{name}.toml");
        fs::write(&file, format!("[timeouts]\n{timeouts}\n{service}"))?;
        let resource = Resource::of_file(&site.director, name, Path::new(&file));
        Ok(resource.called_with("OCF_RESKEY_crm_feature_set", "3.16.2"))
    };
    let (first, second) = (director("first", 80, "tcp = 77")?, director("second", 81, "tcp = 88\nudp = 99")?);
    let set = |wanted: &str| {
        let judged = site.director.run("ipvsadm -L --timeout");
        ensure!(judged.trim() == format!("Timeout (tcp tcpfin udp): {wanted}"), "{judged}, wanted {wanted}");
        Ok(())
    };
    first.must("start", 0)?;
    second.must("start", 0)?;
    set("77 120 300")?;
    let run = second.round(190)?;
    ensure!(run.stderr.contains("director first of this host has asked for tcp = 77 s first"), "{run}");
    first.round(0)?;
    set("77 120 300")?;
    first.must("stop", 0)?;
    second.round(0)?;
    set("88 120 99")?;
    second.stop()
}
