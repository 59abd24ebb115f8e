//! What Pacemaker 1.1 and pcs before 0.11 called otherwise.

/// Roles: the former name, and that of today.
pub const ROLES: [(&str, &str); 2] = [("Master", "Promoted"), ("Slave", "Unpromoted")];

/// Meta attributes of promotable resources (before Pacemaker 2.0).
pub const META: [(&str, &str); 2] = [("master-max", "promoted-max"), ("master-node-max", "promoted-node-max")];

/// The former name of something, by the name that it has today.
pub fn former<'a>(names: &[(&'static str, &str)], name: &'a str) -> &'a str
where
    'static: 'a,
{
    names.iter().find(|(_, today)| *today == name).map_or(name, |(former, _)| *former)
}

/// The name that something has today, by the former one.
pub fn today<'a>(names: &[(&str, &'static str)], name: &'a str) -> &'a str
where
    'static: 'a,
{
    names.iter().find(|(former, _)| *former == name).map_or(name, |(_, today)| *today)
}
