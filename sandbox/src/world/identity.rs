//! Who sends a request, and how a cluster of EKS knows.

use crate::iam::AccessKeys;
use std::collections::BTreeMap;
use std::fmt;

/// A user and the groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The name of the user.
    pub user: String,
    /// The groups, without `system:authenticated`.
    pub groups: Vec<String>,
}

impl Identity {
    /// A user without groups.
    pub fn of(user: &str) -> Identity {
        Identity {
            user: user.to_owned(),
            groups: Vec::new(),
        }
    }
}

/// How tokens of EKS are checked.
#[derive(Clone)]
pub(crate) struct Iam {
    /// What tokens must be made for.
    pub(crate) cluster: String,
    pub(crate) keys: AccessKeys,
    /// The groups of each principal that has an access entry.
    pub(crate) entries: BTreeMap<String, Vec<String>>,
}

impl fmt::Debug for Iam {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.cluster)
    }
}
