//! What a round has seen and done: for the log, for Pacemaker, for people and programs that ask.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::Serialize;

use super::farm::{AllDown, Farm, VirtualService};
use super::hash::{PlaceSet, Places};
use super::health::Seen;
use super::name;
use super::plan::Wanted;
use crate::ocf::check::Verdict;
use crate::sys::ipvs::{Connections, Entry, Key, RealServer};

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
    /// What was changed in the kernel's table, one line each.
    pub changes: Vec<String>,
    /// What still differs from what is wanted, one line each.
    pub pending: Vec<String>,
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
    /// Its real servers, the sorry server, and what else the kernel has there.
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

fn ms<S: serde::Serializer>(took: &Duration, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_f64((took.as_secs_f64() * 1e6).round() / 1e3)
}

/// What rows are made from.
pub(super) struct Sight<'a> {
    pub farm: &'a Farm,
    pub seen: &'a [Option<Seen>],
    pub wanted: &'a [Wanted],
    pub table: &'a [Entry],
    pub owned: &'a BTreeSet<Key>,
    pub now: Duration,
}

impl Sight<'_> {
    /// The report about what is seen, without what was done.
    pub fn report(&self) -> Report {
        let entries: HashMap<Key, &Entry> = self.table.iter().map(|entry| (entry.service.key, entry)).collect();
        let row = |(service, wanted): (&VirtualService, &Wanted)| {
            self.service(service, wanted, entries.get(&service.service.key).copied())
        };
        let services: Vec<ServiceRow> = self.farm.services.iter().zip(self.wanted).map(row).collect();
        let verdict = services.iter().map(|row| row.verdict).max().unwrap_or(Verdict::Ok);
        let bad: Vec<&ServiceRow> =
            services.iter().filter(|row| row.verdict == verdict && row.reason.is_some()).collect();
        let more = if bad.len() > 1 { format!(" (and {} more)", bad.len() - 1) } else { String::new() };
        let reason = bad.first().and_then(|row| row.reason.as_ref()).map(|reason| format!("{reason}{more}"));
        let real = || services.iter().flat_map(|row| &row.servers).filter(|row| row.role == Role::Real);
        // What the kernel has refused serves nobody: a director that lacks a service must not look as good as the others.
        let is_well =
            |row: &&ServerRow| matches!(row.health, State::Up | State::Unchecked) && row.weight_found.is_some();
        let healthy = real().filter(is_well).count();
        Report {
            verdict,
            reason: reason.filter(|_| verdict != Verdict::Ok),
            healthy,
            servers: real().count(),
            services,
            news: Vec::new(),
            drift: Vec::new(),
            changes: Vec::new(),
            pending: Vec::new(),
            failures: Vec::new(),
            notes: self.farm.warnings.clone(),
            checks: Duration::ZERO,
            kernel: Duration::ZERO,
        }
    }

    fn service(&self, service: &VirtualService, wanted: &Wanted, entry: Option<&Entry>) -> ServiceRow {
        let key = service.service.key;
        let listed = entry.map_or(&[][..], |entry| &entry.servers);
        let found: Places<&(RealServer, Connections)> =
            listed.iter().map(|pair| ((pair.0.address, pair.0.port), pair)).collect();
        let weights: Places<u32> = wanted.servers.iter().map(|s| ((s.address, s.port), s.weight)).collect();
        let row = |server: &RealServer, role, question: Option<usize>| {
            let place = (server.address, server.port);
            let (seen, health) = self.health(role, question);
            let count = found.get(&place).map(|(_, count)| *count).unwrap_or_default();
            let ago = |then: Duration| self.now.saturating_sub(then).as_secs();
            ServerRow {
                server: SocketAddr::new(server.address, server.port),
                address: server.address,
                port: server.port,
                role,
                forwarding: name::forwarding(server.forwarding),
                health,
                drained: role == Role::Real && self.farm.is_drained(server),
                weight_wanted: weights.get(&place).copied(),
                weight_found: found.get(&place).map(|(server, _)| server.weight),
                active: count.active,
                inactive: count.inactive,
                persistent: count.persistent,
                asked_ago: seen.map(|seen| ago(seen.asked)),
                since_ago: seen.map(|seen| ago(seen.since)),
                took_ms: seen.map(|seen| u64::try_from(seen.took.as_millis()).unwrap_or(u64::MAX)),
                against: seen.map_or(0, |seen| seen.against),
                answer: seen.map(|seen| seen.detail.clone()),
            }
        };
        let mut servers: Vec<ServerRow> =
            service.servers.iter().map(|wanted| row(&wanted.server, Role::Real, wanted.question)).collect();
        servers.extend(service.sorry.iter().map(|server| row(server, Role::Sorry, None)));
        let known: PlaceSet = servers.iter().map(|row| (row.address, row.port)).collect();
        let unasked = listed.iter().filter(|(server, _)| !known.contains(&(server.address, server.port)));
        servers.extend(unasked.map(|(server, _)| row(server, Role::Unasked, None)));
        let (verdict, reason) = judge(service, wanted, entry.is_some(), &servers);
        ServiceRow {
            service: key.to_string(),
            scheduler: service.service.scheduler.clone(),
            found: entry.map(|entry| entry.service.scheduler.clone()),
            ours: self.owned.contains(&key),
            verdict,
            reason,
            usable: wanted.usable,
            quorum: service.quorum,
            servers,
        }
    }

    fn health(&self, role: Role, question: Option<usize>) -> (Option<&Seen>, State) {
        let seen = question.and_then(|place| self.seen.get(place)).and_then(Option::as_ref);
        match (role, question, seen) {
            (Role::Unasked, ..) => (None, State::Unknown),
            (_, None, _) => (None, State::Unchecked),
            (_, _, None) => (None, State::Unknown),
            (_, _, Some(seen)) => (Some(seen), if seen.up { State::Up } else { State::Down }),
        }
    }
}

/// The judgement of one service.
fn judge(service: &VirtualService, wanted: &Wanted, is_there: bool, rows: &[ServerRow]) -> (Verdict, Option<String>) {
    let name = service.service.key;
    if !is_there {
        return (Verdict::Failed, Some(format!("service {name} is not in the kernel's table")));
    }
    if wanted.usable == 0 {
        let real = || rows.iter().filter(|row| row.role == Role::Real);
        let why = [
            (real().filter(|row| row.drained).count(), "drained"),
            (real().filter(|row| !row.drained && row.health == State::Down).count(), "down"),
            (real().filter(|row| !row.drained && row.health == State::Unknown).count(), "not asked yet"),
        ];
        let why: Vec<String> = why.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        let why = if why.is_empty() { "weight 0".to_owned() } else { why.join(", ") };
        let answers = if wanted.is_sorry { "; the sorry server answers" } else { "" };
        let reason = format!("{name}: no real server takes connections ({why}){answers}");
        return match service.all_down {
            AllDown::Failed => (Verdict::Failed, Some(reason)),
            AllDown::Sorry if wanted.is_sorry => (Verdict::Ok, Some(reason)),
            _ => (Verdict::Degraded, Some(reason)),
        };
    }
    if wanted.usable < service.quorum {
        let (usable, quorum) = (wanted.usable, service.quorum);
        let reason = format!("{name}: {usable} of {} real servers usable, quorum is {quorum}", service.servers.len());
        return (Verdict::Degraded, Some(reason));
    }
    (Verdict::Ok, None)
}
