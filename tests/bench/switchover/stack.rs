//! The two set-ups.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::support::lab::{Database, Lab, Machine, Node, VIP, wait_for, wait_idle};
use crate::support::ovd;

/// A set-up of the Session Manager's cluster.
pub struct Stack {
    pub name: &'static str,
    /// Its resources, the virtual IP first.
    pub resources: &'static [&'static str],
    /// The interval of the monitor that sees a dead Apache.
    pub monitor_ms: u64,
    configure: fn(&Lab, &str) -> Result<()>,
}

/// What the failover guide makes people type.
pub const STOCK: Stack = Stack {
    name: "guide",
    resources: &[ovd::VIRTUAL_IP, "virtual_ip_src", "osm_cron", "httpd"],
    monitor_ms: 10_000,
    configure: stock,
};

/// What `inuvika-ha pcs` makes of the scenario.
pub const OURS: Stack = Stack { name: "inuvika-ha", resources: &ovd::SERVING, monitor_ms: 3_000, configure: ours };

impl Stack {
    /// Makes the cluster with everything in it; the database ends with what is returned.
    pub fn create(&self, lab: &Lab, token: &str) -> Result<Database> {
        let database = ovd::install_session_manager(lab)?;
        ovd::install(lab, Path::new(env!("CARGO_BIN_EXE_inuvika-ha")))?;
        lab.phase(&format!("configured the set-up {}", self.name), || (self.configure)(lab, token))?;
        wait_for(Duration::from_secs(60), "everything to run", || Ok(self.active(lab).is_ok() && self.answers(lab)?))?;
        Ok(database)
    }

    /// The node that runs everything.
    pub fn active<'a>(&self, lab: &'a Lab) -> Result<&'a Node> {
        ovd::active_of(lab, self.resources)
    }

    /// The other node that may run it.
    pub fn passive<'a>(&self, lab: &'a Lab) -> Result<&'a Node> {
        let active = self.active(lab)?;
        let name = ovd::NODES[..2].iter().find(|name| **name != active.name()).context("no other node")?;
        Ok(lab.node(name))
    }

    /// Waits until everything runs there.
    pub fn wait_active(&self, lab: &Lab, wanted: &Node, limit: Duration) -> Result<Duration> {
        wait_for(limit, "everything to run there", || Ok(self.active(lab)?.name() == wanted.name()))
    }

    /// Whether a client gets an answer.
    pub fn answers(&self, lab: &Lab) -> Result<bool> {
        let url = format!("http://{VIP}:1111/server/status");
        let ask = ["curl", "-s", "-m", "2", "-o", "/dev/null", "-b", "PHPSESSID=client", "-w", "%{http_code}", &url];
        Ok(lab.client.output(ask)?.stdout == "200")
    }
}

fn ours(lab: &Lab, token: &str) -> Result<()> {
    let scenario = match token {
        "fast" => ovd::SCENARIO.replace("name = \"ovd-sm\"\n", "name = \"ovd-sm\"\ndetection = \"fast\"\n"),
        _ => ovd::SCENARIO.to_owned(),
    };
    ensure!(token != "fast" || scenario != ovd::SCENARIO, "the scenario has no place for detection");
    ovd::create_cluster_of(lab, &scenario).map(|_| ())
}

/// The unit of the guide: one rule, inserted at start and deleted at stop.
const SOURCE_UNIT: &str = "[Unit]\nDescription=Source of outgoing connections\n[Service]\nType=oneshot\n\
    RemainAfterExit=yes\nExecStart=/usr/sbin/iptables -t nat -I POSTROUTING -o eth0 -d 0.0.0.0/0 -j SNAT --to-source 10.20.1.10\n\
    ExecStop=/usr/sbin/iptables -t nat -D POSTROUTING -o eth0 -d 0.0.0.0/0 -j SNAT --to-source 10.20.1.10\n";

fn stock(lab: &Lab, _token: &str) -> Result<()> {
    for name in &ovd::NODES[..2] {
        let node = lab.node(name);
        node.write_file("/etc/systemd/system/cluster-vip-src.service", SOURCE_UNIT, 0o644)?;
        node.run(["systemctl", "daemon-reload"])?;
        // As the guide says of both nodes: the cluster starts Apache and links the cron job.
        node.sh("systemctl stop apache2; rm -f /etc/cron.d/sessionmanager")?;
    }
    // The same cluster and the same fencing as ours: the generated script with all but the virtual IP taken out again.
    ovd::create_cluster_of(lab, ovd::SCENARIO)?;
    let node = lab.node(ovd::NODES[0]);
    node.sh(STOCK_COMMANDS)?;
    let left = node.run(["cibadmin", "--query", "--scope", "constraints"])?;
    ensure!(!left.contains("session_manager") && !left.contains("vip_src-"), "constraints of ours are left:\n{left}");
    wait_idle(node, Duration::from_secs(120))?;
    ovd::forget(lab)
}

/// The agents as in the guide's listings, each tied to the virtual IP by its own constraints, with the operations that pcs
/// gives them. The guide's own commands are lost in its public copies. Stickiness, fencing, token and the virtual IP itself
/// are those of our scenario, so that both set-ups differ in the agents alone.
const STOCK_COMMANDS: &str = "
pcs resource delete session_manager
pcs resource delete vip_src
pcs constraint delete location-virtual_ip-session_manager-database-ok \
    location-virtual_ip-session_manager-database-undefined
while crm_resource --list | grep -q session_manager; do sleep 0.2; done
sleep 2
pcs resource create virtual_ip_src systemd:cluster-vip-src
pcs resource create osm_cron ocf:heartbeat:symlink link=/etc/cron.d/sessionmanager \
    target=/etc/ovd/session-manager/sessionmanager.cron
pcs resource create httpd ocf:heartbeat:apache configfile=/etc/apache2/apache2.conf \
    statusurl=http://127.0.0.1/server-status
for id in virtual_ip_src osm_cron httpd; do
    for node in pcs3.priv; do pcs constraint location add never-$id $id $node -- -INFINITY resource-discovery=never; done
    pcs constraint colocation add $id with virtual_ip score=INFINITY
    pcs constraint order virtual_ip then $id
done
";
