//! A cluster, and the token that opens it.

use std::fmt;

/// The address of a cluster and its credentials.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Cluster {
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) ca: Option<String>,
}

/// Leaves out the token, which may be a real one.
impl fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cluster")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
