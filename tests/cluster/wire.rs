//! What is seen on the wire: whose packets keep their source, and which connections live on.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::moves::move_to;
use crate::settled;
use crate::support::lab::{Lab, Machine, Node, wait_for};
use crate::support::ovd;

/// The rule of the guide's unit cluster-vip-src, with its default ADDRESS.
const GUIDE_RULE: &str = "POSTROUTING -o eth0 -d 0.0.0.0/0 -j SNAT --to-source 10.20.1.10";

pub fn corosync(lab: &Lab) -> Result<()> {
    let own: BTreeSet<String> = [11, 12, 13].map(|n| format!("10.20.1.{n}")).into();
    let active = ovd::active(lab)?;
    // Flows that are known keep their address anyway; forgotten, each packet is the first of a new one.
    let seen = sources_during(lab, active)?;
    ensure!(!seen.is_empty() && seen.is_subset(&own), "pcs3 sees corosync packets from {seen:?}");
    // The guide's rule does rewrite them: if this look could not see it, the one above would prove nothing.
    let passive = ovd::passive(lab)?;
    passive.sh(&format!("iptables -w -t nat -I {GUIDE_RULE}"))?;
    // Not each time: a flow whose first packet after the flush comes from outside keeps its addresses.
    let seen = (0..6).try_fold(BTreeSet::new(), |mut all: BTreeSet<String>, _| {
        if !all.contains("10.20.1.10") {
            all.extend(sources_during(lab, passive)?);
        }
        Ok::<_, anyhow::Error>(all)
    });
    passive.sh(&format!("iptables -w -t nat -D {GUIDE_RULE}; conntrack -F"))?;
    let seen = seen?;
    ensure!(seen.contains("10.20.1.10"), "the guide's rule leaves corosync alone: {seen:?}");
    // Its link between the nodes recovers before the next trial.
    wait_for(Duration::from_secs(30), "all corosync links", || {
        Ok(!lab.node("pcs3").run(["corosync-cfgtool", "-n"])?.contains("disconnected"))
    })?;
    settled(lab)
}

/// Sources of corosync's packets on the virtual IP's network, as pcs3 sees them while `node` forgets its flows.
fn sources_during(lab: &Lab, node: &Node) -> Result<BTreeSet<String>> {
    let watcher = lab.node("pcs3");
    std::thread::scope(|scope| {
        let sniff =
            scope.spawn(|| watcher.sh("timeout 5 tcpdump -nni eth0 'udp and portrange 5404-5412' 2>/dev/null || true"));
        for _ in 0..12 {
            std::thread::sleep(Duration::from_millis(300));
            node.sh("conntrack -F 2>/dev/null")?;
        }
        let text = sniff.join().map_err(|_| anyhow::anyhow!("tcpdump panicked"))??;
        // "12:00:00.000000 IP 10.20.1.11.5406 > 10.20.1.13.5406: UDP, length 80"
        let sources = text.lines().filter_map(|line| line.split_whitespace().nth(2)?.rsplit_once('.'));
        Ok(sources.map(|(address, _)| address.to_owned()).collect())
    })
}

const ECHO: &str = "
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(100):
            self.request.sendall(data)
socketserver.ThreadingTCPServer(('10.20.1.21', 9200), Echo).serve_forever()
";

const TALK: &str = "
import socket, os
c = socket.create_connection(('10.20.1.21', 9200), 5)
c.settimeout(3)
n = 0
while not os.path.exists('/tmp/hang-up'):
    c.sendall(b'x')
    assert c.recv(1) == b'x'
    n += 1
    open('/tmp/talked', 'w').write(str(n))
    socket.socket().close()
    import time; time.sleep(0.05)
open('/tmp/talked', 'w').write('whole ' + str(n))
";

pub fn open_connection(lab: &Lab) -> Result<()> {
    let node = ovd::passive(lab)?;
    lab.dbmy.write_file("/run/lab/echo.py", ECHO, 0o644)?;
    lab.dbmy.sh("setsid python3 /run/lab/echo.py >/dev/null 2>&1 </dev/null &")?;
    node.write_file("/tmp/talk.py", TALK, 0o644)?;
    std::thread::sleep(Duration::from_millis(500));
    node.sh("rm -f /tmp/talked /tmp/hang-up; setsid python3 /tmp/talk.py >/tmp/talk.log 2>&1 </dev/null &")?;
    let count = || node.read_file("/tmp/talked").ok().and_then(|text| text.trim().parse::<u32>().ok());
    wait_for(Duration::from_secs(10), "the connection to work", || Ok(count() > Some(5)))?;
    move_to(lab, node.name())?;
    settled(lab)?;
    let then = count();
    wait_for(Duration::from_secs(5), "the connection to go on", || Ok(count() > then.map(|n| n + 10)))?;
    node.sh("touch /tmp/hang-up")?;
    let whole = || Ok(node.read_file("/tmp/talked")?.starts_with("whole"));
    wait_for(Duration::from_secs(5), "the connection to end well", whole)
        .map_err(|e| e.context(node.read_file("/tmp/talk.log").unwrap_or_default()))?;
    Ok(())
}

pub fn stale_rule(lab: &Lab) -> Result<()> {
    let node = ovd::passive(lab)?;
    // Twice, as the unit leaves it after a crash and a start.
    node.sh(&format!("for i in 1 2; do iptables -w -t nat -I {GUIDE_RULE}; done"))?;
    ensure!(ovd::rules(node)? == 2 || node.sh("iptables -t nat -S")?.matches("SNAT").count() == 2);
    move_to(lab, node.name())?;
    let listed = node.sh("iptables -w -t nat -S")?;
    ensure!(!listed.contains("SNAT"), "{listed}");
    settled(lab)
}
