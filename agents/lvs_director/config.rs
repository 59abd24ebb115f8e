//! The checked parameters of `lvs-director`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::cluster::member;
use crate::director::farm::{AllDown, Farm, OnFailure, Pace, Simple, Sync};
use crate::ocf::exit::Failure;
use crate::ocf::params::Params;

/// Parameters that a configuration file has as keys: given beside it, nobody would know which one counts.
const IN_FILE: &[&str] = &[
    "virtual_ip",
    "ports",
    "real_servers",
    "scheduler",
    "forwarding",
    "check",
    "sorry",
    "persistent",
    "check_timeout",
    "fall",
    "rise",
    "concurrency",
    "on_failure",
    "all_down",
    "sync",
    "sync_nic",
    "sync_id",
    "snat_clients",
];

/// Where it is said what is wanted.
#[derive(Debug, Clone)]
pub enum Source {
    /// In the parameters.
    Parameters(Box<Farm>),
    /// In a file of this host.
    File(PathBuf),
}

/// The parameters of one instance.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it is said what is wanted.
    pub source: Source,
    /// Real servers that get no new connections, as they were written; the words are addresses or `address:port`.
    pub drained: String,
    /// The program that is told when the health of real servers changes.
    pub hook: Option<PathBuf>,
    /// The name of the node attribute; none: it has its name from the instance.
    pub attribute: Option<String>,
    /// Whether stop puts back the kernel's settings.
    pub restore_sysctls: bool,
    /// The parameters as they were given.
    pub given: BTreeMap<String, String>,
}

impl Config {
    /// Checks and reads the parameters.
    ///
    /// # Errors
    /// What is wrong, with the parameter's name.
    pub fn new(params: &Params) -> Result<Self, Failure> {
        let drained = params.text("drained").unwrap_or_default().to_owned();
        Farm::check_drained(&drained).map_err(|reason| Failure::configured(format!("parameter drained: {reason}")))?;
        let attribute = params.text("attribute").map(str::to_owned);
        if let Some(name) = attribute.as_ref().filter(|name| !member::is_name(name)) {
            let reason = format!("parameter attribute: {name:?} must be made of letters, digits, _ - .");
            return Err(Failure::configured(reason));
        }
        Ok(Self {
            source: source(params)?,
            drained,
            hook: params.text("hook").map(PathBuf::from),
            attribute,
            restore_sysctls: params.boolean("restore_sysctls")?,
            given: params.given().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        })
    }
}

fn source(params: &Params) -> Result<Source, Failure> {
    let Some(file) = params.text("config") else {
        return farm(params).map(|farm| Source::Parameters(Box::new(farm)));
    };
    match params.given().find(|(name, _)| IN_FILE.contains(name)) {
        None => Ok(Source::File(file.into())),
        Some((name, _)) => {
            Err(Failure::configured(format!("parameter {name}: belongs into the file of config, give it there")))
        }
    }
}

fn farm(params: &Params) -> Result<Farm, Failure> {
    let need = |name: &str, what: &str| {
        params
            .text(name)
            .ok_or_else(|| Failure::configured(format!("parameter {name} is needed: {what} (or give config)")))
    };
    need("virtual_ip", "the address that clients connect to")?;
    let ports = need("ports", "such as '80 443'")?;
    let real_servers = need("real_servers", "such as '192.0.2.21-26'")?;
    // The parameter's kind has been checked: there is no other reason for it to be none.
    let virtual_ip =
        params.address("virtual_ip")?.ok_or_else(|| Failure::configured("parameter virtual_ip is empty"))?;
    let sync = sync(params)?;
    // What is usual is another with UDP.
    let given = |name: &str| params.given().find(|(given, _)| *given == name).map(|(_, value)| value);
    let usual = Simple::new(virtual_ip, ports, real_servers);
    let simple = Simple {
        scheduler: params.text("scheduler").unwrap_or(usual.scheduler),
        forwarding: params.text("forwarding").unwrap_or(usual.forwarding),
        check: given("check"),
        sorry: params.text("sorry"),
        persistent: number(params, "persistent")?,
        on_failure: given("on_failure").map(|word| match word {
            "remove" => OnFailure::Remove,
            _ => OnFailure::Quiesce,
        }),
        all_down: match params.text("all_down") {
            Some("failed") => AllDown::Failed,
            Some("sorry") => AllDown::Sorry,
            _ => AllDown::Degraded,
        },
        pace: Pace {
            timeout: params.seconds("check_timeout")?.unwrap_or(Duration::from_secs(3)),
            fall: number(params, "fall")?.unwrap_or(usual.pace.fall),
            rise: number(params, "rise")?.unwrap_or(usual.pace.rise),
            concurrency: number(params, "concurrency")?.unwrap_or(usual.pace.concurrency),
            ..usual.pace
        },
        sync: sync.as_ref(),
        snat_clients: params.boolean("snat_clients")?,
        ..usual
    };
    Farm::simple(&simple).map_err(Failure::configured)
}

fn sync(params: &Params) -> Result<Option<Sync>, Failure> {
    if !params.boolean("sync")? {
        return Ok(None);
    }
    let link = params.text("sync_nic").ok_or_else(|| {
        Failure::configured(
            "parameter sync_nic is needed with sync=yes: the link that the other directors are reached by",
        )
    })?;
    let (max_length, group, port, ttl) = (None, None, None, None);
    let id = number(params, "sync_id")?.unwrap_or_default();
    Ok(Some(Sync { interface: link.to_owned(), id, max_length, group, port, ttl }))
}

/// A number whose range the table gives.
fn number<T: std::str::FromStr>(params: &Params, name: &str) -> Result<Option<T>, Failure> {
    let parse = |text: &str| {
        text.trim().parse().map_err(|_| Failure::configured(format!("parameter {name}: {text:?} is not such a number")))
    };
    params.text(name).map(parse).transpose()
}
