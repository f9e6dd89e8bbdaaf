//! The kinds of workload: each is a variant and a row of the table.

use crate::kubernetes::resource::{
    CONTROLLER_REVISIONS, DAEMON_SETS, DEPLOYMENTS, JOBS, REPLICA_SETS, Resource, STATEFUL_SETS,
};

/// The label that the Deployment controller adds to each ReplicaSet, to its copy of the pod
/// template, and so to its pods.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label>
pub const TEMPLATE_HASH: &str = "pod-template-hash";

/// The label of the pods of a StatefulSet or a DaemonSet: which version they have.
/// <https://kubernetes.io/docs/reference/labels-annotations-taints/#controller-revision-hash>
pub const REVISION_HASH: &str = "controller-revision-hash";

/// A kind of workload that Landfall deploys or follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/>
    #[default]
    Deployment,
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/>
    StatefulSet,
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/>
    DaemonSet,
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/job/>
    Job,
}

/// How a kind differs from the others. Its status is read in `health.rs`.
#[derive(Debug)]
pub struct Row {
    /// The resource of its objects.
    pub resource: &'static Resource,
    /// Its names in commands and in the user parameter `workload`, the usual one first.
    pub names: &'static [&'static str],
    /// A JSON pointer to the pod template in an object.
    pub template: &'static str,
    /// Where its pods are counted.
    pub counts: Counts,
    /// The objects in which its controller keeps the templates of its versions.
    pub versions: Versions,
    /// The kind of the objects that control its pods.
    pub pod_owner: &'static str,
    /// Whether a pod that is not available holds the rollout up wherever it is, because its place
    /// is taken by no other.
    pub in_place: bool,
    /// The strategies that can deploy it, as the user parameters name them.
    pub strategies: &'static [&'static str],
}

/// JSON pointers to the numbers of a workload's pods. The server leaves zeros out.
#[derive(Debug)]
pub struct Counts {
    /// How many are wanted, and the number if that is absent.
    pub wanted: (&'static str, i64),
    /// Pods of every version.
    pub total: &'static str,
    /// Pods of the newest version.
    pub updated: &'static str,
    /// Pods of every version that are ready.
    pub ready: &'static str,
    /// Pods of every version that were ready for `minReadySeconds`.
    pub available: &'static str,
}

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

/// The counters of a kind with `spec.replicas`.
const REPLICAS: Counts = Counts {
    wanted: ("/spec/replicas", 1),
    total: "/status/replicas",
    updated: "/status/updatedReplicas",
    ready: "/status/readyReplicas",
    available: "/status/availableReplicas",
};

/// The versions of a kind whose controller keeps ControllerRevisions.
const REVISIONS: Versions = Versions {
    resource: &CONTROLLER_REVISIONS,
    template: "/data/spec/template",
    label: REVISION_HASH,
};

/// See [`Kind::row`].
static DEPLOYMENT: Row = Row {
    resource: &DEPLOYMENTS,
    names: &["deployment", "deployments", "deploy"],
    template: "/spec/template",
    counts: REPLICAS,
    versions: Versions {
        resource: &REPLICA_SETS,
        template: "/spec/template",
        label: TEMPLATE_HASH,
    },
    pod_owner: "ReplicaSet",
    in_place: false,
    strategies: &["rolling", "blueGreen", "canary", "immutable"],
};

/// See [`Kind::row`].
static STATEFUL_SET: Row = Row {
    resource: &STATEFUL_SETS,
    names: &["statefulset", "statefulsets", "sts"],
    template: "/spec/template",
    counts: REPLICAS,
    versions: REVISIONS,
    pod_owner: "StatefulSet",
    in_place: true,
    strategies: &["rolling"],
};

/// See [`Kind::row`].
static DAEMON_SET: Row = Row {
    resource: &DAEMON_SETS,
    names: &["daemonset", "daemonsets", "ds"],
    template: "/spec/template",
    counts: Counts {
        wanted: ("/status/desiredNumberScheduled", 0),
        total: "/status/currentNumberScheduled",
        updated: "/status/updatedNumberScheduled",
        ready: "/status/numberReady",
        available: "/status/numberAvailable",
    },
    versions: REVISIONS,
    pod_owner: "DaemonSet",
    in_place: true,
    strategies: &["rolling"],
};

/// A Job cannot get another template: it is its own and only version.
static JOB: Row = Row {
    resource: &JOBS,
    names: &["job", "jobs"],
    template: "/spec/template",
    counts: Counts {
        wanted: ("/spec/completions", 1),
        total: "/status/active",
        updated: "/status/active",
        ready: "/status/ready",
        available: "/status/succeeded",
    },
    versions: Versions {
        resource: &JOBS,
        template: "/spec/template",
        label: "",
    },
    pod_owner: "Job",
    in_place: false,
    strategies: &[],
};

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 4] = [
        Kind::Deployment,
        Kind::StatefulSet,
        Kind::DaemonSet,
        Kind::Job,
    ];

    /// Returns its row of the table.
    pub fn row(self) -> &'static Row {
        match self {
            Kind::Deployment => &DEPLOYMENT,
            Kind::StatefulSet => &STATEFUL_SET,
            Kind::DaemonSet => &DAEMON_SET,
            Kind::Job => &JOB,
        }
    }

    /// Returns its name, such as `Deployment`.
    pub fn word(self) -> &'static str {
        &self.row().resource.kind
    }

    /// The kind of this name, as `kubectl` takes it: `sts`, `StatefulSet`, `statefulsets.apps`.
    pub fn named(name: &str) -> Option<Kind> {
        let name = name.to_lowercase();
        Kind::ALL.into_iter().find(|kind| {
            let row = kind.row();
            row.names.contains(&&*name) || row.resource.name == *name
        })
    }

    /// The kind of the objects of this group and kind.
    pub fn of(group: &str, kind: &str) -> Option<Kind> {
        let is_it = |known: &Kind| {
            let resource = known.row().resource;
            resource.group() == group && resource.kind == kind
        };
        Kind::ALL.into_iter().find(is_it)
    }

    /// Whether the workload is run once to its end, and serves nobody.
    pub fn ends(self) -> bool {
        self == Kind::Job
    }
}
