//! Managed policies, roles, permissions boundaries, authorization details, the simulator and access analysis, through the operations.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod attach;
mod bed;
mod boundary;
mod details;
mod managed;
mod roles;
mod sequences;
mod simulate;
mod trust;
mod who_can;
