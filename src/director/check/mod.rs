//! Questions to real servers, and their answers.

pub mod question;
