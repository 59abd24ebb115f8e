//! Source address translation by nftables, spoken directly over netlink: no child process, no library of the system.
//!
//! A table of our own is replaced in one transaction and compared with what was asked for in some 50 us.

pub mod expression;
mod foreign;
mod inspect;
mod masquerade;
pub mod ranges;
mod snat;
mod table;
pub mod wire;

pub use foreign::{ForeignRule, foreign_snat};
pub use inspect::inspect;
pub use masquerade::Masquerade;
pub use snat::apply;

use std::io;

use super::netlink::text;
use super::source_nat::check_name;
use wire::{Batch, Connection, Family, HEADER, command, object};

/// The first kernel on which translation by nftables and by iptables exclude each other no more.
const FIRST_KERNEL: (u32, u32) = (4, 18);

/// A table that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Whether it belongs to the family `ip6`, else `ip`.
    pub v6: bool,
    /// Its name.
    pub name: String,
}

/// Removes a table in both families; false when neither was there.
///
/// Connections that were rewritten break when this was the last translation of the host: the kernel then forgets them.
///
/// # Errors
/// What the kernel says, with its errno; the other family has been removed all the same.
pub fn remove(table: &str) -> io::Result<bool> {
    check_name(table)?;
    let v4 = remove_from(Family::V4, table);
    let v6 = remove_from(Family::V6, table);
    match (v4, v6) {
        (Ok(v4), Ok(v6)) => Ok(v4 | v6),
        // Kernels differ in what they say to a name they cannot hold or a family they lack: what counts is what is there.
        (Err(error), _) | (_, Err(error)) => match tables(table) {
            Ok(left) if left.iter().all(|other| other.name != table) => Ok(false),
            _ => Err(error),
        },
    }
}

fn remove_from(family: Family, table: &str) -> io::Result<bool> {
    let mut batch = Batch::default();
    batch.add(command::DEL_TABLE, 0, family, |message| message.text(object::TABLE_NAME, table));
    match Connection::open().and_then(|mut connection| connection.commit(batch)) {
        Ok(()) => Ok(true),
        Err(error) if wire::means_absent(&error) || wire::means_no_nftables(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a table is there, in the family `ip6` or else `ip`.
///
/// # Errors
/// What the kernel says, with its errno.
pub fn has_table(v6: bool, name: &str) -> io::Result<bool> {
    let family = if v6 { Family::V6 } else { Family::V4 };
    let found = Connection::open()
        .and_then(|mut c| c.get(command::GET_TABLE, family, |table| table.text(object::TABLE_NAME, name)));
    match found {
        Err(error) if wire::means_no_nftables(&error) => Ok(false),
        other => Ok(other?.is_some()),
    }
}

/// The tables of both families whose name begins with `prefix`.
///
/// # Errors
/// What the kernel says, with its errno.
pub fn tables(prefix: &str) -> io::Result<Vec<Table>> {
    let mut found = Vec::new();
    for (family, v6) in [(Family::V4, false), (Family::V6, true)] {
        let reply = Connection::open().and_then(|mut connection| connection.dump(command::GET_TABLE, family, |_| {}));
        let reply = match reply {
            Err(error) if wire::means_no_nftables(&error) => continue,
            other => other?,
        };
        let names = reply.messages().filter_map(|m| text(m.attributes(HEADER), object::TABLE_NAME).map(str::to_owned));
        found.extend(names.filter(|name| name.starts_with(prefix)).map(|name| Table { v6, name }));
    }
    Ok(found)
}

/// Whether this kernel can translate addresses by nftables beside iptables.
pub fn can_translate() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    version(&release).is_some_and(|version| version >= FIRST_KERNEL)
        && Connection::open().and_then(|mut c| c.dump(command::GET_TABLE, Family::V4, |_| {})).is_ok()
}

/// Major and minor number of a kernel release such as `4.18.0-553.el8_10.x86_64`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.trim().split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn kernel_releases_are_read() {
        for (release, expected) in [
            ("4.18.0-553.el8_10.x86_64\n", Some((4, 18))),
            ("3.10.0-1160.el7.x86_64", Some((3, 10))),
            ("6.18-rc1", Some((6, 18))),
            ("4.9", Some((4, 9))),
            ("", None),
            ("linux", None),
        ] {
            assert_eq!(version(release), expected, "{release:?}");
        }
    }
}
