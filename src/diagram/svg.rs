//! A drawing in SVG: black, grey and white, so that it prints on anything.

use crate::ocf::xml::escape;

/// A drawing that grows.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    parts: String,
}

/// How a box looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// White, with a line around it.
    Plain,
    /// Grey, with a line around it.
    Filled,
    /// White, with a broken line.
    Broken,
    /// Light grey, with a thin broken line: a frame around others.
    Frame,
}

/// Letters: size in pixels, and whether they are bold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Font(pub(super) u32, pub(super) bool);

/// For titles.
pub(super) const TITLE: Font = Font(20, true);
/// For headings.
pub(super) const HEAD: Font = Font(14, true);
/// For names.
pub(super) const NAME: Font = Font(12, true);
/// For the rest.
pub(super) const TEXT: Font = Font(12, false);
/// For what is beside a name.
pub(super) const SMALL: Font = Font(10, false);

/// The width of a text in pixels, rather too much: the widest of the usual fonts counts.
pub(super) fn width(text: &str, font: Font) -> u32 {
    let letter = if font.1 { 72 } else { 65 };
    u32::try_from(text.chars().count()).unwrap_or(0).saturating_mul(font.0).saturating_mul(letter) / 100
}

/// `text` in lines of at most `most` pixels.
pub(super) fn wrap(text: &str, font: Font, most: u32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if !line.is_empty() && width(&longer, font) > most {
            lines.push(std::mem::replace(&mut line, word.to_owned()));
        } else {
            line = longer;
        }
    }
    lines.push(line);
    lines
}

impl Canvas {
    /// A box with its upper left corner at `x`, `y`.
    pub(super) fn boxed(&mut self, (x, y): (u32, u32), (width, height): (u32, u32), look: Look) {
        let style = match look {
            Look::Plain => "fill=\"#ffffff\" stroke=\"#000000\" stroke-width=\"1.2\"",
            Look::Filled => "fill=\"#dddddd\" stroke=\"#000000\" stroke-width=\"1.2\"",
            Look::Broken => "fill=\"#ffffff\" stroke=\"#000000\" stroke-width=\"1\" stroke-dasharray=\"5 4\"",
            Look::Frame => "fill=\"#f7f7f7\" stroke=\"#555555\" stroke-width=\"1\" stroke-dasharray=\"2 3\"",
        };
        self.parts
            .push_str(&format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"4\" {style}/>\n"));
    }

    /// A text that begins at `x`; `y` is its base line.
    pub(super) fn text(&mut self, (x, y): (u32, u32), text: &str, font: Font) {
        self.letters((x, y), text, font, "start");
    }

    /// A text around `x`.
    pub(super) fn centred(&mut self, (x, y): (u32, u32), text: &str, font: Font) {
        self.letters((x, y), text, font, "middle");
    }

    fn letters(&mut self, (x, y): (u32, u32), text: &str, Font(size, bold): Font, anchor: &str) {
        let weight = if bold { " font-weight=\"bold\"" } else { "" };
        let text = escape(text);
        self.parts.push_str(&format!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{weight} text-anchor=\"{anchor}\">{text}</text>\n"
        ));
    }

    /// A line, `thick` tenths of a pixel wide.
    pub(super) fn line(&mut self, (x1, y1): (u32, u32), (x2, y2): (u32, u32), thick: u32) {
        self.parts.push_str(&format!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"#000000\" stroke-width=\"{}.{}\"/>\n",
            thick / 10,
            thick % 10
        ));
    }

    /// An arrow along points; a broken one for what holds only when both happen.
    pub(super) fn arrow(&mut self, points: &[(u32, u32)], broken: bool) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let dash = if broken { " stroke-dasharray=\"5 3\"" } else { "" };
        self.parts.push_str(&format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"#000000\" stroke-width=\"1.3\"{dash} \
             marker-end=\"url(#head)\"/>\n",
            path.join(" ")
        ));
    }

    /// The whole document.
    pub(super) fn document(self, width: u32, height: u32, title: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\" fill=\"#000000\">\n\
             <title>{}</title>\n\
             <defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" \
             orient=\"auto\"><path d=\"M0,0 L10,5 L0,10 z\" fill=\"#000000\"/></marker></defs>\n\
             <rect x=\"0\" y=\"0\" width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{}</svg>\n",
            escape(title),
            self.parts
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_longer_than_asked() {
        let lines = wrap("one two three four five six seven", TEXT, 100);
        assert!(lines.len() > 2 && lines.iter().all(|line| width(line, TEXT) <= 100), "{lines:?}");
        assert_eq!(wrap("averyveryverylongwordthatstandsalone", TEXT, 10).len(), 1);
    }
}
