//! The decisions of Landfall, without a socket, a clock or an environment.

pub mod change;
pub mod engine;
pub mod formats;
pub mod kubernetes;
pub mod outcome;
pub mod plan;
pub mod problem;
pub mod report;
pub mod request;
pub mod retry;
pub mod state;
pub mod strategy;
pub mod text;
pub mod workload;
