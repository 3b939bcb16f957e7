//! Whatever somebody posts as the form of an IAM or STS operation: JSON of the operation's types, or a refusal; never a panic, and no
//! more memory than the form itself is worth.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{Error, check, form, iam, sts};

fuzz_target!(|input: (u8, &str)| {
    let (choice, text) = input;
    let mut operations = iam::OPERATIONS.iter().chain(sts::OPERATIONS).cycle();
    let Some(operation) = operations.nth(choice.into()) else { return };
    let shape = operation.request;
    let members: Vec<(&str, &str)> = text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    let Ok(json) = form::to_json(shape, members) else { return };
    // Each character can become six (`\u0000`), and each place costs a few more for its braces and names.
    assert!(json.len() <= 64 + 64 * text.len(), "{} bytes of {}", json.len(), text.len());
    match check(shape, json.as_bytes()) {
        Ok(checked) => assert!(serde_json::from_str::<serde_json::Value>(checked).is_ok()),
        Err(Error::Validation(message)) => assert!(!message.is_empty()),
        Err(Error::Serialization(message)) => panic!("{json}: {message}"),
    }
});
