//! The life of the .deb on a node of a cluster whose resources run.

use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use inuvika_ha::agents::specs;

use crate::support::lab::{Database, Lab, Machine, Node, PASSWORD, wait_for, wait_idle};
use crate::support::{ovd, session_manager};
use crate::{listing, made};

/// One node: what dpkg does on it has nothing to do with the others.
pub static LAB: LazyLock<Lab> = LazyLock::new(|| Lab::new(&["osm1"]).unwrap());

const LIMIT: Duration = Duration::from_secs(60);
const INSTALL: Duration = Duration::from_secs(120);
/// Each second, so that no upgrade goes by without a monitor in it.
const RESOURCES: &str = r#"<resources><group id="farm">
<primitive id="virtual_ip" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id="a">
<nvpair id="a1" name="ip" value="10.20.1.10"/><nvpair id="a2" name="cidr_netmask" value="24"/><nvpair id="a3" name="nic" value="eth0"/>
</instance_attributes><operations><op id="am" name="monitor" interval="10s" timeout="20s"/></operations></primitive>
<primitive id="vip_src" class="ocf" provider="inuvika" type="ovd-vip-src"><instance_attributes id="b">
<nvpair id="b1" name="virtual_ip" value="10.20.1.10"/><nvpair id="b2" name="destinations" value="10.20.0.0/16"/>
</instance_attributes><operations><op id="bm" name="monitor" interval="1s" timeout="20s"/></operations></primitive>
<primitive id="session_manager" class="ocf" provider="inuvika" type="ovd-osm">
<operations><op id="cm" name="monitor" interval="1s" timeout="20s"/></operations></primitive>
</group></resources>"#;

pub fn install(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    node.copy_in(&made::first().deb, "/root/first.deb", 0o644)?;
    node.copy_in(&made::next().deb, "/root/next.deb", 0o644)?;
    dpkg(node, "--install /root/first.deb")?;
    // Every file as packed.
    ensure!(node.run(["dpkg", "--verify", "inuvika-ha"])?.is_empty());
    let listed = node.run(["crm_resource", "--list-agents", "ocf:inuvika"])?;
    let mut listed: Vec<&str> = listed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut registered: Vec<&str> = specs().map(|spec| spec.name).collect();
    listed.sort_unstable();
    registered.sort_unstable();
    ensure!(listed == registered, "Pacemaker finds {listed:?}");
    for path in listing::deb(&made::first().deb)?.keys().filter(|path| path.contains("timers.target.wants/")) {
        let timer = path.rsplit('/').next().context("no name")?;
        let state = node.output(["systemctl", "is-active", timer])?.stdout;
        ensure!(state.trim() == "active", "{timer} is {state}");
    }
    ensure!(node.run(["pcs", "resource", "describe", "ocf:inuvika:ovd-vip-src"])?.contains("virtual_ip"));
    Ok(())
}

fn dpkg(node: &Node, words: &str) -> Result<String> {
    node.sh_within(INSTALL, &format!("DEBIAN_FRONTEND=noninteractive dpkg {words} 2>&1"))
}

fn cluster(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    // It runs as long as the lab.
    std::mem::forget(Database::start(&lab.dbmy)?);
    session_manager::install(node)?;
    session_manager::set_database(node, Database::HOST, Database::PASSWORD)?;
    let name = node.cluster_name();
    node.sh(&format!("pcs host auth -u hacluster -p {PASSWORD} {name}"))?;
    node.sh_within(INSTALL, &format!("pcs cluster setup farm {name} --start --wait=90"))?;
    node.run(["crm_attribute", "--name", "stonith-enabled", "--update", "false"])?;
    node.write_file("/root/resources.xml", RESOURCES, 0o644)?;
    node.run(["cibadmin", "--replace", "--scope", "resources", "--xml-file", "/root/resources.xml"])?;
    wait_for(LIMIT, "the resources to run", || {
        let status = lab.status("osm1")?;
        Ok(["virtual_ip", "vip_src", "session_manager"].iter().all(|id| status.nodes_of(id).len() == 1))
    })?;
    wait_idle(node, LIMIT)
}

/// Every operation with its number, time and result, as the cluster has recorded it: a restart, a move or a failure changes it.
fn history(node: &Node) -> Result<String> {
    node.run(["cibadmin", "--query", "--xpath", "//lrm"])
}

fn main_process(node: &Node) -> Result<String> {
    node.run(["systemctl", "show", "--property=MainPID", "--value", "apache2.service"])
}

/// Calls an agent's link all the time; how often, and how often that failed.
const WATCH: &str = "all=0 failed=0
while [ ! -e /root/enough ]; do
    all=$((all + 1))
    /usr/lib/ocf/resource.d/inuvika/ovd-vip-src meta-data >/dev/null 2>&1 || failed=$((failed + 1))
done
echo $all $failed";

pub fn upgrade(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    lab.phase("made a cluster", || cluster(lab))?;
    // A first monitor of each.
    std::thread::sleep(Duration::from_secs(2));
    // A machine that is busy enough makes a monitor fail now and then; an upgrade that does would do so again.
    if let Err(error) = there_and_back(lab) {
        eprintln!("packages: once more, as {error:#}");
        node.run(["crm_resource", "--cleanup"])?;
        wait_idle(node, LIMIT)?;
        there_and_back(lab)?;
    }
    ensure!(node.run(["dpkg-query", "--show", "--showformat=${Version}", "inuvika-ha"])?.ends_with("-2"));
    // The new program does look: the history would not change either if nobody asked any more.
    node.run(["nft", "flush", "ruleset"])?;
    wait_for(LIMIT, "the rules to be back", || Ok(ovd::rules(node)? == 1))?;
    wait_for(LIMIT, "the failure to be recorded", || Ok(!lab.status("osm1")?.failures.is_empty()))?;
    node.run(["crm_resource", "--cleanup"])?;
    wait_idle(node, LIMIT)
}

/// An upgrade, back as an administrator in doubt would, and there again: the agents can be called at every moment, and the cluster
/// records nothing.
fn there_and_back(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    let (before, apache) = (history(node)?, main_process(node)?);
    ensure!(before.contains("vip_src_monitor_1000") && before.contains("session_manager_monitor_1000"), "{before}");
    node.run(["rm", "-f", "/root/enough"])?;
    let watched = std::thread::scope(|scope| {
        let watch = scope.spawn(|| node.sh_within(INSTALL, WATCH));
        let done = ["next", "first", "next"].iter().try_for_each(|package| -> Result<()> {
            dpkg(node, &format!("--install /root/{package}.deb"))?;
            std::thread::sleep(Duration::from_millis(1500));
            Ok(())
        });
        node.run(["touch", "/root/enough"])?;
        let watched = watch.join().ok().context("the watch panicked")?;
        done.and(watched)
    })?;
    let counts: Vec<u32> = watched.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    ensure!(counts.len() == 2 && counts[0] > 100 && counts[1] == 0, "calls and failures of the agent: {watched}");
    let after = history(node)?;
    ensure!(after == before, "the cluster has recorded something:\n{before}\n{after}");
    ensure!(main_process(node)? == apache, "Apache was restarted");
    let status = lab.status("osm1")?;
    ensure!(status.failures.is_empty(), "{:?}", status.failures);
    Ok(())
}

fn stop_all(node: &Node) -> Result<()> {
    let role = ["--resource=farm", "--meta", "--set-parameter=target-role", "--parameter-value=Stopped"];
    node.run_within(LIMIT, &[&["crm_resource"][..], &role].concat())?;
    wait_idle(node, LIMIT)
}

/// What the package has, and which of it are the administrator's files, which only a purge takes.
const REMEMBER: &str = "dpkg --listfiles inuvika-ha >/root/listed
dpkg-query --show --showformat='${Conffiles}\\n' inuvika-ha | awk '{ print $1 }' >/root/config
[ \"$(wc -l </root/listed)\" -gt 20 ]";
/// Names what is still there. Folders may be those of others as well.
const IS_LEFT: &str = "if { [ -L \"$path\" ] && [ ! -d \"$path\" ]; } || [ -f \"$path\" ] || { [ -e \"$path\" ] && [[ $path = *inuvika* ]]; }; then echo \"$path\"; fi;";

pub fn removal(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    stop_all(node)?;
    node.sh(REMEMBER)?;
    let said = dpkg(node, "--remove inuvika-ha")?;
    // Nothing runs: nothing to warn of.
    ensure!(!said.contains("still runs") && !said.contains("warning"), "{said}");
    let left = node.sh(&format!("for path in $(grep -vxFf /root/config /root/listed); do {IS_LEFT} done"))?;
    ensure!(left.is_empty(), "left: {left}");
    ensure!(!node.output(["test", "-e", "/run/inuvika-ha"])?.ok(), "/run/inuvika-ha is left");
    ensure!(!node.run(["nft", "list", "ruleset"])?.contains("inuvika"), "rules are left");
    ensure!(node.run(["crm_resource", "--list-agents", "ocf:inuvika"]).is_err(), "Pacemaker still finds agents");
    Ok(())
}

/// What the package does not know: state of a resource that runs, and files that a copy has replaced.
const LEFT_BEHIND: &str =
    "mkdir -p /run/inuvika-ha/vip_src /var/lib/inuvika-ha/lsyncd/backup/E1-x /var/lib/inuvika-ha/session_manager
echo kept >/var/lib/inuvika-ha/lsyncd/backup/E1-x/file
echo stamp >/var/lib/inuvika-ha/lsyncd/stamp
echo table >/var/lib/inuvika-ha/session_manager/table
mkdir -p /etc/inuvika-ha
echo secret >/etc/inuvika-ha/mail.secret
mkdir -p /etc/ctdb/events/notification
ln -s /usr/sbin/inuvika-ha /etc/ctdb/events/notification/50.inuvika-ha.script";

pub fn purge(lab: &Lab) -> Result<()> {
    let node = lab.node("osm1");
    dpkg(node, "--install /root/first.deb")?;
    node.sh(LEFT_BEHIND)?;
    let said = dpkg(node, "--purge inuvika-ha")?;
    for line in [
        "inuvika-ha: vip_src still runs on this node, and without its agent Pacemaker cannot stop it: a node where a stop fails is fenced",
        "inuvika-ha: /var/lib/inuvika-ha/lsyncd/backup has files that a copy replaced: they are kept",
        "inuvika-ha: /etc/inuvika-ha has files of yours: they are kept",
    ] {
        ensure!(said.lines().any(|other| other == line), "{line} was not said: {said}");
    }
    let left = node.sh("find /run/inuvika-ha /var/lib/inuvika-ha /etc/ctdb/events/notification/*inuvika* -type f -o -type l 2>/dev/null || :")?;
    ensure!(left.trim() == "/var/lib/inuvika-ha/lsyncd/backup/E1-x/file", "left: {left}");
    let known = node.output(["dpkg-query", "--show", "--showformat=${db:Status-Status}", "inuvika-ha"])?;
    ensure!(!known.ok() || known.stdout == "not-installed", "{known:?}");
    // Without such files it takes all of it.
    dpkg(node, "--install /root/first.deb")?;
    node.run(["rm", "/var/lib/inuvika-ha/lsyncd/backup/E1-x/file", "/etc/inuvika-ha/mail.secret"])?;
    let said = dpkg(node, "--purge inuvika-ha")?;
    ensure!(!said.contains("inuvika-ha: /"), "{said}");
    let search = "find /etc /run /usr /var -name '*inuvika*' -not -path '/var/log/inuvika-ha-install*' -not -path '/var/tmp/*' 2>/dev/null || :";
    let left = node.sh_within(Duration::from_secs(300), search)?;
    ensure!(left.is_empty(), "left: {left}");
    Ok(())
}
