//! How real servers are asked, before it is known whom.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;

use super::super::check::{BodyMatch, Method, Question, Statuses};
use super::draft::At;
use super::keys;
use super::values::{choice, number, yes};
use crate::document::fault::Fault;
use crate::document::reader::{Item, Table};

/// The port that browsers speak TLS to.
const HTTPS: u16 = 443;

/// A table `check`, or what a parameter says of it.
#[derive(Debug, Clone)]
pub(super) struct CheckDraft<'a> {
    pub at: At<'a>,
    pub port: Option<u16>,
    pub kind: Kind,
}

/// The kinds of checks.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    None,
    Tcp,
    Http(Page),
    Command { argv: Vec<String>, env: BTreeMap<String, String> },
}

/// A page.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub https: bool,
    pub host: Option<String>,
    pub path: String,
    pub method: Method,
    pub status: Statuses,
    pub body: Option<BodyMatch>,
    pub sni: Option<String>,
    pub verify: bool,
    pub ca: Option<PathBuf>,
}

impl Page {
    /// The page at `path`, with nothing special about it.
    pub fn new(https: bool, path: &str) -> Self {
        let (host, body, sni, ca) = (None, None, None, None);
        let (method, status, path) = (Method::Get, Statuses::default(), path.to_owned());
        Self { https, host, path, method, status, body, sni, verify: false, ca }
    }
}

impl CheckDraft<'_> {
    /// The question to one real server of the service at `virtual_port`; none when it is not to be asked.
    pub fn question(&self, address: IpAddr, port: u16, virtual_port: u16) -> Option<Question> {
        let to = SocketAddr::new(address, self.port.unwrap_or(port));
        match &self.kind {
            Kind::None => None,
            Kind::Tcp => Some(Question::Tcp { to }),
            Kind::Http(page) => {
                // Who gives one check for both ports means the same page, and at 443 it is there over TLS alone.
                let at_https = to.port() == HTTPS || (self.port.is_none() && virtual_port == HTTPS);
                let Page { host, path, method, status, body, sni, verify, ca, .. } = page.clone();
                let https = page.https || at_https;
                Some(Question::Http { to, https, host, path, method, status, body, sni, verify, ca })
            }
            Kind::Command { argv, env } => Some(Question::Command { to, argv: argv.clone(), env: env.clone() }),
        }
    }
}

/// Reads the table `check` in `table`, when there is one.
pub(super) fn read<'a>(table: &mut Table<'a>) -> Result<Option<Rc<CheckDraft<'a>>>, Fault> {
    let Some(item) = table.take("check") else { return Ok(None) };
    let at = At::File(item.place());
    let mut table = item.table()?.only(&keys::names(keys::CHECK))?;
    let word = table.need("type", "\"tcp\", \"http\", \"https\", \"command\" or \"none\"")?.text()?;
    let port = number(&mut table, "port", 1, u16::MAX)?.map(|said| said.value);
    let kind = match word.text.as_str() {
        "none" => Kind::None,
        "tcp" => Kind::Tcp,
        "http" => Kind::Http(page(&mut table, false)?),
        "https" => Kind::Http(page(&mut table, true)?),
        "command" => {
            let hint = "a list of texts: the program and its arguments";
            let argv = table.need("command", hint)?.texts()?.into_iter().map(|word| word.text).collect();
            let mut env = BTreeMap::new();
            if let Some(item) = table.take("environment") {
                for (name, value) in item.table()?.entries() {
                    env.insert(name.text, value.text()?.text);
                }
            }
            Kind::Command { argv, env }
        }
        _ => return Err(word.must_be("\"tcp\", \"http\", \"https\", \"command\" or \"none\"")),
    };
    // A key of another type would be silently without effect.
    if let Some((key, _)) = table.entries().into_iter().next() {
        return Err(key.fault(format!("is not for checks of type {:?}", word.text)));
    }
    Ok(Some(Rc::new(CheckDraft { at, port, kind })))
}

fn page(table: &mut Table<'_>, https: bool) -> Result<Page, Fault> {
    let mut text = |key| Ok::<_, Fault>(table.take(key).map(Item::text).transpose()?.map(|word| word.text));
    let mut page = Page::new(https, &text("path")?.unwrap_or_else(|| "/".into()));
    (page.host, page.sni, page.ca) = (text("host")?, text("sni")?, text("ca")?.map(Into::into));
    if let Some(item) = table.take("status") {
        let place = item.place();
        let words: Vec<String> = item.words()?.into_iter().map(|word| word.text).collect();
        page.status = words.join(",").parse::<Statuses>().map_err(|reason| place.fault(reason))?;
    }
    page.body = match (table.take("body"), table.take("body_regex")) {
        (Some(_), Some(item)) => return Err(item.fault("and body are two ways to say the same: give one of them")),
        (Some(item), None) => Some(BodyMatch::Text(item.text()?.text)),
        (None, Some(item)) => Some(BodyMatch::Regex(item.text()?.text)),
        (None, None) => None,
    };
    let methods = [("GET", Method::Get), ("HEAD", Method::Head)];
    page.method = choice(table, "method", &methods)?.unwrap_or_default();
    page.verify = yes(table, "verify")?.is_some();
    Ok(page)
}
