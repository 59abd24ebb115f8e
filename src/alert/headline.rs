//! What happened, in one line for people.

use super::event::{Event, Kind};

impl Event {
    /// One line that says what happened.
    pub fn headline(&self) -> String {
        let node = &self.node;
        match self.kind {
            Kind::Node => match self.desc.as_str() {
                "member" => format!("node {node} is a member again"),
                "lost" => format!("node {node} is lost"),
                desc => format!("node {node}: {desc}"),
            },
            Kind::Fencing if self.is_failure() => format!("fencing of {node} FAILED ({})", self.fencing_word()),
            Kind::Fencing => format!("node {node} was fenced ({})", self.fencing_word()),
            Kind::Resource => format!("{} on {node}: {} {}", self.resource, self.task_word(), self.verdict()),
            Kind::Attribute => format!("attribute {} of {node} is {:?}", self.attribute, self.value),
            Kind::Test => format!("test message from {node}"),
        }
    }

    fn task_word(&self) -> &str {
        if self.task.is_empty() { "no operation named" } else { &self.task }
    }

    /// What the fencer did. Pacemaker gives the name of its own message as the task, and `Operation reboot of ...` as text.
    fn fencing_word(&self) -> &str {
        let mut words = self.desc.split_whitespace();
        match (words.next(), words.next()) {
            (Some("Operation"), Some(word)) => word.trim_matches('\''),
            _ => self.task_word(),
        }
    }

    /// How the operation ended, in words.
    fn verdict(&self) -> String {
        if !self.is_failure() {
            return "ok".to_owned();
        }
        match (self.status, self.rc) {
            (Some(2), _) => "timed out".to_owned(),
            (_, Some(190 | 191)) => "says degraded".to_owned(),
            (_, Some(7)) if self.target_rc == Some(0) => "found it stopped".to_owned(),
            (_, Some(rc)) if !self.desc.is_empty() => format!("failed ({rc}, {})", self.desc),
            (_, Some(rc)) => format!("failed ({rc})"),
            (_, None) => format!("failed ({})", self.desc),
        }
    }
}
