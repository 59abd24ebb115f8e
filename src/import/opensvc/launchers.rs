//! Launchers of a service: scripts that are called by the names of links, `S10NAME`, `K90NAME`, `C10NAME`.

use crate::import::File;
use std::collections::BTreeMap;

/// What a script is called for, each with its place in the row.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Launcher {
    /// Where in the row it starts.
    pub start: Option<u32>,
    /// Where in the row it stops.
    pub stop: Option<u32>,
    /// Whether its status is asked.
    pub check: bool,
    /// `FILE:LINE`, or the file.
    pub place: String,
}

/// All of them, by name.
pub(super) type Launchers = BTreeMap<String, Launcher>;

/// The letter, the number and the name that a link has.
pub(super) fn link(name: &str) -> Option<(char, u32, &str)> {
    let letter = name.chars().next().filter(|c| "SKC".contains(*c))?;
    let rest = name.get(1..)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, name) = rest.split_at_checked(digits)?;
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    Some((letter, number.parse().ok()?, name)).filter(|_| plain && digits > 0)
}

/// Adds a link.
pub(super) fn add(name: &str, place: &str, all: &mut Launchers) -> bool {
    let Some((letter, number, name)) = link(name) else { return false };
    let one = all.entry(name.to_owned()).or_insert_with(|| Launcher { place: place.to_owned(), ..Launcher::default() });
    match letter {
        'S' => one.start = Some(number),
        'K' => one.stop = Some(number),
        _ => one.check = true,
    }
    true
}

/// Reads what `ls -l` prints of the folder; false: it is no such text.
pub(super) fn listing(file: &File, all: &mut Launchers) -> bool {
    let mut any = false;
    for (index, line) in file.text.lines().enumerate() {
        let name = line.split(" -> ").next().unwrap_or(line).split_whitespace().last().unwrap_or_default();
        any |= add(name, &format!("{}:{}", file.base(), index + 1), all);
    }
    any
}

#[cfg(test)]
mod tests {
    use super::{Launchers, link, listing};
    use crate::import::File;

    #[test]
    fn links_by_their_names() {
        assert_eq!(link("S10weblauncher"), Some(('S', 10, "weblauncher")));
        for wrong in ["S10", "Sx", "weblauncher", "", "é10a", "S10a/b", "S99999999999a"] {
            assert_eq!(link(wrong), None, "{wrong}");
        }
        let mut all = Launchers::new();
        let text = "total 1\nlrwxrwxrwx 1 root root 11 Feb 17 16:49 C10web -> web\nlrwxrwxrwx 1 r r 1 K90web -> web\n-rwx S5web\n";
        assert!(listing(&File { name: "ls".into(), text: text.into() }, &mut all));
        let web = all.get("web").map(|one| (one.start, one.stop, one.check));
        assert_eq!(web, Some((Some(5), Some(90), true)));
        assert!(!listing(&File { name: "ls".into(), text: "total 0\n".into() }, &mut Launchers::new()));
    }
}
