//! Whether real servers are well: questions to many of them at once, each with one limit for all of it.
//!
//! A server that says nothing, or one byte a second, costs its question's limit and no more; 1,000 of them cost the
//! round's. Nothing here decides what becomes of a server: that takes more than one answer.

pub mod answer;
mod command;
mod http;
mod limits;
pub mod question;
mod round;
mod statuses;
mod tcp;
mod tls;

pub use answer::{Answer, Verdict};
pub use limits::Limits;
pub use question::{BodyMatch, Method, Question};
pub use round::ask;
pub use statuses::Statuses;
