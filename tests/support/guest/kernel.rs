//! A kernel with IPVS: taken out of the distribution's package, which is not installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// Packages that depend on the newest kernel: Debian's for clouds is the smallest, then Ubuntu's.
const NEWEST: [&str; 3] = ["linux-image-cloud-amd64", "linux-image-virtual", "linux-image-generic"];

/// A kernel and its modules.
pub struct Kernel {
    /// The file to boot.
    pub image: PathBuf,
    /// The folder that has `lib/modules/RELEASE` in it.
    pub root: PathBuf,
    pub release: String,
}

/// The kernel in the cache folder, which is fetched first when there is none.
pub fn kernel(cache: &Path) -> Result<Kernel> {
    ensure!(
        cfg!(target_arch = "x86_64"),
        "the guest is an x86-64 one, this machine is {}: run these tests on x86-64",
        std::env::consts::ARCH
    );
    let root = cache.join("kernel");
    if !root.exists() {
        fetch(cache, &root)?;
    }
    let release = only_entry(&root.join("lib/modules"))?;
    let image = root.join("boot").join(format!("vmlinuz-{release}"));
    ensure!(image.exists(), "{} is missing: remove {} to fetch it again", image.display(), root.display());
    Ok(Kernel { image, root, release })
}

fn fetch(cache: &Path, root: &Path) -> Result<()> {
    let image = NEWEST.iter().find_map(|newest| newest_image(newest)).with_context(|| {
        format!(
            "no kernel package for the guest: apt-cache knows none of {}; needs Debian or Ubuntu and `apt-get update`",
            NEWEST.join(", ")
        )
    })?;
    // Ubuntu has the modules in packages of their own.
    let modules = image.strip_prefix("linux-image-").map(|version| format!("linux-modules-{version}"));
    let packages: Vec<String> = [Some(image), modules.filter(|name| is_known(name))].into_iter().flatten().collect();

    let unpacked = cache.join("kernel.part");
    let _ = fs::remove_dir_all(&unpacked);
    let debs = unpacked.join("debs");
    download(&packages, &debs)?;
    for deb in fs::read_dir(&debs)? {
        run(Command::new("dpkg-deb").arg("-x").arg(deb?.path()).arg(&unpacked))?;
    }
    fs::remove_dir_all(&debs)?;
    if !unpacked.join("lib").exists() {
        std::os::unix::fs::symlink("usr/lib", unpacked.join("lib"))?;
    }
    let release = only_entry(&unpacked.join("lib/modules"))?;
    run(Command::new("depmod").arg("-b").arg(&unpacked).arg(&release))?;
    fs::rename(&unpacked, root).context("put the kernel in its place")
}

/// Downloads packages into a folder of their own.
pub fn download(packages: &[String], folder: &Path) -> Result<()> {
    eprintln!("ipvs: fetching {}", packages.join(" "));
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).context("create the folder of the packages")?;
    // As the user who runs this, who may not be able to hand the folder over to another.
    let mut download = Command::new("apt-get");
    download.args(["-q", "-o", "APT::Sandbox::User=", "download"]).args(packages).current_dir(folder);
    run(&mut download).context("an old package list? `apt-get update`").map(drop)
}

/// The package of the newest kernel, if this distribution has it.
fn newest_image(newest: &str) -> Option<String> {
    let output = Command::new("apt-cache").args(["depends", "--important", newest]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut depends = text.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    depends.find(|name| name.starts_with("linux-image-")).map(str::to_owned)
}

fn is_known(package: &str) -> bool {
    let output = Command::new("apt-cache").args(["show", package]).output();
    output.is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
}

fn only_entry(folder: &Path) -> Result<String> {
    let entries: Vec<_> = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?.collect();
    let [Ok(entry)] = entries.as_slice() else { bail!("{} should hold one kernel's modules", folder.display()) };
    Ok(entry.file_name().to_string_lossy().into_owned())
}

/// Runs a program, which must succeed; its output.
pub fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.output().with_context(|| format!("{name} cannot be started: run tests/support/install first"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name}: {}: {}", output.status, said.trim().replace('\n', "; "));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
