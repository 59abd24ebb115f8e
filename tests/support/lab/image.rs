//! What the nodes boot: the host's own root file system under an overlay, changed once for all nodes and once for each.
//!
//! Whatever is installed on the host is there, and nothing a node writes reaches the host. A node starts nothing that
//! the host starts, apart from pcsd: a second web server or a second backup job would be a surprise.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::enter::DIR;
use super::exec::control;

/// The password of `hacluster` in every node.
pub const PASSWORD: &str = "lab-hacluster";
/// Where the stand-in service answers.
pub const ANSWER_PORT: u16 = 8080;

/// File systems that a host may have apart from its root; each gets an overlay of its own.
const PARTS: &[&str] = &["/", "/usr", "/usr/local", "/opt", "/var", "/var/lib", "/var/log"];
/// Never started in a node: they concern hardware or the kernel, or only cost time.
const MASKED: &[&str] = &[
    "console-getty.service",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "getty.target",
    "kmod-static-nodes.service",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-firstboot.service",
    "systemd-hwdb-update.service",
    "systemd-journal-catalog-update.service",
    "systemd-modules-load.service",
    "systemd-random-seed.service",
    "systemd-sysctl.service",
    "systemd-sysusers.service",
    "systemd-tmpfiles-clean.timer",
    "systemd-udevd.service",
    "systemd-udev-trigger.service",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
];
const ANSWER_UNIT: &str = "[Unit]\nDescription=Stand-in for a service: answers its node's name\n\
    [Service]\nExecStart=/usr/bin/python3 -I /usr/local/lib/lab-answer\nRestart=always\n\
    [Install]\nWantedBy=multi-user.target\n";

/// The layer common to all nodes.
#[derive(Debug)]
pub struct Image {
    parts: Vec<&'static str>,
}

impl Image {
    /// Prepares the layer.
    pub fn new() -> Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").context("read mounts")?;
        let points: Vec<_> = mounts.lines().filter_map(|line| line.split(' ').nth(4)).collect();
        if points.contains(&"/etc") {
            bail!("a lab cannot use a host whose /etc is a file system of its own");
        }
        let parts = PARTS.iter().copied().filter(|part| points.contains(part)).collect();
        let image = Self { parts };
        let root = image.stack("base", None)?;
        let done = furnish(&root);
        for part in image.parts.iter().rev() {
            umount2(&below(&root, part), MntFlags::MNT_DETACH).context("unmount the common layer")?;
        }
        done.context("prepare the common layer")?;
        Ok(image)
    }

    /// The root of a node, with what is its own in place.
    pub fn root(&self, name: &str, hosts: &str) -> Result<PathBuf> {
        let root = self.stack(name, Some("base"))?;
        let id: String = name.bytes().chain(*b"inuvika-ha-lab--").take(16).map(|byte| format!("{byte:02x}")).collect();
        put(&root, "etc/machine-id", &format!("{id}\n"), 0o444)?;
        put(&root, "etc/hostname", &format!("{name}\n"), 0o644)?;
        put(&root, "etc/hosts", hosts, 0o644)?;
        Ok(root)
    }

    /// Mounts overlays: the host's files, then the changes of `under`, then own ones.
    fn stack(&self, name: &str, under: Option<&str>) -> Result<PathBuf> {
        let home = Path::new(DIR).join("image");
        let root = home.join(name).join("root");
        fs::create_dir_all(&root).context("create the root folder")?;
        for (index, part) in self.parts.iter().enumerate() {
            let upper = |name: &str| home.join(name).join(format!("upper{index}")).display().to_string();
            let work = home.join(name).join(format!("work{index}")).display().to_string();
            for dir in [&upper(name), &work] {
                fs::create_dir_all(dir).with_context(|| format!("create {dir}"))?;
            }
            // The top of an overlay is the folder that it is made of.
            fs::set_permissions(upper(name), fs::metadata(part)?.permissions())?;
            let lower = under.map(|under| upper(under) + ":").unwrap_or_default();
            let options = format!("lowerdir={lower}{part},upperdir={},workdir={work}", upper(name));
            mount(Some("overlay"), &below(&root, part), Some("overlay"), MsFlags::empty(), Some(options.as_str()))
                .with_context(|| format!("mount an overlay of {part} for {name} ({options})"))?;
        }
        Ok(root)
    }
}

fn below(root: &Path, part: &str) -> PathBuf {
    root.join(part.trim_start_matches('/'))
}

/// The changes that all nodes share.
fn furnish(root: &Path) -> Result<()> {
    let units = root.join("etc/systemd/system");
    for entry in read_dir(&units).into_iter().chain(read_dir(&root.join("etc"))) {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let starts = name.ends_with(".wants") || name.ends_with(".requires");
        let legacy = name.len() == 5 && name.starts_with("rc") && name.ends_with(".d");
        for link in read_dir(&entry).into_iter().filter(|_| starts || legacy) {
            fs::remove_file(&link).with_context(|| format!("remove {}", link.display()))?;
        }
    }
    for unit in MASKED {
        let _ = fs::remove_file(units.join(unit));
        symlink("/dev/null", units.join(unit)).with_context(|| format!("mask {unit}"))?;
    }
    for unit in ["corosync.service", "pacemaker.service", "pcsd.service", "pcsd-ruby.service"] {
        // The host may have it masked or changed.
        let _ = fs::remove_file(units.join(unit));
    }
    for gone in ["etc/corosync/corosync.conf", "etc/corosync/authkey", "etc/pacemaker/authkey"] {
        let _ = fs::remove_file(root.join(gone));
    }
    // A login in a node is none on the host: what the host's administrator starts with a shell may wait for a lock of his own.
    for gone in ["root/.bashrc", "root/.bash_profile", "root/.bash_login", "root/.profile"] {
        let _ = fs::remove_file(root.join(gone));
    }
    for dir in ["var/lib/pacemaker/cib", "var/lib/pacemaker/pengine", "var/lib/corosync", "var/lib/pcsd"] {
        for file in read_dir(&root.join(dir)).into_iter().filter(|file| file.is_file()) {
            fs::remove_file(file)?;
        }
    }
    for file in read_dir(&root.join("var/log/pacemaker")).into_iter().filter(|file| file.is_file()) {
        fs::write(file, "")?;
    }
    put(root, "etc/fstab", "", 0o644)?;
    put(root, "etc/crypttab", "", 0o600)?;
    put(root, "etc/systemd/journald.conf.d/lab.conf", "[Journal]\nStorage=persistent\nSystemMaxUse=64M\n", 0o644)?;
    // Shorter than a test; a unit that does not stop must not hold a shutdown for a minute and a half.
    put(root, "etc/systemd/system.conf.d/lab.conf", "[Manager]\nDefaultTimeoutStopSec=20s\n", 0o644)?;
    put(root, "usr/sbin/fence_lab", include_str!("../fence_lab"), 0o755)?;
    put(root, "usr/local/lib/lab-answer", include_str!("../answer"), 0o755)?;
    put(root, "etc/systemd/system/lab-answer.service", ANSWER_UNIT, 0o644)?;
    let wants = units.join("multi-user.target.wants");
    fs::create_dir_all(&wants)?;
    symlink("/etc/systemd/system/lab-answer.service", wants.join("lab-answer.service"))?;
    symlink("/lib/systemd/system/pcsd.service", wants.join("pcsd.service"))?;
    fs::create_dir_all(root.join("var/log/journal"))?;
    let root = root.to_str().context("the root folder has a strange name")?;
    control(&format!("hacluster:{PASSWORD}\n"), &["chroot", root, "/usr/sbin/chpasswd"]).context("set a password")?;
    Ok(())
}

fn read_dir(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn put(root: &Path, path: &str, content: &str, mode: u32) -> Result<()> {
    let path = root.join(path);
    let folder = path.parent().context("no folder")?;
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    // Not through a link: /etc/hostname and the like may point to a place outside of the root.
    let _ = fs::remove_file(&path);
    fs::write(&path, content).with_context(|| format!("write {}", path.display()))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    Ok(())
}
