//! Two hosts with the same paths: each has network, mounts and sshd of its own. Pacemaker's tools are replaced by scripts on
//! files, which both see: what a real cluster says to them is tested elsewhere.

mod host;
mod wire;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use inuvika_ha::ocf::action::Action;
use inuvika_ha::ocf::check::Check;
use inuvika_ha::ocf::deadline::Deadline;
use inuvika_ha::ocf::environment::Environment;
use inuvika_ha::ocf::instance::Instance;
use inuvika_ha::ocf::log::Log;
use inuvika_ha::ocf::operation::Operation;
use inuvika_ha::ocf::params::Params;
use inuvika_ha::ocf::state::State;
use inuvika_ha::ocf::trace::Trace;
use inuvika_ha::replica::stamp::{Attic, Stamp};
use inuvika_ha::replica::{self, Progress, Ready, Replica, guard};
use inuvika_ha::sys::remote::Remote;
use nix::sched::{CloneFlags, setns, unshare};

use self::host::{OWN, ROOT};
use crate::netns::{Namespace, connect};

/// The folders that are replicated.
pub const SESSIONS: &str = "/run/replica/own/sessions";
pub const SPOOL: &str = "/run/replica/own/spool/deep";
/// The resource.
pub const INSTANCE: &str = "lsyncd";
/// What the cluster remembers: one file for each value.
const CIB: &str = "/run/replica/cib";

/// A node.
pub struct Node {
    pub name: &'static str,
    peer: &'static str,
    net: Namespace,
    /// Holds the mounts; its sshd is its child's.
    holder: Child,
    sshd: Option<Child>,
}

/// Two of them.
pub struct Pair {
    pub one: Node,
    pub two: Node,
}

impl Pair {
    pub fn new() -> Self {
        host::make();
        let _ = fs::remove_dir_all(CIB);
        fs::create_dir_all(CIB).unwrap();
        let mut pair = Pair { one: Node::new("osm1", "osm2"), two: Node::new("osm2", "osm1") };
        connect(&pair.one.net, "eth0", &pair.two.net, "eth0");
        pair.one.net.address("10.77.0.1/24", "eth0");
        pair.two.net.address("10.77.0.2/24", "eth0");
        pair.one.start_sshd();
        pair.two.start_sshd();
        pair
    }

    /// Waits until both nodes see each other: an address that nobody had is not asked for at once again.
    pub fn meet(&self) {
        for (node, address) in [(&self.one, "10.77.0.2:22"), (&self.two, "10.77.0.1:22")] {
            let address = address.parse().unwrap();
            let begun = Instant::now();
            while node.net.enter(|| std::net::TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err()) {
                assert!(begun.elapsed() < Duration::from_secs(10), "{} does not see {address}", node.name);
            }
        }
    }

    /// What both nodes have logged, for a trial that failed.
    pub fn logs(&self) -> String {
        [&self.one, &self.two].map(|node| format!("--- {}\n{}", node.name, node.log())).join("")
    }

    /// A value in the cluster.
    pub fn cib(&self, name: &str) -> Option<String> {
        fs::read_to_string(Path::new(CIB).join(name)).ok().map(|text| text.trim().to_owned())
    }

    /// What the cluster has a value of.
    pub fn cib_names(&self) -> Vec<String> {
        fs::read_dir(CIB).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap()).collect()
    }

    /// The cluster is made anew.
    pub fn clear_cib(&self) {
        fs::remove_dir_all(CIB).unwrap();
        fs::create_dir_all(CIB).unwrap();
    }

    pub fn unset_cib(&self, name: &str) {
        fs::remove_file(Path::new(CIB).join(name)).unwrap();
    }

    pub fn set_cib(&self, name: &str, value: &str) {
        fs::write(Path::new(CIB).join(name), value).unwrap();
    }
}

impl Node {
    fn new(name: &'static str, peer: &'static str) -> Self {
        let net = Namespace::new();
        let mounts = format!(
            "mount --make-rprivate /; mkdir -p {OWN} /run/inuvika-ha /run/sshd
             for place in {OWN} /run/inuvika-ha /var/lib/inuvika-ha; do mount -t tmpfs -o mode=755 tmpfs $place; done
             # What the host's administrator starts with a shell may wait for a lock of his own.
             [ ! -e /root/.bashrc ] || mount --bind /dev/null /root/.bashrc
             mkdir -p {SESSIONS} {SPOOL}; echo {name} > {OWN}/name; echo ready; exec sleep infinity"
        );
        let mut holder = net.command("unshare");
        holder.args(["-m", "bash", "-ec", &mounts]).stdout(Stdio::piped());
        let mut holder = holder.spawn().unwrap();
        let mut line = [0; 6];
        std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut line).unwrap();
        Self { name, peer, net, holder, sshd: None }
    }

    /// Runs code on this node, in a thread of its own.
    pub fn enter<R: Send>(&self, code: impl FnOnce() -> R + Send) -> R {
        let mounts = fs::File::open(format!("/proc/{}/ns/mnt", self.holder.id())).unwrap();
        self.net.enter(|| {
            // A thread that shares its root with others may not change mounts.
            unshare(CloneFlags::CLONE_FS).unwrap();
            setns(mounts, CloneFlags::CLONE_NEWNS).unwrap();
            code()
        })
    }

    /// Runs a line of shell on this node; what it printed.
    pub fn sh(&self, line: &str) -> String {
        let out = self.enter(|| Command::new("bash").args(["-ec", line]).output().unwrap());
        assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }

    pub fn replica(&self) -> Replica {
        Replica {
            instance: INSTANCE.into(),
            remote: Remote {
                host: format!("10.77.0.{}", &self.peer[3..]),
                user: "root".into(),
                port: 22,
                identity: Some(format!("{ROOT}/key").into()),
                known_hosts: Some(format!("{ROOT}/known_hosts").into()),
            },
            folders: vec![SESSIONS.into(), SPOOL.into()],
            exclude: vec![".*".into()],
            delay: Duration::from_secs(1),
            max_lag: Duration::from_secs(60),
            pull_timeout: Duration::from_secs(10),
            flush_timeout: Duration::from_secs(10),
            backup_limit: 1 << 20,
        }
    }

    fn operation(action: Action) -> Operation {
        let began = Instant::now();
        let env: Environment =
            vec![("HA_LOGFILE".to_owned(), format!("{OWN}/log")), ("HA_LOGFACILITY".to_owned(), "none".to_owned())]
                .into();
        let instance = Instance::new(INSTANCE);
        let spec = inuvika_ha::agents::specs().next().unwrap();
        let params = Params::none(spec);
        Operation {
            action,
            deadline: Deadline::of_operation(began, Duration::from_secs(40)),
            depth: 10,
            interval: Some(Duration::from_secs(30)),
            log: Log::new("ovd-lsyncd", INSTANCE, &env),
            trace: Trace::new("ovd-lsyncd", &instance, action, &params, &env, began),
            state: State::of(&instance),
            instance,
            params,
            env,
        }
    }

    pub fn prepare_with(&self, replica: &Replica) -> Result<Ready> {
        let ready = self.enter(|| replica::prepare(replica, &Self::operation(Action::Start)));
        ready.map_err(|failure| anyhow::anyhow!(failure.reason))
    }

    pub fn prepare(&self) -> Result<Ready> {
        self.prepare_with(&self.replica())
    }

    /// What stop does after lsyncd has ended.
    pub fn stop_with(&self, replica: &Replica) {
        self.enter(|| {
            let op = Self::operation(Action::Stop);
            replica::flush(replica, 3, &op);
            op.state.remove();
        });
    }

    pub fn stop(&self) {
        self.stop_with(&self.replica());
    }

    /// A monitor of depth 10.
    pub fn contact_with(&self, replica: &Replica, epoch: u64, passed: bool) -> Vec<Check> {
        let progress = Progress { epoch, passed, queued: 0, daemon_fine: true };
        self.enter(|| replica::contact(replica, &progress, &Self::operation(Action::Monitor)))
    }

    pub fn contact(&self, epoch: u64, passed: bool) -> Vec<Check> {
        self.contact_with(&self.replica(), epoch, passed)
    }

    /// What lsyncd's first pass does.
    pub fn pass(&self, ready: &Ready) {
        self.pass_with(&self.replica(), ready);
    }

    /// The same with other parameters.
    pub fn pass_with(&self, replica: &Replica, ready: &Ready) {
        self.sh(&self.pass_line_with(replica, ready, ""));
    }

    /// The same; whether the peer took it all.
    pub fn try_pass(&self, ready: &Ready) -> bool {
        let lines = self.pass_line(ready, "");
        let refused: Vec<_> =
            lines.lines().map(|line| self.sh(&format!("{line} >/dev/null 2>&1 || echo refused"))).collect();
        assert!(refused.iter().all(|said| said == &refused[0]), "{refused:?}");
        refused[0].is_empty()
    }

    /// What an lsyncd without `replica send` does.
    pub fn pass_unguarded(&self, ready: &Ready) {
        self.sh(&self.unguarded_line(ready, ""));
    }

    /// See [`Node::pass_line`].
    pub fn unguarded_line(&self, ready: &Ready, option: &str) -> String {
        let replica = self.replica();
        self.pass_line(ready, option).replace(&guard::rsh_line(&replica, ready), &replica.remote.rsh_line())
    }

    /// Its rsyncs, one a line, with a further option.
    pub fn pass_line(&self, ready: &Ready, option: &str) -> String {
        self.pass_line_with(&self.replica(), ready, option)
    }

    fn pass_line_with(&self, replica: &Replica, ready: &Ready, option: &str) -> String {
        let canary = Attic::of(INSTANCE).canary();
        let lines = replica.folders.iter().chain([&canary]).map(|folder| {
            let folder = folder.display();
            let kept =
                ready.backup.as_ref().map(|backup| format!("--backup --backup-dir={}{folder}", backup.display()));
            format!(
                "rsync -a --delete --modify-window=-1 {option} {} -e \"{}\" {folder}/ {}:{folder}/",
                kept.unwrap_or_default(),
                guard::rsh_line(replica, ready),
                replica.remote.host
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    pub fn stamp(&self) -> Option<Stamp> {
        self.enter(|| Attic::of(INSTANCE).stamp().unwrap())
    }

    pub fn write(&self, file: &str, text: &str) {
        self.enter(|| {
            fs::create_dir_all(Path::new(file).parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        });
    }

    pub fn read(&self, file: &str) -> Option<String> {
        self.enter(|| fs::read_to_string(file).ok())
    }

    /// Files below the backup folder, as `name=content`, in order; canaries aside.
    pub fn kept(&self) -> Vec<String> {
        let list = self.sh(&format!(
            "cd /var/lib/inuvika-ha/{INSTANCE}/backup 2>/dev/null || exit 0
             find . -name canary -prune -o -type f -print | sort | while read -r f; do echo \"${{f#./*/}}=$(cat \"$f\")\"; done"
        ));
        list.lines().map(str::to_owned).collect()
    }

    pub fn log(&self) -> String {
        self.read(&format!("{OWN}/log")).unwrap_or_default()
    }

    /// The log has a line with all of these words.
    pub fn expect_log(&self, words: &[&str]) -> Result<()> {
        let log = self.log();
        let found = log.lines().any(|line| words.iter().all(|word| line.contains(word)));
        ensure!(found, "the log of {} has no line with {words:?}", self.name);
        Ok(())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end_sshd();
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// How long something takes.
pub fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    (act(), begun.elapsed())
}
