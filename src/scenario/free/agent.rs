//! Agents of resources: which there may be.

use crate::agents;
use crate::scenario::fault::Fault;
use crate::scenario::reader::Word;

/// What an agent is called, as the end of "must be ...".
pub(super) const AGENT: &str = "an agent like ocf:heartbeat:apache, systemd:nginx or lsb:NAME";

/// Complains about an agent that no resource may be of.
pub(super) fn check(agent: &Word<'_>) -> Result<(), Fault> {
    fault(&agent.text).map_or(Ok(()), |reason| Err(agent.fault(reason)))
}

/// Why no resource may be of that agent; none: it may.
pub fn fault(agent: &str) -> Option<String> {
    let plain = |part: &&str| {
        !part.is_empty()
            && part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.@-".contains(&b))
    };
    let parts: Vec<&str> = agent.split(':').collect();
    if parts.first() == Some(&"stonith") || agent.starts_with("fence_") {
        return Some("switches nodes off: that is for [[fencing]]".into());
    }
    if agent == "ocf:pacemaker:remote" {
        return Some("makes a remote node: that is for [[remote]]".into());
    }
    let known = match parts.as_slice() {
        ["ocf", provider, name] => plain(provider) && plain(name),
        ["systemd" | "lsb" | "service", name] => plain(name),
        _ => false,
    };
    if !known {
        return Some(format!("\"{}\" is not allowed: must be {AGENT}", agent.escape_debug()));
    }
    if let Some(name) = agent.strip_prefix("ocf:inuvika:").filter(|name| agents::find(name).is_none()) {
        let names: Vec<_> = agents::specs().map(|spec| spec.name).collect();
        return Some(format!("there is no agent {name} of inuvika: there are {}", names.join(", ")));
    }
    None
}
