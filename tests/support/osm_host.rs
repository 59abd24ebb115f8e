//! A host without service manager for ovd-osm: an Apache and a cron job for each instance, one database for all.
#![allow(dead_code)] // every test crate uses a part of it

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Once};

use super::apache;
use super::mariadb::{self, MariaDb};

/// Where all of it is.
pub const FOLDER: &str = "/run/osm";

/// The folder of instance number `n`.
pub fn folder(n: usize) -> PathBuf {
    Path::new(FOLDER).join(n.to_string())
}

/// The port of instance number `n`.
pub fn port(n: usize) -> u16 {
    2000 + u16::try_from(n).unwrap()
}

/// Good parameters for instance number `n`.
pub fn params(n: usize) -> Vec<(String, String)> {
    prepare();
    let at = |name: &str| folder(n).join(name).display().to_string();
    let pairs = [
        ("session_manager_config", format!("{FOLDER}/settings")),
        ("service_manager", "direct".to_owned()),
        ("httpd_config", at("httpd.conf")),
        ("vhost", format!("127.0.0.1:{}", port(n))),
        ("cron_link", format!("{FOLDER}/cron.d/job-{n}")),
        ("cron_target", at("table")),
    ];
    pairs.map(|(name, value)| (format!("OCF_RESKEY_{name}"), value)).to_vec()
}

fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        fs::create_dir_all(format!("{FOLDER}/cron.d")).unwrap();
        for n in 0..16 {
            fs::create_dir_all(folder(n)).unwrap();
            fs::write(folder(n).join("table"), "* * * * * root true\n").unwrap();
            apache::configure(&folder(n), port(n));
        }
        keep_var_lib();
        database();
        write_settings(&settings());
    });
}

/// The database of all instances, on port 3307 of the loopback link; the PID namespace ends it with the tests.
pub fn database() -> &'static MariaDb {
    static DATABASE: LazyLock<MariaDb> = LazyLock::new(|| {
        MariaDb::start(&Path::new(FOLDER).join("database"), &[], "127.0.0.1", 3307, &["127.0.0.1"]).unwrap()
    });
    &DATABASE
}

/// Good settings of the Session Manager.
pub fn settings() -> String {
    mariadb::settings("127.0.0.1:3307", mariadb::PASSWORD).to_string()
}

/// Writes the settings of all instances.
pub fn write_settings(text: &str) {
    fs::write(format!("{FOLDER}/settings"), text).unwrap();
}

/// What agents keep under /var/lib goes to this test's own layer, from the first call on.
pub fn keep_var_lib() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| keep("/var/lib"));
}

/// What is written below `path` goes to this test's own layer. To be called once.
pub fn keep(path: &str) {
    let layer = format!("{FOLDER}/layer{}", path.replace('/', "-"));
    for name in ["upper", "work"] {
        fs::create_dir_all(format!("{layer}/{name}")).unwrap();
    }
    let options = format!("lowerdir={path},upperdir={layer}/upper,workdir={layer}/work");
    let status = Command::new("mount").args(["-t", "overlay", "-o", &options, "overlay", path]).status().unwrap();
    assert!(status.success(), "mount an overlay on {path}");
}

/// Everything of the agent that is on the host, in words.
pub fn left() -> Vec<String> {
    let processes = apache::processes().into_iter().map(|pid| format!("apache2 process {pid}"));
    let links = fs::read_dir(format!("{FOLDER}/cron.d")).unwrap().flatten();
    processes.chain(links.map(|entry| entry.path().display().to_string())).collect()
}

/// Ends what a question that failed has left.
pub fn clean() {
    for pid in apache::processes() {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
    }
    for link in fs::read_dir(format!("{FOLDER}/cron.d")).into_iter().flatten().flatten() {
        let _ = fs::remove_file(link.path());
    }
}

/// Takes the settings away, or gives them back: without them start fails at once.
pub fn hide() {
    fs::rename(format!("{FOLDER}/settings"), format!("{FOLDER}/hidden")).unwrap();
}

/// See [`hide`].
pub fn show() {
    fs::rename(format!("{FOLDER}/hidden"), format!("{FOLDER}/settings")).unwrap();
}
