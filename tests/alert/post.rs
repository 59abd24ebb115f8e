//! A mail server: Exim with a configuration and ports of its own, in the lab's network namespace. Every mail is a file.

#![allow(dead_code)] // the suites that include this use their own part of it

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::sh;

pub const FOLDER: &str = "/run/mail";
const PID: &str = "/run/mail/pid";
/// The CA that has signed the server's certificate, for the name "localhost".
pub const CA: &str = "/run/mail/ca.pem";
/// Who may log in, and how.
pub const USER: &str = "cluster";
pub const PASSWORD: &str = "a \"rig'ht\" word";

/// The server; it ends with this.
pub struct Post {
    server: Child,
}

/// A mail as it arrived.
#[derive(Debug, Clone)]
pub struct Mail {
    pub text: String,
}

impl Mail {
    /// A header's value, unfolded.
    pub fn header(&self, name: &str) -> String {
        let head = self.text.split("\n\n").next().unwrap_or_default().replace("\n\t", " ").replace("\n ", " ");
        let found = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.unwrap_or_default().to_owned()
    }

    /// Its text, with soft line breaks undone.
    pub fn body(&self) -> String {
        let body = self.text.split_once("\n\n").map(|(_, body)| body).unwrap_or_default();
        body.replace("=\n", "").replace("=3D", "=")
    }
}

impl Post {
    /// Starts it on the loopback address.
    pub fn start() -> Result<Post> {
        Self::start_at(&[], "127.0.0.1")
    }

    /// Starts it on an address; `prefix` are the words before a command that make it run in another network.
    pub fn start_at(prefix: &[String], address: &str) -> Result<Post> {
        prepare(address)?;
        let conf = format!("{FOLDER}/conf");
        let mut words: Vec<&str> = prefix.iter().map(String::as_str).collect();
        words.extend(["exim4", "-C", &conf, "-bdf"]);
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(fs::File::create(format!("{FOLDER}/errors"))?);
        // A group of its own, so that what it starts ends with it.
        let mut server = command.process_group(0).spawn().context("start exim4")?;
        let begun = Instant::now();
        // Written once it listens.
        while !Path::new(PID).exists() {
            let said = || fs::read_to_string(format!("{FOLDER}/errors")).unwrap_or_default();
            ensure!(server.try_wait()?.is_none() && begun.elapsed() < Duration::from_secs(10), "exim4: {}", said());
            sleep(Duration::from_millis(20));
        }
        Ok(Post { server })
    }

    /// What has arrived so far and was not taken yet.
    pub fn arrived(&self) -> Result<Vec<Mail>> {
        let read = |name: &String| fs::read_to_string(Path::new(FOLDER).join("box/new").join(name));
        names().iter().map(|name| Ok(Mail { text: read(name)? })).collect()
    }

    /// Waits until `count` mails are there, and a moment for one more; then they are gone from the box.
    pub fn mails(&self, count: usize) -> Result<Vec<Mail>> {
        let begun = Instant::now();
        while names().len() < count && begun.elapsed() < Duration::from_secs(5) {
            sleep(Duration::from_millis(20));
        }
        sleep(Duration::from_millis(300));
        let mut mails = Vec::new();
        for name in names() {
            let path = Path::new(FOLDER).join("box/new").join(&name);
            mails.push(Mail { text: fs::read_to_string(&path)? });
            fs::remove_file(path)?;
        }
        ensure!(mails.len() == count, "{} mails instead of {count}: {mails:#?}", mails.len());
        Ok(mails)
    }

    /// The only mail.
    pub fn mail(&self) -> Result<Mail> {
        self.mails(1)?.pop().context("no mail")
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        let group = nix::unistd::Pid::from_raw(self.server.id().cast_signed());
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
        let _ = self.server.wait();
    }
}

fn names() -> Vec<String> {
    let entries = fs::read_dir(format!("{FOLDER}/box/new")).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// A CA, another one, and a certificate of the first for "localhost"; made once.
pub fn keys() -> Result<()> {
    sh(&format!(
        "mkdir -p {FOLDER}; chmod 755 {FOLDER}; cd {FOLDER}
         if [ ! -e server.pem ]; then
             curve='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
             for ca in ca other; do openssl req -x509 $curve -keyout $ca.key -out $ca.pem -days 2 -subj \"/CN=$ca\" 2>/dev/null; done
             openssl req $curve -keyout server.key -out server.csr -subj /CN=localhost 2>/dev/null
             printf 'subjectAltName=DNS:localhost\\n' >names
             openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem 2>/dev/null
         fi"
    ))
}

/// Folders, keys and configuration.
fn prepare(address: &str) -> Result<()> {
    keys()?;
    let owner = "Debian-exim";
    sh(&format!(
        "cd {FOLDER}; rm -rf box spool {PID}; mkdir -p box spool log; chown -R {owner}:{owner} box spool log server.key"
    ))?;
    fs::write(format!("{FOLDER}/conf"), configuration(address)).context("write Exim's configuration")
}

fn configuration(address: &str) -> String {
    let known = format!("{{eq{{$auth2}}{{{USER}}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}");
    format!(
        "primary_hostname = mail.example.com
spool_directory = {FOLDER}/spool
log_file_path = {FOLDER}/log/%slog
pid_file_path = {PID}
local_interfaces = {address}
daemon_smtp_ports = 25 : 465 : 587
tls_on_connect_ports = 465
tls_advertise_hosts = *
tls_certificate = {FOLDER}/server.pem
tls_privatekey = {FOLDER}/server.key
auth_advertise_hosts = ${{if def:tls_in_cipher{{*}}{{}}}}
acl_smtp_rcpt = rcpt
host_lookup =
rfc1413_hosts =
keep_environment =
begin acl
rcpt:
  deny condition = ${{if and{{{{eq{{$received_port}}{{587}}}}{{!def:authenticated_id}}}}}}
       message = log in first
  deny local_parts = nobody
       message = no such user here
  accept
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  directory = {FOLDER}/box
  maildir_format
  user = Debian-exim
  envelope_to_add
begin retry
* * F,1m,1s
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if and{{{known}}}}}
  server_set_id = $auth2
"
    )
}
