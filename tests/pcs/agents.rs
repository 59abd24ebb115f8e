//! Every node is asked for its agents before anything is done: the script's Python program against a pcsd of the test's.

use super::{Node, refused};
use std::process::Output;

/// Answers as pcsd of pcs 0.11.5 does, on the addresses given; `answers.json` says what to which question.
const PCSD: &str = r#"
import http.server, json, os, ssl, sys, threading

class Pcsd(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["agent_name"]
        address, agent = self.server.server_address[0], ":".join(asked.values())
        with open("asked", "a") as log:
            print(address, agent, self.path, self.headers["Cookie"], file=log)
        status, answer = json.load(open("answers.json")).get(address + " " + agent, [200, {"status": "success"}])
        if self.headers["Cookie"] != "token=t " + address:
            status, answer = 401, {"notauthorized": "true"}
        self.send_response(status)
        self.end_headers()
        self.wfile.write((answer if isinstance(answer, str) else json.dumps(answer)).encode())

    def log_message(self, *words):
        pass

tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain("pcsd.pem")
for address in sys.argv[1:]:
    server = http.server.HTTPServer((address, 2224), Pcsd)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever).start()
os.close(1)
"#;

/// A node of a cluster that exists, where real questions are asked.
fn node() -> Node {
    let node = Node::new();
    std::fs::remove_file(node.trial.path("bin/python3")).unwrap();
    let mut conf = "totem {\n cluster_name: ovd-sm\n}\n".to_owned();
    let mut known = Vec::new();
    for (name, address) in [("osm1.priv", 11), ("osm2.priv", 12), ("pcs3.priv", 13)] {
        conf += &format!("node {{\n  ring0_addr: 192.168.100.{address}\n  name: {name}\n}}\n");
        let place = format!("{{\"addr\": \"192.168.100.{address}\", \"port\": 2224}}");
        known.push(format!("\"{name}\": {{\"dest_list\": [{place}], \"token\": \"t 192.168.100.{address}\"}}"));
    }
    node.trial.write("etc-corosync/corosync.conf", &conf, 0o644);
    let known = format!("{{\"format_version\": 1, \"data_version\": 2, \"known_hosts\": {{{}}}}}", known.join(", "));
    node.trial.write("pcsd/known-hosts", &known, 0o600);
    node.trial.write("pcsd.py", PCSD, 0o644);
    node.trial.write("answers.json", "{}", 0o644);
    let mut request = std::process::Command::new("openssl");
    request.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=pcsd", "-keyout", "key.pem"]);
    let made = request.args(["-out", "cert.pem"]).current_dir(node.trial.path(".")).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    node.trial.write("pcsd.pem", &(node.trial.read("key.pem") + &node.trial.read("cert.pem")), 0o600);
    node
}

/// A dry run while pcsd runs on the addresses that end in `up`.
fn ask(node: &Node, up: &[u8]) -> Output {
    let addresses: Vec<_> = up.iter().map(|last| format!("192.168.100.{last}")).collect();
    // The program starts pcsd, waits until it listens, and ends it by its id. A proxy must not be asked.
    let line = format!(
        "#!/bin/bash\nfor last in 12 13; do ip address add 192.168.100.$last/24 dev lo; done\n\
         coproc pcsd {{ exec python3 pcsd.py {}; }}\nid=$!\nread -r <&\"${{pcsd[0]}}\" || true\n\
         export https_proxy=http://127.0.0.1:9\n./script.sh --dry-run\nrc=$?\nkill $id\nexit $rc\n",
        addresses.join(" ")
    );
    node.trial.write("with-pcsd", &line, 0o755);
    let paths = "PATH=$PWD/bin:$PATH CIB_file=$PWD/live.xml";
    node.trial.enter(&["bash", "-c", &format!("{paths} ./with-pcsd </dev/null")])
}

fn lacks(address: u8, agent: &str) -> String {
    let reports =
        "[{\"message\": {\"code\": \"UNABLE_TO_GET_AGENT_METADATA\", \"message\": \"Agent is not installed\"}}]";
    format!("{{\"192.168.100.{address} {agent}\": [200, {{\"status\": \"error\", \"report_list\": {reports}}}]}}")
}

#[test]
fn every_node_is_asked_and_no_token_is_shown() {
    let node = node();
    let output = ask(&node, &[11, 12, 13]);
    assert!(output.status.success(), "{output:?}");
    let asked = node.trial.read("asked");
    // All nodes at the same time.
    let mut questions: Vec<_> =
        asked.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    let everywhere = ["osm", "sync"].map(|what| [(11, what), (12, what), (13, what)]).concat();
    let expected = [&everywhere[..], &[(11, "ip"), (12, "ip"), (11, "src"), (12, "src")]].concat();
    let agent = |what| match what {
        "sync" => "ocf:inuvika:ovd-lsyncd",
        "osm" => "ocf:inuvika:ovd-osm",
        "ip" => "ocf:heartbeat:IPaddr2",
        _ => "ocf:inuvika:ovd-vip-src",
    };
    let expected = expected.iter().map(|(address, what)| format!("192.168.100.{address} {}", agent(what)));
    let mut expected: Vec<_> = expected.collect();
    questions.sort();
    expected.sort();
    assert_eq!(questions, expected);
    assert!(asked.contains(" /api/v1/resource-agent-get-agent-metadata/v1 token=t 192.168.100.13\n"), "{asked}");
    let shown = format!("{output:?}");
    assert!(!shown.contains("t 192.168.100.1") && !shown.contains("token"), "{shown}");
    // On a file no node is asked.
    node.trial.write("answers.json", &lacks(13, "ocf:inuvika:ovd-osm"), 0o644);
    let trial = node.trial.enter(&["bash", "-c", "./script.sh --cib live.xml --dry-run"]);
    assert!(trial.status.success(), "{trial:?}");
    assert!(
        String::from_utf8_lossy(&trial.stdout).contains("--cib: this is a trial, so no node is asked"),
        "{trial:?}"
    );
}

#[test]
fn a_node_that_lacks_an_agent_or_cannot_be_asked_is_named_with_the_remedy() {
    let node = node();
    for (answers, up, reason) in [
        (
            lacks(13, "ocf:inuvika:ovd-osm"),
            &[11, 12, 13][..],
            "install inuvika-ha on pcs3.priv first: it lacks the agent ocf:inuvika:ovd-osm",
        ),
        (lacks(12, "ocf:heartbeat:IPaddr2"), &[11, 12, 13], "install resource-agents on osm2.priv first: it lacks the"),
        // Where no service runs only the one with a monitor for all nodes is needed.
        (lacks(13, "ocf:inuvika:ovd-vip-src"), &[11, 12, 13], ""),
        (
            "{}".into(),
            &[11, 12],
            "cannot ask pcs3.priv whether it has ocf:inuvika:ovd-osm: [Errno 111] Connection refused: bring it up",
        ),
        (
            "{\"192.168.100.12 ocf:inuvika:ovd-osm\": [404, \"<html>\"]}".into(),
            &[11, 12, 13],
            "cannot ask osm2.priv whether it has ocf:inuvika:ovd-osm: its pcsd answers with HTTP status 404: is its pcs as new as the one here?",
        ),
        (
            "{\"192.168.100.12 ocf:inuvika:ovd-osm\": [200, {\"status\": \"exception\", \"report_list\": []}]}".into(),
            &[11, 12, 13],
            "cannot ask osm2.priv whether it has ocf:inuvika:ovd-osm: exception",
        ),
    ] {
        node.trial.write("answers.json", &answers, 0o644);
        let output = ask(&node, up);
        if reason.is_empty() {
            assert!(output.status.success(), "{output:?}");
        } else {
            refused(&output, reason);
        }
    }
    node.trial.write("answers.json", "{}", 0o644);
    let known = node.trial.read("pcsd/known-hosts");
    node.trial.write("pcsd/known-hosts", &known.replace("t 192.168.100.13", "old"), 0o600);
    refused(&ask(&node, &[11, 12, 13]), "pcs3.priv whether it has ocf:inuvika:ovd-osm: it refuses this host's token");
    node.trial.write("pcsd/known-hosts", &known.replace("pcs3.priv", "pcs3"), 0o600);
    refused(&ask(&node, &[11, 12, 13]), "this host has no token for it: run 'pcs host auth pcs3.priv' first");
    std::fs::remove_file(node.trial.path("pcsd/known-hosts")).unwrap();
    refused(&ask(&node, &[11]), "cannot read /var/lib/pcsd/known-hosts: [Errno 2] No such file or directory");
}

/// Takes a connection to each node, and says nothing; writes down whether the first was still waited for when the last one came, and
/// every connection more.
const SILENT: &str = r#"
import socket
import threading

def log(what):
    with open("connections", "a") as file:
        print(what, file=file)

def again(server):
    while server.accept():
        log("again")

servers = [socket.create_server((f"192.168.100.{last}", 2224)) for last in (11, 12, 13)]
open("ready", "w").close()
taken = [server.accept()[0] for server in servers]
taken[0].recv(65536)
taken[0].setblocking(False)
try:
    log("together" if taken[0].recv(65536) else "one after the other")
except BlockingIOError:
    log("together")
for server in servers:
    threading.Thread(target=again, args=(server,)).start()
"#;

#[test]
fn silent_nodes_are_waited_for_at_once_and_not_called_down() {
    let node = node();
    node.trial.write("silent.py", SILENT, 0o644);
    let line = "for last in 12 13; do ip address add 192.168.100.$last/24 dev lo; done; python3 silent.py & \
                until [ -e ready ]; do sleep 0.05; done; PATH=$PWD/bin:$PATH CIB_file=$PWD/live.xml \
                ./script.sh --dry-run </dev/null; rc=$?; kill $!; exit $rc";
    let output = node.trial.enter(&["bash", "-c", line]);
    refused(&output, "cannot ask osm1.priv whether it has ocf:inuvika:ovd-osm: ");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("timed out: bring it up with its pcsd, or, if it is only busy, run this again later"),
        "{text}"
    );
    assert_eq!(node.trial.read("connections"), "together\n");
}

/// They are embedded in the script, where a quote or an indentation too much would be found out in the field.
#[test]
fn the_programs_compile() {
    for program in ["agents.py", "quick.py"] {
        let program = format!("{}/src/pcs/script/{program}", env!("CARGO_MANIFEST_DIR"));
        let check = "import ast, sys; ast.parse(open(sys.argv[1]).read(), feature_version=(3, 6))";
        let output = std::process::Command::new("python3").args(["-c", check, &program]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}
