//! A host without service manager for abiquo-rs: for each instance a Tomcat of its own under an LSB script, with stand-ins for the
//! webapps; one Redis and one repository for all.
#![allow(dead_code)] // every test crate uses a part of it

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::osm_host;

/// Where all of it is.
pub const FOLDER: &str = "/run/abiquo";
/// Where the repository is mounted, and from where.
pub const REPOSITORY: &str = "/run/abiquo/repository";
pub const LOCATION: &str = "10.60.1.72:/opt/vm_repository";
/// Redis, and its password.
pub const REDIS: u16 = 6390;
pub const PASSWORD: &str = "r3dis-p!w";
/// The webapps of every instance.
pub const WEBAPPS: [&str; 3] = ["am", "vsm", "xas"];

/// The folder of instance number `n`.
pub fn folder(n: usize) -> PathBuf {
    Path::new(FOLDER).join(n.to_string())
}

/// The folder of its Tomcat.
pub fn base(n: usize) -> PathBuf {
    folder(n).join("tomcat")
}

/// Its port.
pub fn port(n: usize) -> u16 {
    8009 + u16::try_from(n).unwrap()
}

/// Good parameters for instance number `n`.
pub fn params(n: usize) -> Vec<(String, String)> {
    prepare();
    let pairs = [
        ("properties", folder(n).join("properties").display().to_string()),
        ("service_manager", "lsb".to_owned()),
        ("service", format!("abiquo-tomcat-{n}")),
        ("catalina_base", base(n).display().to_string()),
        ("port", port(n).to_string()),
    ];
    pairs.map(|(name, value)| (format!("OCF_RESKEY_{name}"), value)).to_vec()
}

fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        osm_host::keep("/etc/init.d");
        fs::create_dir_all(REPOSITORY).unwrap();
        mount_repository();
        redis();
        for n in 0..16 {
            configure(n);
        }
    });
}

/// Mounts a repository that answers, unless one is mounted.
pub fn mount_repository() {
    let table = fs::read_to_string("/proc/self/mounts").unwrap();
    if !table.contains(&format!(" {REPOSITORY} ")) {
        mount(Some(LOCATION), REPOSITORY, Some("tmpfs"), MsFlags::empty(), Some("mode=755")).unwrap();
    }
}

/// Takes the repository away, whatever hangs on it.
pub fn unmount_repository() {
    let _ = umount2(REPOSITORY, MntFlags::MNT_DETACH);
}

/// Writes everything that instance number `n` needs.
pub fn configure(n: usize) {
    let at = |name: &str| base(n).join(name);
    for name in ["conf", "logs", "temp", "work"] {
        fs::create_dir_all(at(name)).unwrap();
    }
    write_server(n, 7000 + i32::try_from(n).unwrap());
    fs::write(at("conf/web.xml"), global_web_xml()).unwrap();
    fs::write(at("conf/context.xml"), "<Context><JarScanner scanClassPath=\"false\"/></Context>").unwrap();
    for name in WEBAPPS {
        deploy(n, name);
    }
    write_properties(n, &properties());
    write_script(n, "");
}

/// Its server.xml, with this port for shutting down.
pub fn write_server(n: usize, shutdown: i32) {
    fs::write(base(n).join("conf/server.xml"), server_xml(port(n), shutdown)).unwrap();
}

/// The server.xml of a Tomcat that answers on `port`.
pub fn server_xml(port: u16, shutdown: i32) -> String {
    format!(
        "<?xml version='1.0'?>\n<!-- <Server port=\"1\"> -->\n<Server port=\"{shutdown}\" shutdown=\"SHUTDOWN\">\n\
         <Service name=\"Catalina\"><Connector port=\"{port}\" address=\"127.0.0.1\" maxThreads=\"10\" minSpareThreads=\"2\"/>\n\
         <Engine name=\"Catalina\" defaultHost=\"localhost\" backgroundProcessorDelay=\"1\">\
         <Host name=\"localhost\" appBase=\"webapps\" autoDeploy=\"true\"/></Engine></Service></Server>\n"
    )
}

/// The web.xml of every Tomcat: what makes programs of pages.
pub fn global_web_xml() -> String {
    web_xml(
        "<servlet><servlet-name>jsp</servlet-name><servlet-class>org.apache.jasper.servlet.JspServlet</servlet-class></servlet>",
    )
}

/// The web.xml of every webapp: its page answers at /check.
pub fn webapp_web_xml() -> String {
    web_xml(
        "<servlet><servlet-name>check</servlet-name><jsp-file>/check.jsp</jsp-file><load-on-startup>1</load-on-startup></servlet>\
         <servlet-mapping><servlet-name>check</servlet-name><url-pattern>/check</url-pattern></servlet-mapping>",
    )
}

/// The page of every webapp.
pub const PAGE: &str = include_str!("abiquo/check.jsp");

/// Puts a webapp in its place.
pub fn deploy(n: usize, name: &str) {
    let folder = base(n).join("webapps").join(name);
    fs::create_dir_all(folder.join("WEB-INF")).unwrap();
    fs::write(folder.join("check.jsp"), PAGE).unwrap();
    fs::write(folder.join("WEB-INF/web.xml"), webapp_web_xml()).unwrap();
}

fn web_xml(content: &str) -> String {
    format!(
        "<web-app xmlns=\"https://jakarta.ee/xml/ns/jakartaee\" version=\"6.0\" metadata-complete=\"true\">{content}</web-app>"
    )
}

/// Good properties, as the guide has them.
pub fn properties() -> String {
    format!(
        "[remote-services]\nabiquo.appliancemanager.localRepositoryPath = {REPOSITORY}\n\
         abiquo.appliancemanager.repositoryLocation = {LOCATION}\nabiquo.datacenter.id = rsha\n\
         abiquo.redis.host = 127.0.0.1\nabiquo.redis.port = {REDIS}\nabiquo.redis.password = {PASSWORD}\n"
    )
}

/// Writes the properties of instance number `n`.
pub fn write_properties(n: usize, text: &str) {
    fs::write(folder(n).join("properties"), text).unwrap();
}

/// Writes the LSB script of instance number `n`, with a line of its own before Tomcat is started.
pub fn write_script(n: usize, line: &str) {
    let path = PathBuf::from(format!("/etc/init.d/abiquo-tomcat-{n}"));
    let text = format!(
        "#!/bin/bash\nexport CATALINA_HOME=/usr/share/tomcat10 CATALINA_BASE={base} CATALINA_PID={base}/pid\n\
         export JRE_HOME=$(dirname \"$(dirname \"$(readlink -f /usr/bin/java)\")\")\n\
         export JAVA_OPTS='-Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto \
         -Djava.security.egd=file:/dev/urandom -Dstand.in.properties={folder}/properties -Dstand.in.folder={folder}'\n\
         case $1 in\nstart) {line}\n$CATALINA_HOME/bin/catalina.sh start ;;\nstop) $CATALINA_HOME/bin/catalina.sh stop ;;\n\
         *) exit 3 ;;\nesac\n",
        base = base(n).display(),
        folder = folder(n).display()
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What a webapp is to answer instead: `503`, `200 other`, or `200 rsha 9` after 9 s. None: what it finds itself.
pub fn answer(n: usize, webapp: &str, text: Option<&str>) {
    let path = folder(n).join(format!("answer-{webapp}"));
    match text {
        Some(text) => fs::write(path, text).unwrap(),
        None => drop(fs::remove_file(path)),
    }
}

/// A server process that is ended, frozen and thawed by its own id.
pub struct Daemon {
    start: fn() -> Command,
    port: u16,
    child: Mutex<Option<Child>>,
}

impl Daemon {
    /// Starts it and waits until it listens.
    pub fn new(port: u16, start: fn() -> Command) -> Self {
        let daemon = Self { start, port, child: Mutex::new(None) };
        daemon.start();
        daemon
    }

    /// Starts it again. Fine when it runs.
    pub fn start(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if child.is_some() {
            return;
        }
        let log = fs::File::create(format!("{FOLDER}/daemon-{}.log", self.port)).unwrap();
        let mut command = (self.start)();
        // A group of its own: RabbitMQ's script stays beside the server that it has started.
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
        *child = Some(command.spawn().unwrap());
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let said = || fs::read_to_string(format!("{FOLDER}/daemon-{}.log", self.port)).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(120), "nobody listens on port {}:\n{}", self.port, said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills it: connections are refused.
    pub fn stop(&self) {
        if let Some(mut child) = self.child.lock().unwrap_or_else(PoisonError::into_inner).take() {
            killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL).unwrap();
            child.wait().unwrap();
            let begun = Instant::now();
            while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                assert!(begun.elapsed() < Duration::from_secs(20), "port {} is still open", self.port);
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// Makes it hang (the kernel takes connections, and nobody answers), or go on.
    pub fn signal(&self, signal: Signal) {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        killpg(Pid::from_raw(child.as_ref().unwrap().id().cast_signed()), signal).unwrap();
    }
}

/// The Redis of all instances; the PID namespace ends it with the tests.
pub fn redis() -> &'static Daemon {
    static REDIS_SERVER: LazyLock<Daemon> = LazyLock::new(|| {
        Daemon::new(REDIS, || {
            let mut command = Command::new("redis-server");
            command.args(["--port", &REDIS.to_string(), "--bind", "127.0.0.1", "--requirepass", PASSWORD]);
            command.args(["--save", "", "--dir", FOLDER]);
            command
        })
    });
    &REDIS_SERVER
}

/// The Java machines of all instances that this PID namespace has, as /proc lists them.
pub fn processes() -> Vec<i32> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_ours = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&format!("-Dcatalina.base={FOLDER}/"))
    };
    pids.filter(is_ours).collect()
}

/// Everything of the agent that is on the host, in words.
pub fn left() -> Vec<String> {
    processes().into_iter().map(|pid| format!("java process {pid}")).collect()
}

/// Ends what a question that failed has left.
pub fn clean() {
    for pid in processes() {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    let begun = Instant::now();
    while !processes().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10), "java survives SIGKILL");
        std::thread::sleep(Duration::from_millis(10));
    }
    // Its script believes a PID file whose process is a zombie still.
    for n in 0..16 {
        let _ = fs::remove_file(base(n).join("pid"));
    }
}

/// Takes the properties away, or gives them back: without them start fails.
pub fn hide() {
    fs::rename(folder(0).join("properties"), folder(0).join("hidden")).unwrap();
}

/// See [`hide`].
pub fn show() {
    fs::rename(folder(0).join("hidden"), folder(0).join("properties")).unwrap();
}
