//! What the caller says through the environment (OCF 1.1 "Resource Parameters", Pacemaker's services_linux.c).

use std::collections::BTreeMap;
use std::time::Duration;

/// The variables that matter, read once.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    vars: BTreeMap<String, String>,
}

/// The OCF_RESKEY_ prefix of parameters.
pub const PARAM_PREFIX: &str = "OCF_RESKEY_";

impl Environment {
    /// Takes the OCF, logging and tracing variables of this process; what is not UTF-8 arrives with replacement signs and
    /// then fails its parameter's check.
    pub fn of_process() -> Self {
        let wanted = |name: &str| name.starts_with("OCF_") || name.starts_with("HA_") || name.starts_with("PCMK_");
        std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .filter(|(name, _)| wanted(name))
            .collect::<Vec<_>>()
            .into()
    }

    /// A variable; an empty one counts as unset.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// A meta attribute of the operation or resource (dashes are underscores here).
    pub fn meta(&self, name: &str) -> Option<&str> {
        self.get(&format!("{PARAM_PREFIX}CRM_meta_{name}"))
    }

    /// A meta attribute in milliseconds.
    pub fn meta_ms(&self, name: &str) -> Option<Duration> {
        self.meta(name)?.trim().parse().ok().map(Duration::from_millis)
    }

    /// Parameters with the prefix taken off; Pacemaker's own additions are not among them.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars
            .range(PARAM_PREFIX.to_owned()..)
            .map_while(|(name, value)| Some((name.strip_prefix(PARAM_PREFIX)?, value.as_str())))
            .filter(|(name, _)| !name.starts_with("CRM_meta_"))
    }

    /// The check level: OCF_CHECK_LEVEL, or what old managers and crmsh's `depth=` make of it; 0 when absent.
    pub fn check_level(&self) -> u8 {
        ["OCF_CHECK_LEVEL", "OCF_RESKEY_OCF_CHECK_LEVEL", "OCF_RESKEY_depth"]
            .iter()
            .find_map(|name| self.get(name))
            .and_then(|level| level.trim().parse().ok())
            .unwrap_or(0)
    }

    /// Whether the executor knows exit code 190: crm_feature_set 3.6.1 or later. Manual runs have none and do.
    pub fn knows_degraded(&self) -> bool {
        let Some(set) = self.get("OCF_RESKEY_crm_feature_set") else { return true };
        let mut parts = set.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let version = [parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0)];
        version >= [3, 6, 1]
    }
}

impl From<Vec<(String, String)>> for Environment {
    fn from(vars: Vec<(String, String)>) -> Self {
        Self { vars: vars.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>().into()
    }

    #[test]
    fn parameters_are_told_from_pacemakers_own_variables() {
        let env = env(&[
            ("OCF_RESKEY_virtual_ip", "10.20.1.10"),
            ("OCF_RESKEY_CRM_meta_timeout", "20000"),
            ("OCF_RESOURCE_INSTANCE", "x"),
        ]);
        assert_eq!(env.parameters().collect::<Vec<_>>(), [("virtual_ip", "10.20.1.10")]);
        assert_eq!(env.meta_ms("timeout"), Some(Duration::from_secs(20)));
    }

    #[test]
    fn degraded_is_known_from_feature_set_3_6_1() {
        for (set, known) in [("3.0.14", false), ("3.6.0", false), ("3.6.1", true), ("3.16.2", true), ("3.19", true)] {
            assert_eq!(env(&[("OCF_RESKEY_crm_feature_set", set)]).knows_degraded(), known, "{set}");
        }
        assert!(env(&[]).knows_degraded());
    }

    #[test]
    fn the_check_level_has_three_spellings() {
        assert_eq!(env(&[("OCF_CHECK_LEVEL", "10")]).check_level(), 10);
        assert_eq!(env(&[("OCF_RESKEY_depth", "20")]).check_level(), 20);
        assert_eq!(env(&[("OCF_CHECK_LEVEL", "deep")]).check_level(), 0);
    }
}
