//! What a plan says of its resources' parameters, for those who need all of them.

use super::plan::{Plan, Resource, Setting, Step};

/// Every resource and fencing device of a plan, in order.
pub fn resources(plan: &Plan) -> impl Iterator<Item = &Resource> {
    plan.sections.iter().flat_map(|section| &section.steps).filter_map(|step| match step {
        Step::Primitive(resource) | Step::Stonith(resource) | Step::Remote(resource) => Some(resource),
        _ => None,
    })
}

/// Every secret: resource, option, file.
pub fn secrets(plan: &Plan) -> impl Iterator<Item = (&str, &str, &str)> {
    resources(plan).flat_map(|one| {
        one.params.iter().filter_map(|(name, setting)| match setting {
            Setting::SecretFile(path) => Some((one.id.as_str(), name.as_str(), path.as_str())),
            _ => None,
        })
    })
}

/// The options and meta attributes that must have no value: owner, name.
pub fn unset(plan: &Plan) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for one in resources(plan) {
        let names = one.params.iter().filter(|(_, setting)| matches!(setting, Setting::Unset)).map(|(name, _)| name);
        let meta = one.meta.iter().filter(|(_, value)| value.is_empty()).map(|(name, _)| name);
        all.extend(names.chain(meta).map(|name| (one.id.clone(), name.clone())));
    }
    for step in plan.sections.iter().flat_map(|section| &section.steps) {
        if let Step::Clone { resource, meta } = step {
            let id = crate::scenario::setup::clone_id(resource);
            all.extend(meta.iter().filter(|(_, value)| value.is_empty()).map(|(name, _)| (id.clone(), name.clone())));
        }
    }
    all
}
