//! Files in TOML that people write: read by name of key, complained about by file, line and column.

pub mod fault;
pub mod reader;
