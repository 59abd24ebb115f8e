//! What the cluster says of itself, as one of its nodes sees it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::exec::Machine;
use super::node::Node;
use super::xml::Element;

/// How often a condition is looked at.
const PAUSE: Duration = Duration::from_millis(200);

/// A node in the view of the cluster.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name in the cluster, such as `osm1.priv`.
    pub name: String,
    /// Whether it takes part.
    pub online: bool,
    /// Whether it joined, but not yet to the end.
    pub pending: bool,
    /// Whether it has to be fenced.
    pub unclean: bool,
    /// Whether it may run resources.
    pub standby: bool,
}

/// An instance of a primitive resource.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its id, without the number of a clone's instance.
    pub id: String,
    /// Its agent, such as `ocf:heartbeat:IPaddr2`.
    pub agent: String,
    /// `Started`, `Stopped`, `Promoted` and so on.
    pub role: String,
    /// Whether an operation of it failed.
    pub failed: bool,
    /// The nodes that run it, by their names in the cluster.
    pub nodes: Vec<String>,
}

/// A failed operation, until it is cleaned up.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Resource, operation and interval, such as `vip_monitor_10000`.
    pub operation: String,
    /// The node where it failed.
    pub node: String,
    /// The exit code.
    pub code: i32,
    /// The exit reason.
    pub reason: String,
}

/// A fencing action, pending or done.
#[derive(Debug, Clone)]
pub struct Fenced {
    /// The node that was or is to be fenced.
    pub target: String,
    /// `reboot`, `off` and so on.
    pub action: String,
    /// `success`, `failed` or `pending`.
    pub status: String,
}

/// One look at the cluster.
#[derive(Debug, Clone)]
pub struct Status {
    /// Whether this partition has quorum.
    pub quorum: bool,
    /// The designated coordinator; empty when there is none.
    pub dc: String,
    /// All nodes.
    pub members: Vec<Member>,
    /// All instances of primitive resources.
    pub resources: Vec<Resource>,
    /// All failed operations that are still listed; also those that only report degradation (190).
    pub failures: Vec<Failure>,
    /// The fencing history, newest first.
    pub fencing: Vec<Fenced>,
}

impl Status {
    /// Asks `crm_mon` on that node.
    pub fn seen_by(node: &Node) -> Result<Self> {
        let argv = ["crm_mon", "--one-shot", "--inactive", "--fence-history=3", "--output-as=xml"];
        let text = node.run_within(Duration::from_secs(20), &argv)?;
        Self::parse(&text).with_context(|| format!("understand crm_mon of {}", node.name()))
    }

    fn parse(text: &str) -> Result<Self> {
        let document = Element::parse(text)?;
        let under = |part: &str, name: &str| -> Vec<Element> {
            document.child(part).map(|part| part.all(name).into_iter().cloned().collect()).unwrap_or_default()
        };
        let dc = under("summary", "current_dc").into_iter().next().context("no summary")?;
        Ok(Self {
            quorum: dc.is("with_quorum"),
            dc: dc.get("name").to_owned(),
            members: under("nodes", "node").iter().map(member).collect(),
            resources: under("resources", "resource").iter().map(resource).collect(),
            failures: under("failures", "failure").iter().map(failure).collect(),
            fencing: under("fence_history", "fence_event").iter().map(fenced).collect(),
        })
    }

    /// The names of the nodes that take part fully.
    pub fn online(&self) -> Vec<&str> {
        let full = |member: &&Member| member.online && !member.pending && !member.unclean;
        self.members.iter().filter(full).map(|member| member.name.as_str()).collect()
    }

    /// The nodes that run a resource.
    pub fn nodes_of(&self, id: &str) -> Vec<&str> {
        let instances = self.resources.iter().filter(|resource| resource.id == id);
        instances.flat_map(|resource| resource.nodes.iter().map(String::as_str)).collect()
    }

    /// Whether a resource runs on that node alone.
    pub fn runs_only_on(&self, id: &str, node: &Node) -> bool {
        self.nodes_of(id) == [node.cluster_name()]
    }

    /// How often that node was fenced with success.
    pub fn times_fenced(&self, node: &Node) -> usize {
        let name = node.cluster_name();
        self.fencing.iter().filter(|fenced| fenced.target == name && fenced.status == "success").count()
    }
}

fn member(element: &Element) -> Member {
    Member {
        name: element.get("name").to_owned(),
        online: element.is("online"),
        pending: element.is("pending"),
        unclean: element.is("unclean"),
        standby: element.is("standby"),
    }
}

fn resource(element: &Element) -> Resource {
    let id = element.get("id");
    Resource {
        id: id.split(':').next().unwrap_or(id).to_owned(),
        agent: element.get("resource_agent").to_owned(),
        role: element.get("role").to_owned(),
        failed: element.is("failed"),
        nodes: element.all("node").iter().map(|node| node.get("name").to_owned()).collect(),
    }
}

fn failure(element: &Element) -> Failure {
    let key = if element.get("op_key").is_empty() { element.get("id") } else { element.get("op_key") };
    Failure {
        operation: key.to_owned(),
        node: element.get("node").to_owned(),
        code: element.get("exitcode").parse().unwrap_or(-1),
        reason: element.get("exitreason").to_owned(),
    }
}

fn fenced(element: &Element) -> Fenced {
    Fenced {
        target: element.get("target").to_owned(),
        action: element.get("action").to_owned(),
        status: element.get("status").to_owned(),
    }
}

/// Waits until a condition holds; how long that took. An error of the condition counts as not yet and is part of the
/// message when the time is over.
pub fn wait_for(limit: Duration, what: &str, mut condition: impl FnMut() -> Result<bool>) -> Result<Duration> {
    let started = Instant::now();
    loop {
        let last = condition();
        if matches!(last, Ok(true)) {
            return Ok(started.elapsed());
        }
        if started.elapsed() > limit {
            let cause = last.err().map(|error| format!(" (last: {error:#})")).unwrap_or_default();
            bail!("waited {} s in vain for: {what}{cause}", limit.as_secs());
        }
        std::thread::sleep(PAUSE);
    }
}

/// Waits until the cluster, as that node sees it, has nothing left to do.
pub fn wait_idle(node: &Node, limit: Duration) -> Result<()> {
    let timeout = format!("--timeout={}", limit.as_secs());
    node.run_within(limit + Duration::from_secs(5), &["crm_resource", "--wait", &timeout])?;
    Ok(())
}
