//! Reads XML: elements and attributes; text, comments and declarations are left out.

use super::element::Element;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// The deepest nesting that is read: no configuration comes near it, and whoever walks through a tree does so on the stack.
const DEEPEST: usize = 64;
/// The most elements that are read.
const MOST: usize = 1_000_000;

/// A document, and how it had to be read.
#[derive(Debug)]
pub struct Document {
    /// Its outermost element.
    pub root: Element,
    /// How many closing tags had lost their `/`.
    pub repaired: usize,
}

impl Element {
    /// Reads a document; its outermost element.
    ///
    /// # Errors
    /// What is wrong, with the line.
    pub fn read(text: &str) -> Result<Element, String> {
        read(text, false).map(|document| document.root)
    }

    /// Reads a document of which closing tags may have lost their `/`, as some web pages show them: a tag without attributes that has
    /// the name of the innermost open element closes it.
    ///
    /// # Errors
    /// What is wrong, with the line.
    pub fn repair(text: &str) -> Result<Document, String> {
        match read(text, false) {
            Ok(document) => Ok(document),
            Err(_) => read(text, true),
        }
    }
}

/// What is still open, the document itself first.
struct Open {
    elements: Vec<Element>,
    count: usize,
}

impl Open {
    fn begin(&mut self, element: Element) -> Result<(), String> {
        if self.elements.len() > DEEPEST {
            return Err(format!("line {}: elements are nested more than {DEEPEST} deep", element.line));
        }
        self.count += 1;
        if self.count > MOST {
            return Err(format!("line {}: more than {MOST} elements", element.line));
        }
        self.elements.push(element);
        Ok(())
    }

    fn end(&mut self, line: usize) -> Result<(), String> {
        let closed = self.elements.pop();
        match (closed, self.elements.last_mut()) {
            (Some(closed), Some(parent)) => {
                parent.children.push(closed);
                Ok(())
            }
            _ => Err(format!("line {line}: a closing tag without an opening one")),
        }
    }
}

/// Names in the reader's own complaints are as they stand in the text, line ends and all.
fn read(text: &str, repair: bool) -> Result<Document, String> {
    let one_line = |reason: String| reason.replace(char::is_control, " ");
    tree(text, repair).map_err(one_line)
}

fn tree(text: &str, repair: bool) -> Result<Document, String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = !repair;
    let mut open = Open { elements: vec![Element::default()], count: 0 };
    let mut repaired = 0;
    let (mut seen, mut line) = (0, 1);
    loop {
        let event = reader.read_event();
        let at = usize::try_from(reader.buffer_position()).unwrap_or(text.len()).min(text.len());
        let begin = line;
        line += text.as_bytes().get(seen..at).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
        seen = seen.max(at);
        match event.map_err(|error| format!("line {line}: {error}"))? {
            Event::Start(start) => {
                let element = element(&start, begin)?;
                let same = open.elements.last().is_some_and(|last| last.name == element.name);
                if repair && same && element.attributes.is_empty() {
                    repaired += 1;
                    open.end(line)?;
                } else {
                    open.begin(element)?;
                }
            }
            Event::Empty(start) => {
                open.begin(element(&start, begin)?)?;
                open.end(line)?;
            }
            Event::End(_) => open.end(line)?,
            Event::Eof => break,
            _ => {}
        }
    }
    if let [document] = open.elements.as_mut_slice()
        && let [_] = document.children.as_slice()
        && let Some(root) = document.children.pop()
    {
        return Ok(Document { root, repaired });
    }
    let unclosed = open.elements.get(1).map(|element| format!("<{}> is not closed", element.name));
    Err(format!("line {line}: {}", unclosed.unwrap_or_else(|| "is not one element with everything in it".into())))
}

fn element(start: &BytesStart<'_>, line: usize) -> Result<Element, String> {
    let mut element = Element { name: start.name().0.to_owned(), line, ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| format!("line {line}: {error}"))?;
        let value =
            attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| format!("line {line}: {error}"))?;
        element.attributes.push((attribute.key.0.to_owned(), value.into_owned()));
    }
    Ok(element)
}

#[cfg(test)]
mod tests {
    use crate::document::element::Element;
    use proptest::prelude::*;

    #[test]
    fn a_tree_with_lines() {
        let root = Element::read(
            "<?xml version=\"1.0\"?>\n<a x=\"1 &amp; 2\">\n  <!-- c -->\n  <b/>\n  <c><b y=''/></c></a>\n",
        );
        let root = root.unwrap_or_default();
        assert_eq!((root.get("x"), root.line, root.children.len()), (Some("1 & 2"), 2, 2));
        assert_eq!(root.all("b").len(), 2);
        assert_eq!(root.all("b")[1].filled("y"), None);
        for (wrong, part) in [
            ("", "line 1"),
            ("<a>", "line 1: <a> is not closed"),
            ("<a/><b/>", "is not one element"),
            ("</a>", "line 1"),
        ] {
            assert!(Element::read(wrong).is_err_and(|line| line.contains(part)), "{wrong} {:?}", Element::read(wrong));
        }
        assert!(Element::read("<a></\nb>").is_err_and(|line| !line.contains('\n')));
        assert!(Element::read(&"<a>".repeat(100)).is_err_and(|line| line.contains("64 deep")));
    }

    #[test]
    fn closing_tags_that_lost_their_slash() {
        let document =
            Element::repair("<a i=\"1\">\n<b>\n<c j=\"2\"/>\n<b>\n<b>\n<b>\n<a>\n").map(|d| (d.root, d.repaired));
        let (root, repaired) = document.unwrap_or_default();
        assert_eq!((root.children.len(), repaired), (2, 3));
        assert!(Element::repair("<a><b>").is_err());
    }

    proptest! {
        #[test]
        fn whatever_it_is_it_ends(text in "[<>/a-c=\"' &;!\\[\\]?-]{0,200}") {
            let _ = Element::repair(&text);
        }
    }
}
