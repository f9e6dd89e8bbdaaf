//! The kinds of workload: each is a variant and a row of the table.

use crate::kubernetes::resource::{DEPLOYMENTS, Resource};

/// A kind of workload that Landfall deploys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/>
    Deployment,
}

/// The properties of a kind. `health.rs` reads its status.
#[derive(Debug)]
pub struct Row {
    /// The resource of its objects.
    pub resource: Resource,
    /// The strategies that can deploy it, as the user parameters name them.
    pub strategies: &'static [&'static str],
}

impl Kind {
    /// Returns its row of the table.
    pub fn row(self) -> &'static Row {
        match self {
            Kind::Deployment => &Row {
                resource: DEPLOYMENTS,
                strategies: &["rolling", "blueGreen", "immutable"],
            },
        }
    }

    /// Returns its name, such as `Deployment`.
    pub fn word(self) -> &'static str {
        self.row().resource.kind
    }
}
