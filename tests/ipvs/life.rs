//! A kernel with and without IPVS.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use inuvika_ha::sys::ipvs::{Change, Ipvs, NoIpvs};

use crate::Body;
use crate::bed::{Host, wait_for};

pub const TRIALS: &[(&str, Body)] = &[
    ("whether_ipvs_is_loaded_is_seen_without_loading_it", whether_ipvs_is_loaded_is_seen_without_loading_it),
    ("a_module_without_its_alias_is_loaded_by_its_name", a_module_without_its_alias_is_loaded_by_its_name),
    ("a_kernel_without_ipvs_is_told_with_a_remedy", a_kernel_without_ipvs_is_told_with_a_remedy),
    ("every_network_namespace_has_a_table_of_its_own", every_network_namespace_has_a_table_of_its_own),
];

/// Takes IPVS out of the kernel; tables of trials before this one may still be on their way out.
pub fn unload() -> Result<()> {
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

/// A line for modprobe, until the value is dropped.
pub struct Configured;

impl Configured {
    const FILE: &str = "/etc/modprobe.d/trial.conf";

    pub fn new(line: &str) -> Result<Self> {
        fs::create_dir_all("/etc/modprobe.d")?;
        fs::write(Self::FILE, line)?;
        Ok(Self)
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        let _ = fs::remove_file(Self::FILE);
    }
}

fn a_module_without_its_alias_is_loaded_by_its_name() -> Result<()> {
    unload()?;
    let _configured = Configured::new("alias net-pf-16-proto-16-family-IPVS none_such\n")?;
    let by_alias = inuvika_ha::sys::netlink::Generic::open("IPVS");
    ensure!(by_alias.is_err() && !Ipvs::is_loaded(), "the alias still works");
    Ipvs::open()?;
    ensure!(Ipvs::is_loaded());
    Ok(())
}

fn a_kernel_without_ipvs_is_told_with_a_remedy() -> Result<()> {
    unload()?;
    let _configured = Configured::new("install ip_vs /usr/bin/false\n")?;
    let Err(error) = Ipvs::open() else { bail!("opened without a module") };
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
