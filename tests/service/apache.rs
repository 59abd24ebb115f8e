//! A small web site of the trial's own.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use inuvika_ha::ocf::deadline::Deadline;
use inuvika_ha::sys::service::{Ended, Process, Service};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub const PROGRAM: &str = "/usr/sbin/apache2";
pub const FOLDER: &str = "/run/site";
const MODULES: &str = "/usr/lib/apache2/modules";
/// Larger than what the sockets' buffers take in, so that a client that does not read holds its worker.
const LARGE: usize = 64 << 20;

/// Loopback up; no process of Apache in this PID namespace (nothing outside can be seen from here).
pub fn clean() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        run("ip", &["link", "set", "lo", "up"]);
        fs::create_dir_all(FOLDER).unwrap();
        fs::write(Path::new(FOLDER).join("large"), vec![b'x'; LARGE]).unwrap();
        fs::write(Path::new(FOLDER).join("small"), "ok\n").unwrap();
    });
    for pid in judged() {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    let started = Instant::now();
    while !judged().is_empty() && started.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The processes of Apache that are no zombies, by ps.
pub fn judged() -> Vec<i32> {
    let list = run("ps", &["-e", "-o", "pid=,stat=,comm="]);
    let fields = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let name = |fields: &Vec<&str>| matches!(fields.get(2), Some(&("apache2" | "httpd")));
    let apache = fields.filter(|fields| name(fields) && !fields[1].starts_with('Z'));
    apache.map(|fields| fields[0].parse().unwrap()).collect()
}

/// Until as many processes are found as there are; Apache starts spare ones as it likes, also between two looks.
pub fn until_all_are_seen(found: impl Fn() -> Result<usize>) -> Result<()> {
    let begun = Instant::now();
    loop {
        let (before, found, after) = (judged().len(), found()?, judged().len());
        if before == found && found == after {
            return Ok(());
        }
        ensure!(begun.elapsed() < Duration::from_secs(5), "{found} found, there are {after}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Until it is so: what a process does just now is seen, too.
pub fn until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !is_so()? {
        ensure!(begun.elapsed() < Duration::from_secs(5), "waited for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Until it has its main process and five workers (StartServers of the prefork module), and all of them sleep.
pub fn at_rest(service: &Service) -> Result<()> {
    until("six processes at rest", || {
        let all = service.processes()?;
        Ok(all.len() >= 6 && all.iter().all(|process| process.state == 'S'))
    })
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Writes a configuration; `more` is added to it.
pub fn config(name: &str, port: u16, more: &str) -> PathBuf {
    let path = Path::new(FOLDER).join(format!("{name}.conf"));
    let text = format!(
        "LoadModule mpm_prefork_module {MODULES}/mod_mpm_prefork.so\n\
         LoadModule authz_core_module {MODULES}/mod_authz_core.so\n\
         ServerRoot {FOLDER}\nServerName localhost\nListen 127.0.0.1:{port}\nPidFile {FOLDER}/{name}.pid\n\
         ErrorLog {FOLDER}/{name}.log\nDocumentRoot {FOLDER}\nMutex file:{FOLDER}\nUser www-data\nGroup www-data\n\
         EnableSendfile Off\n{more}\n"
    );
    fs::write(&path, text).unwrap();
    path
}

pub fn direct(config: &Path) -> Service {
    Service::Direct { program: PROGRAM.into(), config: config.to_owned() }
}

pub fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(18))
}

/// Starts it and waits until it answers.
pub fn up(service: &mut Service, port: u16) -> Result<()> {
    service.start(&deadline())?;
    let started = Instant::now();
    while get(port, "small").is_err() {
        ensure!(started.elapsed() < Duration::from_secs(5), "no answer on port {port}");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Stops it as the agent does; how long that took. Nothing may be left of it, whoever is asked.
pub fn down(service: &Service, graceful: Duration) -> Result<(Ended, Duration)> {
    let before: Vec<Process> = service.processes()?;
    let started = Instant::now();
    let ended = service.stop(Signal::SIGWINCH, graceful, &deadline())?;
    let took = started.elapsed();
    let left: Vec<i32> = judged().into_iter().filter(|pid| before.iter().any(|process| process.pid == *pid)).collect();
    ensure!(left.is_empty(), "left: {left:?}");
    ensure!(service.processes()?.is_empty(), "processes() still shows some");
    Ok((ended, took))
}

/// The body of a file.
pub fn get(port: u16, file: &str) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    ask(port, file)?.read_to_end(&mut text).context("read the answer")?;
    let begin = text.windows(4).position(|window| window == b"\r\n\r\n").context("no header")?;
    Ok(text.split_off(begin + 4))
}

/// A request whose answer nobody reads yet.
pub fn ask(port: u16, file: &str) -> Result<TcpStream> {
    let mut client = TcpStream::connect(("127.0.0.1", port))?;
    client.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(client, "GET /{file} HTTP/1.0\r\n\r\n")?;
    Ok(client)
}

/// A download that has begun; it goes on only when it is read.
pub fn slow_download(port: u16) -> Result<TcpStream> {
    let mut client = ask(port, "large")?;
    client.read_exact(&mut [0; 1000])?;
    // Until the server's side is full too.
    std::thread::sleep(Duration::from_millis(200));
    Ok(client)
}

/// Reads the rest of a download; how much came.
pub fn finish(mut client: TcpStream) -> usize {
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    rest.len() + 1000
}

/// Whether that was all of it (the header is a part, too).
pub fn is_whole(bytes: usize) -> bool {
    bytes >= LARGE
}

/// The only process without a parent in the service.
pub fn main_of(service: &Service) -> Result<i32> {
    let tops: Vec<i32> = service.processes()?.iter().filter(|p| p.top).map(|p| p.pid).collect();
    ensure!(tops.len() == 1, "main processes: {tops:?}");
    Ok(tops[0])
}

pub fn signal(pid: i32, signal: Signal) -> Result<()> {
    Ok(kill(Pid::from_raw(pid), signal)?)
}
