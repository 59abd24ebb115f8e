//! The stand-in Session Manager and its database prove themselves: documented answers, and trouble that can be made.

use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};

use crate::LAB;
use crate::support::lab::{Database, Lab, Machine, Meter, Net, Node, wait_for};
use crate::support::session_manager::{self as stand_in, CRON_LINK, PORT};

static DATABASE: LazyLock<Database> = LazyLock::new(|| {
    let database = LAB.phase("started a database", || Database::start(&LAB.dbmy)).unwrap();
    for node in ["osm1", "osm2"].map(|name| LAB.node(name)) {
        LAB.phase("installed the stand-in", || stand_in::install(node)).unwrap();
        stand_in::set_database(node, Database::HOST, Database::PASSWORD).unwrap();
    }
    database
});

/// When the link on osm2 was removed, in seconds since 1970.
static UNLINKED: OnceLock<u64> = OnceLock::new();

pub fn answers_as_documented(lab: &Lab) -> Result<()> {
    let (database, node) = (&*DATABASE, lab.node("osm1"));
    for node in [node, lab.node("osm2")] {
        ensure!(!node.output(["systemctl", "is-enabled", "apache2"])?.ok(), "Apache starts at boot");
        ensure!(!node.output(["systemctl", "is-active", "apache2"])?.ok(), "Apache runs");
        ensure!(node.run(["systemctl", "is-active", "cron"])?.trim() == "active");
        ensure!(node.run(["readlink", CRON_LINK])?.trim() == stand_in::CRON_TABLE);
    }
    // The cron trial asks later where the table ran.
    lab.node("osm2").run(["rm", CRON_LINK])?;
    UNLINKED.get_or_init(now);
    lab.phase("started Apache", || node.run(["systemctl", "start", "apache2"]))?;

    let head = ask(lab, node, &["--head", &format!(":{PORT}/server/status")])?;
    for part in ["HTTP/1.1 200 ", "X-Stand-In: inuvika-ha tests", "X-Node: osm1", "Set-Cookie: PHPSESSID="] {
        ensure!(head.contains(part), "{part} is missing in\n{head}");
    }
    let empty = "<error id=\"1\" message=\"Server does not send a valid XML\"/>";
    for post in [&[][..], &["--data", ""], &["--data", "nonsense"]] {
        let said = ask(lab, node, &[post, &[&format!(":{PORT}/server/status")]].concat())?;
        ensure!(said.starts_with("<?xml ") && said.contains(empty), "{said}");
    }
    let servers = || database.query("SELECT fqdn, status FROM ovd.ovd_servers");
    ensure!(servers()?.is_empty(), "a status page registered somebody");
    let name = ask(lab, node, &[&format!(":{PORT}/server/name")])?;
    ensure!(name.contains("<server name=\"10.20.1.99\"/>") && servers()? == "10.20.1.99\tpending\n", "{name}");
    let report = "<server status=\"ready\"/>";
    let said = ask(lab, node, &["--data", report, &format!(":{PORT}/server/status")])?;
    ensure!(said.contains("status=\"ready\"") && servers()? == "10.20.1.99\tready\n", "{said}");

    let news = "<news><new title=\"Première\">A &lt;stand-in&gt; for tests</new></news>";
    ensure!(ask(lab, node, &["/ovd/client/news"])?.contains(news));
    // The address is one for all ports.
    ensure!(ask(lab, node, &[&format!(":{PORT}/ovd/client/news")])?.contains(news));
    ensure!(ask(lab, node, &["/ovd/client/start"])?.contains("<session id="));
    ensure!(database.query("SELECT node FROM ovd.ovd_sessions")? == "osm1\n");
    ensure!(ask(lab, node, &["/ovd/"])?.contains("stand-in"));
    let admin = |arguments: &[&str]| ask(lab, node, &[arguments, &["--data", "{\"args\":[]}"]].concat());
    ensure!(admin(&["/ovd/service/admin/settings_get"])?.contains("{\"error\":{\"code\":\"not_authorized\""));
    let settings = admin(&["--user", "admin:admin", "/ovd/service/admin/settings_get"])?;
    ensure!(settings.contains("\"host\":\"dbmy.priv\""), "{settings}");

    stand_in::set_maintenance(node, true)?;
    ensure!(ask(lab, node, &["/ovd/client/start"])?.contains("<response code=\"in_maintenance\"/>"));
    stand_in::set_maintenance(node, false)?;
    stand_in::set_broken(node, true)?;
    for page in [format!(":{PORT}/server/status"), "/ovd/client/news".to_owned(), "/ovd/".to_owned()] {
        let said = ask(lab, node, &["--include", &page])?;
        let told = said.contains(" 200 ") && said.contains("<error id=\"0\" message=\"Internal error\"/>");
        ensure!(told, "{page}: {said}");
    }
    stand_in::set_broken(node, false)?;
    node.run(["cp", "-p", stand_in::SETTINGS, "/tmp/settings"])?;
    node.run(["truncate", "--size=40", stand_in::SETTINGS])?;
    let said = ask(lab, node, &[&format!(":{PORT}/server/status")])?;
    ensure!(said.contains("<error id=\"0\" message=\"the settings are damaged\"/>"), "{said}");
    node.run(["cp", "-p", "/tmp/settings", stand_in::SETTINGS])?;
    Ok(())
}

pub fn sessions_pile_up_without_a_cookie(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    let page = format!(":{PORT}/server/status");
    let before = stand_in::session_files(node)?;
    for _ in 0..5 {
        ask(lab, node, &[&page])?;
    }
    let without = stand_in::session_files(node)?;
    ensure!(without == before + 5, "5 requests without a cookie made {} files", without - before);
    for _ in 0..5 {
        ask(lab, node, &["--cookie", "PHPSESSID=monitor", &page])?;
    }
    let with = stand_in::session_files(node)?;
    ensure!(with == without + 1, "5 requests with one cookie made {} files", with - without);
    Ok(())
}

pub fn database_trouble_is_seen_where_it_is(lab: &Lab) -> Result<()> {
    let (database, osm1, osm2) = (&*DATABASE, lab.node("osm1"), lab.node("osm2"));
    osm2.run(["systemctl", "start", "apache2"])?;
    let news = |node: &Node| ask(lab, node, &["/ovd/client/news"]);
    let works = |node: &Node| -> Result<()> {
        let said = news(node)?;
        ensure!(said.contains("<news>"), "{}: {said}", node.name());
        Ok(())
    };
    let fails = |node: &Node| -> Result<()> {
        let said = news(node)?;
        ensure!(said.contains("<error id=\"0\" message="), "{}: {said}", node.name());
        let start = ask(lab, node, &["/ovd/client/start"])?;
        ensure!(start.contains("<response code=\"internal_error\"/>"), "{}: {start}", node.name());
        // It is another component that is broken.
        let page = format!(":{PORT}/server/status");
        ensure!(ask(lab, node, &[&page])?.contains("<error id=\"1\""), "{}", node.name());
        Ok(())
    };
    works(osm1)?;
    works(osm2)?;
    lab.phase("stopped the database", || database.stop())?;
    fails(osm1)?;
    fails(osm2)?;
    lab.phase("started it again", || database.start_again())?;
    works(osm1)?;

    database.hide_from(osm1)?;
    osm1.run(["ping", "-c1", "-W2", Database::HOST])?;
    fails(osm1)?;
    works(osm2)?;
    for address in [lab.dbmy.address(Net::Srv), lab.dbmy.address(Net::Priv)] {
        let connect = ["bash", "-c", &format!("exec 3<>/dev/tcp/{address}/3306")];
        ensure!(!osm1.output_with(Duration::from_secs(1), b"", &connect)?.ok(), "{address} is not hidden");
        ensure!(osm2.output_with(Duration::from_secs(1), b"", &connect)?.ok(), "{address} is hidden from both");
    }
    database.show_to(osm1)?;
    works(osm1)?;

    database.freeze()?;
    let started = Instant::now();
    let connected = osm1.sh(&format!("exec 3<>/dev/tcp/{}/3306", Database::HOST));
    let said = news(osm2);
    database.thaw()?;
    connected.context("the kernel takes connections of a frozen database")?;
    ensure!(said?.contains("<error id=\"0\""), "a frozen database serves");
    ensure!(started.elapsed() > Duration::from_secs(3), "a frozen database refuses");
    works(osm2)?;
    osm2.run(["systemctl", "stop", "apache2"])?;
    Ok(())
}

pub fn meter_asks_the_session_manager(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    let address = node.address(Net::Srv);
    let before = stand_in::session_files(node)?;
    let meter = Meter::start(&lab.client, (address, PORT).into(), stand_in::question("osm.demo"))?;
    std::thread::sleep(Duration::from_millis(500));
    stand_in::set_broken(node, true)?;
    std::thread::sleep(Duration::from_secs(1));
    stand_in::set_broken(node, false)?;
    std::thread::sleep(Duration::from_millis(500));
    let outage = meter.stop()?;
    eprintln!("lab: session manager broken for 1.00 s: {outage}");
    ensure!(outage.answers == ["osm1"], "{outage}");
    ensure!(outage.longest > Duration::from_millis(900) && outage.longest < Duration::from_millis(1800), "{outage}");
    ensure!(stand_in::session_files(node)? <= before + 1, "the meter makes session files");

    let started = Instant::now();
    let sent = ask(lab, node, &["--write-out", " %{time_starttransfer}", "/ovd/slow?seconds=2"])?;
    let (bytes, first) = sent.split_once(' ').context("no time")?;
    ensure!(bytes.len() == 20 && started.elapsed() > Duration::from_millis(1900), "{sent}");
    ensure!(first.trim().parse::<f32>()? < 1.0, "the first byte comes late: {sent}");
    node.run(["systemctl", "stop", "apache2"])?;
    Ok(())
}

pub fn cron_runs_where_it_is_linked(lab: &Lab) -> Result<()> {
    // A run that began while both were linked notes itself a moment later.
    let since = UNLINKED.get().context("the trial before has to make it ready")? + 2;
    let ran = |node: &str| -> Result<usize> {
        let runs = stand_in::cron_runs(lab)?;
        Ok(runs.iter().filter(|(name, time)| name == node && *time > since).count())
    };
    // The trials before took their time: often it ran already.
    lab.phase("waited for cron", || wait_for(Duration::from_secs(70), "a run on osm1", || Ok(ran("osm1")? > 0)))?;
    ensure!(ran("osm2")? == 0 && ran("pcs3")? == 0, "it ran where it is not linked: {:?}", stand_in::cron_runs(lab)?);
    for (_, time) in stand_in::cron_runs(lab)? {
        ensure!(time % 60 < 5 && time <= now(), "it ran at {time}, now it is {}", now());
    }
    Ok(())
}

pub fn reboot_starts_cron_and_not_apache(lab: &Lab) -> Result<()> {
    // It was killed and fenced by the trials before.
    let node = lab.node("osm2");
    ensure!(node.run(["systemctl", "is-active", "cron"])?.trim() == "active");
    ensure!(!node.output(["systemctl", "is-active", "apache2"])?.ok(), "Apache came with the boot");
    ensure!(!node.output(["test", "-e", CRON_LINK])?.ok(), "the link came back");
    Ok(())
}

/// Asks with curl's options; an option that begins with a colon or a slash is the page.
fn ask(lab: &Lab, node: &Node, options: &[&str]) -> Result<String> {
    let address = node.address(Net::Srv);
    let page = |option: &&str| match option.chars().next() {
        Some(':' | '/') => format!("http://{address}{option}"),
        _ => (*option).to_owned(),
    };
    let options: Vec<_> = options.iter().map(page).collect();
    let mut argv = vec!["curl", "--silent", "--show-error", "--max-time", "12"];
    argv.extend(options.iter().map(String::as_str));
    lab.client.run_within(Duration::from_secs(15), &argv)
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
