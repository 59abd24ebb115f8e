//! `trace_ra`: every step of an action with its time, where shell agents would write an `sh -x` log.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use super::action::Action;
use super::environment::Environment;
use super::instance::Instance;
use super::params::Params;

/// Writes steps to a file, or nowhere when tracing is off.
#[derive(Debug)]
pub struct Trace {
    out: Option<RefCell<File>>,
    began: Instant,
}

impl Trace {
    /// Tracing as the parameters `trace_ra` and `trace_file` or crm_resource's `-VV` ask for. A file that cannot be
    /// written turns tracing off: debugging must not break the service.
    pub fn new(
        agent: &str,
        instance: &Instance,
        action: Action,
        params: &Params,
        env: &Environment,
        began: Instant,
    ) -> Self {
        let asked = params.boolean("trace_ra").unwrap_or(false) || env.get("OCF_TRACE_RA") == Some("1");
        let off = Self { out: None, began };
        if !asked || action == Action::MetaData {
            return off;
        }
        let path = match params.text("trace_file").or_else(|| env.get("OCF_TRACE_FILE")) {
            Some(path) => PathBuf::from(path),
            None => {
                let folder =
                    PathBuf::from(env.get("HA_VARLIB").unwrap_or("/var/lib/heartbeat")).join("trace_ra").join(agent);
                let stamp = chrono::Local::now().format("%Y-%m-%d.%H:%M:%S");
                folder.join(format!("{}.{}.{stamp}", instance.file_name(), action.name()))
            }
        };
        if let Some(folder) = path.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        let Ok(file) = OpenOptions::new().append(true).create(true).open(&path) else { return off };
        let trace = Self { out: Some(RefCell::new(file)), began };
        trace.step(&format!("{agent} {} {} pid {}", action.name(), instance.name(), std::process::id()));
        for (name, value) in params.given() {
            trace.step(&format!("parameter {name}={value}"));
        }
        trace
    }

    /// Writes one step.
    pub fn step(&self, text: &str) {
        let Some(out) = &self.out else { return };
        let line = format!("{:10.3} ms  {text}\n", self.began.elapsed().as_secs_f64() * 1e3);
        if let Ok(mut out) = out.try_borrow_mut() {
            let _ = out.write_all(line.as_bytes());
        }
    }
}
