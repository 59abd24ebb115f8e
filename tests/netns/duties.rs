//! A director's settings of the kernel, which has them for each network namespace.

use inuvika_ha::director::duties::{Duties, Needs, wanted};
use inuvika_ha::ocf::state::State;

use super::support::Namespace;

const SETTINGS: [&str; 5] = [
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/send_redirects",
    "net/ipv4/conf/default/send_redirects",
    "net/ipv4/conf/eth0.5/send_redirects",
    "net/ipv6/conf/all/forwarding",
];

fn values(namespace: &Namespace) -> Vec<String> {
    SETTINGS.iter().map(|path| namespace.run(&format!("cat /proc/sys/{path}")).trim().to_owned()).collect()
}

#[test]
fn the_kernel_is_set_up_for_a_director_and_put_back() {
    let (director, other) = (Namespace::new(), Namespace::new());
    for namespace in [&director, &other] {
        namespace.ip("link add eth0.5 type veth peer name eth1");
        for (path, value) in SETTINGS.iter().zip([0, 1, 1, 1, 0]) {
            let path = format!("/proc/sys/{path}");
            namespace.enter(|| std::fs::write(path, value.to_string())).unwrap();
        }
    }
    let before = values(&director);
    assert_eq!(before, ["0", "1", "1", "1", "0"]);
    let folder = tempfile::tempdir().unwrap();
    let state = State::at(&folder.path().join("director"));
    let needs = Needs { nat_v4: true, nat_v6: true, links: vec!["eth0.5".into()], ..Needs::default() };
    let wanted = wanted(&needs);

    let duties = Duties::of(&state);
    assert_eq!(director.enter(|| duties.drifted(&wanted)).len(), 5);
    assert_eq!(director.enter(|| duties.apply(&wanted)).unwrap().changes.len(), 5);
    assert_eq!(values(&director), ["1", "0", "0", "0", "1"]);
    assert!(director.enter(|| duties.drifted(&wanted)).is_empty());
    assert!(director.enter(|| duties.apply(&wanted)).unwrap().changes.is_empty());

    director.enter(|| std::fs::write("/proc/sys/net/ipv4/conf/eth0.5/send_redirects", "1")).unwrap();
    let drifted = director.enter(|| duties.drifted(&wanted));
    assert_eq!(drifted, ["net.ipv4.conf.eth0/5.send_redirects is 1, not 0"]);
    director.enter(|| duties.apply(&wanted)).unwrap();

    assert_eq!(director.enter(|| duties.put_back()).len(), 5);
    assert_eq!(values(&director), before);
    assert_eq!(values(&other), before, "another host is not touched");
}
