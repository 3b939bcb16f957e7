//! docs/operations.md has a row for every KMS operation.

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
