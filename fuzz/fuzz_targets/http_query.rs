//! Whatever a stranger sends after `?` or as `Host`: parsing never panics, keeps its limits, and reads what SigV4 signs.
#![no_main]

use gateway::Domains;
use gateway::query::{PARAMETER_LIMIT, QUERY_LIMIT, Query};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(query) = Query::parse(text) {
        assert!(text.len() <= QUERY_LIMIT);
        let read: Vec<_> = query.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        assert!(read.len() <= PARAMETER_LIMIT);
        let signed: Vec<_> = sigv4::query_pairs(text).collect();
        let signed: Vec<_> = signed.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        assert_eq!(read, signed);
        for (name, _) in query.iter() {
            assert!(query.has(name) && query.value(name).is_some());
        }
    }
    if let Some(bucket) = Domains::new(["s3.example.com", "localhost"]).bucket(text) {
        assert!(!bucket.is_empty() && bucket.len() < text.len());
    }
});
