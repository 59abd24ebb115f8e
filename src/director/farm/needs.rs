//! What the kernel of a director has to be set to for this farm.

use super::{Farm, OnFailure};
use crate::director::duties::Needs;
use crate::sys::ipvs::{Family, Forwarding};

impl Farm {
    /// What the kernel has to be set to. `links` are those that clients and real servers are on.
    pub fn needs(&self, links: Vec<String>) -> Needs {
        let nat = |wanted: Family| {
            self.services.iter().any(|service| {
                let all = service.servers.iter().map(|wanted| &wanted.server).chain(&service.sorry);
                service.service.key.family() == wanted
                    && all.into_iter().any(|server| server.forwarding == Forwarding::Nat)
            })
        };
        let any = |is: &dyn Fn(&super::VirtualService) -> bool| self.services.iter().any(is);
        Needs {
            nat_v4: nat(Family::V4),
            nat_v6: nat(Family::V6),
            links,
            conntrack: self.snat_clients,
            // Clients of a real server that was taken out would be sent to it until they pause.
            expire_nodest_conn: any(&|service| service.on_failure == OnFailure::Remove),
            // Clients that are tied to a real server of weight 0 would be sent to it all the same.
            expire_quiescent_template: any(&|service| {
                service.service.persistence.is_some() && service.on_failure == OnFailure::Quiesce
            }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn needs(rest: &str) -> Needs {
        let text = format!("[[service]]\nvirtual = \"192.0.2.10:80\"\nreal = \"192.0.2.21\"\n{rest}\n");
        Farm::from_toml(&text, "t").unwrap().needs(Vec::new())
    }

    #[test]
    fn only_what_the_farm_needs() {
        let nat = Needs { nat_v4: true, ..Needs::default() };
        assert_eq!(needs(""), nat);
        assert_eq!(needs("forwarding = \"dr\""), Needs::default());
        assert_eq!(needs("forwarding = \"dr\"\nsorry = { address = \"192.0.2.9\", forwarding = \"nat\" }"), nat);
        assert_eq!(needs("on_failure = \"remove\"\npersistent = 9"), Needs { expire_nodest_conn: true, ..nat.clone() });
        assert_eq!(needs("persistent = 9"), Needs { expire_quiescent_template: true, ..nat.clone() });
        let v6 = "[[service]]\nmark = 1\nreal = \"2001:db8::1\"\ncheck = { type = \"none\" }";
        assert_eq!(needs(v6), Needs { nat_v6: true, ..nat });
    }
}
