//! A kernel with and without IPVS.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use inuvika_ha::sys::ipvs::{Change, Ipvs, NoIpvs};

use crate::Body;
use crate::bed::{Host, wait_for};

pub const TRIALS: &[(&str, Body)] = &[
    ("whether_ipvs_is_loaded_is_seen_without_loading_it", whether_ipvs_is_loaded_is_seen_without_loading_it),
    ("a_kernel_without_ipvs_is_told_with_a_remedy", a_kernel_without_ipvs_is_told_with_a_remedy),
    ("every_network_namespace_has_a_table_of_its_own", every_network_namespace_has_a_table_of_its_own),
];

/// Takes IPVS out of the kernel; tables of trials before this one may still be on their way out.
fn unload() -> Result<()> {
    wait_for(Duration::from_secs(30), "IPVS to be unloaded", || {
        let listed = fs::read_to_string("/proc/modules")?;
        let modules: Vec<&str> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
        let ours = modules.iter().filter(|name| name.starts_with("ip_vs") && **name != "ip_vs");
        let _ = Command::new("modprobe").arg("-r").args(ours).arg("ip_vs").output()?;
        Ok(!fs::exists("/proc/net/ip_vs")?)
    })
}

fn is_a_module() -> Result<bool> {
    Ok(fs::read_to_string("/proc/modules")?.lines().any(|line| line.starts_with("ip_vs ")))
}

fn whether_ipvs_is_loaded_is_seen_without_loading_it() -> Result<()> {
    unload()?;
    ensure!(!Ipvs::is_loaded() && !Ipvs::is_loaded(), "it is not loaded");
    ensure!(!is_a_module()?, "asking has loaded it");
    Ipvs::open()?;
    ensure!(Ipvs::is_loaded() && is_a_module()?, "opening has to load it");
    Ok(())
}

fn a_kernel_without_ipvs_is_told_with_a_remedy() -> Result<()> {
    unload()?;
    let loader = fs::read_to_string("/proc/sys/kernel/modprobe")?;
    fs::write("/proc/sys/kernel/modprobe", "/usr/bin/false")?;
    let result = Ipvs::open();
    fs::write("/proc/sys/kernel/modprobe", loader.trim())?;
    let Err(error) = result else { anyhow::bail!("opened without a module") };
    ensure!(NoIpvs::is(&error) && error.to_string().contains("modprobe ip_vs"), "{error:?}");
    ensure!(!Ipvs::is_loaded());
    Ok(())
}

fn every_network_namespace_has_a_table_of_its_own() -> Result<()> {
    let (one, other) = (Host::new("one"), Host::new("other"));
    let service = crate::table::service(crate::bed::tcp("192.0.2.1", 80), "rr");
    one.must(&[Change::AddService(service.clone())])?;
    ensure!(one.list()?.len() == 1 && other.list()?.is_empty());
    ensure!(one.rules().len() == 1 && other.rules().is_empty());
    Ok(())
}
