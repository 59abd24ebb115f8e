//! What is refused, and that the line says where and why.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::Farm;

/// A good file to spoil: line 1 is the top, the service begins at line 2.
fn spoilt(top: &str, service: &str, real: &str) -> String {
    format!("{top}\n[[service]]\n{service}\n[[service.real]]\n{real}\n")
}

const ADDRESS: &str = "virtual = \"192.0.2.10:80\"";
const REAL: &str = "address = \"192.0.2.21\"";

fn refused(text: &str) -> String {
    match Farm::from_toml(text, "lvs.toml") {
        Err(line) => line,
        Ok(_) => format!("accepted: {text}"),
    }
}

#[test]
fn the_file_to_spoil_is_good() {
    Farm::from_toml(&spoilt("", ADDRESS, REAL), "lvs.toml").unwrap();
}

#[test]
fn of_the_file_as_a_whole() {
    for (top, line, text) in [
        ("colour = 1", 1, "colour: unknown key: allowed here are interval,"),
        ("interval = 0", 1, "interval: 0 is not allowed: must be 1 to 3600"),
        ("fall = \"2\"", 1, "fall: must be a whole number, not string"),
        ("rise = 101", 1, "must be 1 to 100"),
        ("concurrency = 0", 1, "must be 1 to 10000"),
        ("scheduler = \"w-rr\"", 1, "scheduler: \"w-rr\" is not the name of a scheduler"),
        ("scheduler = \"sixteen_letters_\"", 1, "must be 1 to 15 of a-z"),
        ("forwarding = \"route\"", 1, "forwarding: \"route\" is not a way to forward"),
        ("on_failure = \"kill\"", 1, "must be \"quiesce\", \"remove\""),
        ("all_down = \"ok\"", 1, "must be \"degraded\", \"failed\", \"sorry\""),
        ("drained = \"web1\"", 1, "drained: \"web1\" is not an address"),
        ("forwarding = \"dr\"\nsnat_clients = true", 2, "snat_clients: is for forwarding nat only"),
        ("timeouts = { tcp = 0 }", 1, "timeouts.tcp: 0 is not allowed"),
        ("timeouts = { icmp = 9 }", 1, "timeouts.icmp: unknown key"),
        ("sync = { id = 1 }", 1, "sync.interface: is missing"),
        ("sync = { interface = \"eth0:1\" }", 1, "sync.interface: \"eth0:1\" is not allowed"),
        ("sync = { interface = \"eth0\", id = 256 }", 1, "sync.id: 256 is not allowed: must be 0 to 255"),
        ("sync = { interface = \"eth0\", group = \"192.0.2.1\" }", 1, "a multicast address"),
        ("sync = { interface = \"eth0\", max_length = 51 }", 1, "must be 52 to 65515"),
        ("check = { path = \"/\" }", 1, "check.type: is missing"),
        ("check = { type = \"ping\" }", 1, "check.type: \"ping\" is not allowed"),
        ("check = { type = \"tcp\", path = \"/\" }", 1, "check.path: is not for checks of type \"tcp\""),
        ("check = { type = \"http\", status = 99 }", 1, "check.status: status \"99\""),
        ("check = { type = \"http\", status = [\"2xx\"] }", 1, "check.status: status \"2xx\""),
        ("check = { type = \"http\", body = \"a\", body_regex = \"a\" }", 1, "give one of them"),
        ("check = { type = \"http\", port = 0 }", 1, "check.port: 0 is not allowed"),
        ("check = { type = \"http\", path = \"index.html\" }", 1, "check: "),
        ("check = { type = \"http\", body_regex = \"(\" }", 1, "check: "),
        ("check = { type = \"https\", ca = \"/ca.pem\" }", 1, "verify = true"),
        ("check = { type = \"https\", verify = true, ca = \"ca.pem\" }", 1, "give its absolute path"),
        (
            "check = { type = \"http\", host = \"me:geheim@a\" }",
            1,
            "check with a user or password in the host: none is sent",
        ),
        ("check = { type = \"command\", command = [] }", 1, "check: "),
        ("check = { type = \"command\", command = \"../ask\" }", 1, "neither an absolute path"),
        ("check = { type = \"command\" }", 1, "check.command: is missing"),
        ("tunnel = { type = \"gue\" }", 1, "tunnel: of type \"gue\" needs a port"),
        ("tunnel = { type = \"gre\", port = 1 }", 1, "has a port only with type \"gue\""),
        ("tunnel = { checksum = true }", 1, "has checksums only with"),
    ] {
        let said = refused(&spoilt(top, ADDRESS, REAL));
        assert!(said.starts_with(&format!("lvs.toml:{line}:")) && said.contains(text), "{top}\n{said}");
    }
    let said = refused("interval = 10\n");
    assert!(said.contains("service: is missing: a table [[service]]"), "{said}");
}

#[test]
fn of_a_service() {
    for (service, line, text) in [
        ("virtal = \"192.0.2.10:80\"", 3, "service.virtal: unknown key"),
        ("scheduler = \"rr\"", 2, "has neither virtual, such as \"192.0.2.10:80\", nor mark"),
        ("virtual = \"192.0.2.10:80\"\nmark = 1", 3, "two ways to say the same"),
        ("virtual = []", 3, "is an empty list"),
        ("virtual = \"192.0.2.10\"", 3, "has no port: write 192.0.2.10:80"),
        ("virtual = \"2001:db8::10\"", 3, "has no port: write [2001:db8::10]:80"),
        ("virtual = \"192.0.2.10:80\"\nports = 80", 4, "has a port already"),
        ("virtual = \"192.0.2.10\"\nports = [80, 443, 80]", 4, "service tcp 192.0.2.10:80 is there twice"),
        ("virtual = \"192.0.2.10\"\nports = [80,\n70000]", 5, "service.ports: \"70000\" is not a port"),
        ("virtual = \"0.0.0.0:80\"", 3, "0.0.0.0 cannot be the address of a service"),
        ("virtual = \"224.0.0.1:80\"", 3, "cannot be the address of a service"),
        ("virtual = \"www:80\"", 3, "\"www\" is not an address"),
        ("virtual = \"192.0.2.10:0\"", 3, "port 0 (every port) does nothing without persistence"),
        ("mark = 0", 3, "service.mark: 0 is not allowed: must be 1 to 4294967295"),
        ("mark = 1\nports = 80", 4, "is for virtual"),
        ("mark = 1", 5, "it is not known whom to ask: give its check a port"),
        ("virtual = \"192.0.2.10:80\"\nprotocol = \"icmp\"", 4, "must be \"tcp\", \"udp\", \"sctp\""),
        ("virtual = \"192.0.2.10:80\"\nprotocol = \"udp\"", 2, "has no check, and UDP has no usual one"),
        ("virtual = \"192.0.2.10:80\"\none_packet = true", 4, "is for protocol = \"udp\" only"),
        ("virtual = \"192.0.2.10:80\"\npersistent = 0", 4, "0 is not 1 to 2678400 seconds: leave it out"),
        ("virtual = \"192.0.2.10:80\"\npersistent = true", 4, "must be a whole number"),
        ("virtual = \"192.0.2.10:80\"\npersistent_prefix = 24", 4, "give persistent = 300 as well"),
        ("virtual = \"192.0.2.10:80\"\npersistent = 9\npersistent_prefix = 33", 5, "33 is not 1 to 32 bits"),
        ("virtual = \"192.0.2.10:80\"\npersistent = 9\npersistence_engine = \"sip\"", 5, "\"udp\" only"),
        ("virtual = \"192.0.2.10:80\"\nscheduler_flags = [\"sh-port\"]", 4, "is for scheduler \"sh\", not \"wlc\""),
        ("virtual = \"192.0.2.10:80\"\nscheduler_flags = [\"sticky\"]", 4, "is not a scheduler flag"),
        ("virtual = \"192.0.2.10:80\"\nquorum = 0", 4, "service.quorum: 0 is not allowed"),
        ("virtual = \"192.0.2.10:80\"\nquorum = 2", 4, "is 2, but there are only 1"),
        ("virtual = \"192.0.2.10:80\"\nweight = 65536", 4, "service.weight: 65536 is not allowed: must be 0 to 65535"),
        (
            "virtual = \"192.0.2.10:80\"\nsorry = \"192.0.2.21\"",
            4,
            "192.0.2.21:80 is a real server of the same service",
        ),
        ("virtual = \"192.0.2.10:80\"\nsorry = \"127.0.0.1:80\"", 4, "127.0.0.1 is only for this host itself"),
        ("virtual = \"192.0.2.10:80\"\nfamily = \"ipv4\"", 4, "is for mark"),
        ("virtual = \"192.0.2.10:80\"\nsorry = \"192.0.2.9@0\"", 4, "it would answer nobody"),
        (
            "virtual = \"192.0.2.10:80\"\nsorry = { address = \"192.0.2.9\", check = { type = \"tcp\" } }",
            4,
            "is for real servers",
        ),
        ("virtual = \"192.0.2.10:80\"\nsorry = \"192.0.2.8-9\"", 4, "one sorry server for a service, not a range"),
        ("virtual = \"192.0.2.10:80\"\nsorry = \"2001:db8::9\"", 4, "is not of the family"),
    ] {
        let said = refused(&spoilt("", service, REAL));
        assert!(said.starts_with(&format!("lvs.toml:{line}:")) && said.contains(text), "{service}\n{said}");
    }
    let twice = format!("[[service]]\n{ADDRESS}\nreal = \"192.0.2.21\"\n").repeat(2);
    assert!(refused(&twice).starts_with("lvs.toml:5:"), "{}", refused(&twice));
    let said = refused(&format!("[[service]]\n{ADDRESS}\n"));
    assert!(said.contains("has no real server: give real"), "{said}");
}

#[test]
fn of_a_real_server() {
    for (service, real, text) in [
        ("", "adress = \"192.0.2.21\"", "service.real.adress: unknown key"),
        ("", "port = 80", "service.real.address: is missing"),
        ("", "address = []", "is an empty list"),
        ("", "address = \"192.0.2.21-\"", "must end in"),
        ("", "address = \"127.0.0.2\"", "127.0.0.2 is only for this host itself"),
        ("", "address = \"2001:db8::21\"", "only forwarding tun takes packets"),
        ("", "address = \"255.255.255.255\"", "cannot be the address of a server"),
        ("", "address = \"192.0.2.21:80\"\nport = 81", "stands behind the address too"),
        ("", "address = [\"192.0.2.21@2\", \"192.0.2.22\"]", "given as keys for all of them"),
        ("", "address = \"192.0.2.21\"\nport = 0", "port 0 is for services of every port"),
        ("", "address = \"192.0.2.21\"\nweight = 65536", "must be 0 to 65535"),
        ("", "address = \"192.0.2.21\"\nweight = -1", "must be 0 to 65535"),
        ("", "address = [\"192.0.2.21\", \"192.0.2.20-22\"]", "real server 192.0.2.21:80 is there twice"),
        ("", "address = \"192.0.2.21\"\nupper_threshold = 5\nlower_threshold = 6", "6 is above upper_threshold 5"),
        ("", "address = \"192.0.2.21\"\nlower_threshold = 6", "6 is above upper_threshold 0"),
        ("", "address = \"192.0.2.9-10\"", "192.0.2.10:80 is the service itself"),
        ("forwarding = \"dr\"", "address = \"192.0.2.21\"\nport = 8080", "it must be port 80, or use nat"),
        ("forwarding = \"tun\"", "address = \"192.0.2.21:81\"", "forwarding tun cannot change the port to 81"),
        ("", "address = \"192.0.2.21\"\ntunnel = { type = \"gre\" }", "is for forwarding = \"tun\""),
    ] {
        let said = refused(&spoilt("", &format!("{ADDRESS}\n{service}"), real));
        let line: usize = said.split(':').nth(1).and_then(|line| line.parse().ok()).unwrap();
        assert!((5..9).contains(&line) && said.contains(text), "{real}\n{said}");
    }
    let mixed = spoilt(
        "sync = { interface = \"eth0\" }",
        &format!("{ADDRESS}\nforwarding = \"tun\""),
        "address = \"2001:db8::21\"",
    );
    assert!(refused(&mixed).contains("the kernel's sync daemon refuses that"), "{}", refused(&mixed));
    let alone = mixed.replace("sync = { interface = \"eth0\" }", "");
    assert!(!refused(&alone).contains("not of the family"), "{}", refused(&alone));
    let local = spoilt("", "virtual = \"127.0.0.1:80\"", "address = \"127.0.0.2\"");
    Farm::from_toml(&local, "lvs.toml").unwrap();
}
