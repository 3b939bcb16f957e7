//! The log as a whole: over a store in memory and over SQLite, with faults, against a naive list.

mod chain;
mod lookup;
mod record;
