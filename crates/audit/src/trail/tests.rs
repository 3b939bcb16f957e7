//! Delivery against a log and a bucket in memory.
