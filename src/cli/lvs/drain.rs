//! `inuvika-ha lvs drain` and `enable`: maintenance of real servers, for all directors of the cluster at once.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::Args;

use super::{Failure, outside, print, refused};
use crate::agents::lvs_director::by_hand::{Director, Place, place};
use crate::director::farm::Farm;
use crate::director::report::{Role, ServerRow};
use crate::ocf::deadline::Deadline;
use crate::sys::ipvs::Key;
use crate::sys::process;

/// How long one call of a cluster tool may take.
const TOOL: Duration = Duration::from_secs(30);
/// Between two looks at the connections.
const PAUSE: Duration = Duration::from_secs(1);
/// What `crm_resource` ends with when something is not there (`CRM_EX_NOSUCH`), also before 2.0 (`ENXIO`).
const NOT_SET: [i32; 2] = [105, 6];
/// The agent's parameter.
const PARAMETER: &str = "drained";

/// Give a real server no new connections, on all directors of the cluster
#[derive(Debug, Args)]
pub(super) struct Drain {
    /// ADDRESS or ADDRESS:PORT
    #[arg(value_parser = real_server)]
    real_server: String,
    /// The resource; default: the only director that was started on this host
    #[arg(long, value_name = "RESOURCE")]
    instance: Option<String>,
    /// Wait until this host, as director, has none of its connections left: run it where the virtual address is
    #[arg(long)]
    wait: bool,
    /// How long to wait, at most
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "wait")]
    timeout: u64,
}

/// Give a drained real server new connections again
#[derive(Debug, Args)]
pub(super) struct Enable {
    /// ADDRESS or ADDRESS:PORT, as it was drained
    #[arg(value_parser = real_server)]
    real_server: String,
    /// The resource; default: the only director that was started on this host
    #[arg(long, value_name = "RESOURCE")]
    instance: Option<String>,
}

fn real_server(text: &str) -> Result<String, String> {
    if text.contains([' ', ',', '\t', '\n']) || text.is_empty() {
        return Err("is not one address".to_owned());
    }
    Farm::check_drained(text).map(|()| text.to_owned())
}

impl Drain {
    pub(super) fn run(self) -> Result<(), Failure> {
        let resource = super::only(self.instance.as_deref())?;
        let mut words = words(&resource)?;
        if !words.contains(&self.real_server) {
            words.push(self.real_server.clone());
            set(&resource, &words)?;
        }
        print(&format!("{resource}: drained {}\n", words.join(" ")))?;
        if self.wait { self.wait(&resource) } else { Ok(()) }
    }

    fn wait(&self, resource: &str) -> Result<(), Failure> {
        self.is_seen_here(resource)?;
        let deadline = Deadline::after(Duration::from_secs(self.timeout));
        loop {
            // The cluster takes a moment to hand the parameter on: without weight 0 new connections may come still.
            let report = Director::new(resource, &[]).and_then(|director| director.look()).map_err(refused)?;
            let rows = report.services.iter().flat_map(|service| &service.servers);
            let rows: Vec<&ServerRow> = rows.filter(|row| row.role == Role::Real && self.is_it(row)).collect();
            if rows.is_empty() {
                return Err(outside(format!("no real server {} in the services of {resource}", self.real_server)));
            }
            let quiet = rows.iter().all(|row| row.weight_found.unwrap_or(0) == 0);
            let open: u32 = rows.iter().map(|row| row.active).sum();
            if quiet && open == 0 {
                return print(&format!("{}: no connection is open\n", self.real_server));
            }
            if !deadline.sleep(PAUSE) {
                let state =
                    if quiet { format!("{open} connections are open") } else { "its weight is not 0".to_owned() };
                return Err(outside(format!("{} after {} s: {state}", self.real_server, self.timeout)));
            }
        }
    }

    /// Only the director with the virtual address has all connections in its table: another one's looks empty.
    fn is_seen_here(&self, resource: &str) -> Result<(), Failure> {
        let farm = Director::new(resource, &[]).and_then(|director| director.farm()).map_err(refused)?;
        let mut elsewhere = None;
        for service in &farm.services {
            // Who has packets with a mark cannot be seen.
            let Key::Address { address, .. } = service.service.key else { return Ok(()) };
            if service.servers.iter().any(|wanted| self.names(wanted.server.address, wanted.server.port)) {
                match place(address).map_err(refused)? {
                    Place::Here(_) => return Ok(()),
                    _ => elsewhere = Some(address),
                }
            }
        }
        match elsewhere {
            None => Ok(()),
            Some(address) => Err(outside(format!(
                "{} is drained, but its connections are not seen from here: {address} is not on this host. Run this on the \
                 director that has it",
                self.real_server
            ))),
        }
    }

    fn is_it(&self, row: &ServerRow) -> bool {
        self.names(row.address, row.port)
    }

    /// Whether this real server is the one that was named.
    fn names(&self, address: IpAddr, port: u16) -> bool {
        match self.real_server.parse::<SocketAddr>() {
            Ok(to) => (address, port) == (to.ip(), to.port()),
            Err(_) => self.real_server.parse() == Ok(address),
        }
    }
}

impl Enable {
    pub(super) fn run(self) -> Result<(), Failure> {
        let resource = super::only(self.instance.as_deref())?;
        let mut words = words(&resource)?;
        if !words.contains(&self.real_server) {
            let now = if words.is_empty() { "nothing is".to_owned() } else { format!("only {} is", words.join(" ")) };
            return Err(Failure::Input(format!(
                "inuvika-ha: {} is not drained in {resource}: {now}",
                self.real_server
            )));
        }
        words.retain(|word| *word != self.real_server);
        set(&resource, &words)?;
        print(&format!("{resource}: {} gets new connections again\n", self.real_server))
    }
}

/// What is drained now, as the cluster has it.
fn words(resource: &str) -> Result<Vec<String>, Failure> {
    let output = tool(&["--resource", resource, "--get-parameter", PARAMETER])?;
    match output.status.code() {
        Some(0) => {}
        // The parameter is not set, or there is no such resource: setting it tells those apart.
        Some(code) if NOT_SET.contains(&code) => return Ok(Vec::new()),
        // To go on without the list would end the maintenance of those in it.
        _ => return Err(outside(format!("ask the cluster for {PARAMETER} of {resource}: {}", output.reason()))),
    }
    let text = output.text();
    Farm::check_drained(&text)
        .map_err(|reason| outside(format!("{PARAMETER} of {resource} is not understood: {reason}")))?;
    Ok(text.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

fn set(resource: &str, words: &[String]) -> Result<(), Failure> {
    let value = words.join(" ");
    let output = if words.is_empty() {
        tool(&["--resource", resource, "--delete-parameter", PARAMETER])?
    } else {
        tool(&["--resource", resource, "--set-parameter", PARAMETER, "--parameter-value", &value])?
    };
    if output.status.success() {
        return Ok(());
    }
    Err(outside(format!("set {PARAMETER} of {resource}: {}", output.reason())))
}

fn tool(words: &[&str]) -> Result<process::Output, Failure> {
    process::run("crm_resource", words, None, &Deadline::after(TOOL)).map_err(|error| outside(error.to_string()))
}
