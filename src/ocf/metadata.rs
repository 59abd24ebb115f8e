//! Meta-data: the agent's table as the XML that Pacemaker, pcs, crmsh and ocf-tester all accept.
//!
//! The four disagree, so: a complete internal DTD (ocf-tester validates and knows no OCF 1.1), no `encoding` (crmsh cannot
//! read it), `unique` beside `unique-group` (pcs 0.9 and crmsh), no attribute beyond OCF 1.1 (pcs refuses the agent), a
//! `depth` on every monitor (crmsh).

use std::fmt::Write;

use super::spec::{ActionSpec, Kind, Param, Spec};
use super::xml::escape;

const HEAD: &str = r#"<?xml version="1.0"?>
<!DOCTYPE resource-agent [
<!ELEMENT resource-agent (version,longdesc*,shortdesc*,parameters,actions,special?)>
<!ATTLIST resource-agent name CDATA #REQUIRED version CDATA #IMPLIED>
<!ELEMENT version (#PCDATA)>
<!ELEMENT longdesc (#PCDATA)>
<!ATTLIST longdesc lang NMTOKEN #REQUIRED>
<!ELEMENT shortdesc (#PCDATA)>
<!ATTLIST shortdesc lang NMTOKEN #REQUIRED>
<!ELEMENT parameters (parameter+)>
<!ELEMENT parameter (longdesc+,shortdesc+,content)>
<!ATTLIST parameter name CDATA #REQUIRED unique-group CDATA #IMPLIED unique (0|1) #IMPLIED required (0|1) #IMPLIED reloadable (0|1) #IMPLIED>
<!ELEMENT content (option*)>
<!ATTLIST content type (string|integer|boolean|select) #REQUIRED default CDATA #IMPLIED>
<!ELEMENT option EMPTY>
<!ATTLIST option value CDATA #REQUIRED>
<!ELEMENT actions (action+)>
<!ELEMENT action EMPTY>
<!ATTLIST action name CDATA #REQUIRED timeout CDATA #REQUIRED interval CDATA #IMPLIED start-delay CDATA #IMPLIED depth CDATA #IMPLIED role CDATA #IMPLIED>
]>
"#;

/// The meta-data of an agent. Needs no root, no environment, no file.
pub fn render(spec: &Spec) -> String {
    let mut xml = String::with_capacity(8192);
    xml.push_str(HEAD);
    let version = env!("CARGO_PKG_VERSION");
    // Writing to a String cannot fail.
    let _ = write!(
        xml,
        "<resource-agent name=\"{}\" version=\"{version}\">\n<version>1.1</version>\n\n{}{}\n<parameters>\n",
        spec.name,
        element("longdesc", spec.long),
        element("shortdesc", spec.short)
    );
    for param in spec.all_params() {
        parameter(&mut xml, param);
    }
    xml.push_str("</parameters>\n\n<actions>\n");
    for action in spec.actions.iter().filter(|action| action.is_advertised()) {
        action_element(&mut xml, action);
    }
    xml.push_str("</actions>\n</resource-agent>\n");
    xml
}

fn element(name: &str, text: &str) -> String {
    format!("<{name} lang=\"en\">{}</{name}>\n", escape(text))
}

fn parameter(xml: &mut String, param: &Param) {
    let _ = write!(xml, "<parameter name=\"{}\"", param.name);
    if let Some(group) = param.unique_group {
        let _ = write!(xml, " unique-group=\"{group}\" unique=\"1\"");
    }
    if param.required {
        xml.push_str(" required=\"1\"");
    }
    if param.reloadable {
        xml.push_str(" reloadable=\"1\"");
    }
    let _ = write!(xml, ">\n{}{}", element("longdesc", param.long), element("shortdesc", param.short));
    let _ = write!(xml, "<content type=\"{}\"", param.kind.ocf_type());
    if let Some(default) = param.default {
        let _ = write!(xml, " default=\"{}\"", escape(default));
    }
    match param.kind {
        Kind::Select(words) => {
            xml.push_str(">\n");
            for word in words {
                let _ = writeln!(xml, "<option value=\"{}\"/>", escape(word));
            }
            xml.push_str("</content>\n");
        }
        _ => xml.push_str("/>\n"),
    }
    xml.push_str("</parameter>\n");
}

fn action_element(xml: &mut String, action: &ActionSpec) {
    let _ = write!(xml, "<action name=\"{}\" timeout=\"{}s\"", action.name, action.timeout);
    if let Some(interval) = action.interval {
        let _ = write!(xml, " interval=\"{interval}s\"");
    }
    if let Some(depth) = action.depth {
        let _ = write!(xml, " depth=\"{depth}\"");
    }
    if let Some(role) = action.role {
        let _ = write!(xml, " role=\"{role}\"");
    }
    xml.push_str("/>\n");
}
