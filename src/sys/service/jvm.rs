//! A Tomcat under an LSB script. The script only starts it: its Java machine is known by the folder of its instance, so that
//! one of another instance, or any other program in Java, is never taken for it.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Service;
use super::launch::launch_in;
use super::processes::{ANSWER, Seen, all, command_line, with_children, within};
use crate::ocf::deadline::Deadline;

/// What runs a Tomcat: Java itself, or the Apache Commons daemon.
const PROGRAMS: [&[u8]; 2] = [b"java", b"jsvc"];
/// How Tomcat's own scripts pass the folder of the instance on.
const BASE: &[u8] = b"-Dcatalina.base=";
/// Where hosts keep their language: systemd's file, that of older Red Hat systems, Debian's.
const LANGUAGES: [&str; 3] = ["/etc/locale.conf", "/etc/sysconfig/i18n", "/etc/default/locale"];

/// The Java machine of the instance in `base`, and what it has started.
pub(super) fn processes(base: &Path) -> io::Result<Vec<Seen>> {
    let namespace = fs::read_link("/proc/self/ns/pid")?;
    let real = canonical(base);
    let mut ours = HashSet::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let folder = entry.path();
        // A thread of the kernel has no such link; one of a process that is gone cannot be read.
        let Ok(link) = fs::read_link(folder.join("exe")) else { continue };
        if !is_java(&link) {
            continue;
        }
        // A container has a PID namespace of its own: what runs there is not ours.
        if fs::read_link(folder.join("ns/pid")).is_ok_and(|own| own == namespace)
            && is_ours(pid, &folder, base, real.as_deref())
        {
            ours.insert(pid);
        }
    }
    if ours.is_empty() {
        return Ok(Vec::new());
    }
    Ok(with_children(all()?, |seen| ours.contains(&seen.process.pid)))
}

/// Runs `SCRIPT start` and waits until the Java machine is there.
pub(super) fn start(service: &Service, script: &Path, deadline: &Deadline) -> io::Result<()> {
    if !service.seen()?.is_empty() {
        return Ok(());
    }
    let said = launch_in(("LANG", &language()), script, &[OsStr::new("start")], deadline);
    let said = said.map_err(|error| super::because("start", service, &error))?;
    super::wait_for_process(service, said, deadline)
}

/// The language of the host. Java up to 17 takes the encoding of file names from it: in that of `C` it cannot open a template
/// whose name has other than ASCII letters, and only when the cluster has started it.
fn language() -> String {
    let files = LANGUAGES.iter().filter_map(|path| fs::read_to_string(path).ok());
    files.filter_map(|text| lang(&text)).next().unwrap_or_else(|| "C.UTF-8".to_owned())
}

/// The value of `LANG=` in a file that shells read.
fn lang(text: &str) -> Option<String> {
    let mut values = text.lines().filter_map(|line| line.trim().strip_prefix("LANG="));
    let value = values.next_back()?.trim_matches(['"', '\'']);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.@-".contains(c);
    (!value.is_empty() && value.chars().all(is_plain)).then(|| value.to_owned())
}

/// Whether the link of a process leads to Java, also to one that a package upgrade has replaced meanwhile.
fn is_java(link: &Path) -> bool {
    let name = link.file_name().map(OsStrExt::as_bytes).unwrap_or_default();
    PROGRAMS.contains(&name.strip_suffix(b" (deleted)").unwrap_or(name))
}

/// Whether this Java machine is the server of that instance. One that hangs in a file of a dead server keeps its command line
/// to itself; its open files can be listed all the same.
fn is_ours(pid: i32, process: &Path, base: &Path, real: Option<&Path>) -> bool {
    let Some(line) = command_line(pid) else {
        return has_open(process, real.unwrap_or(base));
    };
    let arguments: Vec<&[u8]> = line.split(|byte| *byte == 0).filter(|word| !word.is_empty()).collect();
    is_server(&arguments, base, real)
}

/// Whether a process (its folder in /proc) has a file below `base` open: a Tomcat its logs and libraries.
fn has_open(process: &Path, base: &Path) -> bool {
    let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|file| file.starts_with(base))
}

/// Whether this command line is the server of that instance; `real` is its folder without symbolic links.
fn is_server(arguments: &[&[u8]], base: &Path, real: Option<&Path>) -> bool {
    // `catalina.sh stop` is a Java machine of its own, with the same options.
    if arguments.last().is_some_and(|last| *last == b"stop") {
        return false;
    }
    arguments.iter().filter_map(|argument| argument.strip_prefix(BASE)).any(|given| {
        let given = Path::new(OsStr::from_bytes(given));
        given == base || real.is_some() && canonical(given).as_deref() == real
    })
}

/// A folder without symbolic links; none when it does not answer: any program in Java may name one on a file system that hangs, and
/// must not keep our stop waiting.
fn canonical(folder: &Path) -> Option<PathBuf> {
    let folder = folder.to_owned();
    within(ANSWER, move || fs::canonicalize(folder).ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn only_the_server_of_that_folder_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("tomcat");
        fs::create_dir(&base).unwrap();
        std::os::unix::fs::symlink(&base, folder.path().join("link")).unwrap();
        let is = |line: &str| {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            is_server(&words, &base, fs::canonicalize(&base).ok().as_deref())
        };
        let root = folder.path().display();
        assert!(is(&format!("java -Dcatalina.base={root}/tomcat -Dx=y org.apache.catalina.startup.Bootstrap start")));
        assert!(is(&format!("java -Dcatalina.base={root}/tomcat/ Bootstrap start")));
        assert!(is(&format!("java -Dcatalina.base={root}/link Bootstrap start")));
        for line in [
            format!("java -Dcatalina.base={root}/tomcat Bootstrap stop"),
            format!("java -Dcatalina.base={root}/tomcat2 Bootstrap start"),
            format!("java -Dcatalina.home={root}/tomcat Bootstrap start"),
            "java -jar /opt/other.jar".to_owned(),
        ] {
            assert!(!is(&line), "{line}");
        }
    }

    #[test]
    fn an_instance_is_known_by_its_open_files_too() {
        let base = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(base.path()).unwrap();
        let own = Path::new("/proc/self");
        assert!(!has_open(own, &real));
        let log = fs::File::create(base.path().join("catalina.out")).unwrap();
        assert!(has_open(own, &real));
        assert!(!has_open(own, &real.with_extension("other")));
        drop(log);
    }

    #[test]
    fn the_language_is_that_of_the_host() {
        for (text, value) in [
            ("LANG=de_DE.UTF-8\n", Some("de_DE.UTF-8")),
            ("# LANG=x\nLC_TIME=C\nLANG=\"en_US.UTF-8\"\n", Some("en_US.UTF-8")),
            ("LANG='a'\nLANG=b@euro\n", Some("b@euro")),
            ("LANG=$(id)\n", None),
            ("LANG=\n", None),
            ("", None),
        ] {
            assert_eq!(lang(text).as_deref(), value, "{text:?}");
        }
    }

    #[test]
    fn java_is_known_by_its_name() {
        for path in ["/usr/lib/jvm/java-17/bin/java", "/usr/bin/jsvc", "/opt/jre/bin/java (deleted)"] {
            assert!(is_java(Path::new(path)), "{path}");
        }
        for path in ["/usr/bin/javac", "/usr/bin/bash", "/", "/usr/bin/java2"] {
            assert!(!is_java(Path::new(path)), "{path}");
        }
    }
}
