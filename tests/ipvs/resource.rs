//! `ocf:inuvika:lvs-director` on a host of the guest, as Pacemaker calls it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::bed::{Host, Site, VIP, ip};
use crate::subject::{Run, Subject};

/// The resource on a director, as Pacemaker calls it.
pub struct Resource<'a> {
    host: &'a Host,
    subject: Subject,
}

impl<'a> Resource<'a> {
    /// One that balances port 80 of [`VIP`] over the real servers `first` to `last`, asked over HTTP.
    pub fn new(host: &'a Host, instance: &str, last: u8) -> Self {
        let subject = host.agent("lvs-director", instance).with("OCF_RESKEY_CRM_meta_timeout", "60000");
        let log = log_of(instance);
        let _ = fs::remove_file(&log);
        let subject = subject.with("HA_LOGFILE", &log);
        Self { host, subject }
            .with("virtual_ip", VIP)
            .with("ports", "80")
            .with("real_servers", &format!("10.0.0.11-{}", 10 + last))
            .with("scheduler", "rr")
            .with("check", "http:/")
    }

    /// One that is described by a file alone.
    pub fn of_file(host: &'a Host, instance: &str, file: &Path) -> Self {
        let resource = Self::new(host, instance, 1);
        let subject = resource.subject.without_params().with("OCF_RESKEY_CRM_meta_timeout", "60000");
        Self { subject, ..resource }.with("config", &file.display().to_string())
    }

    /// The same with another parameter.
    pub fn with(&self, name: &str, value: &str) -> Self {
        Self { host: self.host, subject: self.subject.with_param(name, value) }
    }

    /// The same, called with a variable of the cluster manager.
    pub fn called_with(&self, name: &str, value: &str) -> Self {
        Self { host: self.host, subject: self.subject.with(name, value) }
    }

    /// What an action of it is, for who starts the process itself.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    pub fn run(&self, action: &str) -> Run {
        self.host.enter(|| self.subject.run(action))
    }

    /// An action that has to end with this exit code.
    pub fn must(&self, action: &str, code: i32) -> Result<Run> {
        let run = self.run(action);
        ensure!(run.code == code, "{action} gave {run}, wanted {code}; log:\n{}", self.log());
        Ok(run)
    }

    /// A recurring monitor whose round is always due.
    pub fn round(&self, code: i32) -> Result<Run> {
        self.called_with("OCF_RESKEY_CRM_meta_interval", "1").must("monitor", code)
    }

    pub fn probe(&self, code: i32) -> Result<Run> {
        self.called_with("OCF_RESKEY_CRM_meta_interval", "0").must("monitor", code)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(log_of(&self.subject.instance)).unwrap_or_default()
    }

    /// Stops it: nothing of it may be left.
    pub fn stop(&self) -> Result<()> {
        self.must("stop", 0)?;
        self.nothing_left()
    }

    pub fn nothing_left(&self) -> Result<()> {
        let rules = self.host.rules();
        ensure!(rules.is_empty(), "left in the table: {rules:?}");
        let tables = self.host.run("nft list tables");
        ensure!(!tables.contains("inuvika"), "left in nftables: {tables}");
        self.no_state()
    }

    pub fn no_state(&self) -> Result<()> {
        let folder = format!("/run/inuvika-ha/{}", self.subject.instance);
        ensure!(!Path::new(&folder).exists(), "{folder} is left: {:?}", fs::read_dir(&folder)?.collect::<Vec<_>>());
        Ok(())
    }
}

fn log_of(instance: &str) -> String {
    format!("/tmp/{instance}.log")
}

/// The judge's rules of port 80 over NAT with these weights, from real server 1 on.
pub fn rules(weights: &[u32]) -> Vec<String> {
    let mut rules = vec![format!("-A -t {VIP}:80 -s rr")];
    for (number, weight) in (1..).zip(weights) {
        rules.push(format!("-a -t {VIP}:80 -r {}:80 -m -w {weight}", Site::server(number)));
    }
    rules.sort();
    rules
}

/// What the judge sees has to be this.
pub fn same(found: &[String], wanted: &[String]) -> Result<()> {
    ensure!(found == wanted, "the judge sees\n  {}\nwanted\n  {}", found.join("\n  "), wanted.join("\n  "));
    Ok(())
}

/// What the client gets from the virtual address: who has answered, in order.
pub fn answers(site: &Site, times: usize) -> Result<Vec<String>> {
    (0..times).map(|_| site.client.ask(SocketAddr::new(ip(VIP), 80), &[])).collect()
}
