//! What a person at a command line gets besides an agent's own actions: parameters from the cluster, and a refusal to do
//! by hand what Pacemaker does. Neither is for the links, which Pacemaker calls, nor for the LSB scripts.

use std::time::Duration;

use anyhow::Context;

use super::Failure;
use crate::cluster::managed::{self, Configuration, Resource};
use crate::ocf::action::Action;
use crate::ocf::by_hand::ByHand;
use crate::ocf::deadline::Deadline;
use crate::ocf::instance::Instance;
use crate::ocf::params::seconds;
use crate::out;
use crate::sys::process;

/// A cluster that does not say so by then keeps nobody from anything.
const PATIENCE: Duration = Duration::from_secs(1);
/// Who wants its parameters can wait.
const LONG: Duration = Duration::from_secs(10);

/// The words after an agent's name, without the options that are not the agent's own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// What the agent gets.
    pub rest: Vec<String>,
    /// `--force`: do it all the same.
    pub force: bool,
    /// `--resource ID`: with the parameters that the cluster has for it.
    pub resource: Option<String>,
}

impl Words {
    /// Takes the options out.
    pub fn parse(words: &[String]) -> Result<Self, Failure> {
        let mut found = Self { rest: Vec::new(), force: false, resource: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--force" => found.force = true,
                "--resource" => {
                    let id = words.next().ok_or_else(|| input("--resource needs the id of a resource".into()))?;
                    found.resource = Some(id.clone());
                }
                other => match other.strip_prefix("--resource=") {
                    Some(id) => found.resource = Some(id.to_owned()),
                    None => found.rest.push(word.clone()),
                },
            }
        }
        Ok(found)
    }

    fn action(&self) -> Option<Action> {
        Action::parse(self.rest.first()?)
    }

    /// Refuses what Pacemaker would undo, or take for a failure: a resource of that name, and without a name any of the agent.
    /// So is a name that the cluster does not have, as long as it manages others of the agent: a slip of the pen would stop the one
    /// Apache or lsyncd of this host all the same. Who means an instance of their own has `--force`.
    pub fn guard(&self, agent: &str) -> Result<(), Failure> {
        let (Some(action @ (Action::Start | Action::Stop | Action::ReloadAgent)), false) = (self.action(), self.force)
        else {
            return Ok(());
        };
        let all = managed::on_this_node(&Deadline::after(PATIENCE));
        let verdict = judge(&all, agent, &self.names(std::env::var("OCF_RESOURCE_INSTANCE").ok()));
        let refused = match verdict {
            Verdict::Free => return Ok(()),
            Verdict::Foreign { name, managed } => {
                format!("the cluster has no resource {name}, but manages {managed}: mind the name, or --force")
            }
            Verdict::Managed(resource) => {
                format!("Pacemaker manages {}: use '{}', or --force", resource.id, instead(action, &resource.id))
            }
            Verdict::Other(resource) => {
                format!("{} is {} in this cluster: use another --instance, or --force", resource.id, resource.agent)
            }
        };
        Err(input(format!("{} of {agent} by hand is refused: {refused}", action.name())))
    }

    /// The names of what is acted on, as the agent takes them; `inherited` is that of the environment.
    fn names(&self, inherited: Option<String>) -> Vec<Instance> {
        let options = self.rest.get(1..).map(ByHand::parse).and_then(Result::ok).unwrap_or_default();
        let own = [options.instance, self.resource.clone()].into_iter().flatten();
        let mut names: Vec<Instance> = own.map(|name| Instance::new(&name)).collect();
        if names.is_empty() {
            names.extend(inherited.filter(|name| !name.is_empty()).map(|name| Instance::new(&name)));
        }
        names
    }

    /// The words for the agent, with what the cluster has for the resource. What is given by hand counts more.
    pub fn filled(&self, agent: &str) -> Result<Vec<String>, Failure> {
        let (Some(id), [action, rest @ ..]) = (&self.resource, self.rest.as_slice()) else {
            return Ok(self.rest.clone());
        };
        let configuration = Configuration::ask(&Deadline::after(LONG)).map_err(anyhow::Error::from)?;
        let resource = pick(configuration.resources(), id, agent)?;
        if resource.has_rules {
            out::stderr(&format!(
                "note: parameters of {id} that depend on a rule are left out: give them by --param\n"
            ));
        }
        let params = resource.revealed().context("take the parameters from the cluster")?;
        let mut words = vec![action.clone(), "--instance".to_owned(), id.clone()];
        for (name, value) in params {
            words.extend(["--param".to_owned(), format!("{name}={value}")]);
        }
        let depth = ByHand::parse(rest).ok().and_then(|options| options.depth).unwrap_or(0);
        let name = self.action().map_or("", Action::name);
        if let Some(timeout) = resource.timeout(name, depth).and_then(seconds).filter(|timeout| *timeout > 0) {
            words.extend(["--timeout".to_owned(), timeout.to_string()]);
        }
        words.extend(rest.iter().cloned());
        Ok(words)
    }
}

/// What the cluster has to do with an action by hand.
#[derive(Debug, PartialEq, Eq)]
enum Verdict<'a> {
    /// Nothing.
    Free,
    /// It manages others of the same agent than the one that is named.
    Foreign { name: String, managed: String },
    /// It manages this one.
    Managed(&'a Resource),
    /// It has something else of that name.
    Other(&'a Resource),
}

/// `names` are what is to be acted on; none means whatever there is of the agent.
fn judge<'a>(all: &'a [Resource], agent: &str, names: &[Instance]) -> Verdict<'a> {
    let is_ours = |resource: &&Resource| resource.agent == full(agent) || is_script(resource, agent);
    let mut ours = all.iter().filter(is_ours);
    if names.is_empty() {
        return ours.find(|resource| resource.is_managed).map_or(Verdict::Free, Verdict::Managed);
    }
    let called = |resource: &&Resource, name: &Instance| {
        // A script has its own name for what it runs.
        resource.id == name.name() || (is_script(resource, agent) && agent == name.name())
    };
    let of_name: Vec<&Resource> =
        names.iter().flat_map(|name| all.iter().filter(move |resource| called(resource, name))).collect();
    let managed = of_name.iter().find(|resource| resource.is_managed && is_ours(resource));
    if let Some(resource) = managed {
        return Verdict::Managed(resource);
    }
    if let Some(resource) = of_name.iter().find(|resource| !is_ours(resource)) {
        return Verdict::Other(resource);
    }
    let others: Vec<&str> = ours.filter(|resource| resource.is_managed).map(|resource| resource.id.as_str()).collect();
    match names.first() {
        Some(name) if of_name.is_empty() && !others.is_empty() => {
            Verdict::Foreign { name: name.name().to_owned(), managed: others.join(", ") }
        }
        _ => Verdict::Free,
    }
}

/// Whether it is the agent's script in /etc/init.d.
fn is_script(resource: &Resource, agent: &str) -> bool {
    ["lsb", "service"].iter().any(|class| resource.agent.split_once(':') == Some((class, agent)))
}

fn pick(all: Vec<Resource>, id: &str, agent: &str) -> Result<Resource, Failure> {
    let full = full(agent);
    let known: Vec<&str> = all.iter().filter(|other| other.agent == full).map(|other| other.id.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    match all.iter().find(|resource| resource.id == id) {
        Some(resource) if resource.agent == full => Ok(resource.clone()),
        Some(resource) => Err(input(format!("{id} is {}: of {full} there are: {known}", resource.agent))),
        None => Err(input(format!("the cluster has no resource {id}: of {full} there are: {known}"))),
    }
}

/// The command that has the cluster do it, of the tool that this node has.
fn instead(action: Action, id: &str) -> String {
    let has = |tool: &str| process::find(tool).is_some();
    match (action, has("pcs"), has("crm")) {
        (Action::Stop, true, _) => format!("pcs resource disable {id}"),
        (Action::Start, true, _) => format!("pcs resource enable {id}"),
        (_, true, _) => format!("pcs resource update {id} NAME=VALUE"),
        (Action::Stop, _, true) => format!("crm resource stop {id}"),
        (Action::Start, _, true) => format!("crm resource start {id}"),
        (_, _, true) => format!("crm resource param {id} set NAME VALUE"),
        (Action::Stop, ..) => format!("crm_resource -r {id} -m -p target-role -v Stopped"),
        (Action::Start, ..) => format!("crm_resource -r {id} -m -p target-role -v Started"),
        _ => format!("crm_resource -r {id} -p NAME -v VALUE"),
    }
}

fn full(agent: &str) -> String {
    format!("ocf:inuvika:{agent}")
}

fn input(text: String) -> Failure {
    Failure::Input(format!("inuvika-ha: {text}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn only_our_options_are_taken_out() {
        let words = ["monitor", "--resource=a", "--depth", "10", "--force", "--param", "x=--force"];
        let words: Vec<String> = words.map(str::to_owned).to_vec();
        let found = Words::parse(&words).unwrap();
        assert!(found.force && found.resource.as_deref() == Some("a"));
        assert_eq!(found.rest, ["monitor", "--depth", "10", "--param", "x=--force"]);
        assert!(Words::parse(&["monitor".to_owned(), "--resource".to_owned()]).is_err());
    }
    fn resource(id: &str, agent: &str, is_managed: bool) -> Resource {
        let (params, operations) = (Vec::new(), Vec::new());
        Resource { id: id.to_owned(), agent: agent.to_owned(), params, operations, has_rules: false, is_managed }
    }

    #[test]
    fn only_what_the_cluster_manages_is_guarded() {
        let all = [
            resource("vip", "ocf:heartbeat:IPaddr2", true),
            resource("resting", "ocf:inuvika:ovd-vip-src", false),
            resource("vip_src", "ocf:inuvika:ovd-vip-src", true),
            resource("director", "lsb:lvs-director", true),
        ];
        let verdict = |agent: &str, names: &[&str]| {
            let names: Vec<Instance> = names.iter().map(|name| Instance::new(name)).collect();
            match judge(&all, agent, &names) {
                Verdict::Free => "free".to_owned(),
                Verdict::Foreign { name, managed } => format!("{name} beside {managed}"),
                Verdict::Managed(resource) => format!("managed {}", resource.id),
                Verdict::Other(resource) => format!("other {}", resource.id),
            }
        };
        for (agent, names, wanted) in [
            ("ovd-vip-src", &[][..], "managed vip_src"),
            ("ovd-vip-src", &["vip_src"], "managed vip_src"),
            ("ovd-vip-src", &["vip_src:0"], "managed vip_src"),
            ("ovd-vip-src", &["mine", "vip_src"], "managed vip_src"),
            ("ovd-vip-src", &["resting"], "free"),
            ("ovd-vip-src", &["mine"], "mine beside vip_src"),
            ("ovd-vip-src", &["vip"], "other vip"),
            ("ovd-osm", &[], "free"),
            ("ovd-osm", &["mine"], "free"),
            ("ovd-osm", &["vip_src"], "other vip_src"),
            ("lvs-director", &[], "managed director"),
            ("lvs-director", &["lvs-director"], "managed director"),
        ] {
            assert_eq!(verdict(agent, names), wanted, "{agent} {names:?}");
        }
    }

    #[test]
    fn the_environment_names_it_where_nothing_else_does() {
        let names = |words: &[&str], inherited: Option<&str>| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let found = Words::parse(&words).unwrap().names(inherited.map(str::to_owned));
            found.iter().map(|name| name.name().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&["stop"], Some("a:1")), ["a"]);
        assert_eq!(names(&["stop", "--instance", "b"], Some("a")), ["b"]);
        assert_eq!(names(&["stop", "--resource=c", "--instance=b"], Some("a")), ["b", "c"]);
        assert!(names(&["stop"], None).is_empty());
    }
}
