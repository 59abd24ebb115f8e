//! Scenario to pcs commands.
