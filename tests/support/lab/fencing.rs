//! The power switch behind the `fence_lab` agent: a socket in every node, by which the cluster cuts a node's power.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::enter::DIR;
use super::exec::Machine;
use super::node::Node;

/// One thing that the switch was asked for and did.
#[derive(Debug, Clone)]
pub struct Switched {
    /// When it was asked for.
    pub asked: Instant,
    /// When it was done.
    pub at: Instant,
    /// `on` or `off`.
    pub action: String,
    /// The node's short name.
    pub node: String,
}

/// The switch.
#[derive(Debug)]
pub struct Fencing {
    nodes: Vec<Arc<Node>>,
    broken: AtomicBool,
    done: Mutex<Vec<Switched>>,
}

impl Fencing {
    /// Starts to listen for the nodes' requests.
    pub fn start(nodes: Vec<Arc<Node>>) -> Result<Arc<Self>> {
        let dir = Path::new(DIR).join("node");
        fs::create_dir_all(&dir).context("create the folder of the power socket")?;
        let listener = UnixListener::bind(dir.join("power")).context("bind the power socket")?;
        let fencing = Arc::new(Self { nodes, broken: AtomicBool::new(false), done: Mutex::default() });
        let switch = Arc::clone(&fencing);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let switch = Arc::clone(&switch);
                std::thread::spawn(move || switch.serve(connection));
            }
        });
        Ok(fencing)
    }

    /// Makes the switch refuse everything (true), as when it has lost its own power, or work again.
    pub fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }

    /// What the switch did so far, oldest first.
    pub fn done(&self) -> Vec<Switched> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often it cut a node's power.
    pub fn times_off(&self, node: &str) -> usize {
        self.done().iter().filter(|done| done.action == "off" && done.node == node).count()
    }

    fn serve(&self, mut connection: UnixStream) -> Result<()> {
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut line = String::new();
        BufReader::new(&connection).read_line(&mut line)?;
        let answer = match self.answer(line.trim()) {
            Ok(said) => format!("ok {said}\n"),
            Err(error) => format!("error {error:#}\n"),
        };
        Ok(connection.write_all(answer.as_bytes())?)
    }

    fn answer(&self, line: &str) -> Result<String> {
        let asked = Instant::now();
        let (action, node) = line.split_once(' ').unwrap_or((line, ""));
        if self.broken.load(Ordering::SeqCst) {
            bail!("the power switch does not work");
        }
        if action == "list" {
            return Ok(self.nodes.iter().map(|node| node.name()).collect::<Vec<_>>().join(" "));
        }
        let short = node.strip_suffix(".priv").unwrap_or(node);
        let node = self.nodes.iter().find(|node| node.name() == short);
        let node = node.with_context(|| format!("there is no node {short}"))?;
        match action {
            "status" => return Ok(if node.is_on() { "on" } else { "off" }.to_owned()),
            "on" => node.power_on()?,
            "off" => {
                node.kill()?;
                if node.is_on() {
                    bail!("{short} still has a process or a link");
                }
            }
            _ => bail!("unknown action {action}"),
        }
        let done = Switched { asked, at: Instant::now(), action: action.to_owned(), node: short.to_owned() };
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push(done);
        Ok(action.to_owned())
    }
}
