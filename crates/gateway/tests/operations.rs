//! docs/operations.md says of every KMS operation what the gateway does.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use gateway::kms::OPERATIONS;

#[test]
fn the_documents_table_is_the_gateways() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let text = std::fs::read_to_string(path).unwrap();
    for operation in OPERATIONS {
        let row =
            text.lines().find_map(|line| line.strip_prefix("| ")?.strip_prefix(operation.name)?.strip_prefix(" | "));
        let row = row.unwrap_or_else(|| panic!("docs/operations.md lacks a row of {}", operation.name));
        let says_built = row.ends_with(" |") && !row.contains("not implemented");
        assert_eq!(says_built, operation.is_built(), "docs/operations.md on {}", operation.name);
    }
}
