//! What outlives an invocation.

pub mod baseline;
pub mod continuation;
pub mod lease;
pub mod marks;
pub mod release;
