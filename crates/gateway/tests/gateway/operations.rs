//! docs/operations.md has a row for every operation.

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
    assert_eq!(documented("IAM"), owned(gateway::iam::operations()));
}

#[test]
fn the_table_of_sts_is_the_documents() {
    assert_eq!(documented("STS"), owned(gateway::sts::operations()));
}

#[test]
fn the_table_of_cloudtrail_is_the_documents() {
    assert_eq!(documented("CloudTrail"), owned(gateway::cloudtrail::operations()));
}

fn owned(operations: impl Iterator<Item = (&'static str, bool)>) -> Vec<(String, bool)> {
    operations.map(|(name, is_built)| (name.to_owned(), is_built)).collect()
}

/// The rows of a section of docs/operations.md: each operation, and whether it is built.
fn documented(section: &str) -> Vec<(String, bool)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once(&format!("\n## {section}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "))
        .filter(|(name, _)| *name != "operation")
        .map(|(name, what)| (name.to_owned(), what != "not implemented"))
        .collect()
}
