//! Whole invocations of the real function, through real sockets, against the sandbox.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]

mod stage;
mod rolling;
mod failures;
mod resume;
mod hygiene;
mod simulation;
mod tidy;
