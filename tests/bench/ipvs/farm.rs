//! What is wanted, in everybody's own words. No checks: those are no part of what is compared here.

use std::fmt::Write as _;

use crate::By;

/// The address of all services. The first has port 1, and so on.
const VIRTUAL: &str = "192.0.2.1";

/// How large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub services: usize,
    /// Real servers of each.
    pub servers: usize,
}

const fn of(services: usize, servers: usize) -> Size {
    Size { services, servers }
}

/// What is measured of whom, in this order.
pub const PLAN: &[(Size, &[By])] = &[
    (of(1, 1), &[By::Ours, By::Agent, By::Restore, By::Keepalived]),
    (of(1, 10), &[By::Ours, By::Agent, By::Restore, By::Keepalived]),
    (of(1, 20), &[By::Ours, By::Agent, By::Restore, By::Ldirectord]),
    (of(1, 100), &[By::Ours, By::Agent, By::Restore, By::Keepalived, By::Calls]),
    (of(1, 1000), &[By::Ours, By::Agent, By::Restore, By::Keepalived]),
    (of(100, 100), &[By::Ours, By::Agent, By::Restore, By::Keepalived]),
];

impl Size {
    /// Real servers in all.
    pub fn all(self) -> usize {
        self.services * self.servers
    }

    /// The addresses of the real servers of a service, counted from 1.
    fn addresses(self, service: usize) -> impl Iterator<Item = String> {
        (0..self.servers).map(move |number| format!("10.{service}.{}.{}", number / 250, number % 250 + 1))
    }

    /// Our file. The last real server has this weight, the others 1; `check` is how they are asked.
    pub fn toml(self, check: &str, last: u32) -> String {
        let mut text = format!("scheduler = \"rr\"\nfall = 1\ncheck = {{ type = \"{check}\" }}\n");
        for service in 1..=self.services {
            let mut names: Vec<String> = self.addresses(service).map(|name| format!("\"{name}:80\"")).collect();
            if service == self.services
                && let Some(name) = names.last_mut()
            {
                *name = name.replace(":80", &format!(":80@{last}"));
            }
            let _ = write!(text, "[[service]]\nvirtual = \"{VIRTUAL}:{service}\"\nreal = [{}]\n", names.join(", "));
        }
        text
    }

    /// What `ipvsadm -R` reads; each line is also what a call of its own would be given.
    pub fn rules(self) -> Vec<String> {
        let mut lines = Vec::new();
        for service in 1..=self.services {
            lines.push(format!("-A -t {VIRTUAL}:{service} -s rr"));
            let real = |address| format!("-a -t {VIRTUAL}:{service} -r {address}:80 -m -w 1");
            lines.extend(self.addresses(service).map(real));
        }
        lines
    }

    /// The rule of the last real server, with another weight, as a change.
    pub fn change(self) -> String {
        let last = self.rules().pop().unwrap_or_default();
        last.replace("-a ", "-e ").replace("-w 1", "-w 2")
    }

    /// A `keepalived.conf`.
    pub fn keepalived(self) -> String {
        let mut text = String::new();
        for service in 1..=self.services {
            let _ = write!(
                text,
                "virtual_server {VIRTUAL} {service} {{\n delay_loop 10\n lb_algo rr\n lb_kind NAT\n protocol TCP\n"
            );
            for address in self.addresses(service) {
                let _ = write!(text, " real_server {address} 80 {{\n  weight 1\n }}\n");
            }
            text.push_str("}\n");
        }
        text
    }

    /// An `ldirectord.cf`. It stays in the foreground.
    pub fn ldirectord(self) -> String {
        let mut text = "checkinterval=10\nquiescent=yes\nsupervised=yes\nlogfile=\"/run/ldirectord.log\"\n".to_owned();
        for service in 1..=self.services {
            let _ = writeln!(text, "virtual={VIRTUAL}:{service}");
            for address in self.addresses(service) {
                let _ = writeln!(text, "\treal={address}:80 masq");
            }
            text.push_str("\tscheduler=rr\n\tprotocol=tcp\n\tchecktype=on\n");
        }
        text
    }
}
