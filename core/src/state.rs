//! What survives an invocation.

pub mod continuation;
pub mod marks;
