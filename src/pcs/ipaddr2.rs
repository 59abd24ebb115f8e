//! What the generator knows of ocf:heartbeat:IPaddr2, which is not an agent of this package.

use super::plan::{Operation, Resource, Setting};
use crate::scenario::virtual_ip::{self, VirtualIp};

/// The resource for a virtual IP address. The times are those its meta-data advises.
pub fn resource(vip: &VirtualIp) -> Resource {
    let operation = |name, interval| Operation::plain(name, interval, 20);
    Resource {
        id: virtual_ip::ID.into(),
        agent: "ocf:heartbeat:IPaddr2".into(),
        params: vec![
            ("ip".into(), Setting::Text(vip.net.addr().to_string())),
            ("cidr_netmask".into(), Setting::Text(vip.net.prefix_len().to_string())),
            ("nic".into(), vip.nic.clone().map_or(Setting::Unset, Setting::Text)),
        ],
        meta: Vec::new(),
        operations: vec![operation("monitor", 10), operation("start", 0), operation("stop", 0)],
        whole: false,
    }
}
