//! Effects on the host: each type here knows nothing of agents.
