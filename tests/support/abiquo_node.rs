//! Abiquo's Remote Services on a node of the lab, in the guide's places: real Tomcat as abiquo-tomcat.service, with stand-ins for
//! the webapps.

use anyhow::Result;

use super::abiquo_host as abiquo;
use super::lab::{Machine, Node};

/// The unit.
pub const UNIT: &str = "abiquo-tomcat.service";
/// The Tomcat instance, the properties, and where webapps find what they are to answer instead (`answer-NAME`).
pub const BASE: &str = "/opt/abiquo/tomcat";
pub const PROPERTIES: &str = "/opt/abiquo/config/abiquo.properties";
pub const FOLDER: &str = "/opt";
/// Where it answers.
pub const PORT: u16 = 8009;

/// What Tomcat needs to know; @JRE@ is where Java is.
const VARIABLES: [&str; 5] = [
    "CATALINA_HOME=/usr/share/tomcat10",
    "CATALINA_BASE=/opt/abiquo/tomcat",
    "JRE_HOME=@JRE@",
    "CATALINA_PID=/opt/abiquo/tomcat/pid",
    "'JAVA_OPTS=-Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.security.egd=file:/dev/urandom \
     -Dstand.in.properties=/opt/abiquo/config/abiquo.properties -Dstand.in.folder=/opt'",
];
const SERVICE: &str = "[Unit]
Description=Abiquo Tomcat
[Service]
Type=forking
Environment=@VARIABLES@
PIDFile=/opt/abiquo/tomcat/pid
ExecStart=/usr/share/tomcat10/bin/catalina.sh start
ExecStop=/usr/share/tomcat10/bin/catalina.sh stop
SuccessExitStatus=143
Restart=always
[Install]
WantedBy=multi-user.target
";
/// What init.d has in the unit's place on older systems: it knows the process, and nothing of the webapps.
const SCRIPT: &str = r#"#!/bin/bash
export @VARIABLES@
runs() { [ -s "$CATALINA_PID" ] && kill -0 "$(cat "$CATALINA_PID")" 2>/dev/null; }
case $1 in
    start) runs || "$CATALINA_HOME/bin/catalina.sh" start ;;
    stop) ! runs || "$CATALINA_HOME/bin/catalina.sh" stop 20 -force ;;
    status) runs || exit 3 ;;
    *) exit 2 ;;
esac
"#;

/// Puts everything in its place; nothing is started.
pub fn install(node: &Node, webapps: &[&str], properties: &str) -> Result<()> {
    node.run(["mkdir", "-p", "/opt/abiquo/tomcat/logs", "/opt/abiquo/tomcat/temp", "/opt/abiquo/tomcat/work"])?;
    let put = |path: &str, text: &str| node.write_file(&format!("{BASE}/{path}"), text, 0o644);
    // On all addresses: clients use the virtual one.
    put("conf/server.xml", &abiquo::server_xml(PORT, 8005).replace(" address=\"127.0.0.1\"", ""))?;
    put("conf/web.xml", &abiquo::global_web_xml())?;
    put("conf/context.xml", "<Context><JarScanner scanClassPath=\"false\"/></Context>")?;
    for webapp in webapps {
        put(&format!("webapps/{webapp}/check.jsp"), abiquo::PAGE)?;
        put(&format!("webapps/{webapp}/WEB-INF/web.xml"), &abiquo::webapp_web_xml())?;
    }
    node.write_file(PROPERTIES, properties, 0o644)?;
    node.write_file(&format!("/etc/systemd/system/{UNIT}"), with_variables(node, SERVICE)?, 0o644)?;
    node.run(["systemctl", "daemon-reload"]).map(drop)
}

/// The guide's own way beside it: a script in init.d.
pub fn install_script(node: &Node) -> Result<()> {
    node.write_file("/etc/init.d/abiquo-tomcat", with_variables(node, SCRIPT)?, 0o755)
}

fn with_variables(node: &Node, text: &str) -> Result<String> {
    let java = node.sh("dirname $(dirname $(readlink -f /usr/bin/java))")?;
    // systemd wants the whole assignment in quotes, a shell does not mind.
    Ok(text.replace("@VARIABLES@", &VARIABLES.join(" ")).replace("@JRE@", java.trim()))
}

/// The Java machine, as systemd knows it; 0 when there is none.
pub fn main_process(node: &Node) -> Result<String> {
    shown(node, "MainPID")
}

/// A property of the unit.
pub fn shown(node: &Node, property: &str) -> Result<String> {
    Ok(node.run(["systemctl", "show", "-P", property, UNIT])?.trim().to_owned())
}
