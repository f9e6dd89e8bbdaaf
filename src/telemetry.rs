//! What is told outside the report: log lines, redacted, and counts for CloudWatch.

pub mod logging;
pub mod metrics;
pub mod traffic;
