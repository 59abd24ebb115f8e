//! What Pacemaker says of an event, in the variables CRM_alert_* of an alert agent's environment (Pacemaker Explained,
//! "Writing an Alert Agent").

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The prefix of the variables.
pub const PREFIX: &str = "CRM_alert_";
/// Longest text kept of a variable, in characters: they come from agents and may be of any length.
const TEXT_MAX: usize = 500;
/// How far apart in milliseconds two nodes may see the same event, their clocks' difference included. A node that is lost again
/// has been back in between, which takes longer: of two events that are taken for one, one would be told by nobody.
const APART: u64 = 10_000;
/// The same for an event that has a number of its own.
const APART_NUMBERED: u64 = 600_000;
/// The status of an operation that was cancelled (PCMK_EXEC_CANCELLED).
const CANCELLED: i32 = 1;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A node was lost or became a member. Every node raises it.
    Node,
    /// A node was fenced, or could not be. Every node raises it.
    Fencing,
    /// An operation of a resource ended. The node that ran it raises it.
    Resource,
    /// A node attribute changed. One node raises it.
    Attribute,
    /// None of the cluster: an administrator tries whether messages arrive.
    Test,
}

/// Which events of resources are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resources {
    /// Operations that did not end as the cluster expected.
    #[default]
    Failures,
    /// Every operation.
    All,
    /// None.
    None,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What it is about.
    pub kind: Kind,
    /// The node that is affected.
    pub node: String,
    /// When it happened, in milliseconds since 1970, by the clock of the node that raised it.
    pub time: u64,
    /// What Pacemaker calls it: `lost`, `ok`, `Timed Out` ...
    pub desc: String,
    /// The result code; for resources an OCF exit code.
    pub rc: Option<i32>,
    /// The result code that was expected.
    pub target_rc: Option<i32>,
    /// How the operation was carried out, by Pacemaker's numbers: 0 done, 1 cancelled, 2 timed out ...
    pub status: Option<i32>,
    /// The operation.
    pub task: String,
    /// The resource.
    pub resource: String,
    /// How often the operation is repeated, in milliseconds; 0 for once.
    pub interval: Option<u64>,
    /// How long the operation took, in milliseconds.
    pub took: Option<u64>,
    /// The attribute's name.
    pub attribute: String,
    /// The attribute's value.
    pub value: String,
    /// Whom the cluster's configuration names as recipient; empty for none.
    pub recipient: String,
}

impl Event {
    /// The event that the variables tell; `get` returns one by its full name. None when they tell of none: a kind that is
    /// missing or unknown to us.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Option<Event> {
        let text = |name: &str| clean(&get(&format!("{PREFIX}{name}")).unwrap_or_default());
        let number = |name: &str| text(name).parse::<i32>().ok();
        let long = |name: &str| text(name).parse::<u64>().ok();
        let kind = match text("kind").as_str() {
            "node" => Kind::Node,
            "fencing" => Kind::Fencing,
            "resource" => Kind::Resource,
            "attribute" => Kind::Attribute,
            _ => return None,
        };
        // The node's clock when Pacemaker is too old to say: then it is now.
        let time = long("timestamp_epoch").map(|seconds| {
            let micros = long("timestamp_usec").unwrap_or_default().min(999_999);
            seconds.saturating_mul(1000).saturating_add(micros / 1000)
        });
        Some(Event {
            kind,
            node: text("node"),
            time: time.unwrap_or_else(now),
            desc: text("desc"),
            rc: number("rc"),
            target_rc: number("target_rc"),
            status: number("status"),
            task: text("task"),
            resource: text("rsc"),
            interval: long("interval"),
            took: long("exec_time"),
            attribute: text("attribute_name"),
            value: text("attribute_value"),
            recipient: text("recipient"),
        })
    }

    /// An event that an administrator makes.
    pub fn test(node: &str, recipient: &str) -> Event {
        Event {
            kind: Kind::Test,
            node: clean(node),
            time: now(),
            desc: "somebody tries whether messages arrive".to_owned(),
            rc: None,
            target_rc: None,
            status: None,
            task: String::new(),
            resource: String::new(),
            interval: None,
            took: None,
            attribute: String::new(),
            value: String::new(),
            recipient: clean(recipient),
        }
    }

    /// Whether every node of the cluster raises it.
    pub fn is_everywhere(&self) -> bool {
        matches!(self.kind, Kind::Node | Kind::Fencing)
    }

    /// Whether something went wrong: an operation that ended otherwise than expected, a node that is gone, a fencing that
    /// failed. What a probe finds is no failure.
    pub fn is_failure(&self) -> bool {
        match self.kind {
            Kind::Node => self.desc != "member",
            Kind::Fencing => self.rc != Some(0),
            Kind::Resource if self.status == Some(CANCELLED) => false,
            Kind::Resource if self.is_probe() => !matches!(self.rc, Some(0 | 5 | 7 | 8 | 190)),
            Kind::Resource => self.rc != self.target_rc || self.status.is_some_and(|status| status != 0),
            Kind::Attribute | Kind::Test => false,
        }
    }

    fn is_probe(&self) -> bool {
        self.task == "monitor" && self.interval == Some(0)
    }

    /// Whether it is to be told at all.
    pub fn is_worth(&self, resources: Resources) -> bool {
        match (self.kind, resources) {
            (Kind::Resource, Resources::Failures) => self.is_failure(),
            (Kind::Resource, Resources::All) => self.status != Some(CANCELLED),
            (Kind::Resource, Resources::None) => false,
            // What this agent tells the other nodes by an attribute of its own is nobody's business.
            (Kind::Attribute, _) => self.attribute != super::told::ATTRIBUTE,
            _ => true,
        }
    }

    /// The same text on every node that raises this event for the same recipient.
    pub fn identity(&self) -> String {
        let what = match (self.kind, self.number()) {
            (_, Some(number)) => number.to_owned(),
            (Kind::Fencing, None) => format!("{} {}", self.node, self.task),
            _ => format!("{} {}", self.node, self.desc),
        };
        format!("{:?} {what} {}", self.kind, self.recipient)
    }

    /// Whether an event of the same identity that somebody saw at `other` (ms) is this one.
    pub fn is_near(&self, other: u64) -> bool {
        self.time.abs_diff(other) <= if self.number().is_some() { APART_NUMBERED } else { APART }
    }

    /// The fencer's own number of this one operation.
    fn number(&self) -> Option<&str> {
        let (_, number) = self.desc.split_once("ref=").filter(|_| self.kind == Kind::Fencing)?;
        Some(number.trim_end_matches(')'))
    }

    /// When it happened, as time of this node.
    pub fn when(&self) -> chrono::DateTime<chrono::Local> {
        (UNIX_EPOCH + Duration::from_millis(self.time)).into()
    }
}

/// Now, in milliseconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// One line of bounded length: what a variable holds comes from agents and administrators.
fn clean(text: &str) -> String {
    text.trim().chars().take(TEXT_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn event(pairs: &[(&str, &str)]) -> Option<Event> {
        Event::read(|name| {
            pairs.iter().find(|(key, _)| name == format!("{PREFIX}{key}")).map(|(_, value)| (*value).to_owned())
        })
    }

    fn monitor(rc: &str, status: &str, interval: &str) -> Event {
        let pairs =
            [("kind", "resource"), ("node", "osm1"), ("rsc", "web"), ("task", "monitor"), ("interval", interval)];
        let ended = [("rc", rc), ("target_rc", if interval == "0" { "7" } else { "0" }), ("status", status)];
        event(&[&pairs[..], &ended[..]].concat()).unwrap()
    }

    #[test]
    fn what_is_no_event_is_none() {
        assert_eq!(event(&[]), None);
        assert_eq!(event(&[("kind", "weather")]), None);
    }

    #[test]
    fn only_what_went_wrong_is_worth_a_message() {
        for (rc, status, interval, worth) in [
            ("0", "0", "10000", false),
            ("7", "0", "10000", true),
            ("190", "0", "10000", true),
            ("1", "2", "10000", true),
            ("0", "1", "10000", false),
            ("7", "0", "0", false),
            ("0", "0", "0", false),
            ("5", "0", "0", false),
            ("1", "0", "0", true),
        ] {
            let event = monitor(rc, status, interval);
            assert_eq!(event.is_worth(Resources::Failures), worth, "{rc} {status} {interval}");
            assert!(!event.is_worth(Resources::None));
        }
        assert!(monitor("0", "0", "10000").is_worth(Resources::All));
    }

    #[test]
    fn headlines_say_what_and_where() {
        assert_eq!(monitor("7", "0", "10000").headline(), "web on osm1: monitor found it stopped");
        assert_eq!(monitor("1", "2", "10000").headline(), "web on osm1: monitor timed out");
        let lost = event(&[("kind", "node"), ("node", "osm1"), ("desc", "lost")]).unwrap();
        assert_eq!(lost.headline(), "node osm1 is lost");
        assert!(lost.is_everywhere() && lost.is_failure());
    }

    #[test]
    fn a_fencing_is_known_by_its_number() {
        let desc = |by: &str| format!("Operation reboot of osm1 by {by}: OK (ref=4711-a)");
        let seen = |by: &str| event(&[("kind", "fencing"), ("node", "osm1"), ("desc", &desc(by))]).unwrap();
        assert_eq!(seen("osm2").identity(), seen("pcs3").identity());
        assert_eq!(Event { rc: Some(0), ..seen("osm2") }.headline(), "node osm1 was fenced (reboot)");
        assert!(seen("osm2").identity().contains("4711-a "), "{}", seen("osm2").identity());
    }

    #[test]
    fn no_line_break_gets_in() {
        let event =
            event(&[("kind", "node"), ("node", "a\r\nBcc: x"), ("timestamp_epoch", "12"), ("timestamp_usec", "34567")]);
        let event = event.unwrap();
        assert_eq!((event.node.as_str(), event.time), ("a  Bcc: x", 12_034));
    }
}
