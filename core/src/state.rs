//! What outlives an invocation.

pub mod awaited;
pub mod baseline;
pub mod continuation;
pub mod guard;
pub mod lease;
pub mod marks;
pub mod release;
pub mod timeline;
