//! The decisions of Landfall, without a socket, a clock or an environment.

// In `report`, `planned` and `call_failed` are still a few lines too long, as are tables in tests.
#![allow(clippy::too_many_lines)]

pub mod alarm;
pub mod change;
pub mod eks;
pub mod engine;
pub mod environment;
pub mod event;
pub mod formats;
pub mod kubeconfig;
pub mod kubernetes;
pub mod outcome;
pub mod plan;
pub mod problem;
pub mod release;
pub mod report;
pub mod request;
pub mod retry;
pub mod rotation;
pub mod snapshot;
pub mod state;
pub mod strategy;
pub mod text;
pub mod workload;

#[cfg(test)]
mod tests;
