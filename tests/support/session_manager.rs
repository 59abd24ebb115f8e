//! The stand-in for the Session Manager in nodes of the lab: real Apache with PHP, real cron, the documented interface.
//!
//! ```ignore
//! let database = Database::start(&lab.dbmy)?;
//! for node in [lab.node("osm1"), lab.node("osm2")] {
//!     session_manager::install(node)?;
//!     session_manager::set_database(node, Database::HOST, Database::PASSWORD)?;
//! }
//! ```

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::lab::{Lab, Machine, Node, Question};
use super::mariadb;

/// Where servers and monitors ask.
pub const PORT: u16 = 1111;
/// PHP's sessions: a file for each request without a cookie.
pub const SESSIONS: &str = "/var/lib/php/sessions";
/// The settings, as JSON.
pub const SETTINGS: &str = "/var/spool/ovd/session-manager/config";
/// The cron table, and the link by which cron finds it.
pub const CRON_TABLE: &str = "/etc/ovd/session-manager/sessionmanager.cron";
/// See [`CRON_TABLE`].
pub const CRON_LINK: &str = "/etc/cron.d/sessionmanager";
const BROKEN: &str = "/etc/ovd/broken";
/// In the folder that all nodes share.
const CRON_RUNS: &str = "cron-runs";

macro_rules! files {
    ($($target:literal <- $source:literal),* $(,)?) => {
        &[$(($target, include_str!(concat!("session_manager/", $source)))),*]
    };
}
const FILES: &[(&str, &str)] = files![
    "etc/apache2/sites-available/session-manager.conf" <- "site.conf",
    "etc/ovd/session-manager/sessionmanager.cron" <- "sessionmanager.cron",
    "usr/share/ovd/session-manager/README" <- "README",
    "usr/share/ovd/session-manager/common.php" <- "common.php",
    "usr/share/ovd/session-manager/admin/index.php" <- "admin/index.php",
    "usr/share/ovd/session-manager/client/news.php" <- "client/news.php",
    "usr/share/ovd/session-manager/client/start.php" <- "client/start.php",
    "usr/share/ovd/session-manager/crons/minutely.php" <- "minutely.php",
    "usr/share/ovd/session-manager/webservices/server_name.php" <- "webservices/server_name.php",
    "usr/share/ovd/session-manager/webservices/server_status.php" <- "webservices/server_status.php",
    "usr/share/ovd/web-access/index.php" <- "web/index.php",
    "usr/share/ovd/web-access/slow.php" <- "web/slow.php",
    "usr/share/ovd/web-access/store.php" <- "web/store.php",
];

/// Installs it in a node that is on, as a package does: cron runs, now and after each boot, and has the link to the
/// table; Apache has the site, does not run, and does not start at boot. There are no settings yet.
pub fn install(node: &Node) -> Result<()> {
    let root = node.root();
    for (path, content) in FILES {
        let path = root.join(path);
        fs::create_dir_all(path.parent().context("no folder")?)?;
        fs::write(&path, content).with_context(|| format!("write {}", path.display()))?;
    }
    enable_apache(root).context("configure Apache")?;
    // The host's own jobs have no business in a node.
    for dir in ["etc/cron.d", "var/spool/cron/crontabs"] {
        empty(&root.join(dir), "")?;
    }
    let _ = fs::remove_file(root.join("etc/crontab"));
    symlink(CRON_TABLE, root.join(CRON_LINK.trim_start_matches('/'))).context("link the cron table")?;
    let wants = root.join("etc/systemd/system/multi-user.target.wants");
    let _ = fs::remove_file(wants.join("cron.service"));
    symlink("/lib/systemd/system/cron.service", wants.join("cron.service")).context("enable cron")?;
    node.sh("install -d -o www-data -g www-data -m 750 /var/spool/ovd/session-manager
        chmod 644 /etc/ovd/session-manager/sessionmanager.cron
        systemctl daemon-reload
        systemctl restart cron")?;
    Ok(())
}

/// Writes new settings that name the database by host and password, without maintenance.
pub fn set_database(node: &Node, host: &str, password: &str) -> Result<()> {
    write_settings(node, &mariadb::settings(host, password))
}

/// Switches maintenance in the settings: no session begins.
pub fn set_maintenance(node: &Node, on: bool) -> Result<()> {
    let mut settings: Value = serde_json::from_str(&node.read_file(SETTINGS)?).context("read the settings")?;
    settings["general"]["system_in_maintenance"] = json!(u8::from(on));
    write_settings(node, &settings)
}

/// Lets every page answer status 200 with an error (true), or work again.
pub fn set_broken(node: &Node, broken: bool) -> Result<()> {
    let verb = if broken { "touch" } else { "rm" };
    node.run([verb, BROKEN])?;
    Ok(())
}

/// The number of PHP's session files on a node.
pub fn session_files(node: &Node) -> Result<usize> {
    Ok(node.run(["find", SESSIONS, "-name", "sess_*"])?.lines().count())
}

/// Each run of the cron table: the node's short name, and when, in seconds since 1970.
pub fn cron_runs(lab: &Lab) -> Result<Vec<(String, u64)>> {
    let text = fs::read_to_string(lab.shared().join(CRON_RUNS)).unwrap_or_default();
    let run = |line: &str| {
        let (node, time) = line.split_once(' ')?;
        Some((node.to_owned(), time.parse().ok()?))
    };
    text.lines().map(|line| run(line).with_context(|| format!("cron noted {line:?}"))).collect()
}

/// For a meter on port 1111: the page that needs no database, always with the same cookie; the answers are the nodes'
/// names. An error of the page with status 200 is no good answer.
pub fn question(host: &str) -> Question {
    Question::http(host, "/server/status")
        .with_header("Cookie: PHPSESSID=meter")
        .with_body("Server does not send a valid XML")
        .named_by("X-Node")
}

fn write_settings(node: &Node, settings: &Value) -> Result<()> {
    let owned = ["install", "-m", "640", "-o", "www-data", "-g", "www-data", "/dev/stdin", SETTINGS];
    let output = node.output_with(super::lab::LIMIT, settings.to_string().as_bytes(), &owned)?;
    if !output.ok() {
        bail!("{}: write the settings: {}", node.name(), output.describe());
    }
    Ok(())
}

/// Whatever the host has enabled: its sites stay, PHP needs its own kind of processes.
fn enable_apache(root: &Path) -> Result<()> {
    let apache = root.join("etc/apache2");
    let (available, enabled) = (apache.join("mods-available"), apache.join("mods-enabled"));
    empty(&enabled, "mpm_")?;
    empty(&enabled, "php")?;
    let all = fs::read_dir(&available)
        .context("list the modules of Apache, which tests/support/install installs")?
        .flatten()
        .map(|entry| entry.file_name());
    let mut names: Vec<_> = all.filter_map(|name| name.into_string().ok()).collect();
    names.sort();
    let php = names.iter().rfind(|name| name.starts_with("php") && name.ends_with(".load"));
    let php = php.context("PHP for Apache is missing; run tests/support/install")?.trim_end_matches(".load");
    for name in &names {
        let module = name.rsplit_once('.').map_or(name.as_str(), |(module, _)| module);
        if [php, "mpm_prefork", "alias", "rewrite", "dir"].contains(&module) {
            let _ = fs::remove_file(enabled.join(name));
            symlink(Path::new("../mods-available").join(name), enabled.join(name))?;
        }
    }
    let sites = apache.join("sites-enabled");
    let _ = fs::remove_file(sites.join("session-manager.conf"));
    symlink("../sites-available/session-manager.conf", sites.join("session-manager.conf"))?;
    Ok(())
}

/// Removes the files of a folder whose names begin so.
fn empty(dir: &Path, begin: &str) -> Result<()> {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(begin) {
            fs::remove_file(entry.path()).with_context(|| format!("remove {}", entry.path().display()))?;
        }
    }
    Ok(())
}
