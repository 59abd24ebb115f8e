//! What arrives on the peer, and what stop leaves.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;

use crate::Body;
use crate::host::{
    ATTIC, LINK, STATE, agent, await_idle, await_monitor, await_there, expect, expect_monitor, file, main_process,
    nothing_left, signal, there, timed, write,
};
use crate::support::lsyncd_host::{self as pair, sh};

pub const TRIALS: &[(&str, Body)] = &[
    ("start pushes what is there and what comes, stop takes lsyncd away", life),
    ("start and stop can be repeated", twice),
    ("a stop with an empty queue is quick", quick_stop),
    ("what is queued arrives before stop returns", flushed),
    ("the first push keeps what it overwrites and deletes, later ones do not", kept),
    ("a new life of lsyncd (HUP) keeps nothing again", reset),
    ("names that would break out of a configuration are only names", hostile),
    ("a folder that is a link on this host or on the peer stays one", linked),
    ("a lsyncd that was killed is replaced by start", killed),
    ("state lost with /run: the next start takes over what runs", forgotten),
    ("the administrator's own configuration is run as it is", own_file),
    ("reload-agent follows what it can and restarts nothing", reload),
];

fn life() -> Result<()> {
    write("before", "1");
    expect(&agent().probing(), "monitor", 7)?;
    let (_, took) = timed(|| expect(&agent(), "start", 0))?;
    ensure!(took < Duration::from_secs(15), "start took {took:?}");
    ensure!(fs::read_to_string(LINK)?.contains("root true"), "no cron job");
    await_there("before", "1");
    fs::create_dir_all(file("a/b c"))?;
    write("a/b c/after", "2");
    await_there("a/b c/after", "2");
    write(".hidden", "3");
    fs::rename(file("before"), file("moved"))?;
    await_there("moved", "1");
    pair::wait_for("the old name to go", || there("before").is_none());
    ensure!(there(".hidden").is_none(), "what is excluded was copied");
    for depth in ["0", "10", "20"] {
        await_monitor(&agent(), depth, 0, "")?;
    }
    expect(&agent().probing(), "monitor", 0)?;
    expect(&agent(), "stop", 0)?;
    expect_monitor(&agent(), "0", 7, "not running")?;
    nothing_left()
}

fn twice() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let before = main_process();
    expect(&agent(), "start", 0)?;
    ensure!(main_process() == before, "restarted");
    // Other parameters are another configuration.
    expect(&agent().with_param("delay", "2s"), "start", 0)?;
    ensure!(main_process() != before, "not restarted");
    for _ in 0..2 {
        expect(&agent(), "stop", 0)?;
        nothing_left()?;
    }
    Ok(())
}

fn quick_stop() -> Result<()> {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        write("x", "1");
        expect(&agent(), "start", 0)?;
        await_there("x", "1");
        await_idle();
        let (_, took) = timed(|| expect(&agent(), "stop", 0))?;
        best = best.min(took);
        nothing_left()?;
    }
    eprintln!("lsyncd: a stop with an empty queue takes {best:?}");
    // On an idle machine some 0.7 s. The limit is for a slow one that is shared with a build.
    ensure!(best < Duration::from_secs(4), "stop took {best:?}");
    Ok(())
}

fn flushed() -> Result<()> {
    let slow = agent().with_param("delay", "300s");
    write("old", "1");
    expect(&slow, "start", 0)?;
    await_there("old", "1");
    await_idle();
    for n in 0..200 {
        write(&format!("sess_{n}"), &format!("{n}"));
    }
    fs::remove_file(file("old"))?;
    std::thread::sleep(Duration::from_millis(300));
    ensure!(there("sess_199").is_none(), "pushed at once: this proves nothing");
    expect(&slow, "stop", 0)?;
    for n in 0..200 {
        ensure!(there(&format!("sess_{n}")).as_deref() == Some(&n.to_string()), "sess_{n} did not arrive");
    }
    ensure!(there("old").is_none(), "a deleted file is still there");
    nothing_left()
}

/// What the peer has kept, below the one backup folder that there must be.
fn backup() -> String {
    let folder = pair::there(format!("{ATTIC}/backup"));
    sh(&format!("cd {0} 2>/dev/null && find . -type f -printf '%f ' || true", folder.display()))
}

fn kept() -> Result<()> {
    write("both", "new");
    write("mine", "1");
    fs::write(pair::there(file("both")), "old, of the peer")?;
    fs::write(pair::there(file("only there")), "2")?;
    expect(&agent(), "start", 0)?;
    await_there("both", "new");
    pair::wait_for("the peer's own file to go", || there("only there").is_none());
    await_idle();
    let names = backup();
    ensure!(names.contains("both") && names.contains("only there") && !names.contains("mine"), "kept: {names}");
    write("both", "newer");
    fs::remove_file(file("mine"))?;
    await_there("both", "newer");
    pair::wait_for("the deletion", || there("mine").is_none());
    ensure!(backup() == names, "kept after the first push: {}", backup());
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn reset() -> Result<()> {
    write("both", "new");
    fs::write(pair::there(file("both")), "old, of the peer")?;
    expect(&agent(), "start", 0)?;
    await_there("both", "new");
    await_idle();
    let names = backup();
    fs::write(pair::there(file("later")), "3")?;
    // As after an overflow of events: lsyncd reads its configuration again and begins with a full push.
    signal(Signal::SIGHUP);
    pair::wait_for("the full push", || there("later").is_none());
    ensure!(backup() == names, "kept again: {}", backup());
    await_idle();
    expect_monitor(&agent(), "0", 0, "")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn hostile() -> Result<()> {
    let trap = "/srv/trap";
    let folder = format!("/srv/osm-0/it's\"}}..os.execute('touch${{IFS}}{trap}')..{{]]--$(id)");
    for root in [String::new(), pair::there("/").display().to_string()] {
        fs::create_dir_all(format!("{root}{folder}"))?;
    }
    let agent = agent().with_param("folders", &folder).with_param("exclude", "';os.exit(1);',.*");
    expect(&agent, "start", 0)?;
    for name in ["plain", "two words", "it's \"quoted\"", "new\nline", "There are 9 delays", "[a]*?", "-rf", "\u{e9}"] {
        fs::write(format!("{folder}/{name}"), name)?;
        let place = pair::there(format!("{folder}/{name}"));
        pair::wait_for(name, || fs::read_to_string(&place).is_ok_and(|text| text == name));
        expect_monitor(&agent, "0", 0, "")?;
    }
    ensure!(!std::path::Path::new(trap).exists(), "executed");
    expect(&agent, "stop", 0)?;
    nothing_left()
}

/// lsyncd names the folder at both ends, each host follows its own link; the push at stop and the fetch do the same.
fn linked() -> Result<()> {
    for roots in [vec![std::path::PathBuf::from("/")], vec![pair::there("/")]] {
        let folder = file("").display().to_string();
        let folder = folder.trim_end_matches('/');
        for root in &roots {
            let root = root.display();
            sh(&format!(
                "rmdir {root}{folder}; mkdir -p {root}/srv/real; ln -s real {root}/srv/link; ln -s ../link {root}{folder}"
            ));
        }
        let result = (|| {
            write("x", "1");
            fs::create_dir(file("sub"))?;
            expect(&agent(), "start", 0)?;
            await_there("x", "1");
            await_idle();
            write("sub/y", "2");
            await_there("sub/y", "2");
            await_monitor(&agent(), "10", 0, "")?;
            write("z", "3");
            expect(&agent(), "stop", 0)?;
            ensure!(there("z").as_deref() == Some("3"), "not flushed");
            for root in &roots {
                let link = fs::symlink_metadata(format!("{}{folder}", root.display()))?;
                ensure!(link.is_symlink(), "the link has given way to a folder");
                ensure!(fs::read_to_string(root.join("srv/real/z"))? == "3");
            }
            nothing_left()
        })();
        for root in &roots {
            let root = root.display();
            sh(&format!("rm -rf {root}{folder} {root}/srv/link {root}/srv/real; mkdir -p {root}{folder}"));
        }
        result?;
        crate::host::clean();
    }
    Ok(())
}

fn killed() -> Result<()> {
    expect(&agent(), "start", 0)?;
    await_idle();
    signal(Signal::SIGKILL);
    pair::wait_for("it to end", || pair::lsyncd_processes().is_empty());
    expect_monitor(&agent(), "0", 1, "lsyncd is not running")?;
    // A probe after a restart of Pacemaker: not a clean stop either.
    expect(&agent().probing(), "monitor", 1)?;
    write("meanwhile", "1");
    expect(&agent(), "start", 0)?;
    await_there("meanwhile", "1");
    await_monitor(&agent(), "0", 0, "")?;
    expect(&agent(), "stop", 0)?;
    nothing_left()
}

fn forgotten() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let before = main_process();
    fs::remove_dir_all("/run/inuvika-ha")?;
    expect_monitor(&agent(), "0", 1, "needs a restart")?;
    expect(&agent(), "start", 0)?;
    ensure!(main_process() != before, "its files are gone: it cannot be the same");
    fs::remove_dir_all("/run/inuvika-ha")?;
    expect(&agent(), "stop", 0)?;
    ensure!(pair::lsyncd_processes().is_empty(), "lsyncd still runs");
    Ok(())
}

fn own_file() -> Result<()> {
    let [one, _] = pair::folders(0);
    let text = format!(
        "settings{{ insist = true }}\nsync{{ default.rsync, source = '{0}', target = '{1}:{0}', delay = 1, rsync = {{ \
         archive = true, rsh = 'ssh -i /run/pair/key -o UserKnownHostsFile=/run/pair/known_hosts' }} }}\n",
        one.display(),
        pair::PEER
    );
    fs::write("/srv/own.lua", text)?;
    let agent = agent().with_param("config", "/srv/own.lua");
    write("x", "1");
    expect(&agent, "start", 0)?;
    await_there("x", "1");
    ensure!(crate::host::log().contains("cannot be guaranteed"), "not said:\n{}", crate::host::log());
    ensure!(!std::path::Path::new(&format!("{STATE}/lsyncd.lua")).exists(), "another configuration was written");
    for depth in ["0", "10", "20"] {
        expect_monitor(&agent, depth, 0, "")?;
    }
    let second = pair::folders(0)[1].join("only flushed");
    fs::write(&second, "2")?;
    expect(&agent, "stop", 0)?;
    ensure!(fs::read_to_string(pair::there(&second))? == "2", "the folders are flushed whatever the file says");
    nothing_left()
}

fn reload() -> Result<()> {
    expect(&agent(), "start", 0)?;
    let before = main_process();
    let changed = agent().with_param("manage_cron", "no").with_param("flush_timeout", "7s");
    expect(&changed, "reload-agent", 0)?;
    ensure!(fs::symlink_metadata(LINK).is_err(), "the link is still there");
    ensure!(fs::read_to_string(format!("{STATE}/applied"))?.contains("\"secs\":7"), "stop would not know");
    await_monitor(&changed, "0", 0, "")?;
    ensure!(main_process() == before, "restarted");
    expect(&changed, "stop", 0)?;
    nothing_left()
}
