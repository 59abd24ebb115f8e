//! Questions to real servers, and their answers.

mod answer;
mod question;
mod statuses;

pub use answer::{Answer, Verdict};
pub use question::{BodyMatch, Method, Question};
pub use statuses::Statuses;
