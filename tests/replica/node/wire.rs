//! What connects a node with the other one: its sshd, and its link.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::Node;
use super::host::{OWN, ROOT};
use crate::support::frozen;

impl Node {
    pub fn start_sshd(&mut self) {
        let number = &self.name[3..];
        let config = format!(
            "Port 22\nListenAddress 10.77.0.{number}\nHostKey {ROOT}/host{number}\nPidFile none\nStrictModes no\nUsePAM no\n\
             PermitRootLogin yes\nPasswordAuthentication no\nAuthorizedKeysFile {OWN}/authorized_keys\nUseDNS no\n"
        );
        let child = self.enter(|| {
            fs::write(format!("{OWN}/sshd_config"), config).unwrap();
            fs::copy(format!("{ROOT}/key.pub"), format!("{OWN}/authorized_keys")).unwrap();
            Command::new("/usr/sbin/sshd").args(["-D", "-f", &format!("{OWN}/sshd_config")]).spawn().unwrap()
        });
        self.sshd = Some(child);
        let begun = Instant::now();
        let address = format!("10.77.0.{number}:22").parse().unwrap();
        while self.net.enter(|| std::net::TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err()) {
            assert!(begun.elapsed() < Duration::from_secs(10), "sshd does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The node is down: nobody answers. Its disk stays.
    pub fn lose(&mut self) {
        self.net.ip("link set eth0 down");
        self.end_sshd();
    }

    /// It is there again, booted.
    pub fn return_back(&mut self) {
        self.sh("rm -rf /run/inuvika-ha/*");
        self.net.ip("link set eth0 up");
        self.start_sshd();
    }

    pub fn signal_sshd(&self, signal: Signal) {
        frozen::signal(Pid::from_raw(self.sshd.as_ref().unwrap().id().cast_signed()), signal).unwrap();
    }

    pub fn end_sshd(&mut self) {
        if let Some(mut sshd) = self.sshd.take() {
            let _ = sshd.kill();
            let _ = sshd.wait();
        }
    }

    /// Everything that arrives at this node is dropped, without a word.
    pub fn deaf(&self, deaf: bool) {
        let rule = "table inet deaf {\n chain in {\n type filter hook input priority 0;\n iif eth0 drop\n}\n}\n";
        self.net.nft(if deaf { rule } else { "delete table inet deaf" });
    }
}
