//! What parameters amount to.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::tests::{read, servers};
use super::*;

fn article<'a>() -> Simple<'a> {
    let servers = "192.168.71.220 192.168.71.150 192.168.71.121 192.168.71.145@2, 192.168.71.185-186";
    let virtual_ip = "192.168.71.205".parse().unwrap();
    Simple { scheduler: "rr", check: Some("http:/index.html"), ..Simple::new(virtual_ip, "80 443", servers) }
}

#[test]
fn the_six_web_servers_of_the_article_by_parameters() {
    let farm = Farm::simple(&article()).unwrap();
    assert_eq!(
        farm.keys().map(|key| key.to_string()).collect::<Vec<_>>(),
        ["tcp 192.168.71.205:80", "tcp 192.168.71.205:443"]
    );
    for (service, port) in farm.services.iter().zip([80, 443]) {
        let last = ["220 1", "150 1", "121 1", "145 2", "185 1", "186 1"].map(|text| text.split_once(' ').unwrap());
        let wanted = last.map(|(host, weight)| format!("192.168.71.{host}:{port} nat {weight}"));
        assert_eq!(servers(service), wanted);
        assert_eq!((service.service.scheduler.as_str(), service.on_failure), ("rr", OnFailure::Quiesce));
    }
    let shown: Vec<_> = farm.questions.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 12);
    assert_eq!(
        (shown[0].as_str(), shown[6].as_str()),
        ("http 192.168.71.220:80/index.html", "https 192.168.71.220:443/index.html")
    );
    let drained = |list: &str| {
        let mut farm = Farm::simple(&article()).unwrap();
        farm.drain(list).map(|()| (farm.mark(), farm.warnings))
    };
    assert_eq!(drained("").unwrap().0, farm.mark());
    assert_ne!(drained("192.168.71.220").unwrap().0, farm.mark());
    assert_eq!(
        drained("192.168.71.220:443,192.168.71.1").unwrap().1,
        ["drained: there is no real server 192.168.71.1"]
    );
    assert!(drained("web1").unwrap_err().contains("not an address"));
}

#[test]
fn the_same_six_from_a_file() {
    let file = read(
        r#"
        [[service]]
        virtual = "192.168.71.205"
        ports = [80, 443]
        scheduler = "rr"
        real = ["192.168.71.220", "192.168.71.150", "192.168.71.121", "192.168.71.145@2", "192.168.71.185-186"]
        [service.check]
        type = "http"
        path = "/index.html"
        "#,
    );
    let parameters = Farm::simple(&article()).unwrap();
    assert_eq!((file.services, file.questions), (parameters.services, parameters.questions));
}

#[test]
fn parameters_are_refused_by_name() {
    let wrong = |change: &dyn Fn(&mut Simple<'static>)| {
        let mut simple = article();
        change(&mut simple);
        Farm::simple(&simple).unwrap_err()
    };
    type Change = fn(&mut Simple<'static>);
    let table: [(Change, &str); 14] = [
        (|s| s.ports = " ", "parameter ports: is empty"),
        (|s| s.ports = "http", "parameter ports: \"http\" is not a port"),
        (|s| s.ports = "80,80", "parameter ports: service tcp 192.168.71.205:80 is there twice"),
        (|s| s.ports = "0", "parameter ports: port 0 (every port) does nothing without persistence"),
        (|s| s.real_servers = "", "parameter real_servers: is empty"),
        (|s| s.real_servers = "10.0.0.1-0", "parameter real_servers: range \"10.0.0.1-0\" ends before"),
        (|s| s.real_servers = "10.0.0.1 10.0.0.1", "real server 10.0.0.1:80 is there twice"),
        (|s| s.real_servers = "2001:db8::1", "parameter real_servers: 2001:db8::1 is not of the family"),
        (|s| (s.forwarding, s.real_servers) = ("dr", "10.0.0.1:81"), "forwarding dr cannot change the port to 81"),
        (|s| s.forwarding = "bridge", "parameter forwarding: \"bridge\" is not a way to forward"),
        (|s| s.scheduler = "Round Robin", "parameter scheduler: \"Round Robin\" is not the name"),
        (|s| s.check = Some("https"), ""),
        (|s| s.check = Some("ping"), "parameter check: \"ping\" must be tcp, none, http:/PATH"),
        (|s| s.sorry = Some("192.168.71.220"), "parameter sorry: 192.168.71.220:80 is a real server"),
    ];
    for (change, text) in table {
        if text.is_empty() {
            let mut simple = article();
            change(&mut simple);
            let farm = Farm::simple(&simple).unwrap();
            assert_eq!(farm.questions[0].to_string(), "https 192.168.71.220:80/");
            continue;
        }
        let said = wrong(&change);
        assert!(said.contains(text) && !said.contains('\n'), "{said}");
    }
    for secret in ["http://admin:geheim@192.0.2.1/", "htps://admin:geheim@a/", "ping:/?geheim", "http:/a b?geheim"] {
        let said = wrong(&|s| s.check = Some(secret));
        assert!(said.starts_with("parameter check: ") && !said.contains("geheim"), "{said}");
    }
    let named = Farm::simple(&Simple { check: Some("http://www.example.com/a"), ..article() }).unwrap();
    assert_eq!(named.questions[0].to_string(), "http 192.168.71.220:80/a of www.example.com");
    assert!(Farm::simple(&Simple { check: Some("tcp:80"), ..article() }).is_err());
    assert_eq!(Farm::simple(&Simple { check: Some("none"), ..article() }).unwrap().questions, []);
}

#[test]
fn ports_of_other_protocols_by_parameters() {
    let with = |ports, check, on_failure| Farm::simple(&Simple { ports, check, on_failure, ..article() });
    let farm = with("53/udp, 53 443/tcp 36412/sctp", Some("tcp"), None).unwrap();
    let names: Vec<String> = farm.keys().map(|key| key.to_string()).collect();
    assert_eq!(
        names,
        ["tcp 192.168.71.205:53", "tcp 192.168.71.205:443", "udp 192.168.71.205:53", "sctp 192.168.71.205:36412"]
    );
    let is_removed: Vec<bool> = farm.services.iter().map(|s| s.on_failure == OnFailure::Remove).collect();
    assert_eq!(is_removed, [false, false, true, false]);
    // Two services ask the same question.
    assert_eq!(farm.questions.len(), 3 * 6);
    let farm = with("53/udp", Some("none"), Some(OnFailure::Quiesce)).unwrap();
    assert_eq!((farm.services[0].on_failure, farm.questions.len()), (OnFailure::Quiesce, 0));
    for (ports, text) in [
        ("80 53/udp", "parameter check: is needed with port 53/udp: give"),
        ("53/UDP", "parameter ports: \"53/UDP\" is of no protocol"),
        ("53/udp 53/udp", "parameter ports: service udp 192.168.71.205:53 is there twice"),
        ("x/udp", "parameter ports: \"x\" is not a port"),
    ] {
        let check = if ports.starts_with("80") { None } else { Some("tcp") };
        let said = with(ports, check, None).unwrap_err();
        assert!(said.starts_with(text), "{said}");
    }
}
