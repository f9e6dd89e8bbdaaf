//! What survives an invocation.

pub mod baseline;
pub mod continuation;
pub mod marks;
