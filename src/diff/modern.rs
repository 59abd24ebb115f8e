//! What Pacemaker 1.1 and pcs before 0.11 call otherwise, in the words of today.

use crate::document::element::Element;
use crate::pcs::former::{META, ROLES, today};

/// The configuration, with the names of today: `Promoted` for `Master`, and a clone with `promotable` for `master`.
pub(super) fn modern(cib: &Element) -> Element {
    let mut cib = cib.clone();
    cib.each(&mut |one| {
        for (_, value) in one.attributes.iter_mut().filter(|(name, _)| name.ends_with("role")) {
            *value = today(&ROLES, value).to_owned();
        }
        if one.name == "master" {
            promotable(one);
        }
    });
    cib
}

fn promotable(one: &mut Element) {
    "clone".clone_into(&mut one.name);
    one.each(&mut |pair| {
        if pair.name == "nvpair" {
            let name = today(&META, pair.text("name")).to_owned();
            pair.set("name", &name);
        }
    });
    let id = format!("{}-promotable", one.id());
    let pair = Element::new("nvpair", &[("id", &id), ("name", "promotable"), ("value", "true")]);
    match one.child_mut("meta_attributes") {
        Some(meta) => meta.children.push(pair),
        None => one.children.push(Element::new("meta_attributes", &[("id", &id)]).with([pair])),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::modern;
    use crate::document::element::Element;

    #[test]
    fn former_names_are_those_of_today() {
        let former = r#"<c><master id="m"><meta_attributes id="a"><nvpair id="n" name="master-max" value="1"/></meta_attributes>
            <primitive id="p"><op id="o" name="monitor" role="Master"/></primitive></master><master id="k"><primitive id="q"/></master>
            <rsc_colocation id="r" rsc-role="Slave" with-rsc-role="Started"/></c>"#;
        let today = r#"<c><clone id="m"><meta_attributes id="a"><nvpair id="n" name="promoted-max" value="1"/>
            <nvpair id="m-promotable" name="promotable" value="true"/></meta_attributes>
            <primitive id="p"><op id="o" name="monitor" role="Promoted"/></primitive></clone>
            <clone id="k"><primitive id="q"/><meta_attributes id="k-promotable"><nvpair id="k-promotable" name="promotable" value="true"/>
            </meta_attributes></clone><rsc_colocation id="r" rsc-role="Unpromoted" with-rsc-role="Started"/></c>"#;
        let (former, today) = (Element::read(former).unwrap(), Element::read(today).unwrap());
        assert_eq!(modern(&former).write(0), today.write(0));
    }
}
