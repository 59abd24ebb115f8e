//! Shell scripts with ipvsadm: the commands, with the script's own variables put in. Nothing is run.

use super::File;
use super::lines::lines;
use super::notes::Notes;
use super::services::port;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The longest word that variables may make: one of variables that hold each other twice would fill the memory.
const LONGEST: usize = 4096;

/// What scripts say of LVS.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The virtual services, in the order of the script.
    pub services: Vec<Virtual>,
    /// The link that the synchronisation daemons use.
    pub sync: Option<String>,
}

/// A virtual service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Virtual {
    /// Where it was made.
    pub place: String,
    /// `tcp` or `udp`.
    pub protocol: &'static str,
    /// Where clients connect to.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// The scheduler.
    pub scheduler: Option<String>,
    /// Seconds that a client stays with its real server.
    pub persistent: Option<u32>,
    /// The real servers.
    pub servers: Vec<Real>,
}

/// A real server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Real {
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// `nat`, `dr` or `tun`.
    pub forwarding: &'static str,
    /// Its weight.
    pub weight: u32,
}

/// What a client stays for when `-p` has no number.
const PERSISTENT: u32 = 300;

/// Reads scripts into one table; what they say besides is told.
pub(super) fn read(file: &File, table: &mut Table, notes: &mut Notes) {
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    for line in lines(file) {
        if line.text.starts_with("#!") {
            continue;
        }
        if let Some((name, value)) = assignment(&line.text) {
            let value = expand(value, &variables).unwrap_or_else(|_| value.to_owned());
            variables.insert(name.to_owned(), value);
            continue;
        }
        let first = line.text.split_whitespace().next().unwrap_or_default();
        let is = |name: &str| first.rsplit('/').next() == Some(name);
        if is("ipvsadm") {
            match expand(&line.text, &variables) {
                Ok(text) => command(&text, &line.place, table, notes),
                Err(name) => notes.leave(
                    &line.place,
                    &line.text,
                    format!("${name} is only known when it runs: lvs-director asks the real servers itself, and changes the table"),
                ),
            }
        } else if line.text.contains("/proc/sys/net/") || is("sysctl") {
            notes.leave(&line.place, &line.text, "lvs-director sets what a director needs of the kernel by itself");
        } else {
            notes.leave(&line.place, &line.text, "says nothing of LVS");
        }
    }
}

/// `NAME=VALUE` alone on a line.
fn assignment(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.strip_prefix("export ").unwrap_or(text).split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let value = value.trim_matches(|c| c == '"' || c == '\'');
    (is_name && !value.contains(char::is_whitespace)).then_some((name, value))
}

/// The text with variables put in; the name of one that is not known.
fn expand(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        let braced = after.strip_prefix('{');
        let from = braced.unwrap_or(after);
        let end = from.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(from.len());
        let (name, tail) = from.split_at(end);
        let value = variables.get(name).filter(|value| !value.contains('$')).ok_or_else(|| name.to_owned())?;
        result.push_str(value);
        if result.len() > LONGEST {
            return Err(name.to_owned());
        }
        rest = match braced {
            Some(_) => tail.strip_prefix('}').ok_or_else(|| name.to_owned())?,
            None => tail,
        };
    }
    result.push_str(rest);
    Ok(result.replace(['"', '\''], ""))
}

/// One command, its options taken apart.
#[derive(Debug, Default)]
struct Options<'a> {
    act: Option<char>,
    service: Option<(&'static str, &'a str)>,
    real: Option<&'a str>,
    scheduler: Option<&'a str>,
    persistent: Option<u32>,
    forwarding: Option<&'static str>,
    weight: Option<u32>,
    unknown: Option<&'a str>,
}

fn command(text: &str, place: &str, table: &mut Table, notes: &mut Notes) {
    let words: Vec<&str> = text.split_whitespace().skip(1).collect();
    if let Some(at) = words.iter().position(|word| *word == "--start-daemon") {
        let link = words.iter().position(|word| *word == "--mcast-interface").and_then(|at| words.get(at + 1));
        table.sync = Some((*link.unwrap_or(&"eth0")).to_owned());
        let role = words.get(at + 1).copied().unwrap_or_default();
        notes.change(place, text, format!("every director is both master and backup, not only {role}"));
        return;
    }
    let options = options(&words);
    let result = match (options.act, options.unknown) {
        (_, Some(word)) => Err(format!("{word} is not something lvs-director is told")),
        (Some('A' | 'E'), _) => add_service(&options, place, table),
        (Some('a' | 'e'), _) => add_server(&options, table),
        (Some('C'), _) => Err("lvs-director makes the table what it should be, and leaves other services alone".into()),
        (Some('d' | 'D'), _) => Err("lvs-director takes out what fails by itself".into()),
        _ => Err("lists the table: \"inuvika-ha lvs show\" does that".into()),
    };
    if let Err(why) = result {
        notes.leave(place, text, why);
    }
}

fn options<'a>(words: &[&'a str]) -> Options<'a> {
    let mut options = Options::default();
    let mut words = words.iter().copied().peekable();
    while let Some(word) = words.next() {
        match word {
            "-A" | "--add-service" => options.act = Some('A'),
            "-E" | "--edit-service" => options.act = Some('E'),
            "-D" | "--delete-service" => options.act = Some('D'),
            "-C" | "--clear" => options.act = Some('C'),
            "-a" | "--add-server" => options.act = Some('a'),
            "-e" | "--edit-server" => options.act = Some('e'),
            "-d" | "--delete-server" => options.act = Some('d'),
            "-L" | "-l" | "--list" | "-n" | "--numeric" | "-ln" | "-Ln" => options.act = options.act.or(Some('L')),
            "-t" | "--tcp-service" => options.service = words.next().map(|word| ("tcp", word)),
            "-u" | "--udp-service" => options.service = words.next().map(|word| ("udp", word)),
            "-s" | "--scheduler" => options.scheduler = words.next(),
            "-p" | "--persistent" => {
                let seconds = words.peek().and_then(|word| word.parse().ok());
                options.persistent = Some(seconds.unwrap_or(PERSISTENT));
                if seconds.is_some() {
                    words.next();
                }
            }
            "-r" | "--real-server" => options.real = words.next(),
            "-m" | "--masquerading" => options.forwarding = Some("nat"),
            "-g" | "--gatewaying" => options.forwarding = Some("dr"),
            "-i" | "--ipip" => options.forwarding = Some("tun"),
            "-w" | "--weight" => match words.next().map(str::parse) {
                Some(Ok(weight)) => options.weight = Some(weight),
                _ => options.unknown = Some(word),
            },
            other => options.unknown = options.unknown.or(Some(other)),
        }
    }
    options
}

/// `ADDRESS:PORT`, `[ADDRESS]:PORT`; the port a number or a name.
fn endpoint(word: &str) -> Option<(IpAddr, Option<u16>)> {
    if let Ok(address) = word.parse() {
        return Some((address, None));
    }
    let (address, name) = word.rsplit_once(':')?;
    let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    Some((address.parse().ok()?, Some(port(name)?)))
}

/// The service's key.
fn key(options: &Options<'_>) -> Result<(&'static str, IpAddr, u16), String> {
    let (protocol, word) = options.service.ok_or("has no -t or -u: only services of an address are carried over")?;
    match endpoint(word) {
        Some((address, Some(port))) => Ok((protocol, address, port)),
        _ => Err(format!("{word} is not ADDRESS:PORT")),
    }
}

fn find<'a>(table: &'a mut Table, wanted: (&'static str, IpAddr, u16)) -> Option<&'a mut Virtual> {
    table.services.iter_mut().find(|one| (one.protocol, one.address, one.port) == wanted)
}

fn add_service(options: &Options<'_>, place: &str, table: &mut Table) -> Result<(), String> {
    let key = key(options)?;
    let scheduler = options.scheduler.map(str::to_owned);
    match find(table, key) {
        Some(known) => {
            known.scheduler = scheduler.or(known.scheduler.take());
            known.persistent = options.persistent.or(known.persistent);
        }
        None => {
            let (protocol, address, port) = key;
            let place = place.to_owned();
            let persistent = options.persistent;
            table.services.push(Virtual { place, protocol, address, port, scheduler, persistent, servers: Vec::new() });
        }
    }
    Ok(())
}

fn add_server(options: &Options<'_>, table: &mut Table) -> Result<(), String> {
    let key = key(options)?;
    let word = options.real.ok_or("has no -r")?;
    let (address, port) = endpoint(word).ok_or_else(|| format!("{word} is not ADDRESS or ADDRESS:PORT"))?;
    let service = find(table, key).ok_or("is for a virtual service that no line before it makes")?;
    // ipvsadm's own defaults.
    let real = Real {
        address,
        port: port.unwrap_or(service.port),
        forwarding: options.forwarding.unwrap_or("dr"),
        weight: options.weight.unwrap_or(1),
    };
    match service.servers.iter_mut().find(|known| (known.address, known.port) == (real.address, real.port)) {
        Some(known) => *known = real,
        None => service.servers.push(real),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Table, read};
    use crate::import::{File, Notes};

    fn script(text: &str) -> (Table, Vec<String>) {
        let (mut table, mut notes) = (Table::default(), Notes::default());
        read(&File { name: "lvs.sh".into(), text: text.into() }, &mut table, &mut notes);
        (table, notes.lines().collect())
    }

    #[test]
    fn a_table_with_variables() {
        let (table, told) = script(
            "#!/bin/sh\nVIP=192.0.2.1 # x\nR=\"192.0.2.2\"\nipvsadm -C\nipvsadm -A -t ${VIP}:http -s rr -p 60\n\
             /sbin/ipvsadm -a -t $VIP:80 -r $R -m -w 3\nipvsadm -A -u [2001:db8::1]:domain -p\n\
             ipvsadm -a -u [2001:db8::1]:53 -r [2001:db8::2]:5353 -i\n",
        );
        let [web, dns] = table.services.as_slice() else { unreachable!("{table:?}") };
        assert_eq!((web.port, web.scheduler.as_deref(), web.persistent), (80, Some("rr"), Some(60)));
        let real = &web.servers[0];
        assert_eq!((real.port, real.forwarding, real.weight), (80, "nat", 3));
        assert_eq!((dns.protocol, dns.persistent, dns.servers[0].forwarding), ("udp", Some(300), "tun"));
        assert_eq!(dns.servers[0].port, 5353);
        assert!(matches!(told.as_slice(), [one] if one.contains("lvs.sh:4: ipvsadm -C: ")), "{told:?}");
    }

    #[test]
    fn what_is_not_understood_is_told() {
        let bomb = (0..40).fold("A0=aaaaaaaaaa\n".to_owned(), |text, n| format!("{text}A{}=$A{n}$A{n}\n", n + 1));
        let (table, told) =
            script(&format!("{bomb}ipvsadm -A -t $A40:80\nipvsadm -a -t 192.0.2.1:80 -r $X -m\nwhile true\n"));
        assert!(table.services.is_empty());
        let parts = ["$A40 is only known", "$X is only known", "while true: says nothing of LVS"];
        assert!(told.iter().zip(parts).all(|(line, part)| line.contains(part)) && told.len() == 3, "{told:?}");
    }
}
