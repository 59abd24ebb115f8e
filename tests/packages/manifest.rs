//! packaging/contents, read a second time: what has to be in the packages.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// One line.
pub struct Line {
    pub kind: String,
    pub source: String,
    pub deb: String,
    pub rpm: String,
}

/// A path that has to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub path: String,
    pub kind: String,
}

/// The project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All lines.
pub fn lines() -> Result<Vec<Line>> {
    let text = std::fs::read_to_string(root().join("packaging/contents"))?;
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [kind, source, deb, rpm] = words[..] else { bail!("packaging/contents: not four words: {line}") };
        let rpm = if rpm == "=" { deb } else { rpm };
        lines.push(Line { kind: kind.into(), source: source.into(), deb: deb.into(), rpm: rpm.into() });
    }
    Ok(lines)
}

/// Whether a pattern, in which * is part of a name, fits a path of the project.
pub fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    let one = |(pattern, name): (&&str, &&str)| match pattern.split_once('*') {
        Some((head, tail)) => name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail),
        None => pattern == name,
    };
    pattern.len() == path.len() && pattern.iter().zip(&path).all(one)
}

/// Every file below a folder of the project, as a path in the project.
pub fn files_below(folder: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
            let path: PathBuf = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(root())?.to_str().context("a strange name")?.to_owned());
            }
        }
    }
    Ok(found)
}

/// What the lines and the folders give for one kind of package; `of` takes its column.
pub fn wanted(of: fn(&Line) -> &str) -> Result<Vec<Wanted>> {
    let mut files = vec!["README.md".to_owned()];
    for folder in ["metadata", "packaging", "pcs-examples"] {
        files.extend(files_below(folder)?);
    }
    let mut all = Vec::new();
    for line in lines()? {
        if line.kind == "program" {
            all.push(Wanted { path: of(&line).to_owned(), kind: line.kind });
            continue;
        }
        for file in files.iter().filter(|file| fits(&line.source, file)) {
            let path = place(&line.kind, of(&line), file)?;
            if line.kind == "timer" {
                let (folder, name) = path.rsplit_once('/').context("no folder")?;
                let path = format!("{folder}/timers.target.wants/{name}");
                all.push(Wanted { path, kind: "link".to_owned() });
            }
            all.push(Wanted { path, kind: line.kind.clone() });
        }
    }
    Ok(all)
}

fn place(kind: &str, place: &str, file: &str) -> Result<String> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let (stem, suffix) = name.rsplit_once('.').unwrap_or((name, ""));
    Ok(match kind {
        "man" => format!("{place}/man{suffix}/{name}.gz"),
        _ if place.ends_with('/') => format!("{place}{}", file.split_once('/').context("no folder")?.1),
        _ => place.replace("%%", stem).replace('%', name),
    })
}
