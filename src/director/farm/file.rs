//! The file in TOML: its tables, as drafts. [`super::keys`] says what the keys mean.

use std::rc::Rc;

use super::check::{self, CheckDraft};
use super::draft::{At, Draft, Said, Servers, Target};
use super::rules::{self, MONTH, Settings};
use super::values::{choice, number, said, seconds, yes};
use super::words::{self, Method};
use super::{AllDown, Farm, OnFailure, Pace, Sync, Timeouts, keys};
use crate::document::fault::{Fault, Source};
use crate::document::reader::{Item, Table, Word};
use crate::ocf::params::fits;
use crate::ocf::spec::Kind as Shape;
use crate::sys::ipvs::{Family, Protocol, Tunnel};

/// Reads the file called `path`.
pub(super) fn read(text: &str, path: &str) -> Result<Farm, String> {
    let (drafts, settings, drained) = top(Source { file: path, text }).map_err(|fault| fault.to_string())?;
    let mut farm = rules::build(drafts, settings)?;
    for word in drained {
        farm.drain(&word.text).map_err(|reason| word.fault(reason).to_string())?;
    }
    Ok(farm)
}

/// What services have that do not say it themselves.
struct Defaults<'a> {
    scheduler: Option<Said<'a, String>>,
    forwarding: Option<Said<'a, Method>>,
    tunnel: Option<Said<'a, Tunnel>>,
    on_failure: Option<OnFailure>,
    all_down: Option<AllDown>,
    check: Option<Rc<CheckDraft<'a>>>,
}

impl<'a> Defaults<'a> {
    fn take(table: &mut Table<'a>) -> Result<Self, Fault> {
        Ok(Self {
            scheduler: said(table, "scheduler", |word| words::module(word, "scheduler"))?,
            forwarding: said(table, "forwarding", words::method)?,
            tunnel: tunnel(table)?,
            on_failure: choice(table, "on_failure", &[("quiesce", OnFailure::Quiesce), ("remove", OnFailure::Remove)])?,
            all_down: choice(
                table,
                "all_down",
                &[("degraded", AllDown::Degraded), ("failed", AllDown::Failed), ("sorry", AllDown::Sorry)],
            )?,
            check: check::read(table)?,
        })
    }
}

type Top<'a> = (Vec<Draft<'a>>, Settings<'a>, Vec<Word<'a>>);

fn top(source: Source<'_>) -> Result<Top<'_>, Fault> {
    let mut table = Table::document(source)?.only(&keys::names(keys::TOP))?;
    let usual = Pace::default();
    let count = |table: &mut Table<'_>, key, max| number(table, key, 1, max).map(|said| said.map(|said| said.value));
    let pace = Pace {
        interval: seconds(&mut table, "interval", 3600)?.unwrap_or(usual.interval),
        timeout: seconds(&mut table, "check_timeout", 300)?.unwrap_or(usual.timeout),
        fall: count(&mut table, "fall", 100)?.unwrap_or(usual.fall),
        rise: count(&mut table, "rise", 100)?.unwrap_or(usual.rise),
        concurrency: count(&mut table, "concurrency", 10_000)?.map_or(usual.concurrency, |n| n as usize),
    };
    let defaults = Defaults::take(&mut table)?;
    let drained = table.take("drained").map(Item::texts).transpose()?.unwrap_or_default();
    let snat_clients = yes(&mut table, "snat_clients")?;
    let timeouts = table.take("timeouts").map(timeouts).transpose()?.unwrap_or_default();
    let sync = table.take("sync").map(sync).transpose()?;
    let services = table.need("service", "a table [[service]] with virtual and real")?.tables()?;
    let services = services.into_iter().map(|table| service(table, &defaults)).collect::<Result<Vec<_>, _>>()?;
    Ok((services, Settings { pace, sync, timeouts, snat_clients }, drained))
}

fn service<'a>(table: Table<'a>, above: &Defaults<'a>) -> Result<Draft<'a>, Fault> {
    let mut table = table.only(&keys::names(keys::SERVICE))?;
    let mut draft = Draft::new(At::File(table.place()));
    draft.targets = targets(&mut table)?;
    for word in table.take("ports").map(Item::words).transpose()?.unwrap_or_default() {
        let value = words::port(&word.text).map_err(|reason| word.fault(reason))?;
        draft.ports.push(Said { at: At::File(word), value });
    }
    let is_mark = draft.targets.iter().any(|target| matches!(target.value, Target::Mark(_)));
    if let Some(family) = if is_mark { None } else { table.take("family") } {
        return Err(family.fault("is for mark: an address says by itself of which family it is"));
    }
    draft.family = choice(&mut table, "family", &[("ipv4", Family::V4), ("ipv6", Family::V6)])?;
    let protocols = [("tcp", Protocol::Tcp), ("udp", Protocol::Udp), ("sctp", Protocol::Sctp)];
    draft.protocol = choice(&mut table, "protocol", &protocols)?.unwrap_or(Protocol::Tcp);
    for word in table.take("scheduler_flags").map(Item::texts).transpose()?.unwrap_or_default() {
        draft.flags.push(Said { value: word.text.clone(), at: At::File(word) });
    }
    // 0 is refused where it is known what it would mean.
    draft.persistent = number(&mut table, "persistent", 0, MONTH)?;
    draft.prefix = number(&mut table, "persistent_prefix", 1, 128)?;
    draft.engine = said(&mut table, "persistence_engine", |word| words::module(word, "persistence engine"))?;
    draft.one_packet = yes(&mut table, "one_packet")?;
    draft.weight = number(&mut table, "weight", 0, u16::MAX)?.map_or(1, |said| said.value.into());
    draft.quorum = number(&mut table, "quorum", 1, u16::MAX)?
        .map(|Said { at, value }: Said<'_, u16>| Said { at, value: value.into() });
    if let Some(item) = table.take("real") {
        draft.servers = real(item)?;
    }
    if let Some(item) = table.take("sorry") {
        let servers = if item.is_table() { vec![server(item.table()?)?] } else { named(vec![item.text()?])? };
        draft.sorry = servers.into_iter().next();
    }
    let own = Defaults::take(&mut table)?;
    if let Some(scheduler) = own.scheduler.or(above.scheduler.clone()) {
        draft.scheduler = scheduler;
    }
    if let Some(forwarding) = own.forwarding.or(above.forwarding.clone()) {
        draft.forwarding = forwarding;
    }
    draft.tunnel = own.tunnel.or(above.tunnel.clone());
    draft.on_failure = own.on_failure.or(above.on_failure);
    draft.all_down = own.all_down.or(above.all_down).unwrap_or(AllDown::Degraded);
    draft.check = own.check.or(above.check.clone());
    Ok(draft)
}

/// `virtual` or `mark`, one of them.
fn targets<'a>(table: &mut Table<'a>) -> Result<Vec<Said<'a, Target>>, Fault> {
    let mark: Option<Said<'_, u32>> = number(table, "mark", 1, u32::MAX)?;
    match (table.take("virtual"), mark) {
        (Some(item), Some(_)) => Err(item.fault("and mark are two ways to say the same: give one of them")),
        (None, Some(mark)) => Ok(vec![Said { at: mark.at, value: Target::Mark(mark.value) }]),
        (None, None) => Err(table.fault("has neither virtual, such as \"192.0.2.10:80\", nor mark")),
        (Some(item), None) => {
            let empty = item.fault("is an empty list: give an address such as \"192.0.2.10:80\"");
            let mut all = Vec::new();
            for word in item.texts()? {
                let (address, port) = words::endpoint(&word.text).map_err(|reason| word.fault(reason))?;
                all.push(Said { at: At::File(word), value: Target::Address(address, port) });
            }
            if all.is_empty() { Err(empty) } else { Ok(all) }
        }
    }
}

/// Real servers, in short or as tables.
fn real(item: Item<'_>) -> Result<Vec<Servers<'_>>, Fault> {
    if item.is_tables() { item.tables()?.into_iter().map(server).collect() } else { named(item.texts()?) }
}

fn named(words: Vec<Word<'_>>) -> Result<Vec<Servers<'_>>, Fault> {
    words.into_iter().map(short).collect()
}

fn short(word: Word<'_>) -> Result<Servers<'_>, Fault> {
    let read = words::servers(&word.text).map_err(|reason| word.fault(reason))?;
    let (port, weight) = (read.port, read.weight);
    Ok(Servers { port, weight, ..Servers::new(At::File(word), read.addresses) })
}

fn server(table: Table<'_>) -> Result<Servers<'_>, Fault> {
    let mut table = table.only(&keys::names(keys::REAL))?;
    let item = table.need("address", "\"192.0.2.21\" or a range \"192.0.2.21-26\"")?;
    let (place, empty) = (item.place(), item.fault("is an empty list: give an address such as \"192.0.2.21\""));
    let mut addresses = Vec::new();
    let (mut port, mut weight) = (None, None);
    let words = item.texts()?;
    let many = words.len() > 1;
    for word in words {
        let read = words::servers(&word.text).map_err(|reason| word.fault(reason))?;
        if many && (read.port.is_some() || read.weight.is_some()) {
            return Err(word.fault("in a list of addresses, port and weight are given as keys for all of them"));
        }
        (port, weight) = (read.port, read.weight);
        addresses.extend(read.addresses);
    }
    if addresses.is_empty() {
        return Err(empty);
    }
    let mut servers = Servers::new(At::File(place), addresses);
    servers.port = once(port, number(&mut table, "port", 0, u16::MAX)?)?;
    servers.weight = once(weight, number(&mut table, "weight", 0, u16::MAX.into())?)?;
    servers.forwarding = said(&mut table, "forwarding", words::method)?;
    servers.tunnel = tunnel(&mut table)?;
    servers.upper = number(&mut table, "upper_threshold", 1, u32::MAX)?.map_or(0, |said| said.value);
    servers.lower = number(&mut table, "lower_threshold", 1, u32::MAX)?;
    servers.check = check::read(&mut table)?;
    Ok(servers)
}

/// What stands behind the address or in a key of its own, not in both.
fn once<T>(short: Option<T>, own: Option<Said<'_, T>>) -> Result<Option<T>, Fault> {
    match (short, own) {
        (Some(_), Some(Said { at: At::File(word), .. })) => {
            Err(word.fault("stands behind the address too: give it once"))
        }
        (short, own) => Ok(short.or(own.map(|said| said.value))),
    }
}

fn tunnel<'a>(table: &mut Table<'a>) -> Result<Option<Said<'a, Tunnel>>, Fault> {
    let Some(item) = table.take("tunnel") else { return Ok(None) };
    let at = item.place();
    let mut table = item.table()?.only(&keys::names(keys::TUNNEL))?;
    let kinds = [("ipip", 0), ("gue", 1), ("gre", 2)];
    let kind = choice(&mut table, "type", &kinds)?.unwrap_or(0);
    let port: Option<Said<'_, u16>> = number(&mut table, "port", 1, u16::MAX)?;
    let checksum = yes(&mut table, "checksum")?.is_some();
    let value = match (kind, port) {
        (1, None) => return Err(at.fault("of type \"gue\" needs a port")),
        (1, Some(port)) => Tunnel::Gue { port: port.value, checksum },
        (_, Some(_)) => return Err(at.fault("has a port only with type \"gue\"")),
        (2, None) => Tunnel::Gre { checksum },
        _ if checksum => return Err(at.fault("has checksums only with type \"gue\" or \"gre\"")),
        _ => Tunnel::Ipip,
    };
    Ok(Some(Said { at: At::File(at), value }))
}

fn sync(item: Item<'_>) -> Result<Sync, Fault> {
    let mut table = item.table()?.only(&keys::names(keys::SYNC))?;
    let link = table.need("interface", "the network link, such as \"eth0\"")?.text()?;
    if !fits(Shape::Link, &link.text) {
        return Err(link.must_be(Shape::Link.allowed()));
    }
    let group = table.take("group").map(Item::text).transpose()?;
    let group = group.map(|word| match word.text.parse() {
        Ok(address) if std::net::IpAddr::is_multicast(&address) => Ok(address),
        _ => Err(word.must_be("a multicast address, like 224.0.0.81")),
    });
    Ok(Sync {
        interface: link.text,
        id: number(&mut table, "id", 0, u8::MAX)?.map_or(0, |said| said.value),
        max_length: number(&mut table, "max_length", 52, 65_515)?.map(|said| said.value),
        group: group.transpose()?,
        port: number(&mut table, "port", 1, u16::MAX)?.map(|said| said.value),
        ttl: number(&mut table, "ttl", 1, u8::MAX)?.map(|said| said.value),
    })
}

fn timeouts(item: Item<'_>) -> Result<Timeouts, Fault> {
    let mut table = item.table()?.only(&keys::names(keys::TIMEOUTS))?;
    let tcp = seconds(&mut table, "tcp", MONTH)?;
    Ok(Timeouts { tcp, tcp_fin: seconds(&mut table, "tcp_fin", MONTH)?, udp: seconds(&mut table, "udp", MONTH)? })
}
