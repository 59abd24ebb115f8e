//! How the script is laid out: headings, and commands that may be longer than a line.

use crate::pcs::quote::quote;

/// The longest line of the script.
pub(in crate::pcs) const WIDTH: usize = 120;

/// The begin of a step, for who reads the script and for who runs it.
pub(in crate::pcs) fn heading(number: usize, title: &str, why: &[String]) -> String {
    let mut text = format!("\n# {}\n# Step {number}: {title}\n", "-".repeat(WIDTH - 3));
    for line in why {
        text.push_str(&format!("# {line}\n"));
    }
    text + &format!("say {}\n", quote(&format!("Step {number}: {title}")))
}

/// A command on one line, or on as many as it needs.
pub(in crate::pcs) fn command(indent: &str, verb: &str, words: &[String]) -> String {
    let mut text = format!("{indent}{verb}");
    let mut column = text.chars().count();
    for word in words {
        let word = quote(word);
        let length = word.chars().count() + 1;
        if column + length > WIDTH - 2 {
            text.push_str(&format!(" \\\n{indent}   "));
            column = indent.len() + 3;
        }
        text.push(' ');
        text.push_str(&word);
        column += length;
    }
    text + "\n"
}

/// A command with a line for each group of words.
pub(in crate::pcs) fn lines(indent: &str, verb: &str, groups: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (index, group) in groups.iter().enumerate() {
        let (indent, verb) = if index == 0 { (indent.to_owned(), verb) } else { (format!("{indent}   "), "") };
        let line = command(&indent, verb, group);
        text.push_str(line.trim_end());
        text.push_str(if index + 1 < groups.len() { " \\\n" } else { "\n" });
    }
    text
}
