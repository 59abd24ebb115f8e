//! XML as a plain tree: what the cluster's configuration is made of, and what its tools print.

use crate::ocf::xml::escape;

/// An element with its attributes and child elements. Text between them is left out: the cluster's configuration has none.
#[derive(Debug, Clone, Default)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Its attributes, in order.
    pub attributes: Vec<(String, String)>,
    /// The elements directly below.
    pub children: Vec<Element>,
    /// The line it stands in, from 1; 0 where it was not read from a text.
    pub line: usize,
}

/// Wherever they stand: two that say the same are the same.
impl PartialEq for Element {
    fn eq(&self, other: &Element) -> bool {
        self.name == other.name && self.attributes == other.attributes && self.children == other.children
    }
}

impl Eq for Element {}

impl Element {
    /// An element with these attributes.
    pub fn new(name: &str, attributes: &[(&str, &str)]) -> Element {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Element { name: name.to_owned(), attributes: attributes.collect(), children: Vec::new(), line: 0 }
    }

    /// The same with these elements below.
    #[must_use]
    pub fn with(mut self, children: impl IntoIterator<Item = Element>) -> Element {
        self.children.extend(children);
        self
    }

    /// An attribute's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// An attribute's value; none when it is absent or empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// An attribute's value; empty when it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Its attribute `id`; empty when it has none.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// Sets an attribute.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.attributes.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.attributes.push((name.to_owned(), value.to_owned())),
        }
    }

    /// All elements of that name below this one, at any depth, in document order.
    pub fn all(&self, name: &str) -> Vec<&Element> {
        let mut found = Vec::new();
        for child in &self.children {
            found.extend((child.name == name).then_some(child));
            found.extend(child.all(name));
        }
        found
    }

    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of that name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of that name, to be changed.
    pub fn child_mut(&mut self, name: &str) -> Option<&mut Element> {
        self.children.iter_mut().find(|child| child.name == name)
    }

    /// Calls `change` for every element below this one.
    pub fn each(&mut self, change: &mut impl FnMut(&mut Element)) {
        for child in &mut self.children {
            change(child);
            child.each(change);
        }
    }

    /// The element as text, an element a line, `depth` levels of two spaces to the right.
    pub fn write(&self, depth: usize) -> String {
        let indent = "  ".repeat(depth);
        let mut text = format!("{indent}<{}", self.name);
        for (name, value) in &self.attributes {
            text.push_str(&format!(" {name}=\"{}\"", escape(value)));
        }
        if self.children.is_empty() {
            return text + "/>\n";
        }
        text.push_str(">\n");
        for child in &self.children {
            text.push_str(&child.write(depth + 1));
        }
        text + &format!("{indent}</{}>\n", self.name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::Element;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read_again() {
        let inner = Element::new("nvpair", &[("id", "a"), ("value", "it's <\"a\" & b> \\ $HOME é")]);
        let whole = Element::new("cib", &[]).with([inner.clone(), Element::new("x", &[]).with([inner])]);
        assert_eq!(Element::read(&whole.write(0)).unwrap(), whole);
        assert_eq!(whole.all("nvpair").len(), 2);
        for wrong in ["", "<a>", "</a>", "<a b=>", "text", "<a></b>"] {
            assert!(Element::read(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_an_answer(text in "[ -~\n<>/=\"]{0,80}") {
            let _ = Element::read(&text);
        }
    }
}
