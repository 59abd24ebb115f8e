//! Two hosts without service manager for ovd-lsyncd: this one, and a peer with a network, processes, folders and a /var/lib
//! of its own, reached by a real sshd. Both have the folders at the same path.
#![allow(dead_code)] // every test crate uses a part of it

use std::fs;
use std::io::{Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::osm_host::keep_var_lib;

/// Where keys and other things of this host's are.
pub const FOLDER: &str = "/run/pair";
/// The program, by the path that the package gives it: the peer is asked to run the same path.
pub const PROGRAM: &str = "/usr/sbin/inuvika-ha";
/// The peer's address, and its name in /etc/hosts nowhere: an address needs no resolver.
pub const PEER: &str = "10.77.5.2";
/// This host's address.
pub const OWN: &str = "10.77.5.1";
/// What is replicated lies below it, on each host in a file system of its own.
pub const SRV: &str = "/srv";
/// The network namespace of the peer.
const NETWORK: &str = "lsyncd-peer";
/// The peer's processes are known by this file on their command line.
const SSHD_CONFIG: &str = "/srv/.peer/sshd_config";

/// The folders of instance number `n`.
pub fn folders(n: usize) -> [PathBuf; 2] {
    ["config", "sessions"].map(|name| Path::new(SRV).join(format!("osm-{n}")).join(name))
}

/// The same path on the peer, as this host's kernel shows it.
pub fn there(path: impl AsRef<Path>) -> PathBuf {
    let root = PathBuf::from(format!("/proc/{}/root", sshd()));
    root.join(path.as_ref().strip_prefix("/").unwrap())
}

/// Good parameters for instance number `n`.
pub fn params(n: usize) -> Vec<(String, String)> {
    prepare();
    let [one, other] = folders(n).map(|folder| folder.display().to_string());
    let pairs = [
        ("peer", PEER.to_owned()),
        ("folders", format!("{one},{other}")),
        ("identity_file", format!("{FOLDER}/key")),
        ("known_hosts", format!("{FOLDER}/known_hosts")),
        ("delay", "1s".to_owned()),
        ("cron_link", format!("{FOLDER}/cron.d/lsyncd-{n}")),
        ("cron_target", format!("{FOLDER}/table")),
    ];
    pairs.map(|(name, value)| (format!("OCF_RESKEY_{name}"), value)).to_vec()
}

/// Builds both hosts, once for the whole program; its namespaces take them along when it ends.
pub fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        fs::create_dir_all(format!("{FOLDER}/cron.d")).unwrap();
        fs::write(format!("{FOLDER}/table"), "* * * * * root true\n").unwrap();
        fs::set_permissions(FOLDER, fs::Permissions::from_mode(0o755)).unwrap();
        keep_var_lib();
        sh(&format!("mkdir -p /var/lib/inuvika-ha && mount -t tmpfs -o size=128m tmpfs {SRV}"));
        sh(&format!(
            "mkdir -p {FOLDER}/sbin {FOLDER}/work
             mount -t overlay -o lowerdir=/usr/sbin,upperdir={FOLDER}/sbin,workdir={FOLDER}/work overlay /usr/sbin
             install -m 755 {} {PROGRAM}",
            // The demo includes this module, too, and has no such thing.
            option_env!("CARGO_BIN_EXE_inuvika-ha").unwrap_or("no-program")
        ));
        // The package may have enabled its own lsyncd on the machine that runs the tests.
        sh("for folder in /etc/rc[2-5S].d; do mount -t tmpfs tmpfs $folder; done");
        make_folders(Path::new("/"));
        keys();
        network();
        start_peer();
        make_folders(&there("/"));
    });
}

fn make_folders(root: &Path) {
    for folder in (0..16).flat_map(folders) {
        fs::create_dir_all(root.join(folder.strip_prefix("/").unwrap())).unwrap();
    }
}

fn keys() {
    sh(&format!(
        "cd {FOLDER}
         for name in key wrong host; do ssh-keygen -q -t ed25519 -N '' -C test -f $name; done
         echo \"from=\\\"{OWN}\\\",no-pty,no-user-rc,no-agent-forwarding,no-port-forwarding,no-X11-forwarding \
               $(cat key.pub)\" > authorized_keys
         echo \"{PEER} $(cut -d' ' -f1,2 host.pub)\" > known_hosts"
    ));
    let config = "Port 22\nHostKey /srv/.peer/host\nAuthorizedKeysFile /srv/.peer/authorized_keys\nUsePAM no\n\
                  StrictModes no\nUseDNS no\nPidFile none\nPermitRootLogin prohibit-password\nMaxStartups 100\n\
                  LogLevel VERBOSE\n";
    fs::write(format!("{FOLDER}/sshd_config"), config).unwrap();
}

fn network() {
    sh(&format!(
        "ip link set lo up
         ip netns add {NETWORK}
         ip link add sync0 type veth peer name sync0 netns {NETWORK}
         ip addr add {OWN}/24 dev sync0
         ip link set sync0 up
         ip -n {NETWORK} link set lo up
         ip -n {NETWORK} addr add {PEER}/24 dev sync0
         ip -n {NETWORK} link set sync0 up"
    ));
}

/// The peer: a PID namespace whose first process is sshd. What it is told to ignore (SIGTERM, as any first process) does not
/// matter: it ends with this program.
fn start_peer() {
    let script = format!(
        "# What the host's administrator starts with a shell may wait for a lock of his own.
         [ ! -e /root/.bashrc ] || mount --bind /dev/null /root/.bashrc
         mount -t tmpfs -o size=128m tmpfs /srv
         mount -t tmpfs tmpfs /var/lib/inuvika-ha
         mkdir -m 700 /srv/.peer
         cp {FOLDER}/host {FOLDER}/authorized_keys {FOLDER}/sshd_config /srv/.peer/
         mount -t tmpfs tmpfs /run
         mkdir -m 755 /run/sshd
         exec /usr/sbin/sshd -D -e -f {SSHD_CONFIG}"
    );
    let log = fs::File::create(format!("{FOLDER}/sshd.log")).unwrap();
    let mut command = Command::new("ip");
    command.args(["netns", "exec", NETWORK, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.args(["bash", "-e", "-c", &script]).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    // It ends with the PID namespace of this program.
    drop(command.spawn().unwrap());
    wait_for("the peer's sshd", || try_ssh().is_some());
}

fn try_ssh() -> Option<()> {
    std::net::TcpStream::connect_timeout(&format!("{PEER}:22").parse().ok()?, Duration::from_secs(1)).ok().map(drop)
}

/// The peer's first sshd, by the id that this host knows it by.
pub fn sshd() -> i32 {
    let is_it = |pid: &i32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        words.contains("sshd") && words.contains(SSHD_CONFIG) && !words.contains("unshare")
    };
    processes().find(is_it).expect("the peer has no sshd")
}

fn processes() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Stops the peer's sshd (SIGSTOP): the kernel still takes connections for it. Or lets it go on.
pub fn freeze(frozen: bool) {
    super::frozen::signal(Pid::from_raw(sshd()), if frozen { Signal::SIGSTOP } else { Signal::SIGCONT }).unwrap();
}

/// Every process of an lsyncd on this host.
pub fn lsyncd_processes() -> Vec<i32> {
    let own = fs::read_link("/proc/self/ns/pid").unwrap();
    let is_it = |pid: &i32| {
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        state.contains("(lsyncd)")
            && !state.contains(") Z ")
            && fs::read_link(format!("/proc/{pid}/ns/pid")).is_ok_and(|other| other == own)
    };
    processes().filter(is_it).collect()
}

/// Everything of the agent that is on this host, in words. What it keeps under /var/lib stays by intention.
pub fn left() -> Vec<String> {
    let all = lsyncd_processes().into_iter().map(|pid| format!("lsyncd process {pid}"));
    let links = fs::read_dir(format!("{FOLDER}/cron.d")).into_iter().flatten().flatten();
    all.chain(links.map(|entry| entry.path().display().to_string())).collect()
}

/// Brings both hosts back to their first state.
pub fn clean() {
    if !Path::new(FOLDER).exists() {
        return;
    }
    freeze(false);
    for pid in lsyncd_processes() {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    wait_for("lsyncd to end", || lsyncd_processes().is_empty());
    for root in [PathBuf::from("/"), there("/")] {
        for folder in fs::read_dir(root.join("var/lib/inuvika-ha")).into_iter().flatten().flatten() {
            fs::remove_dir_all(folder.path()).unwrap();
        }
        for folder in (0..16).flat_map(folders) {
            let folder = root.join(folder.strip_prefix("/").unwrap());
            fs::remove_dir_all(&folder).unwrap();
            fs::create_dir_all(&folder).unwrap();
        }
        let _ = fs::remove_file(root.join("srv/filler"));
    }
    for link in fs::read_dir(format!("{FOLDER}/cron.d")).into_iter().flatten().flatten() {
        let _ = fs::remove_file(link.path());
    }
}

/// Takes the table of the cron job away, or gives it back: without it start fails at once.
pub fn hide() {
    fs::rename(format!("{FOLDER}/table"), format!("{FOLDER}/hidden")).unwrap();
}

/// See [`hide`].
pub fn show() {
    fs::rename(format!("{FOLDER}/hidden"), format!("{FOLDER}/table")).unwrap();
}

/// Leaves the peer's folders without a free byte.
pub fn fill_peer() {
    let mut file = fs::File::create(there("/srv/filler")).unwrap();
    let block = vec![0; 1 << 16];
    while file.write_all(&block).is_ok() {}
    let at = file.stream_position().unwrap();
    // The last part of a block, byte by byte.
    let _ = (at..at + (1 << 16)).try_for_each(|_| file.write_all(&[0]));
}

/// Runs a line of shell; what it printed.
pub fn sh(line: &str) -> String {
    let out = Command::new("bash").args(["-e", "-c", line]).output().unwrap();
    assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Waits up to 20 s until something is so.
pub fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited 20 s for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
