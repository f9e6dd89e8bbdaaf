//! The kinds of workload: each is a variant and a row of the table.

use crate::kubernetes::resource::{DEPLOYMENTS, REPLICA_SETS, Resource};

/// The label that the Deployment controller adds to each ReplicaSet, to its copy of the pod
/// template, and so to its pods.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label>
pub const TEMPLATE_HASH: &str = "pod-template-hash";

/// A kind of workload that Landfall deploys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/>
    Deployment,
}

/// How a kind differs from the others. Its status is read in `health.rs`.
#[derive(Debug)]
pub struct Row {
    /// The resource of its objects.
    pub resource: &'static Resource,
    /// A JSON pointer to the pod template in an object.
    pub template: &'static str,
    /// The objects in which its controller keeps the templates of its versions.
    pub versions: Versions,
    /// The strategies that can deploy it, as the user parameters name them.
    pub strategies: &'static [&'static str],
}

/// See [`Kind::row`].
static DEPLOYMENT: Row = Row {
    resource: &DEPLOYMENTS,
    template: "/spec/template",
    versions: Versions {
        resource: &REPLICA_SETS,
        template: "/spec/template",
        label: TEMPLATE_HASH,
    },
    strategies: &["rolling", "blueGreen", "immutable"],
};

/// The objects in which a controller keeps the versions of a workload.
#[derive(Debug)]
pub struct Versions {
    /// The resource of these objects.
    pub resource: &'static Resource,
    /// A JSON pointer to the pod template in one of them.
    pub template: &'static str,
    /// The label that has another value for each version, on them and on their pods.
    pub label: &'static str,
}

impl Kind {
    /// Returns its row of the table.
    pub fn row(self) -> &'static Row {
        match self {
            Kind::Deployment => &DEPLOYMENT,
        }
    }

    /// Returns its name, such as `Deployment`.
    pub fn word(self) -> &'static str {
        &self.row().resource.kind
    }
}
