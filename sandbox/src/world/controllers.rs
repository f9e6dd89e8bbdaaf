//! What happens by itself: one controller a file.

pub(crate) mod deployment;
pub(crate) mod endpoints;
pub(crate) mod events;
pub(crate) mod pod;
pub(crate) mod replica_set;
