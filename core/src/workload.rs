//! What a kind of workload is, and whether a workload serves.

pub mod health;
mod kind;

pub use kind::Kind;
