//! What a file or parameters amount to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::director::check::{BodyMatch, Method};
use crate::director::name;
use crate::sys::ipvs::{Family, Persistence, Tunnel};

/// A file with every key there is.
const WHOLE: &str = r#"
interval = 15
check_timeout = 4
fall = 3
rise = 2
concurrency = 64
scheduler = "rr"
forwarding = "nat"
on_failure = "quiesce"
all_down = "degraded"
drained = ["192.0.2.22", "192.0.2.31:8443"]
snat_clients = true

[check]
type = "http"
path = "/alive?from=director"
host = "shop.example.com"
method = "GET"
status = [200, "300-399"]
body = "ready"
sni = "tls.example.com"
verify = true
ca = "/etc/ssl/shop.pem"
port = 443

[timeouts]
tcp = 900
tcp_fin = 120
udp = 300

[sync]
interface = "eth1"
id = 7
max_length = 1400
group = "224.0.0.81"
port = 8848
ttl = 2

[[service]]
virtual = ["192.0.2.10", "192.0.2.11"]
ports = [80, 443]
persistent = 300
persistent_prefix = 24
real = ["192.0.2.21-23", "192.0.2.31:8443@3"]
weight = 2
sorry = "192.0.2.9"
quorum = 2
all_down = "sorry"

[[service]]
virtual = "192.0.2.12:53"
protocol = "udp"
scheduler = "sh"
scheduler_flags = ["sh-port", "flag-3"]
one_packet = true
on_failure = "remove"
check = { type = "command", command = ["/usr/lib/ask", "{address}"], environment = { ZONE = "example.com" } }
real = "192.0.2.41"

[[service]]
mark = 5
family = "ipv4"
forwarding = "tun"
tunnel = { type = "gre" }
persistence_engine = "sip"
persistent = 60
protocol = "udp"

[[service.real]]
address = ["192.0.2.51", "192.0.2.52-53"]
port = 0
weight = 7
upper_threshold = 100
lower_threshold = 80
check = { type = "tcp", port = 22 }

[[service.real]]
address = "192.0.2.54"
forwarding = "tun"
tunnel = { type = "gue", port = 6080, checksum = true }
check = { type = "http", port = 80, body_regex = "o+k" }
"#;

pub(super) fn read(text: &str) -> Farm {
    Farm::from_toml(text, "director.toml").unwrap()
}

pub(super) fn servers(service: &VirtualService) -> Vec<String> {
    let show =
        |s: &RealServer| format!("{} {} {}", name::server(s.address, s.port), name::forwarding(s.forwarding), s.weight);
    service.servers.iter().map(|wanted| show(&wanted.server)).collect()
}

#[test]
fn every_key_is_read() {
    let farm = read(WHOLE);
    assert_eq!(
        farm.keys().map(|key| key.to_string()).collect::<Vec<_>>(),
        [
            "tcp 192.0.2.10:80",
            "tcp 192.0.2.10:443",
            "tcp 192.0.2.11:80",
            "tcp 192.0.2.11:443",
            "udp 192.0.2.12:53",
            "mark 5"
        ]
    );
    let seconds = Duration::from_secs;
    let pace = Pace { interval: seconds(15), timeout: seconds(4), fall: 3, rise: 2, concurrency: 64 };
    assert_eq!(farm.pace, pace);
    let group = Some("224.0.0.81".parse().unwrap());
    let sync = Sync { interface: "eth1".into(), id: 7, max_length: Some(1400), group, port: Some(8848), ttl: Some(2) };
    assert_eq!(farm.sync, Some(sync));
    let timeouts = Timeouts { tcp: Some(seconds(900)), tcp_fin: Some(seconds(120)), udp: Some(seconds(300)) };
    assert_eq!((farm.timeouts, farm.snat_clients), (timeouts, true));
    assert_eq!(timeouts.to_set().map(|set| set.tcp_fin), Some(seconds(120)));
    assert_eq!(Timeouts::default().to_set(), None);

    let [http, https, .., dns, mark] = farm.services.as_slice() else { panic!("services are missing") };
    let plain = ["192.0.2.21:80 nat 2", "192.0.2.22:80 nat 2", "192.0.2.23:80 nat 2", "192.0.2.31:8443 nat 3"];
    assert_eq!(servers(http), plain);
    assert_eq!(servers(https)[..1], ["192.0.2.21:443 nat 2"]);
    assert_eq!((http.quorum, http.on_failure, http.all_down), (2, OnFailure::Quiesce, AllDown::Sorry));
    assert_eq!(http.sorry.as_ref().map(|s| (s.port, s.weight)), Some((80, 1)));
    assert_eq!(https.sorry.as_ref().map(|s| s.port), Some(443));
    let persistence = Persistence { timeout: seconds(300), prefix: 24, engine: None };
    assert_eq!((&http.service.persistence, http.service.scheduler.as_str()), (&Some(persistence), "rr"));
    assert_eq!((dns.service.scheduler.as_str(), dns.service.scheduler_flags), ("sh", [false, true, true]));
    assert!(dns.service.one_packet && dns.on_failure == OnFailure::Remove && dns.service.persistence.is_none());
    assert_eq!(servers(mark)[2], "192.0.2.53:0 tun 7");
    let thresholds = |s: &WantedServer| (s.server.upper_threshold, s.server.lower_threshold, s.server.forwarding);
    assert_eq!(thresholds(&mark.servers[0]), (100, 80, Forwarding::Tunnel(Tunnel::Gre { checksum: false })));
    let gue = Forwarding::Tunnel(Tunnel::Gue { port: 6080, checksum: true });
    assert_eq!(thresholds(&mark.servers[3]), (0, 0, gue));
    assert_eq!(mark.service.persistence.as_ref().and_then(|p| p.engine.as_deref()), Some("sip"));

    let question =
        |service: &VirtualService, place: usize| farm.questions[service.servers[place].question.unwrap()].clone();
    // The check has a port of its own: both services of a real server ask the same.
    assert_eq!(question(http, 0), question(https, 0));
    let Question::Http { to, https: tls, host, path, method, status, body, sni, verify, ca } = question(http, 3) else {
        panic!("not a page")
    };
    assert_eq!((to.to_string().as_str(), tls, verify), ("192.0.2.31:443", true, true));
    assert_eq!((host.as_deref(), path.as_str()), (Some("shop.example.com"), "/alive?from=director"));
    assert_eq!((method, status.to_string().as_str()), (Method::Get, "200,300-399"));
    assert_eq!((body, sni.as_deref()), (Some(BodyMatch::Text("ready".into())), Some("tls.example.com")));
    assert_eq!(ca, Some("/etc/ssl/shop.pem".into()));
    let Question::Command { argv, env, .. } = question(dns, 0) else { panic!("not a command") };
    assert_eq!((argv[1].as_str(), env["ZONE"].as_str()), ("{address}", "example.com"));
    assert_eq!(question(mark, 2), Question::Tcp { to: "192.0.2.53:22".parse().unwrap() });
    assert!(matches!(question(mark, 3), Question::Http { body: Some(BodyMatch::Regex(_)), https: false, .. }));
    assert_eq!(farm.questions.len(), 4 + 1 + 4);

    let drained = |service: &VirtualService| service.servers.iter().filter(|s| farm.is_drained(&s.server)).count();
    assert_eq!((drained(http), drained(https), drained(dns)), (2, 2, 0));
    assert_eq!(farm.warnings, Vec::<String>::new());
}

/// What is allowed is documented and tried: the file above has each key of each table.
#[test]
fn the_file_with_every_key_has_every_key() {
    for table in [keys::TOP, keys::SERVICE, keys::REAL, keys::CHECK, keys::TUNNEL, keys::SYNC, keys::TIMEOUTS] {
        for key in table {
            let is = [format!("{} =", key.name), format!("[{}]", key.name), format!(".{}]", key.name)];
            assert!(is.iter().any(|is| WHOLE.contains(is)), "{}", key.name);
            assert!(!key.text.is_empty() && key.text.len() <= 120, "{}", key.name);
        }
    }
}

#[test]
fn marks_and_udp_have_their_own_defaults() {
    let farm = read(
        r#"
        [[service]]
        mark = 1
        check = { type = "none" }
        real = "2001:db8::21-22"
        [[service]]
        virtual = "[2001:db8::10]:53"
        protocol = "udp"
        check = { type = "tcp" }
        real = "2001:db8::21"
        [[service]]
        virtual = "192.0.2.10:0"
        persistent = 600
        forwarding = "dr"
        check = { type = "tcp", port = 80 }
        real = "192.0.2.21@0"
        "#,
    );
    let [mark, dns, all] = farm.services.as_slice() else { panic!() };
    assert_eq!(mark.service.key, Key::Mark { mark: 1, family: Family::V6 });
    assert_eq!((mark.on_failure, dns.on_failure), (OnFailure::Quiesce, OnFailure::Remove));
    assert_eq!(mark.servers[0].question, None);
    assert_eq!(servers(all), ["192.0.2.21:0 dr 0"]);
    assert!(farm.forwards(|f| f == Forwarding::Direct));
    assert_eq!(mark.service.scheduler, "wlc");
}

proptest! {
    /// Whatever somebody types into the file: it is read, or refused in one line that says where.
    #[test]
    fn damage_is_one_line(at in 0..WHOLE.len(), cut in 0usize..30, typed in "[ -~\n\"\\[\\]=]{0,8}") {
        prop_assert!(WHOLE.is_ascii());
        let end = (at + cut).min(WHOLE.len());
        let text = format!("{}{typed}{}", &WHOLE[..at], &WHOLE[end..]);
        if let Err(line) = Farm::from_toml(&text, "d.toml") {
            prop_assert!(!line.contains('\n') && line.starts_with("d.toml:"), "{}", line);
            let place: Vec<_> = line.split(':').skip(1).take(2).map(str::parse::<usize>).collect();
            prop_assert!(place.iter().all(Result::is_ok), "{}", line);
        }
    }
}
