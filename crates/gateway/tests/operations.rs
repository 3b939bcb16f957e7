//! docs/operations.md has a row for every operation.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use gateway::kms::OPERATIONS;

#[test]
fn every_operation_is_in_the_documents_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let text = std::fs::read_to_string(path).unwrap();
    for operation in OPERATIONS {
        let row =
            text.lines().find_map(|line| line.strip_prefix("| ")?.strip_prefix(operation.name)?.strip_prefix(" | "));
        assert!(row.is_some_and(|row| row.ends_with(" |")), "docs/operations.md on {}", operation.name);
    }
}

#[test]
fn the_table_of_iam_is_the_documents() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once("\n## IAM\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows: Vec<(&str, bool)> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "))
        .filter(|(name, _)| *name != "operation")
        .map(|(name, what)| (name, what != "not implemented"))
        .collect();
    assert_eq!(rows, gateway::iam::operations().collect::<Vec<_>>());
}
