//! The kinds of workload, and whether a workload is ready.

pub mod health;
mod kind;

pub use kind::Kind;
