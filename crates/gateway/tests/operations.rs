//! docs/operations.md says of every KMS operation what the gateway does.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use gateway::kms::OPERATIONS;

#[test]
fn the_documents_table_is_the_gateways() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let text = std::fs::read_to_string(path).unwrap();
    for operation in OPERATIONS {
        let state = if operation.is_built() { "yes" } else { "not implemented" };
        let row = format!("| {} | {state} |", operation.name);
        assert!(text.lines().any(|line| line == row), "docs/operations.md lacks: {row}");
    }
}
