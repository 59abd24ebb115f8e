//! A real Apache that needs no service manager: a configuration of its own, started by whoever tests it.
#![allow(dead_code)] // every test crate uses a part of it

use std::fs;
use std::path::{Path, PathBuf};

/// The program, as Debian and Ubuntu have it.
pub const PROGRAM: &str = "/usr/sbin/apache2";

/// Writes the configuration of a server in `folder` that listens on `port` of the loopback link and serves `folder`/www;
/// the file's path.
pub fn configure(folder: &Path, port: u16) -> PathBuf {
    let at = |name: &str| folder.join(name);
    fs::create_dir_all(at("www/server")).unwrap();
    // What a Session Manager answers to an empty request.
    let page = "<?xml version=\"1.0\"?>\n<error id=\"1\" message=\"Server does not send a valid XML\"/>\n";
    fs::write(at("www/server/status"), page).unwrap();
    // A file without blocks: the folder is in memory.
    fs::File::create(at("www/slow")).unwrap().set_len(64 << 20).unwrap();
    let path = at("httpd.conf");
    let text = format!(
        "ServerRoot /usr/lib/apache2\nServerName localhost\nListen 127.0.0.1:{port}\nPidFile {0}/httpd.pid\n\
         Mutex file:{0}\nErrorLog {0}/error.log\nUser www-data\nGroup www-data\n\
         LoadModule mpm_prefork_module modules/mod_mpm_prefork.so\n\
         LoadModule authz_core_module modules/mod_authz_core.so\n\
         StartServers 2\nMinSpareServers 1\nMaxSpareServers 2\nMaxRequestWorkers 8\nServerLimit 8\n\
         DocumentRoot {0}/www\n<Directory {0}/www>\nRequire all granted\n</Directory>\n",
        folder.display()
    );
    fs::write(&path, text).unwrap();
    path
}

/// The processes of Apache that this PID namespace has, as /proc lists them.
pub fn processes() -> Vec<i32> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe.starts_with(PROGRAM)))
        .collect()
}
