//! The iptables tools of a host: which there are, what table `nat` holds for each, and changes to it.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::listing::Listing;
use crate::ocf::deadline::Deadline;
use crate::sys::{nft, process};

/// Pause before another try when somebody else holds the lock of a tool that cannot wait for it.
const LOCKED_PAUSE: Duration = Duration::from_millis(100);
/// How often a change is tried.
const TRIES: usize = 3;
/// What the tools exit with when the lock is held or the rules changed under them (`RESOURCE_PROBLEM`).
const RESOURCE_PROBLEM: i32 = 4;

/// Where a tool keeps its rules. Both places can hold rules at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// In nftables.
    Nft,
    /// In x_tables, the older packet filter of the kernel.
    Legacy,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Variant::Nft => "nft",
            Variant::Legacy => "legacy",
        })
    }
}

/// One of the host's iptables tools, for one address family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    list: PathBuf,
    restore: PathBuf,
    /// Where it keeps its rules.
    pub variant: Variant,
    /// Whether it is for IPv6.
    pub v6: bool,
}

impl Tool {
    /// The tool the host's administrator has chosen: `iptables` or `ip6tables`.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub fn usual(v6: bool, deadline: &Deadline) -> io::Result<Self> {
        Self::named("", v6, deadline)?.ok_or_else(|| {
            let reason = format!("find {}: not installed", if v6 { "ip6tables" } else { "iptables" });
            io::Error::new(io::ErrorKind::NotFound, reason)
        })
    }

    /// The tool of this variant, if the host has it.
    ///
    /// # Errors
    /// What asking a tool for its version said.
    pub fn of(variant: Variant, v6: bool, deadline: &Deadline) -> io::Result<Option<Self>> {
        let named = Self::named(&format!("-{variant}"), v6, deadline)?;
        let usual = Self::named("", v6, deadline)?;
        Ok(named.or(usual).filter(|tool| tool.variant == variant))
    }

    /// All tools of the host: both variants, both families.
    ///
    /// # Errors
    /// What asking a tool for its version said.
    pub fn all(deadline: &Deadline) -> io::Result<Vec<Self>> {
        let mut tools = Vec::new();
        for variant in [Variant::Nft, Variant::Legacy] {
            for v6 in [false, true] {
                tools.extend(Self::of(variant, v6, deadline)?);
            }
        }
        Ok(tools)
    }

    fn named(suffix: &str, v6: bool, deadline: &Deadline) -> io::Result<Option<Self>> {
        let base = if v6 { "ip6tables" } else { "iptables" };
        let list = process::find(format!("{base}{suffix}"));
        let restore = process::find(format!("{base}{suffix}-restore"));
        let Some((list, restore)) = list.zip(restore) else { return Ok(None) };
        let variant = variant_of(&list, deadline)?;
        Ok(Some(Self { list, restore, variant, v6 }))
    }

    /// The rules of table `nat`. Where the table does not exist no tool is run: the legacy one would make it.
    pub(super) fn listing(&self, deadline: &Deadline) -> io::Result<Listing> {
        if !self.has_nat()? {
            return Ok(Listing::default());
        }
        loop {
            let output = process::run(&self.list, &["-w", "-t", "nat", "-v", "-S"], None, deadline)?;
            if output.status.success() && !output.truncated {
                return Ok(Listing::parse(&output.text()));
            }
            // A table that nft has made in a way that iptables cannot show holds nothing that iptables has made.
            if String::from_utf8_lossy(&output.stderr).contains("is incompatible") {
                return Ok(Listing::default());
            }
            if output.status.code() != Some(RESOURCE_PROBLEM) || !deadline.sleep(LOCKED_PAUSE) {
                let reason = format!("list table nat with {}: {}", self, output.reason());
                return Err(io::Error::other(reason));
            }
        }
    }

    /// Changes table `nat` as `script` says, all of it or nothing.
    pub(super) fn restore(&self, script: &str, deadline: &Deadline) -> io::Result<()> {
        let input = format!("*nat\n{script}COMMIT\n");
        let mut arguments = vec!["--noflush", "-w"];
        loop {
            let output = process::run(&self.restore, &arguments, Some(input.as_bytes()), deadline)?;
            if output.status.success() {
                return Ok(());
            }
            let reason = output.reason();
            // Before 1.6.2 it cannot wait for the lock, and says so in words only.
            if arguments.len() > 1 && reason.contains("option") && !deadline.passed() {
                arguments.truncate(1);
            } else if output.status.code() != Some(RESOURCE_PROBLEM) || !deadline.sleep(LOCKED_PAUSE) {
                return Err(io::Error::other(format!("change table nat with {self}: {reason}")));
            }
        }
    }

    /// Looks and changes once more when that failed: the tool for nftables takes no lock, and can fail at a rule that is there
    /// when another one writes at the same time. Nothing has changed then.
    pub(super) fn again<T>(&self, deadline: &Deadline, change: impl Fn() -> io::Result<T>) -> io::Result<T> {
        let mut result = change();
        for _ in 1..TRIES {
            if result.is_ok() || self.variant != Variant::Nft || !deadline.sleep(LOCKED_PAUSE) {
                break;
            }
            result = change();
        }
        result
    }

    fn has_nat(&self) -> io::Result<bool> {
        match self.variant {
            Variant::Nft => nft::has_table(self.v6, "nat"),
            Variant::Legacy => Ok(legacy_tables(self.v6).lines().any(|table| table == "nat")),
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", if self.v6 { "ip6tables" } else { "iptables" }, self.variant)
    }
}

/// Tables that the legacy filter has made. The file is missing when its module is not there.
fn legacy_tables(v6: bool) -> String {
    let file = if v6 { "ip6_tables_names" } else { "ip_tables_names" };
    // The first path follows this thread's network namespace; kernels before 3.17 do not have it.
    ["/proc/thread-self/net", "/proc/net"]
        .iter()
        .find_map(|directory| fs::read_to_string(format!("{directory}/{file}")).ok())
        .unwrap_or_default()
}

/// Tells the variant by the program behind the links of the alternatives system, else by asking it.
fn variant_of(program: &PathBuf, deadline: &Deadline) -> io::Result<Variant> {
    let real = fs::canonicalize(program)?;
    match real.file_name().and_then(|name| name.to_str()) {
        Some("xtables-nft-multi") => Ok(Variant::Nft),
        Some("xtables-legacy-multi" | "xtables-multi") => Ok(Variant::Legacy),
        _ => {
            let version = process::run(program, &["-V"], None, deadline)?.text();
            Ok(if version.contains("nf_tables") { Variant::Nft } else { Variant::Legacy })
        }
    }
}
