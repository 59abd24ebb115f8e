//! The guest's root file system: this program, the binary, some of this machine's programs with their libraries, and the
//! kernel modules that they need.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::kernel::{Kernel, run};

/// What a guest has besides what every guest has.
#[derive(Default)]
pub struct Contents {
    /// Debian packages whose files it gets, without their documentation.
    pub packages: &'static [&'static str],
    /// Programs of this machine.
    pub programs: &'static [&'static str],
    /// Texts at places.
    pub files: Vec<(&'static str, String)>,
}

/// This program, in the guest.
pub const PROGRAM: &str = "/usr/bin/in-guest";

/// Programs of this machine. `tests/support/install` provides them.
const PROGRAMS: &[&str] = &[
    "bash",
    "cat",
    "chmod",
    "conntrack",
    "cp",
    "env",
    "false",
    "grep",
    "id",
    "ip",
    "ipvsadm",
    "ls",
    "lsmod",
    "mkdir",
    "modprobe",
    "mv",
    "nft",
    "nsenter",
    "openssl",
    "pgrep",
    "ping",
    "ps",
    "rm",
    "sed",
    "sleep",
    "sort",
    "ss",
    "stat",
    "stty",
    "sysctl",
    "timeout",
    "touch",
    "true",
    "uname",
];

/// Modules of the kernel, with those that they need. The kernel loads the schedulers when they are asked for.
const MODULES: &[&str] = &[
    "bridge",
    "dummy",
    "fou",
    "fou6",
    "ip6_tunnel",
    "ip_gre",
    "ip_vs",
    "ip_vs_dh",
    "ip_vs_fo",
    "ip_vs_ftp",
    "ip_vs_lblc",
    "ip_vs_lblcr",
    "ip_vs_lc",
    "ip_vs_mh",
    "ip_vs_nq",
    "ip_vs_ovf",
    "ip_vs_pe_sip",
    "ip_vs_rr",
    "ip_vs_sed",
    "ip_vs_sh",
    "ip_vs_twos",
    "ip_vs_wlc",
    "ip_vs_wrr",
    "ipip",
    "nf_conntrack",
    "nf_conntrack_netlink",
    "nf_nat",
    "nf_tables",
    "nft_chain_nat",
    "nft_compat",
    "nft_ct",
    "nft_masq",
    "nft_nat",
    "sctp",
    "veth",
    "xt_ipvs",
];

const FILES: &[(&str, &str)] = &[
    ("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n"),
    ("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
    ("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
    ("etc/protocols", "tcp 6 TCP\nudp 17 UDP\nsctp 132 SCTP\n"),
    ("etc/services", "http 80/tcp\nhttps 443/tcp\ndomain 53/udp\n"),
];

/// Parts of packages that a guest can do without.
const UNREAD: [&str; 4] = ["/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/share/lintian/"];

/// Makes the initramfs in a folder of its own, and has `fill` put more into its root; its file.
pub fn initramfs(
    folder: &Path,
    kernel: &Kernel,
    contents: &Contents,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let root = folder.join("root");
    for dir in ["dev", "etc", "proc", "root", "run", "sys", "tmp", "usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "var"]
    {
        fs::create_dir_all(root.join(dir)).with_context(|| format!("create /{dir} of the guest"))?;
    }
    for (link, target) in [("bin", "usr/bin"), ("sbin", "usr/sbin"), ("lib", "usr/lib"), ("lib64", "usr/lib64")] {
        symlink(target, root.join(link))?;
    }
    symlink("../run", root.join("var/run"))?;
    for package in contents.packages {
        unpack(&root, package)?;
    }
    let own = contents.files.iter().map(|(file, text)| (*file, text.as_str()));
    for (file, text) in FILES.iter().copied().chain(own) {
        let place = root.join(file);
        place.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(place, text)?;
    }

    let own = std::env::current_exe().context("find this program")?;
    program(&root, &own, PROGRAM)?;
    program(&root, Path::new(env!("CARGO_BIN_EXE_inuvika-ha")), "/usr/sbin/inuvika-ha")?;
    for name in PROGRAMS.iter().chain(contents.programs) {
        let dirs = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(|dir| Path::new(dir).join(name));
        let found = dirs.iter().find(|path| path.exists());
        let found = found.with_context(|| format!("{name} is missing: run tests/support/install"))?;
        program(&root, found, &format!("/usr/bin/{name}"))?;
    }
    symlink("bash", root.join("usr/bin/sh"))?;
    symlink("../bin/modprobe", root.join("usr/sbin/modprobe"))?;
    // Agents, as Pacemaker finds them.
    let agents = root.join("usr/lib/ocf/resource.d/inuvika");
    fs::create_dir_all(&agents)?;
    for spec in inuvika_ha::agents::specs() {
        symlink("/usr/sbin/inuvika-ha", agents.join(spec.name))?;
    }
    modules(&root, kernel)?;
    fill(&root)?;
    let file = pack(&root, folder.join("initramfs"))?;
    fs::remove_dir_all(&root)?;
    Ok(file)
}

/// Copies a program without its debug information, and its libraries.
fn program(root: &Path, from: &Path, to: &str) -> Result<()> {
    let target = root.join(to.trim_start_matches('/'));
    // Programs of the distribution have none, and some are links or scripts.
    if from.starts_with("/usr") || from.starts_with("/bin") || from.starts_with("/sbin") {
        copy(from, &target)?;
    } else {
        run(Command::new("strip").arg("-o").arg(&target).arg(from))?;
    }
    fs::set_permissions(&target, fs::Permissions::from_mode(0o755))?;
    libraries(root, &[from])
}

/// Copies the libraries of those files that are programs or libraries.
fn libraries(root: &Path, files: &[&Path]) -> Result<()> {
    let mut linked = Vec::new();
    for file in files {
        let mut start = [0; 4];
        let is_short = fs::File::open(file).and_then(|mut file| file.read_exact(&mut start)).is_err();
        if !is_short && start == *b"\x7fELF" {
            linked.push(file);
        }
    }
    if linked.is_empty() {
        return Ok(());
    }
    // Before the libraries of one of several files it names that, with a colon.
    let named = run(Command::new("ldd").args(linked))?;
    for library in named.split_whitespace().filter(|word| word.starts_with('/') && !word.ends_with(':')) {
        let place = root.join(library.trim_start_matches('/'));
        if !place.exists() {
            copy(Path::new(library), &place)?;
        }
    }
    Ok(())
}

/// Copies what an installed package consists of.
fn unpack(root: &Path, package: &str) -> Result<()> {
    let list = run(Command::new("dpkg-query").args(["--listfiles", package]))
        .with_context(|| format!("the package {package} is missing: run tests/support/install"))?;
    let is_read = |path: &&str| path.starts_with('/') && !UNREAD.iter().any(|part| path.starts_with(part));
    let mut files = Vec::new();
    for path in list.lines().filter(is_read) {
        let (from, to) = (Path::new(path), root.join(path.trim_start_matches('/')));
        if from.is_dir() {
            fs::create_dir_all(&to).with_context(|| format!("create {path} of the guest"))?;
        } else if from.is_file() {
            copy(from, &to)?;
            files.push(from);
        }
    }
    libraries(root, &files)
}

/// Copies a file, making its folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let made = to.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::copy(from, to))
        .map(drop)
        .with_context(|| format!("copy {} to {}", from.display(), to.display()))
}

/// Copies the modules, passing over what this kernel does not have, or has built in.
fn modules(root: &Path, kernel: &Kernel) -> Result<()> {
    let mut files = BTreeSet::new();
    for module in MODULES {
        let mut ask = Command::new("modprobe");
        // This machine's own configuration has no say.
        ask.args(["-C", "/dev/null", "-S", &kernel.release, "-d"]).arg(&kernel.root).args(["--show-depends", module]);
        let output = ask.output().context("modprobe cannot be started: run tests/support/install first")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        files.extend(text.lines().filter_map(|line| line.strip_prefix("insmod ")).map(|path| path.trim().to_owned()));
    }
    ensure!(files.iter().any(|file| file.contains("/ip_vs.ko")), "the kernel {} has no IPVS", kernel.release);
    for file in &files {
        let inside = Path::new(file).strip_prefix(&kernel.root).with_context(|| format!("where is {file}?"))?;
        copy(Path::new(file), &root.join(inside))?;
    }
    let folder = Path::new("lib/modules").join(&kernel.release);
    for list in ["modules.builtin", "modules.builtin.modinfo", "modules.order"] {
        copy(&kernel.root.join(&folder).join(list), &root.join(&folder).join(list))?;
    }
    run(Command::new("depmod").arg("-b").arg(root).arg(&kernel.release)).map(drop)
}

/// Packs the folder, uncompressed: QEMU copies faster than an emulated processor unpacks.
fn pack(root: &Path, file: PathBuf) -> Result<PathBuf> {
    let mut names = String::new();
    list(root, Path::new(""), &mut names)?;
    let output = fs::File::create(&file)?;
    let mut cpio = Command::new("cpio");
    cpio.args(["--create", "--format=newc", "--owner=0:0", "--quiet"]).current_dir(root);
    let mut child =
        cpio.stdin(Stdio::piped()).stdout(output).spawn().context("cpio: run tests/support/install first")?;
    child.stdin.take().context("no pipe")?.write_all(names.as_bytes())?;
    ensure!(child.wait()?.success(), "cpio could not pack {}", root.display());
    Ok(file)
}

/// Everything below a folder, each folder before what is in it.
fn list(root: &Path, folder: &Path, names: &mut String) -> Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = folder.join(entry.file_name());
        names.push_str(&format!("{}\n", name.display()));
        if entry.file_type()?.is_dir() {
            list(root, &name, names)?;
        }
    }
    Ok(())
}
