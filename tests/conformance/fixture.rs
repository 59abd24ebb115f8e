//! What each agent needs around it, and how to see that it left nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use inuvika_ha::ocf::spec::Spec;

use crate::support::abiquo_host as abiquo;
use crate::support::lsyncd_host as lsyncd;
use crate::support::osm_host as osm;
use crate::support::subject::Subject;

/// An agent on a host where it can run.
pub struct Fixture {
    /// Instance `first` with good parameters.
    pub subject: Subject,
    /// The agent's table; none for a stock agent.
    pub spec: Option<&'static Spec>,
    /// A parameter value that no host can accept.
    pub wrong: (&'static str, &'static str),
    /// Good parameters for instance number `n`.
    pub params: fn(usize) -> Vec<(String, String)>,
    /// Everything of this agent that is on the host, in words; empty after stop.
    pub left: fn() -> Vec<String>,
    /// Takes away what start needs, so that it must wait and fail; gives it back.
    pub obstacle: Option<Obstacle>,
}

/// How to take something away, and how to give it back.
pub type Obstacle = (fn(), fn());

/// Where the agents under test are: readable for everybody, as /usr/lib/ocf is.
const FOLDER: &str = "/run/conformance";

/// How Dummy's state files end.
const DUMMY_STATE: &str = ".state";

impl Fixture {
    /// One of ours.
    pub fn of_agent(spec: &'static Spec) -> Result<Self, String> {
        prepare_host();
        clean();
        let path = PathBuf::from(FOLDER).join(spec.name);
        let subject = Subject { path, agent_type: spec.name.to_owned(), instance: "first".to_owned(), env: Vec::new() };
        let fixture = match spec.name {
            "ovd-vip-src" => Self {
                subject,
                spec: Some(spec),
                wrong: ("virtual_ip", "10.20.1.300"),
                params: |n| {
                    let pairs = [("virtual_ip", format!("10.20.1.{}", 10 + n)), ("arp_check", "no".to_owned())];
                    pairs.map(|(name, value)| (format!("OCF_RESKEY_{name}"), value)).to_vec()
                },
                left: || [tables(), state()].concat(),
                obstacle: Some((|| ip("addr del 10.20.1.10/24 dev eth0"), || ip("addr add 10.20.1.10/24 dev eth0"))),
            },
            "ovd-osm" => Self {
                subject,
                spec: Some(spec),
                wrong: ("vhost", "nowhere"),
                params: osm::params,
                left: || [osm::left(), state()].concat(),
                obstacle: Some((osm::hide, osm::show)),
            },
            "ovd-lsyncd" => Self {
                subject,
                spec: Some(spec),
                wrong: ("peer", "one,two,three"),
                params: lsyncd::params,
                left: || [lsyncd::left(), state()].concat(),
                obstacle: Some((lsyncd::hide, lsyncd::show)),
            },
            "abiquo-rs" => Self {
                subject,
                spec: Some(spec),
                wrong: ("address", "0.0.0.0"),
                // Eight Java machines that start at once take their time.
                params: |n| {
                    let timeout = ("OCF_RESKEY_CRM_meta_timeout".to_owned(), "180000".to_owned());
                    abiquo::params(n).into_iter().chain([timeout]).collect()
                },
                left: || [abiquo::left(), state()].concat(),
                obstacle: Some((abiquo::hide, abiquo::show)),
            },
            // Most kernels that this runs on have no IPVS: `ipvs` asks the rest where one has.
            "lvs-director" => Self {
                subject,
                spec: Some(spec),
                wrong: ("virtual_ip", "10.20.1.300"),
                params: |_| {
                    let pairs = [("virtual_ip", "10.20.1.10"), ("ports", "80"), ("real_servers", "10.20.1.21")];
                    pairs.map(|(name, value)| (format!("OCF_RESKEY_{name}"), value.to_owned())).to_vec()
                },
                left: || [tables(), state()].concat(),
                obstacle: None,
            },
            "ofs-ctdb" => Self {
                subject,
                spec: Some(spec),
                wrong: ("smb_port", "0"),
                params: |_| vec![("OCF_RESKEY_service_manager".to_owned(), "lsb".to_owned())],
                left: state,
                obstacle: None,
            },
            other => return Err(format!("{other} is in the registry but has no fixture here")),
        };
        Ok(fixture.with_params())
    }

    /// The stock agent that does nothing.
    pub fn of_dummy() -> Result<Self, String> {
        prepare_host();
        clean();
        let path = PathBuf::from("/usr/lib/ocf/resource.d/heartbeat/Dummy");
        let subject = Subject { path, agent_type: "Dummy".to_owned(), instance: "first".to_owned(), env: Vec::new() };
        let fixture = Self {
            subject,
            spec: None,
            wrong: ("state", "/nowhere/at all"),
            params: |_| Vec::new(),
            left: || {
                let files = fs::read_dir("/run").into_iter().flatten().flatten();
                files.map(|f| f.path().display().to_string()).filter(|p| p.ends_with(DUMMY_STATE)).collect()
            },
            obstacle: None,
        };
        Ok(fixture.with_params())
    }

    fn with_params(mut self) -> Self {
        self.subject.env.extend((self.params)(0));
        self
    }

    /// Instance number `n`.
    pub fn number(&self, n: usize) -> Subject {
        let mut subject = self.subject.without_params().named(&format!("instance-{n}"));
        subject.env.extend((self.params)(n));
        subject
    }

    /// Err names what is left on the host.
    pub fn nothing_left(&self) -> Result<(), String> {
        let left = (self.left)();
        if left.is_empty() { Ok(()) } else { Err(format!("left on the host: {left:?}")) }
    }
}

/// A private host with a link to a peer, as many virtual IPs as there are instances, and the agents.
fn prepare_host() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        ip("netns add peer");
        ip("link set lo up");
        ip("link add eth0 type veth peer name eth0 netns peer");
        ip("link set eth0 up");
        ip("-n peer link set eth0 up");
        ip("-n peer addr add 10.20.1.21/24 dev eth0");
        // The node's own address first: were a virtual IP the primary one, removing it would take all others along.
        ip("addr add 10.20.1.100/24 dev eth0");
        for n in 0..16 {
            ip(&format!("addr add 10.20.1.{}/24 dev eth0", 10 + n));
        }
        // All of /run is the lab's own: a cluster on this machine has its state elsewhere.
        fs::create_dir_all(FOLDER).unwrap();
        let binary = Path::new(FOLDER).join("inuvika-ha");
        fs::copy(env!("CARGO_BIN_EXE_inuvika-ha"), &binary).unwrap();
        for spec in inuvika_ha::agents::specs() {
            // This one asks its peer to run the same path.
            let program = if spec.name == "ovd-lsyncd" { Path::new(lsyncd::PROGRAM) } else { &binary };
            std::os::unix::fs::symlink(program, Path::new(FOLDER).join(spec.name)).unwrap();
        }
    });
}

/// Takes away what a question that failed has left, so that the next one is asked of a clean host.
fn clean() {
    abiquo::clean();
    osm::clean();
    lsyncd::clean();
    run(Command::new("nft").args(["flush", "ruleset"]));
    let _ = fs::remove_dir_all("/run/inuvika-ha");
    for file in fs::read_dir("/run").into_iter().flatten().flatten() {
        if file.path().display().to_string().ends_with(DUMMY_STATE) {
            let _ = fs::remove_file(file.path());
        }
    }
}

/// Runs ip(8).
pub fn ip(line: &str) {
    run(Command::new("ip").args(line.split_whitespace()));
}

fn run(command: &mut Command) {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// The nftables tables, as nft sees them.
fn tables() -> Vec<String> {
    let out = Command::new("nft").args(["list", "tables"]).output().unwrap();
    String::from_utf8_lossy(&out.stdout).lines().filter(|l| l.contains("inuvika")).map(str::to_owned).collect()
}

fn state() -> Vec<String> {
    let exists = Path::new("/run/inuvika-ha").exists();
    let files = fs::read_dir("/run/inuvika-ha").into_iter().flatten().flatten();
    let mut all: Vec<String> = files.map(|f| f.path().display().to_string()).collect();
    if exists && all.is_empty() {
        all.push("/run/inuvika-ha".to_owned());
    }
    all
}
