//! Settings in a folder that stands for /proc/sys.

use tempfile::TempDir;

use super::*;

struct Host {
    folder: TempDir,
}

const FORWARD: &str = "net/ipv4/ip_forward";
const REDIRECTS: &str = "net/ipv4/conf/eth0.5/send_redirects";

fn needs() -> Vec<Setting> {
    vec![Setting::new(FORWARD, "1"), Setting::new(REDIRECTS, "0")]
}

impl Host {
    fn new() -> Self {
        let host = Self { folder: tempfile::tempdir().unwrap() };
        for (path, value) in [(FORWARD, "0\n"), (REDIRECTS, "1\n")] {
            fs::create_dir_all(host.sys().join(path).parent().unwrap()).unwrap();
            fs::write(host.sys().join(path), value).unwrap();
        }
        host
    }

    fn sys(&self) -> PathBuf {
        self.folder.path().join("sys")
    }

    fn state(&self, instance: &str) -> State {
        State::at(&self.folder.path().join("run").join(instance))
    }

    fn values(&self) -> [String; 2] {
        [FORWARD, REDIRECTS].map(|path| read(&self.sys(), path).unwrap().unwrap())
    }

    fn apply(&self, instance: &str) -> Vec<String> {
        Duties::below(&self.sys(), &self.state(instance)).apply(&needs()).unwrap().changes
    }

    fn put_back(&self, instance: &str) -> Vec<String> {
        let state = self.state(instance);
        let told = Duties::below(&self.sys(), &state).put_back();
        assert!(Duties::below(&self.sys(), &state).put_back().is_empty(), "a second time there is nothing");
        told
    }
}

#[test]
fn needs_become_settings() {
    assert!(wanted(&Needs::default()).is_empty());
    let all = Needs {
        nat_v4: true,
        nat_v6: true,
        links: vec!["eth0.5".into()],
        conntrack: true,
        expire_nodest_conn: true,
        expire_quiescent_template: true,
    };
    let lines: Vec<String> =
        wanted(&all).iter().map(|wanted| format!("{}={}", name(&wanted.path), wanted.value)).collect();
    assert_eq!(
        lines,
        [
            "net.ipv4.ip_forward=1",
            "net.ipv4.conf.all.send_redirects=0",
            "net.ipv4.conf.default.send_redirects=0",
            "net.ipv4.conf.eth0/5.send_redirects=0",
            "net.ipv6.conf.all.forwarding=1",
            "net.ipv4.vs.conntrack=1",
            "net.ipv4.vs.expire_nodest_conn=1",
            "net.ipv4.vs.expire_quiescent_template=1",
        ]
    );
    let direct = Needs { links: vec!["eth0".into()], expire_nodest_conn: true, ..Needs::default() };
    assert_eq!(wanted(&direct), [Setting::new("net/ipv4/vs/expire_nodest_conn", "1")]);
}

#[test]
fn only_what_differs_is_set_and_comes_back() {
    let host = Host::new();
    fs::write(host.sys().join(REDIRECTS), "0\n").unwrap();
    assert_eq!(host.apply("a"), ["net.ipv4.ip_forward set to 1, was 0"]);
    assert!(host.apply("a").is_empty());
    assert_eq!(host.values(), ["1", "0"]);
    assert_eq!(host.put_back("a"), ["net.ipv4.ip_forward put back to 0"]);
    assert_eq!(host.values(), ["0", "0"]);
}

#[test]
fn what_somebody_changed_is_told_and_not_put_back() {
    let host = Host::new();
    host.apply("a");
    let state = host.state("a");
    let duties = Duties::below(&host.sys(), &state);
    assert!(duties.drifted(&needs()).is_empty());
    fs::write(host.sys().join(FORWARD), "2\n").unwrap();
    assert_eq!(duties.drifted(&needs()), ["net.ipv4.ip_forward is 2, not 1"]);
    assert_eq!(host.values()[0], "2", "a look changes nothing");
    let told = host.put_back("a");
    assert_eq!(
        told,
        ["net.ipv4.conf.eth0/5.send_redirects put back to 1", "net.ipv4.ip_forward stays 2: somebody has changed it",]
    );
}

#[test]
fn a_repair_does_not_forget_what_was_there_first() {
    let host = Host::new();
    host.apply("a");
    fs::write(host.sys().join(FORWARD), "2\n").unwrap();
    assert_eq!(host.apply("a"), ["net.ipv4.ip_forward set to 1, was 2"]);
    host.put_back("a");
    assert_eq!(host.values(), ["0", "1"]);
}

#[test]
fn the_last_of_several_instances_puts_back() {
    for order in [["a", "b"], ["b", "a"]] {
        let host = Host::new();
        host.apply("a");
        assert!(host.apply("b").is_empty());
        let told = host.put_back(order[0]);
        assert_eq!(told.last().unwrap(), &format!("net.ipv4.ip_forward stays 1: {} needs it", order[1]));
        assert_eq!(host.values(), ["1", "0"]);
        host.put_back(order[1]);
        assert_eq!(host.values(), ["0", "1"], "{order:?}");
    }
}

#[test]
fn what_was_remembered_but_not_written_needs_no_putting_back() {
    let host = Host::new();
    host.apply("a");
    // As after a kill between the two.
    fs::write(host.sys().join(FORWARD), "0\n").unwrap();
    assert_eq!(host.put_back("a"), ["net.ipv4.conf.eth0/5.send_redirects put back to 1"]);
}

#[test]
fn nothing_is_set_when_it_cannot_be_remembered() {
    let host = Host::new();
    // A file where the folder of all states should be.
    fs::write(host.folder.path().join("run"), "").unwrap();
    let state = host.state("a");
    let said = Duties::below(&host.sys(), &state).apply(&needs()).unwrap_err();
    assert!(said.starts_with("remember settings in "), "{said}");
    assert_eq!(host.values(), ["0", "1"]);
}

#[test]
fn a_missing_setting_is_said_and_is_nothing_to_put_back() {
    let host = Host::new();
    let state = host.state("a");
    let duties = Duties::below(&host.sys(), &state);
    let mut more = needs();
    more.push(Setting::new("net/ipv4/vs/conntrack", "1"));
    let said = "net.ipv4.vs.conntrack: IPVS is not loaded, or is without it";
    more.rotate_right(1);
    assert_eq!(duties.apply(&more).unwrap().troubles, [said]);
    assert_eq!(host.values(), ["1", "0"], "the others are set");
    assert_eq!(duties.drifted(&more), [said]);
    assert_eq!(
        missing("net/ipv4/conf/eth9/send_redirects"),
        "net.ipv4.conf.eth9.send_redirects: no such network link, or no such protocol"
    );

    fs::create_dir_all(host.sys().join("net/ipv4/vs")).unwrap();
    fs::write(host.sys().join("net/ipv4/vs/conntrack"), "0\n").unwrap();
    duties.apply(&more).unwrap();
    // As after IPVS was unloaded.
    fs::remove_dir_all(host.sys().join("net/ipv4/vs")).unwrap();
    assert_eq!(host.put_back("a").len(), 2);
    assert_eq!(host.values(), ["0", "1"]);
    assert!(!host.sys().join("net/ipv4/vs").exists());
}
