//! Everything that happens without a request: one controller per file.

pub(crate) mod deployment;
pub(crate) mod endpoints;
pub(crate) mod events;
pub(crate) mod pod;
pub(crate) mod replica_set;
