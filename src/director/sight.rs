//! What is seen of a director, as a report: in a round counted and judged, in a look with each real server.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use super::farm::{AllDown, Farm, VirtualService, WantedServer};
use super::health::Seen;
use super::name;
use super::plan::{Found, Wanted};
use super::report::{Report, Role, ServerRow, ServiceRow, State};
use crate::ocf::check::Verdict;
use crate::sys::ipvs::{Connections, Key, RealServer};

/// What a report is made from.
pub(super) struct Sight<'a> {
    pub farm: &'a Farm,
    pub seen: &'a [Option<Seen>],
    pub wanted: &'a [Wanted],
    pub found: &'a Found<'a>,
    pub owned: &'a BTreeSet<Key>,
    pub now: Duration,
}

impl Sight<'_> {
    /// The report about what is seen, without what was done, and without the rows of real servers.
    pub fn report(&self) -> Report {
        let services: Vec<ServiceRow> =
            self.services().map(|(service, wanted)| self.service(service, wanted)).collect();
        let verdict = services.iter().map(|row| row.verdict).max().unwrap_or(Verdict::Ok);
        let bad: Vec<&ServiceRow> =
            services.iter().filter(|row| row.verdict == verdict && row.reason.is_some()).collect();
        let more = if bad.len() > 1 { format!(" (and {} more)", bad.len() - 1) } else { String::new() };
        let reason = bad.first().and_then(|row| row.reason.as_ref()).map(|reason| format!("{reason}{more}"));
        Report {
            verdict,
            reason: reason.filter(|_| verdict != Verdict::Ok),
            healthy: self.farm.services.iter().map(|service| self.healthy(service)).sum(),
            servers: self.farm.services.iter().map(|service| service.servers.len()).sum(),
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

    /// The same with the rows of real servers.
    pub fn in_full(&self) -> Report {
        let mut report = self.report();
        for (row, (service, wanted)) in report.services.iter_mut().zip(self.services()) {
            row.servers = self.rows(service, wanted);
        }
        report
    }

    fn services(&self) -> impl Iterator<Item = (&VirtualService, &Wanted)> {
        self.farm.services.iter().zip(self.wanted)
    }

    fn service(&self, service: &VirtualService, wanted: &Wanted) -> ServiceRow {
        let key = service.service.key;
        let found = self.found.service(key);
        let (verdict, reason) = self.judge(service, wanted, found.is_some());
        ServiceRow {
            service: key.to_string(),
            scheduler: service.service.scheduler.clone(),
            found: found.map(|found| found.scheduler.clone()),
            ours: self.owned.contains(&key),
            verdict,
            reason,
            usable: wanted.usable,
            quorum: service.quorum,
            servers: Vec::new(),
        }
    }

    /// How many real servers are well, and in the kernel's table: what that has refused serves nobody, and a director that lacks
    /// a service must not look as good as the others.
    fn healthy(&self, service: &VirtualService) -> usize {
        let Some(servers) = self.found.servers(service.service.key) else { return 0 };
        let mut next = 0;
        let is_well = |wanted: &&WantedServer| {
            let WantedServer { server, question } = wanted;
            matches!(self.health(*question), State::Up | State::Unchecked)
                && servers.find(&mut next, (server.address, server.port)).is_some()
        };
        service.servers.iter().filter(is_well).count()
    }

    fn rows(&self, service: &VirtualService, wanted: &Wanted) -> Vec<ServerRow> {
        let place = |server: &RealServer| (server.address, server.port);
        let listed = self.found.servers(service.service.key);
        let weights: HashMap<_, u32> = wanted.servers.iter().map(|server| (place(server), server.weight)).collect();
        let mut known = listed.map(|listed| listed.marks()).unwrap_or_default();
        let row = |server: &RealServer, role, found: Option<&(RealServer, Connections)>, (health, seen)| {
            let count = found.map(|(_, count)| *count).unwrap_or_default();
            let seen: Option<&Seen> = seen;
            let ago = |then: Duration| self.now.saturating_sub(then).as_secs();
            ServerRow {
                server: SocketAddr::new(server.address, server.port),
                address: server.address,
                port: server.port,
                role,
                forwarding: name::forwarding(server.forwarding),
                health,
                drained: role == Role::Real && self.farm.is_drained(server),
                weight_wanted: weights.get(&place(server)).copied(),
                weight_found: found.map(|(server, _)| server.weight),
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
        let mut next = 0;
        let mut find = |server: &RealServer| {
            let at = listed?.find(&mut next, place(server))?;
            if let Some(mark) = known.get_mut(at) {
                *mark = true;
            }
            listed?.get(at)
        };
        let mut rows: Vec<ServerRow> = Vec::with_capacity(service.servers.len() + 1);
        for WantedServer { server, question } in &service.servers {
            rows.push(row(server, Role::Real, find(server), (self.health(*question), self.seen(*question))));
        }
        rows.extend(
            service.sorry.iter().map(|server| row(server, Role::Sorry, find(server), (State::Unchecked, None))),
        );
        let unasked = listed.into_iter().flat_map(|listed| listed.others(&known));
        rows.extend(unasked.map(|pair| row(&pair.0, Role::Unasked, Some(pair), (State::Unknown, None))));
        rows
    }

    fn seen(&self, question: Option<usize>) -> Option<&Seen> {
        question.and_then(|place| self.seen.get(place)).and_then(Option::as_ref)
    }

    fn health(&self, question: Option<usize>) -> State {
        match (question, self.seen(question)) {
            (None, _) => State::Unchecked,
            (_, None) => State::Unknown,
            (_, Some(seen)) if seen.up => State::Up,
            _ => State::Down,
        }
    }

    /// The judgement of one service.
    fn judge(&self, service: &VirtualService, wanted: &Wanted, is_there: bool) -> (Verdict, Option<String>) {
        let name = service.service.key;
        if !is_there {
            return (Verdict::Failed, Some(format!("service {name} is not in the kernel's table")));
        }
        if wanted.usable == 0 {
            let why = self.why_none(service);
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
            let reason =
                format!("{name}: {usable} of {} real servers usable, quorum is {quorum}", service.servers.len());
            return (Verdict::Degraded, Some(reason));
        }
        (Verdict::Ok, None)
    }

    /// Why no real server takes connections.
    fn why_none(&self, service: &VirtualService) -> String {
        let (mut drained, mut down, mut unknown) = (0, 0, 0);
        for WantedServer { server, question } in &service.servers {
            match self.health(*question) {
                _ if self.farm.is_drained(server) => drained += 1,
                State::Down => down += 1,
                State::Unknown => unknown += 1,
                State::Up | State::Unchecked => {}
            }
        }
        let all = [(drained, "drained"), (down, "down"), (unknown, "not asked yet")];
        let why: Vec<String> = all.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        if why.is_empty() { "weight 0".to_owned() } else { why.join(", ") }
    }
}
