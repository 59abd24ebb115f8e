//! The hook: JSON to a web server, over TLS with a token. Judges: what the server was sent, what Apache's own TLS accepts.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::node::{self, FAILED, alert_says, begin, configure, raise, secret, wait_is};
use crate::sending::SHORT;
use crate::{Body, post, sh};

pub const TRIALS: &[(&str, Body)] = &[
    ("a hook gets a document, and again when it refused one", document),
    ("a hook over TLS gets the token, and nobody else does", with_token),
    ("a hook that somebody else certifies, under another name or in another time, gets nothing", refuses),
    ("the token is in no argument, variable, log or file of ours", shows_nothing),
];

const FOLDER: &str = "/run/hook";
const TOKEN: &str = "t0ken-of-9-hooks";
const TOKEN_FILE: &str = "/etc/inuvika-ha/token";
/// What the server runs for a POST: it keeps what comes with the right token, and refuses the rest.
const SCRIPT: &str = r#"#!/bin/sh
body=$(cat)
printf '%s %s\n' "$HTTPS" "$HTTP_AUTHORIZATION" >>/run/hook/box/headers
if [ "$HTTP_AUTHORIZATION" != "Bearer t0ken-of-9-hooks" ]; then printf 'Status: 401 Unauthorized\r\n\r\n'; exit; fi
printf '%s\n' "$body" >>/run/hook/box/bodies
printf 'Status: 204 No Content\r\n\r\n'
"#;

/// Takes one request, answers with that status; the request.
fn answer(listener: &TcpListener, status: &str) -> Result<String> {
    let (mut stream, _) = listener.accept()?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer)?;
        heard.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&heard);
        let wanted = text
            .to_ascii_lowercase()
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
        if let (Some((_, body)), Some(wanted)) = (text.split_once("\r\n\r\n"), wanted)
            && body.len() >= wanted
        {
            break;
        }
        ensure!(length > 0, "half a request: {text}");
    }
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    Ok(String::from_utf8(heard)?)
}

fn document() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:8080")?;
    configure("gather = 0\n[hook]\nurl = \"http://localhost:8080/s3cret/path\"\n")?;
    let server = std::thread::spawn(move || -> Result<[String; 2]> {
        Ok([answer(&listener, "503 Busy")?, answer(&listener, "204 No Content")?])
    });
    raise(FAILED, &[("timestamp_epoch", "1700000000")], SHORT)?;
    wait_is(1)?;
    let output = node::alert(&["check"])?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(text.contains("hook at localhost: answered 503") && !text.contains("s3cret"), "{text}");
    alert_says(&["flush"], 0, "1 sent, 0 wait\n")?;
    let [first, second] = server.join().ok().context("the server panicked")??;
    ensure!(first.starts_with("POST /s3cret/path HTTP/1.1\r\n"), "{first}");
    let body: Value = serde_json::from_str(second.split_once("\r\n\r\n").context("no body")?.1)?;
    let event = &body["events"][0];
    ensure!(event["resource"] == "session_manager" && event["rc"] == 1 && event["failure"] == true, "{body}");
    ensure!(event["time"].as_str().is_some_and(|time| time.starts_with("2023-11-1")), "{body}");
    secret("/etc/inuvika-ha/token", "t0ken\n")?;
    configure("[hook]\nurl = \"http://localhost:8080/\"\ntoken_file = \"/etc/inuvika-ha/token\"\n")?;
    alert_says(&["check"], 2, "hook.token_file: would be sent without encryption")
}

/// Apache with TLS on 8443; it ends with this.
struct Web {
    server: Child,
}

impl Web {
    /// `certificate` is the name of one in the folder of the mail server's.
    fn start(certificate: &str) -> Result<Web> {
        post::keys()?;
        sh(&format!(
            "rm -rf {FOLDER}; mkdir -p {FOLDER}/box; cd {FOLDER}; chown www-data box
             openssl x509 -req -in {mail}/server.csr -CA {mail}/ca.pem -CAkey {mail}/ca.key -CAcreateserial -days -1 \
                 -extfile {mail}/names -out {mail}/expired.pem 2>/dev/null",
            mail = post::FOLDER
        ))?;
        fs::write(format!("{FOLDER}/script"), SCRIPT)?;
        sh(&format!("chmod 755 {FOLDER}/script"))?;
        let modules = [
            ("mpm_prefork", "mpm_prefork"),
            ("authz_core", "authz_core"),
            ("alias", "alias"),
            ("cgi", "cgi"),
            ("ssl", "ssl"),
        ];
        let modules: String = modules
            .iter()
            .map(|(module, file)| format!("LoadModule {module}_module /usr/lib/apache2/modules/mod_{file}.so\n"))
            .collect();
        fs::write(
            format!("{FOLDER}/conf"),
            format!(
                "{modules}ServerName localhost\nListen 127.0.0.1:8443\nPidFile {FOLDER}/pid\nErrorLog {FOLDER}/errors
User www-data\nGroup www-data\nSSLEngine on
SSLCertificateFile {mail}/{certificate}.pem\nSSLCertificateKeyFile {mail}/server.key
Redirect 302 /away https://localhost:8443/hook
ScriptAlias /hook {FOLDER}/script
<Directory {FOLDER}>
CGIPassAuth On\nSSLOptions +StdEnvVars\nRequire all granted
</Directory>\n",
                mail = post::FOLDER
            ),
        )?;
        let mut command = Command::new("apache2");
        command.args(["-d", FOLDER, "-f", "conf", "-D", "FOREGROUND"]).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(fs::File::create(format!("{FOLDER}/said"))?);
        // A group of its own, so that what it starts ends with it.
        let mut server = command.process_group(0).spawn().context("start apache2")?;
        let begun = Instant::now();
        while std::net::TcpStream::connect("127.0.0.1:8443").is_err() {
            let said = || fs::read_to_string(format!("{FOLDER}/said")).unwrap_or_default();
            ensure!(server.try_wait()?.is_none() && begun.elapsed() < Duration::from_secs(10), "apache2: {}", said());
            sleep(Duration::from_millis(20));
        }
        Ok(Web { server })
    }

    /// What was taken.
    fn bodies(&self) -> Vec<Value> {
        let text = fs::read_to_string(format!("{FOLDER}/box/bodies")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Whether TLS was on, and who each request said it was.
    fn headers(&self) -> Vec<String> {
        let text = fs::read_to_string(format!("{FOLDER}/box/headers")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let group = nix::unistd::Pid::from_raw(self.server.id().cast_signed());
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
        let _ = self.server.wait();
    }
}

fn config(url: &str, more: &str) -> String {
    format!("gather = 0\n[hook]\nurl = \"{url}\"\ntoken_file = \"{TOKEN_FILE}\"\n{more}\n")
}

fn trusting() -> String {
    format!("ca = \"{}\"", post::CA)
}

fn with_token() -> Result<()> {
    let web = Web::start("server")?;
    let url = "https://localhost:8443/hook";
    secret(TOKEN_FILE, &format!("{TOKEN}\n"))?;
    configure(&config(url, &trusting()))?;
    alert_says(&["check"], 0, "")?;
    raise(FAILED, &[], SHORT)?;
    wait_is(0)?;
    let bodies = web.bodies();
    ensure!(bodies.len() == 1 && bodies[0]["events"][0]["resource"] == "session_manager", "{bodies:?}");
    ensure!(web.headers() == [format!("on Bearer {TOKEN}")], "{:?}", web.headers());
    // The system's own certificates do as well, without a word of ours.
    sh(&format!("cat {} >>/etc/ssl/certs/ca-certificates.crt", post::CA))?;
    configure(&config(url, ""))?;
    let trusted = alert_says(&["test", "hook"], 0, "");
    sh("update-ca-certificates --fresh >/dev/null 2>&1")?;
    trusted?;
    ensure!(web.bodies().len() == 2, "{:?}", web.bodies());
    // A wrong one is refused there, said here without showing it, and mended without losing the event.
    secret(TOKEN_FILE, "hunter2\n")?;
    configure(&config(url, &trusting()))?;
    raise(FAILED, &[], SHORT)?;
    wait_is(1)?;
    let output = node::alert(&["flush"])?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.code() == Some(1) && text.contains("hook at localhost: answered 401"), "{output:?}");
    ensure!(!text.contains("hunter2"), "{text}");
    secret(TOKEN_FILE, &format!("{TOKEN}\n"))?;
    alert_says(&["flush"], 0, "1 sent, 0 wait\n")?;
    // Who points elsewhere is not followed: the token is for this host and page alone.
    let asked = web.headers().len();
    configure(&config("https://localhost:8443/away", &trusting()))?;
    alert_says(&["test", "hook"], 1, "hook at localhost: answered 302")?;
    ensure!(web.headers().len() == asked, "the redirect was followed: {:?}", web.headers());
    // A file that others may read, or that is not there, is refused before anybody is asked.
    configure(&config(url, &trusting()))?;
    sh(&format!("chmod 644 {TOKEN_FILE}"))?;
    alert_says(&["test", "hook"], 1, "/etc/inuvika-ha/token: may be read by others: chown hacluster:haclient")?;
    sh(&format!("rm {TOKEN_FILE}"))?;
    alert_says(&["test", "hook"], 1, "/etc/inuvika-ha/token: is not there")?;
    ensure!(web.headers().len() == asked, "asked without a token: {:?}", web.headers());
    Ok(())
}

fn refuses() -> Result<()> {
    secret(TOKEN_FILE, &format!("{TOKEN}\n"))?;
    let other = format!("ca = \"{}/other.pem\"", post::FOLDER);
    for (certificate, url, ca, said) in [
        ("server", "https://localhost:8443/hook", other.as_str(), "hook at localhost: certificate not accepted"),
        ("server", "https://localhost:8443/hook", "", "hook at localhost: certificate not accepted"),
        ("server", "https://127.0.0.1:8443/hook", &trusting(), "hook at 127.0.0.1: certificate not accepted"),
        ("expired", "https://localhost:8443/hook", &trusting(), "hook at localhost: certificate not accepted"),
    ] {
        let web = Web::start(certificate)?;
        configure(&config(url, ca))?;
        alert_says(&["test", "hook"], 1, said)?;
        raise(FAILED, &[], SHORT)?;
        ensure!(web.headers().is_empty(), "{certificate} {url} {ca}: it was told {:?}", web.headers());
    }
    // All of them wait for a certificate that is right.
    let web = Web::start("server")?;
    configure(&config("https://localhost:8443/hook", &trusting()))?;
    alert_says(&["flush"], 0, "4 sent, 0 wait\n")?;
    ensure!(web.bodies().iter().map(|body| body["events"].as_array().map_or(0, Vec::len)).sum::<usize>() == 4);
    Ok(())
}

fn shows_nothing() -> Result<()> {
    // Takes the connection and says nothing, so that the agent can be looked at while it has read the token.
    let listener = TcpListener::bind("127.0.0.1:8443")?;
    secret(TOKEN_FILE, &format!("{TOKEN}\n"))?;
    configure(&config("https://localhost:8443/hook", ""))?;
    let mut child = begin(FAILED, &[])?;
    let held = listener.accept()?;
    let pid = child.id();
    for name in ["cmdline", "environ"] {
        let text = fs::read_to_string(format!("/proc/{pid}/{name}"))?;
        ensure!(!text.is_empty() && !text.contains(TOKEN), "/proc/{pid}/{name} shows it: {text}");
    }
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    ensure!(children.trim().is_empty(), "it has started {children}");
    drop(held);
    drop(listener);
    child.wait()?;
    wait_is(1)?;
    let output = [node::alert(&["check"])?, node::alert(&["flush"])?];
    // Not in other file systems below them, such as the lab's view of /proc, which has no end.
    let kept = Command::new("find")
        .args([
            "/etc",
            "/run",
            "/var/spool",
            "/var/log",
            "-xdev",
            "-type",
            "f",
            "-exec",
            "grep",
            "-l",
            TOKEN,
            "{}",
            "+",
        ])
        .output()?;
    let kept = String::from_utf8(kept.stdout)?;
    let own = |line: &&str| *line != TOKEN_FILE && !line.starts_with("/run/etc/") && !line.starts_with(FOLDER);
    let kept: Vec<&str> = kept.lines().filter(own).collect();
    ensure!(kept.is_empty(), "kept in {kept:?}");
    ensure!(!format!("{output:?}").contains(TOKEN), "{output:?}");
    Ok(())
}
