//! Which crate may use which: the table of ARCHITECTURE.md, held against the crate graph that cargo sees.
//!
//! The rule that it keeps: arrows only downward, domain without HTTP, cryptography without IO.

use crate::run;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// For each crate, the project's crates that it may use. A crate that is not here may not exist.
const ALLOWED: &[(&str, &[&str])] = &[
    ("evp", &[]),
    ("client", &["evp", "sigv4"]),
    ("seal", &[]),
    ("material", &[]),
    ("policy", &[]),
    ("model", &[]),
    ("throttle", &[]),
    ("sigv4", &[]),
    ("courier", &["sigv4"]),
    ("xks", &["courier", "sigv4"]),
    ("meta", &[]),
    ("blob", &[]),
    ("hsm", &[]),
    ("keys", &["seal", "meta", "material", "model", "policy", "throttle", "hsm", "xks", "courier"]),
    ("identity", &["seal", "meta", "model", "policy", "keys", "courier"]),
    ("audit", &["seal", "meta", "model", "policy", "keys"]),
    ("objects", &["seal", "keys", "policy", "meta", "blob"]),
    (
        "gateway",
        &["sigv4", "seal", "model", "policy", "throttle", "keys", "identity", "audit", "objects", "meta", "blob"],
    ),
    ("server", &["sigv4", "seal", "policy", "keys", "identity", "audit", "objects", "meta", "blob", "gateway"]),
    ("cli", &["server", "client"]),
    ("bench", &["sigv4", "material"]),
    ("xtask", &[]),
];

/// Crates from outside that the inner layers may not use: HTTP below the gateway, IO in the pure crates.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("evp", &["tokio", "hyper", "http", "rusqlite"]),
    // `http` is types alone, those in which `sigv4` signs and `ureq` sends; both are of the feature `transport`, which is off by default.
    ("client", &["tokio", "hyper", "rusqlite"]),
    ("seal", &["tokio", "hyper", "http", "rusqlite"]),
    ("sigv4", &["tokio", "hyper", "rusqlite"]),
    ("xks", &["tokio", "hyper", "http"]),
    ("material", &["tokio", "hyper", "http", "rusqlite"]),
    ("policy", &["tokio", "hyper", "http", "rusqlite"]),
    ("model", &["tokio", "hyper", "http", "rusqlite"]),
    ("throttle", &["tokio", "hyper", "http", "rusqlite"]),
    ("identity", &["hyper", "http", "rusqlite"]),
    ("audit", &["hyper", "http", "rusqlite"]),
    ("meta", &["hyper", "http", "seal"]),
    ("blob", &["hyper", "http"]),
    ("hsm", &["hyper", "http", "rusqlite"]),
    ("keys", &["hyper", "http", "rusqlite", "cryptoki"]),
    ("objects", &["hyper", "http", "rusqlite"]),
];

/// Crates of the client library with its default features, itself included: who takes it in should not notice its weight. AWS's
/// Encryption SDK for Rust brings 248.
const CLIENT_CRATES: usize = 40;

/// Reads the crate graph and fails on an arrow that the tables do not have, and on a client library that has become heavy.
pub(crate) fn check() -> Result<(), String> {
    let tree = ["tree", "--edges=normal", "--package=strongroom-client", "--prefix=none"];
    let tree = run::command("cargo", &tree).output().map_err(|error| format!("cargo tree: {error}"))?;
    let crates = String::from_utf8_lossy(&tree.stdout).lines().map(name_and_version).collect::<BTreeSet<_>>().len();
    if !tree.status.success() || crates > CLIENT_CRATES {
        return Err(format!("architecture: the client library has {crates} crates, where {CLIENT_CRATES} are allowed"));
    }
    eprintln!("architecture: the client library has {crates} crates");
    arrows()
}

/// A crate of `cargo tree` by name and version; the mark of one that it has shown before is cut off.
fn name_and_version(line: &str) -> String {
    line.trim_end_matches(" (*)").to_owned()
}

fn arrows() -> Result<(), String> {
    let output = run::command("cargo", &["metadata", "--format-version=1", "--no-deps", "--offline"])
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let wrong = violations(&graph(&metadata));
    if wrong.is_empty() {
        eprintln!("architecture: every arrow is in the table");
        return Ok(());
    }
    Err(format!("architecture:\n  {}", wrong.join("\n  ")))
}

/// Crate name to the names that it depends on (development dependencies aside), without the project's prefix.
type Graph = BTreeMap<String, BTreeSet<String>>;

fn graph(metadata: &Value) -> Graph {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
            let used = dependencies
                .iter()
                .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
                .map(|dependency| short(&dependency["name"]))
                .collect();
            (short(&package["name"]), used)
        })
        .collect()
}

fn short(name: &Value) -> String {
    let name = name.as_str().unwrap_or_default();
    name.strip_prefix("strongroom-").unwrap_or(name).to_owned()
}

fn violations(graph: &Graph) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, used) in graph {
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| known == name) else {
            wrong.push(format!("{name} is not in the table"));
            continue;
        };
        let ours = used.iter().filter(|used| graph.contains_key(*used));
        wrong.extend(
            ours.filter(|used| !allowed.contains(&used.as_str())).map(|used| format!("{name} may not use {used}")),
        );
        let forbidden = FORBIDDEN.iter().find(|(known, _)| known == name).map_or(&[][..], |(_, list)| list);
        wrong.extend(
            forbidden
                .iter()
                .filter(|outside| used.contains(**outside))
                .map(|outside| format!("{name} may not use {outside}")),
        );
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph_of(pairs: &[(&str, &[&str])]) -> Graph {
        pairs
            .iter()
            .map(|(name, used)| ((*name).to_owned(), used.iter().map(|used| (*used).to_owned()).collect()))
            .collect()
    }

    #[test]
    fn the_workspace_has_only_the_arrows_of_the_design() {
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn the_documents_table_is_this_one() {
        let document = include_str!("../../ARCHITECTURE.md");
        let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
        let documented: Vec<(&str, Vec<&str>)> = rows
            .filter_map(|row| {
                let (name, rest) = row.split_once("` |")?;
                let (_, used) = rest.rsplit_once(" | ")?;
                let name = name.strip_prefix("crates/").or(Some(name).filter(|name| *name == "xtask"))?;
                Some((
                    name,
                    used.split(", ").filter(|used| *used != "nobody").map(|used| used.trim_matches('`')).collect(),
                ))
            })
            .collect();
        let allowed: Vec<(&str, Vec<&str>)> = ALLOWED.iter().map(|(name, used)| (*name, used.to_vec())).collect();
        assert_eq!(documented, allowed);
    }

    #[test]
    fn an_upward_arrow_is_found() {
        let graph = graph_of(&[("seal", &["keys"]), ("keys", &["seal", "meta"]), ("meta", &[])]);
        assert_eq!(violations(&graph), ["seal may not use keys"]);
    }

    #[test]
    fn http_below_the_gateway_is_found() {
        let graph = graph_of(&[("objects", &["bytes", "http"])]);
        assert_eq!(violations(&graph), ["objects may not use http"]);
    }

    #[test]
    fn an_unknown_crate_is_found() {
        let graph = graph_of(&[("utils", &[])]);
        assert_eq!(violations(&graph), ["utils is not in the table"]);
    }
}
