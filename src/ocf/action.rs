//! The actions an agent can be asked for.

/// An OCF action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Bring it up; returns when it really answers.
    Start,
    /// Bring it down; 0 only when nothing is left.
    Stop,
    /// Look, change nothing. `status` is taken as the same.
    Monitor,
    /// Print the description.
    MetaData,
    /// Check the parameters (level 0), and this host too (level 10).
    ValidateAll,
    /// Make changed reloadable parameters effective.
    ReloadAgent,
    /// Print how to use it.
    Help,
}

impl Action {
    /// The action called `name`; none when there is no such action (exit code 3).
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "start" => Action::Start,
            "stop" => Action::Stop,
            "monitor" | "status" => Action::Monitor,
            "meta-data" => Action::MetaData,
            "validate-all" => Action::ValidateAll,
            "reload-agent" => Action::ReloadAgent,
            "help" | "usage" | "--help" | "-h" => Action::Help,
            _ => return None,
        })
    }

    /// The name in logs and file names.
    pub fn name(self) -> &'static str {
        match self {
            Action::Start => "start",
            Action::Stop => "stop",
            Action::Monitor => "monitor",
            Action::MetaData => "meta-data",
            Action::ValidateAll => "validate-all",
            Action::ReloadAgent => "reload-agent",
            Action::Help => "help",
        }
    }
}
