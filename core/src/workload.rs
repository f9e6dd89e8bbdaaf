//! Workloads: what is deployed.

pub mod health;
