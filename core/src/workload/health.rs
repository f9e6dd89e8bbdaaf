//! Whether a workload serves, and why not.

pub mod diagnosis;
pub mod rollout;
pub mod steadiness;
