//! The template repository: mounted, missing, hanging.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::Body;
use crate::fuse::Fuse;
use crate::host::{
    NFS_HANGS, agent, expect, expect_monitor, expect_monitor_of, nothing_left, passive, sh, soon, timed,
};
use crate::support::abiquo_host as abiquo;

pub const TRIALS: &[(&str, Body)] = &[
    ("start wants the repository, and leaves the folder below it alone", missing),
    ("a repository from elsewhere is refused", elsewhere),
    ("a repository that is gone is a failure the third time, and am is not asked", gone),
    ("a repository that hangs is degraded, and hangs nobody", hangs),
    ("start and stop come to an end although the repository hangs", hangs_from_the_start),
    ("the stock agent of the repository hangs with a hard mount, ends with a soft one, and ours ends with both", stock),
    ("a site that switches Abiquo's own check off needs no mount", unchecked),
    ("the repository's server is asked by every node alike, and a connection is no answer", server_hangs),
];

fn missing() -> Result<()> {
    abiquo::unmount_repository();
    let run = expect(&agent(), "start", 1)?;
    ensure!(run.stderr.contains("repository /run/abiquo/repository is not mounted: mount it first"), "{run}");
    ensure!(abiquo::processes().is_empty(), "Tomcat was started");
    let marker = Path::new(abiquo::REPOSITORY).join(".abiquo_repository");
    ensure!(!marker.exists(), "the marker was written below the mount point");
    nothing_left()
}

fn elsewhere() -> Result<()> {
    abiquo::unmount_repository();
    sh(&format!("mount -t tmpfs 10.60.1.73:/other {}", abiquo::REPOSITORY));
    let run = expect(&agent(), "start", 1)?;
    ensure!(run.stderr.contains("is mounted from 10.60.1.73:/other"), "{run}");
    nothing_left()
}

fn gone() -> Result<()> {
    expect(&agent(), "start", 0)?;
    abiquo::unmount_repository();
    expect_monitor("0", 0, "")?;
    for depth in ["10", "20"] {
        // Its own resource may not have looked yet, and puts it back.
        for code in [190, 190, 1] {
            expect_monitor(depth, code, "repository /run/abiquo/repository is not mounted")?;
        }
    }
    // Also when nobody can read any more where it is.
    abiquo::write_properties(0, "rubbish");
    expect_monitor("10", 1, "repository /run/abiquo/repository is not mounted")?;
    abiquo::write_properties(0, &abiquo::properties());
    let marker = Path::new(abiquo::REPOSITORY).join(".abiquo_repository");
    ensure!(!marker.exists(), "am was asked, and wrote to the disk below the mount point");
    abiquo::mount_repository();
    expect_monitor("20", 0, "")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn hangs() -> Result<()> {
    abiquo::unmount_repository();
    let fuse = Fuse::mount(abiquo::REPOSITORY, abiquo::LOCATION)?;
    expect(&agent(), "start", 0)?;
    expect_monitor("20", 0, "")?;
    fuse.hang(true);
    let short = agent().with_param("dependency_timeout", "1s");
    for depth in ["10", "20"] {
        let (result, took) =
            timed(|| Ok(expect_monitor_of(&short, depth, 190, "repository /run/abiquo/repository does not answer")))?;
        result?;
        ensure!(took < Duration::from_secs(15), "depth {depth} took {took:?}");
    }
    // The child of the first question still hangs, and no second one was sent after it.
    let children = sh("grep -lzx -e '/run/abiquo/[r]epository' /proc/[0-9]*/cmdline 2>/dev/null | wc -l");
    ensure!(children.trim() == "1", "{children} children hang");
    expect_monitor("0", 0, "")?;
    fuse.hang(false);
    soon("it answers again", || expect_monitor_of(&short, "20", 0, ""))?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn hangs_from_the_start() -> Result<()> {
    abiquo::unmount_repository();
    let fuse = Fuse::mount(abiquo::REPOSITORY, abiquo::LOCATION)?;
    fuse.hang(true);
    let short = agent().with_param("dependency_timeout", "1s");
    expect(&short, "start", 0)?;
    expect_monitor_of(&short, "10", 190, "does not answer")?;
    let (_, took) = timed(|| expect(&short, "stop", 0))?;
    ensure!(took < Duration::from_secs(50), "stop took {took:?}");
    nothing_left()
}

/// Why the generated configuration mounts softly: before every action ocf:heartbeat:Filesystem asks the mount point. Here for a
/// server that is gone for everybody, with a mount that waits for it (the FUSE hangs), and one that gives up (it fails).
fn stock() -> Result<()> {
    abiquo::unmount_repository();
    let fuse = Fuse::mount(abiquo::REPOSITORY, abiquo::LOCATION)?;
    // As Pacemaker ends what is late: SIGKILL, to all of it.
    let filesystem = |action: &str| {
        sh(&format!(
            "export OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=vm_repository OCF_RESKEY_device={} OCF_RESKEY_directory={} \
             OCF_RESKEY_fstype=fuse HA_RSCTMP=/run; timeout -s KILL 10 \
             /usr/lib/ocf/resource.d/heartbeat/Filesystem {action} > /run/abiquo/stock.log 2>&1; echo $?",
            abiquo::LOCATION,
            abiquo::REPOSITORY
        ))
        .trim()
        .to_owned()
    };
    let said = || std::fs::read_to_string("/run/abiquo/stock.log").unwrap_or_default();
    expect(&agent(), "start", 0)?;
    ensure!(filesystem("monitor") == "0", "{}", said());
    fuse.hang(true);
    let hung = [filesystem("monitor"), filesystem("stop")];
    let short = agent().with_param("dependency_timeout", "1s");
    let ours = expect_monitor_of(&short, "20", 190, "does not answer");
    fuse.fail(true);
    fuse.hang(false);
    ensure!(hung == ["137", "137"], "a hard mount: monitor and stop gave {hung:?}: {}", said());
    ours?;
    // Pacemaker keeps both where they are.
    let soft = filesystem("monitor");
    ensure!(soft == "0", "a soft mount: monitor gave {soft}: {}", said());
    expect_monitor_of(&short, "20", 190, "repository /run/abiquo/repository: input/output error")?;
    expect(&agent(), "stop", 0)?;
    let stop = filesystem("stop");
    let mounts = std::fs::read_to_string("/proc/self/mounts")?;
    ensure!(stop == "0" && !mounts.contains(abiquo::REPOSITORY), "stop gave {stop}: {}\n{mounts}", said());
    nothing_left()
}

fn unchecked() -> Result<()> {
    abiquo::unmount_repository();
    let text = abiquo::properties() + "abiquo.appliancemanager.checkMountedRepository = false\n";
    abiquo::write_properties(0, &text);
    expect(&agent(), "start", 0)?;
    for depth in ["0", "10", "20"] {
        expect_monitor(depth, 0, "")?;
    }
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

/// The kernel takes connections to a server of which every thread hangs.
fn server_hangs() -> Result<()> {
    expect(&agent(), "start", 0)?;
    NFS_HANGS.store(true, Ordering::Relaxed);
    for (who, code) in [(agent().recurring(), 0), (passive(), 7)] {
        let log = "/run/abiquo/server.log";
        let _ = std::fs::remove_file(log);
        let asked = who.with("OCF_CHECK_LEVEL", "20").with_param("dependency_timeout", "1s").with("HA_LOGFILE", log);
        if code == 7 {
            expect(&agent(), "stop", 0)?;
            // The first look asks nobody.
            expect(&passive(), "monitor", 7)?;
        }
        expect(&asked, "monitor", code)?;
        let text = std::fs::read_to_string(log)?;
        ensure!(text.contains("NFS 10.60.1.72:2049: no answer in 1"), "code {code}: {text}");
    }
    sh("rm -rf /run/inuvika-ha/abiquo_rs.passive; rmdir --ignore-fail-on-non-empty /run/inuvika-ha || true");
    nothing_left()
}
