//! An agent as its caller sees it: a program with an environment.

use std::fmt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// An agent with parameters, ready to be called.
#[derive(Clone)]
pub struct Subject {
    pub path: PathBuf,
    pub agent_type: String,
    pub instance: String,
    pub env: Vec<(String, String)>,
}

/// What a call gave.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({:?}{})",
            self.code,
            self.stderr.trim(),
            if self.stdout.is_empty() { "" } else { ", with output" }
        )
    }
}

impl Subject {
    /// The same with one more variable.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.env.retain(|(n, _)| n != name);
        other.env.push((name.to_owned(), value.to_owned()));
        other
    }

    /// The same with a parameter.
    pub fn with_param(&self, name: &str, value: &str) -> Self {
        self.with(&format!("OCF_RESKEY_{name}"), value)
    }

    /// The same without any parameter.
    pub fn without_params(&self) -> Self {
        let mut other = self.clone();
        other.env.retain(|(name, _)| !name.starts_with("OCF_RESKEY_"));
        other
    }

    /// The same as another instance.
    pub fn named(&self, instance: &str) -> Self {
        Self { instance: instance.to_owned(), ..self.clone() }
    }

    /// A recurring monitor, as Pacemaker runs it.
    pub fn recurring(&self) -> Self {
        self.with("OCF_RESKEY_CRM_meta_interval", "10000").with("OCF_RESKEY_CRM_meta_timeout", "20000")
    }

    /// A probe, as Pacemaker runs it.
    pub fn probing(&self) -> Self {
        self.with("OCF_RESKEY_CRM_meta_interval", "0").with("OCF_RESKEY_CRM_meta_timeout", "20000")
    }

    /// The command for `words`, with the environment of a cluster manager and nothing else.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        // In a folder of the lab's own: a stock agent that is asked to touch "at all" makes two files.
        command.args(words).env_clear().current_dir("/run");
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HA_LOGFACILITY", "none").env("HA_RSCTMP", "/run");
        command.env("HA_LOGFILE", "/dev/null");
        for (name, value) in [
            ("OCF_ROOT", "/usr/lib/ocf"),
            ("OCF_RA_VERSION_MAJOR", "1"),
            ("OCF_RA_VERSION_MINOR", "1"),
            ("OCF_RESOURCE_INSTANCE", &self.instance),
            ("OCF_RESOURCE_TYPE", &self.agent_type),
            ("OCF_EXIT_REASON_PREFIX", "ocf-exit-reason:"),
        ] {
            command.env(name, value);
        }
        command.envs(self.env.iter().map(|(n, v)| (n, v)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `words`.
    pub fn call(&self, words: &[&str]) -> Run {
        let out = self.command(words).output().expect("the agent can be executed");
        Run {
            code: out.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
        }
    }

    /// Runs one action.
    pub fn run(&self, action: &str) -> Run {
        self.call(&[action])
    }

    /// Begins an action in a process group of its own, as Pacemaker does.
    pub fn begin(&self, action: &str) -> Child {
        self.command(&[action]).process_group(0).spawn().expect("the agent can be executed")
    }
}
