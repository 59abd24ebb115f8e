//! Groups and clones of the scenario's own resources: they have no meta attributes but what the scenario says, as such a resource
//! has ([`Resource::whole`](super::plan::Resource::whole)).

use super::plan::{Plan, Step};
use crate::scenario::setup::clone_id;

/// A group or clone.
#[derive(Debug, PartialEq, Eq)]
pub struct Container<'a> {
    /// Its id.
    pub id: String,
    /// The meta attributes that it may have.
    pub meta: Vec<&'a str>,
    /// Whether it is a promotable clone.
    pub is_promotable: bool,
}

impl<'a> Container<'a> {
    /// The one that a step makes; none if others may add to it.
    pub fn of(step: &'a Step, plan: &Plan) -> Option<Container<'a>> {
        let (id, inner, meta, is_promotable) = match step {
            Step::Group { id, meta, .. } => (id.clone(), id, meta, false),
            Step::Clone { resource, meta } => (clone_id(resource), resource, meta, false),
            Step::Promotable { resource, meta } => (clone_id(resource), resource, meta, true),
            _ => return None,
        };
        let members = plan.steps().find_map(|step| match step {
            Step::Group { id, members, .. } if id == inner => Some(members.as_slice()),
            _ => None,
        });
        let members = members.unwrap_or(std::slice::from_ref(inner));
        let is_whole =
            |id: &String| plan.steps().any(|step| matches!(step, Step::Primitive(one) if one.id == *id && one.whole));
        let meta = meta.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name.as_str()).collect();
        members.iter().all(is_whole).then_some(Container { id, meta, is_promotable })
    }
}
