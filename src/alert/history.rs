//! What the CIB adds to an event: the cluster's name and the reason that an agent gave, which Pacemaker hands to no alert
//! agent.

use std::time::Duration;

use quick_xml::events::{BytesStart, Event as Xml};
use quick_xml::{Reader, XmlVersion};

use super::event::{Event, Kind};
use crate::ocf::deadline::Deadline;
use crate::sys::process;

/// How long the cluster may take to answer.
const LIMIT: Duration = Duration::from_secs(3);

/// A copy of the CIB.
#[derive(Debug, Clone, Default)]
pub struct History {
    cluster: String,
    failures: Vec<Failed>,
}

/// An operation that did not end well, as the CIB keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Failed {
    node: String,
    resource: String,
    operation: String,
    interval: Option<u64>,
    rc: Option<i32>,
    call: i64,
    reason: String,
}

impl History {
    /// Asks this node's copy of the CIB.
    ///
    /// # Errors
    /// One line.
    pub fn ask(deadline: &Deadline) -> Result<History, String> {
        let output =
            process::run("cibadmin", &["-Q"], None, &deadline.within(LIMIT)).map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("ask for the CIB: {}", output.reason()));
        }
        Ok(History::parse(&output.text()))
    }

    /// Reads it; what is damaged ends the reading and is no fault.
    fn parse(xml: &str) -> History {
        let mut reader = Reader::from_str(xml);
        let mut history = History::default();
        let (mut node, mut resource) = (String::new(), String::new());
        while let Ok(event) = reader.read_event() {
            let tag = match event {
                Xml::Start(tag) | Xml::Empty(tag) => tag,
                Xml::Eof => break,
                _ => continue,
            };
            match tag.name().as_ref() {
                "nvpair" if value(&tag, "name") == "cluster-name" => history.cluster = value(&tag, "value"),
                "node_state" => node = value(&tag, "uname"),
                "lrm_resource" => resource = value(&tag, "id"),
                "lrm_rsc_op" => history.failures.push(Failed {
                    node: node.clone(),
                    resource: resource.clone(),
                    operation: value(&tag, "operation"),
                    interval: value(&tag, "interval").parse().ok(),
                    rc: value(&tag, "rc-code").parse().ok(),
                    call: value(&tag, "call-id").parse().unwrap_or(-1),
                    reason: value(&tag, "exit-reason"),
                }),
                _ => {}
            }
        }
        history.failures.retain(|failed| !failed.reason.is_empty());
        history
    }

    /// The cluster's name; empty when it has none or was not asked.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The reason for this event that the agent gave.
    pub fn reason(&self, event: &Event) -> Option<&str> {
        if event.kind != Kind::Resource || !event.is_failure() {
            return None;
        }
        let same = |failed: &&Failed| {
            failed.node == event.node
                && bare(&failed.resource) == bare(&event.resource)
                && failed.operation == event.task
                && failed.rc == event.rc
                && (event.interval.is_none() || failed.interval == event.interval)
        };
        let found = self.failures.iter().filter(same).max_by_key(|failed| failed.call)?;
        Some(&found.reason)
    }
}

/// The id of a clone's instance without its number.
fn bare(id: &str) -> &str {
    match id.rsplit_once(':') {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => id,
    }
}

fn value(tag: &BytesStart<'_>, name: &str) -> String {
    let found = tag.try_get_attribute(name).ok().flatten();
    let text = found.and_then(|attribute| {
        attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
    });
    text.unwrap_or_default().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIB: &str = r#"<cib><configuration><crm_config><cluster_property_set id="a"><nvpair id="b" name="cluster-name" value="ovd-sm"/>
        </cluster_property_set></crm_config></configuration><status><node_state id="1" uname="osm1"><lrm id="1"><lrm_resources>
        <lrm_resource id="web:0" class="ocf"><lrm_rsc_op id="web_last_failure_0" operation="monitor" interval="10000" rc-code="1"
        call-id="7" exit-reason="page says &lt;error&gt;"/><lrm_rsc_op id="x" operation="monitor" interval="10000" rc-code="0" call-id="9"/>
        </lrm_resource></lrm_resources></lrm></node_state></status></cib>"#;

    fn failed(node: &str, rc: i32) -> Event {
        Event {
            kind: Kind::Resource,
            resource: "web".into(),
            task: "monitor".into(),
            interval: Some(10_000),
            rc: Some(rc),
            target_rc: Some(0),
            ..Event::test(node, "")
        }
    }

    #[test]
    fn the_reason_is_that_of_this_failure() {
        let history = History::parse(CIB);
        assert_eq!(history.cluster(), "ovd-sm");
        assert_eq!(history.reason(&failed("osm1", 1)), Some("page says <error>"));
        assert_eq!(history.reason(&failed("osm1", 7)), None);
        assert_eq!(history.reason(&failed("osm2", 1)), None);
    }

    #[test]
    fn half_a_document_is_no_panic() {
        for end in 0..CIB.len() {
            let _ = History::parse(&CIB[..end]);
        }
    }
}
