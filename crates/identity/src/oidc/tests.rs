//! Tokens that are taken, and all those that are not.
