//! XML as a plain tree: enough to ask what the cluster's tools print.

use anyhow::{Context, Result, bail};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// An element with its attributes and child elements; text is left out.
#[derive(Debug, Clone, Default)]
pub struct Element {
    /// Its name.
    pub name: String,
    attributes: Vec<(String, String)>,
    /// The elements directly below.
    pub children: Vec<Self>,
}

impl Element {
    /// Reads a document; its root element.
    pub fn parse(text: &str) -> Result<Self> {
        let mut reader = Reader::from_str(text);
        // The first entry stands for the document itself.
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().context("read XML")? {
                Event::Start(start) => open.push(Self::of(&start)?),
                Event::Empty(start) => close(&mut open, Self::of(&start)?)?,
                Event::End(_) => {
                    let element = open.pop().context("unexpected end tag")?;
                    close(&mut open, element)?;
                }
                Event::Eof => break,
                _ => {}
            }
        }
        match open.pop().map(|mut document| document.children.pop()) {
            Some(Some(root)) if open.is_empty() => Ok(root),
            _ => bail!("not a complete XML document"),
        }
    }

    /// An attribute's value; empty when it is absent.
    pub fn get(&self, name: &str) -> &str {
        self.attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Whether an attribute says `true`.
    pub fn is(&self, name: &str) -> bool {
        self.get(name) == "true"
    }

    /// All elements of that name below this one, at any depth, in document order.
    pub fn all(&self, name: &str) -> Vec<&Self> {
        let mut found = Vec::new();
        for child in &self.children {
            found.extend((child.name == name).then_some(child));
            found.extend(child.all(name));
        }
        found
    }

    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    fn of(start: &BytesStart<'_>) -> Result<Self> {
        let mut element = Self { name: start.name().0.to_owned(), ..Self::default() };
        for attribute in start.attributes() {
            let attribute = attribute.context("read an XML attribute")?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).context("read an XML attribute")?;
            element.attributes.push((attribute.key.0.to_owned(), value.into_owned()));
        }
        Ok(element)
    }
}

fn close(open: &mut [Element], element: Element) -> Result<()> {
    open.last_mut().context("unexpected end tag")?.children.push(element);
    Ok(())
}
