//! The libraries that the program is made of, by deny.toml: licences, sources, what is forbidden; and the oldest Rust they want.
//! cargo-deny, which tests/full asks, takes minutes to install; this says the same of what is here on every push.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use spdx::{Expression, ParseMode};

use crate::made::ask;
use crate::manifest::root;

/// All packages that Cargo.lock gives on this processor, with those that only tests need.
fn libraries() -> Result<Vec<Value>> {
    let manifest = root().join("Cargo.toml");
    let manifest = manifest.to_str().context("a strange path")?;
    let platform = "x86_64-unknown-linux-gnu";
    let words = ["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform", platform];
    let text = ask(&[&["cargo"][..], &words, &["--manifest-path", manifest]].concat())?;
    let mut document: Value = serde_json::from_str(&text)?;
    let Value::Array(all) = document["packages"].take() else { anyhow::bail!("no packages: {text}") };
    ensure!(all.len() > 100, "only {} packages", all.len());
    Ok(all)
}

fn rules() -> Result<toml::Table> {
    Ok(std::fs::read_to_string(root().join("deny.toml"))?.parse()?)
}

/// The texts of a list in deny.toml; of its tables the key `crate`.
fn list(rules: &toml::Table, section: &str, key: &str) -> Result<Vec<String>> {
    let list = rules.get(section).and_then(|section| section.get(key)).and_then(toml::Value::as_array);
    let list = list.with_context(|| format!("deny.toml has no list {section}.{key}"))?;
    let text = |item: &toml::Value| item.as_str().or_else(|| item.get("crate")?.as_str()).map(str::to_owned);
    list.iter().map(|item| text(item).with_context(|| format!("deny.toml: {section}.{key}: {item}"))).collect()
}

fn is_allowed(licence: &str, allowed: &[String]) -> Result<bool> {
    // Older packages write MIT/Apache-2.0.
    let expression = Expression::parse_mode(licence, ParseMode::LAX).with_context(|| licence.to_owned())?;
    Ok(expression.evaluate(|wanted| {
        let name = wanted.license.id().map(|id| id.name);
        wanted.addition.is_none() && allowed.iter().any(|known| name == Some(known.as_str()))
    }))
}

pub fn licences() -> Result<()> {
    let allowed = list(&rules()?, "licenses", "allow")?;
    // The judge is able to say no.
    ensure!(!is_allowed("GPL-3.0-only", &allowed)? && !is_allowed("MIT AND MPL-2.0", &allowed)?);
    let mut used = vec![false; allowed.len()];
    for library in libraries()? {
        let licence = library["license"].as_str().with_context(|| format!("{} states no licence", library["name"]))?;
        ensure!(is_allowed(licence, &allowed)?, "{} has the licence {licence}", library["name"]);
        for (used, name) in used.iter_mut().zip(&allowed) {
            *used |= licence.contains(name.as_str());
        }
    }
    let idle: Vec<_> = allowed.iter().zip(used).filter(|(_, used)| !used).map(|(name, _)| name).collect();
    ensure!(idle.is_empty(), "deny.toml allows what nothing has: {idle:?}");
    Ok(())
}

pub fn sources() -> Result<()> {
    let rules = rules()?;
    let forbidden = list(&rules, "bans", "deny")?;
    ensure!(rules["sources"]["unknown-registry"].as_str() == Some("deny"), "deny.toml allows any registry");
    for library in libraries()? {
        let name = library["name"].as_str().context("no name")?;
        ensure!(!forbidden.iter().any(|other| other == name), "{name} is forbidden by deny.toml");
        for wanted in library["dependencies"].as_array().into_iter().flatten() {
            let is_ours = name == env!("CARGO_PKG_NAME");
            ensure!(!is_ours || wanted["req"] != "*", "any version of {} will do", wanted["name"]);
        }
        match library["source"].as_str() {
            None => ensure!(name == env!("CARGO_PKG_NAME"), "{name} comes from a folder"),
            Some(source) => {
                ensure!(source == "registry+https://github.com/rust-lang/crates.io-index", "{name}: {source}");
            }
        }
    }
    Ok(())
}

pub fn oldest_rust() -> Result<()> {
    let numbers = |text: &str| text.split('.').map_while(|number| number.parse::<u32>().ok()).collect::<Vec<_>>();
    let stated = numbers(env!("CARGO_PKG_RUST_VERSION"));
    ensure!(stated.len() > 1, "Cargo.toml states no rust-version");
    for library in libraries()? {
        let Some(wanted) = library["rust_version"].as_str() else { continue };
        ensure!(numbers(wanted) <= stated, "{} {} wants Rust {wanted}", library["name"], library["version"]);
    }
    Ok(())
}

/// What the README says of the number is so.
pub fn count() -> Result<()> {
    let tree =
        ["tree", "--offline", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"];
    let manifest = root().join("Cargo.toml");
    let manifest = manifest.to_str().context("a strange path")?;
    let text = ask(&[&["cargo"][..], &tree, &["--manifest-path", manifest]].concat())?;
    let mut all: Vec<&str> = text.lines().filter_map(|line| line.split(" (").next()).collect();
    all.sort_unstable();
    all.dedup();
    let count = all.iter().filter(|line| !line.starts_with("inuvika-ha ")).count();
    let readme = std::fs::read_to_string(root().join("README.md"))?;
    ensure!(
        readme.contains(&format!("| libraries linked in | {count} crates")),
        "README.md: {count} crates are linked"
    );
    Ok(())
}
