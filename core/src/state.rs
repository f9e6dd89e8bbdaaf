//! What outlives an invocation.

pub mod baseline;
pub mod continuation;
pub mod marks;
