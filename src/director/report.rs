//! What a round has seen and done: for the log, for Pacemaker, for people and programs that ask.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::Serialize;

use super::name;
use crate::ocf::check::Verdict;
use crate::sys::ipvs::Change;

/// What a round has seen and done.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The services of the farm, in its order.
    pub services: Vec<ServiceRow>,
    /// The heaviest verdict.
    pub verdict: Verdict,
    /// Why, when it is not ok: one line.
    pub reason: Option<String>,
    /// Real servers that are well and in the kernel's table, counted in each service: what tells directors that see more from others.
    pub healthy: usize,
    /// All real servers, counted in each service.
    pub servers: usize,
    /// Real servers whose health has changed, one line each.
    pub news: Vec<String>,
    /// What somebody else has changed in the kernel's table since the last round, one line each.
    pub drift: Vec<String>,
    /// What was changed in the kernel's table. In words only when somebody asks: there may be thousands.
    #[serde(serialize_with = "names")]
    pub changes: Vec<Change>,
    /// What still differs from what is wanted.
    #[serde(serialize_with = "names")]
    pub pending: Vec<Change>,
    /// What the kernel refused, one line each.
    pub failures: Vec<String>,
    /// What else there is to know, one line each.
    pub notes: Vec<String>,
    /// How long the checks took.
    #[serde(rename = "checks_ms", serialize_with = "ms")]
    pub checks: Duration,
    /// How long the kernel took to list and change its table, with the planning between.
    #[serde(rename = "kernel_ms", serialize_with = "ms")]
    pub kernel: Duration,
}

/// One virtual service.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceRow {
    /// Its name, such as `tcp 192.0.2.10:80`.
    pub service: String,
    /// The wanted scheduler.
    pub scheduler: String,
    /// What the kernel has; none: there is no such service.
    pub found: Option<String>,
    /// Whether it is written down as ours.
    pub ours: bool,
    /// The judgement.
    pub verdict: Verdict,
    /// Why, when it is not ok.
    pub reason: Option<String>,
    /// Real servers that take new connections.
    pub usable: usize,
    /// How many have to.
    pub quorum: usize,
    /// Its real servers, the sorry server, and what else the kernel has there; a round leaves them out.
    pub servers: Vec<ServerRow>,
}

/// What a server is to its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A real server.
    Real,
    /// The sorry server.
    Sorry,
    /// Nobody asked for it.
    Unasked,
}

/// How well a real server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It answers.
    Up,
    /// It does not.
    Down,
    /// It has no check.
    Unchecked,
    /// It was not asked yet.
    Unknown,
}

/// One real server of one service.
#[derive(Debug, Clone, Serialize)]
pub struct ServerRow {
    /// Its name, such as `192.0.2.21:80`.
    pub server: SocketAddr,
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// What it is to the service.
    pub role: Role,
    /// `nat`, `dr` or `tun`.
    pub forwarding: &'static str,
    /// How well it is.
    pub health: State,
    /// Whether it is drained.
    pub drained: bool,
    /// The weight it is to have; none: it is not to be in the table.
    pub weight_wanted: Option<u32>,
    /// The weight it has; none: it is not in the table.
    pub weight_found: Option<u32>,
    /// Its connections, as the kernel counts them.
    pub active: u32,
    /// Connections that end, or have no state.
    pub inactive: u32,
    /// Persistence entries.
    pub persistent: u32,
    /// Seconds since it was asked.
    pub asked_ago: Option<u64>,
    /// Seconds since its health changed.
    pub since_ago: Option<u64>,
    /// Milliseconds that the answer took.
    pub took_ms: Option<u64>,
    /// Answers in a row that say the opposite of `health`.
    pub against: u32,
    /// The answer, one line.
    pub answer: Option<String>,
}

fn names<S: serde::Serializer>(changes: &[Change], out: S) -> Result<S::Ok, S::Error> {
    out.collect_seq(changes.iter().map(name::change))
}

fn ms<S: serde::Serializer>(took: &Duration, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_f64((took.as_secs_f64() * 1e6).round() / 1e3)
}
