//! Whether a workload is ready, and why not.

pub mod diagnosis;
pub mod rollout;
pub mod steadiness;
