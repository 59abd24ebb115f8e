//! Two OVD File Servers without a service manager: each has its own network, mounts and processes, and both share a folder, as they
//! would share a volume over NFS. All of it is of the lab, and ends with it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Once};
use std::time::{Duration, Instant};

use crate::support::subject::Subject;

/// The folder that the nodes share: they have it at /mnt/nfs.
pub const SHARED: &str = "/run/ctdb-site/shared";
/// The public address, and the client's.
pub const VIP: &str = "172.16.4.26";
const CLIENT: &str = "172.16.4.1";
const FOLDER: &str = "/run/ctdb-site";
/// How long anything may take that ctdbd does by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node.
pub struct Node {
    /// Its number, from 0, as CTDB counts.
    pub number: usize,
    init: Child,
}

static NODES: LazyLock<[Node; 2]> = LazyLock::new(|| {
    prepare();
    [Node::new(0), Node::new(1)]
});

/// A node by its number.
pub fn node(number: usize) -> &'static Node {
    &NODES[number]
}

/// Its private address.
pub fn private(number: usize) -> String {
    format!("192.168.33.{}", 11 + number)
}

/// Whether all is to be tried, however long it takes.
pub fn is_full() -> bool {
    std::env::var_os("INUVIKA_TEST_FULL").is_some()
}

/// Runs a line of shell outside of the nodes, where the client is; what it printed.
pub fn sh(line: &str) -> String {
    let out = Command::new("bash").args(["-c", line]).output().unwrap();
    assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// The shared folder with the guide's files in the form of CTDB 4.9, and the two networks.
fn prepare() {
    for name in ["ctdb/private", "ovd"] {
        fs::create_dir_all(Path::new(SHARED).join(name)).unwrap();
    }
    fs::set_permissions(Path::new(SHARED).join("ovd"), fs::Permissions::from_mode(0o777)).unwrap();
    write_files();
    sh("ip link set lo up; for b in prv lan; do ip link add $b type bridge; ip link set $b up; done");
    sh(&format!("ip addr add {CLIENT}/24 dev lan"));
    fs::create_dir_all(format!("{FOLDER}/agents")).unwrap();
    let binary = Path::new(FOLDER).join("agents/inuvika-ha");
    fs::copy(env!("CARGO_BIN_EXE_inuvika-ha"), &binary).unwrap();
    for name in ["ofs-ctdb", "50.inuvika-ha.script", "99.inuvika-ha.script"] {
        symlink("inuvika-ha", Path::new(FOLDER).join("agents").join(name)).unwrap();
    }
}

/// Brings the configuration back to its first state.
pub fn write_files() {
    let put = |name: &str, text: &str| fs::write(Path::new(SHARED).join("ctdb").join(name), text).unwrap();
    write_nodes(&[0, 1]);
    put("public_addresses", &format!("{VIP}/24 lan0\n"));
    put(
        "ctdb.conf",
        "[logging]\n  location = file:/var/log/ctdb/log.ctdb\n[cluster]\n  recovery lock = /mnt/nfs/ctdb/lockfile\n",
    );
    put(
        "smb.conf",
        "[global]\n  workgroup = OVD\n  server role = standalone server\n  map to guest = bad user\n  guest account = nobody\n  \
         logging = file\n  disable spoolss = yes\n  clustering = yes\n  idmap config * : backend = tdb2\n  \
         private dir = /mnt/nfs/ctdb/private\n[ovd]\n  path = /mnt/nfs/ovd\n  guest ok = yes\n  read only = no\n  force user = root\n",
    );
}

/// Writes the nodes file: these nodes, in this order.
pub fn write_nodes(numbers: &[usize]) {
    let lines: String = numbers.iter().map(|number| format!("{}\n", private(*number))).collect();
    fs::write(Path::new(SHARED).join("ctdb/nodes"), lines).unwrap();
}

/// Takes a node's cable of the network `lan` or `prv` out, or puts it back. (CTDB itself sets a link up that is down.)
pub fn cable(number: usize, network: &str, word: &str) {
    sh(&format!("ip link set {network}-{number} {word}"));
}

/// What a node does first: mounts of its own, then it waits and reaps.
fn script(number: usize) -> String {
    format!(
        "set -e; mount --make-rprivate /; own={FOLDER}/{number}\n\
         for d in etc var/lib; do mkdir -p $own/upper/$d $own/work/$d\n\
         mount -t overlay overlay -o lowerdir=/$d,upperdir=$own/upper/$d,workdir=$own/work/$d /$d; done\n\
         mount -t tmpfs tmpfs /mnt; mkdir /mnt/nfs /mnt/agents\n\
         mount --bind {SHARED} /mnt/nfs; mount --bind {FOLDER}/agents /mnt/agents\n\
         for d in /var/lib/ctdb /var/log /var/lib/samba /var/cache/samba /run; do mount -t tmpfs -o mode=755 tmpfs $d; done\n\
         mkdir -p /var/log/ctdb /var/log/samba /var/lib/ctdb/volatile /var/lib/ctdb/persistent /var/lib/ctdb/state\n\
         mkdir -p /var/lib/samba/private /var/lib/samba/usershares /run/ctdb /run/samba /run/lock\n\
         for f in ctdb.conf nodes public_addresses; do ln -sf /mnt/nfs/ctdb/$f /etc/ctdb/$f; done\n\
         ln -sf /mnt/nfs/ctdb/smb.conf /etc/samba/smb.conf\n\
         for s in 48.netbios 50.samba; do ln -sf /usr/share/ctdb/events/legacy/$s.script /etc/ctdb/events/legacy/; done\n\
         printf 'RerecoveryTimeout=1\\nElectionTimeout=1\\nMonitorInterval=2\\n' >/etc/ctdb/ctdb.tunables\n\
         rm -f /etc/rc?.d/S??ctdb /etc/rc?.d/S??smbd /etc/rc?.d/S??nmbd /etc/rc?.d/S??samba-ad-dc\n\
         touch /mnt/agents/ready-{number}\n\
         while :; do sleep 3600 & wait $!; done\n"
    )
}

impl Node {
    fn new(number: usize) -> Self {
        let space = format!("fs{number}");
        sh(&format!(
            "ip netns add {space}; ip -n {space} link set lo up\n\
             for l in prv lan; do ip link add $l-{number} type veth peer name ${{l}}0 netns {space}; ip link set $l-{number} master $l up\n\
             ip -n {space} link set ${{l}}0 up; done\n\
             ip -n {space} addr add {}/24 dev prv0; ip -n {space} addr add 172.16.4.{}/24 dev lan0",
            private(number),
            22 + 2 * number
        ));
        let file = PathBuf::from(format!("{FOLDER}/init-{number}"));
        fs::write(&file, script(number)).unwrap();
        let words = ["netns", "exec", &space, "unshare", "--pid", "--mount", "--uts", "--fork", "--mount-proc", "bash"];
        let init = Command::new("ip").args(words).arg(&file).stdin(Stdio::null()).spawn().unwrap();
        let node = Self { number, init };
        let ready = PathBuf::from(format!("{FOLDER}/agents/ready-{number}"));
        let begun = Instant::now();
        while !ready.exists() {
            assert!(begun.elapsed() < PATIENCE, "node {number} does not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
        node.write_agent();
        node
    }

    /// The id of the node's first process: the child of what unshare(1) became.
    fn first(&self) -> i32 {
        let children = |pid: u32| fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let text = children(self.init.id());
        text.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("the node's first process")
    }

    /// The words before a command that make it run there.
    pub fn prefix(&self) -> Vec<String> {
        let pid = self.first().to_string();
        ["nsenter", "-t", &pid, "-m", "-n", "-p", "-u", "--"].map(str::to_owned).to_vec()
    }

    /// The agent on the node as one program: whoever calls it need not know of the node.
    fn write_agent(&self) {
        let path = self.agent_path();
        let text = format!("#!/bin/bash\nexec {} /mnt/agents/ofs-ctdb \"$@\"\n", self.prefix().join(" "));
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn agent_path(&self) -> PathBuf {
        PathBuf::from(format!("{FOLDER}/agent-{}", self.number))
    }

    /// Runs a line of shell on the node; what it printed.
    pub fn sh(&self, line: &str) -> String {
        let (ok, said) = self.try_sh(line);
        assert!(ok, "node {}: {line}: {said}", self.number);
        said
    }

    /// The same of one that may fail.
    pub fn try_sh(&self, line: &str) -> (bool, String) {
        let prefix = self.prefix();
        let out = Command::new(&prefix[0]).args(&prefix[1..]).args(["bash", "-c", line]).output().unwrap();
        let said = [out.stdout, out.stderr].concat();
        (out.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// The agent as resource `ofs_ctdb`, as Pacemaker calls it.
    pub fn agent(&self) -> Subject {
        let env =
            [("service_manager", "lsb"), ("time_sync", "no"), ("data", "/mnt/nfs/ovd"), ("CRM_meta_timeout", "120000")];
        let env = env.map(|(name, value)| (format!("OCF_RESKEY_{name}"), value.to_owned())).to_vec();
        Subject { path: self.agent_path(), agent_type: "ofs-ctdb".into(), instance: "ofs_ctdb".into(), env }
    }

    /// Whether the node has the public address.
    pub fn has_vip(&self) -> bool {
        self.sh("ip -br addr show dev lan0").contains(&format!("{VIP}/"))
    }

    /// The ids and names of its processes of CTDB and Samba; zombies are nothing any more.
    pub fn daemons(&self) -> String {
        self.sh("ps -eo stat=,pid=,comm= | awk '$1 !~ /^Z/ && $3 ~ /ctdb|smbd|nmbd/ { print $2, $3 }'")
    }

    /// Everything of the agent that is on the node, in words.
    pub fn left(&self) -> Vec<String> {
        let mut all: Vec<String> = self.daemons().lines().map(str::to_owned).collect();
        if !all.is_empty() {
            // Whether it is on its way out: then it has no program any more.
            let line = "for p in $(pgrep 'ctdb|smbd|nmbd'); do ps -o stat=,pid=,ppid=,args= -p $p; readlink /proc/$p/exe; done";
            all.push(self.try_sh(line).1);
        }
        if self.has_vip() {
            all.push(VIP.to_owned());
        }
        all.extend(self.try_sh("find /run/inuvika-ha 2>/dev/null").1.lines().map(str::to_owned));
        all
    }

    /// Ends what a trial that failed has left.
    pub fn clean(&self) {
        let line = format!(
            "pkill -KILL 'ctdb|smbd|nmbd|^[0-9][0-9][.]'; rm -rf /run/inuvika-ha; ip addr del {VIP}/24 dev lan0 2>/dev/null; \
             rm -f /run/samba/*.pid; true"
        );
        let _ = self.try_sh(&line);
        ["lan", "prv"].iter().for_each(|network| cable(self.number, network, "up"));
        let begun = Instant::now();
        while !self.daemons().is_empty() {
            assert!(begun.elapsed() < PATIENCE, "node {}: {}", self.number, self.daemons());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Waits until something is so, and says how long it took.
pub fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {} s", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(100));
    }
    begun.elapsed()
}

/// Takes everything back to the begin: no ctdbd, the guide's files, all links up.
pub fn clean() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        LazyLock::force(&NODES);
    });
    NODES.iter().for_each(Node::clean);
    write_files();
    let _ = fs::remove_file(Path::new(SHARED).join("ctdb/lockfile"));
}

/// A client that writes numbered lines (see smb_writer), ended with its value.
pub struct Writer {
    child: Child,
    acks: PathBuf,
    file: &'static str,
}

impl Writer {
    /// Begins to write to `file`, and waits for the first line.
    pub fn begin(file: &'static str) -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/smb_writer");
        let acks = PathBuf::from(format!("{FOLDER}/acks-{file}"));
        let log = fs::File::create(format!("{FOLDER}/log-{file}")).unwrap();
        let mut command = Command::new(program);
        command.args([VIP, "ovd", file]).arg(&acks).stdin(Stdio::null()).stderr(log);
        let writer = Self { child: command.spawn().unwrap(), acks, file };
        wait_for("the client writes", || writer.acknowledged().len() > 5);
        writer
    }

    fn acknowledged(&self) -> Vec<(usize, f64)> {
        let text = fs::read_to_string(&self.acks).unwrap_or_default();
        let line = |line: &str| {
            let (number, at) = line.split_once(' ')?;
            Some((number.parse().ok()?, at.parse().ok()?))
        };
        text.lines().filter_map(line).collect()
    }

    /// Waits until it writes again: some lines more than now.
    pub fn goes_on(&self) {
        let now = self.acknowledged().len();
        wait_for("the client goes on", || self.acknowledged().len() > now + 5);
    }

    /// Ends the client, and compares what was acknowledged with what is in the file; the longest time without an answer, in seconds.
    pub fn end(mut self) -> f64 {
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(self.child.id().cast_signed()),
            nix::sys::signal::Signal::SIGTERM,
        )
        .unwrap();
        self.child.wait().unwrap();
        let all = self.acknowledged();
        let content = fs::read_to_string(Path::new(SHARED).join("ovd").join(self.file)).unwrap();
        let lines: Vec<&str> = content.lines().collect();
        for (number, _) in &all {
            assert_eq!(
                lines.get(*number),
                Some(&format!("{number:09}").as_str()),
                "line {number} was acknowledged and is lost"
            );
        }
        all.windows(2).map(|pair| pair[1].1 - pair[0].1).fold(0.0, f64::max)
    }
}
