//! Files that people write: TOML, read by name of key and complained about by file, line and column; XML as a tree.

pub mod element;
pub mod fault;
pub mod reader;
pub mod tree;
