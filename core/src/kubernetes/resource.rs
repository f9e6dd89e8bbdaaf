//! The resources that are called, each a row: what its objects are called, and where they are.

use super::name::Rule;
use std::fmt;

/// A resource of the API: its kind, its group and version, its name in a path and in a Role.
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#standard-api-terminology>
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// Its group and version: `apps/v1`.
    pub api_version: &'static str,
    /// The word for one of its objects: `Deployment`.
    pub kind: &'static str,
    /// Its name as a Role has it, with group and part: `deployments.apps`, `pods/log`.
    pub name: &'static str,
    /// What the names of its objects have to be.
    pub(super) rule: Rule,
    /// Whether its objects are in namespaces.
    pub(super) namespaced: bool,
}

/// The kind of workload that is deployed.
pub const DEPLOYMENTS: Resource = Resource::of("apps/v1", "Deployment", "deployments.apps");

/// What a Deployment keeps its versions in.
pub const REPLICA_SETS: Resource = Resource::of("apps/v1", "ReplicaSet", "replicasets.apps");

/// What runs.
pub const PODS: Resource = Resource::of("v1", "Pod", "pods");

/// What the containers of a pod wrote.
pub const LOGS: Resource = Resource::of("v1", "Pod", "pods/log");

/// What happened to an object.
pub const EVENTS: Resource = Resource::of("v1", "Event", "events");

/// What traffic goes through.
pub const SERVICES: Resource = Resource::of("v1", "Service", "services").with_labels_as_names();

/// The pods behind a Service, asked by the API server.
pub const PROXY: Resource = Resource::of("v1", "Service", "services/proxy").with_labels_as_names();

/// Where a Service's traffic goes.
pub const ENDPOINT_SLICES: Resource = Resource::of(
    "discovery.k8s.io/v1",
    "EndpointSlice",
    "endpointslices.discovery.k8s.io",
);

/// What sets how many pods a workload has.
pub const AUTOSCALERS: Resource = Resource::of(
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers.autoscaling",
);

/// The tokens of a ServiceAccount.
pub const TOKENS: Resource = Resource::of("v1", "ServiceAccount", "serviceaccounts/token");

/// Whether the token has a right.
pub const REVIEWS: Resource = Resource::of(
    "authorization.k8s.io/v1",
    "SelfSubjectAccessReview",
    "selfsubjectaccessreviews.authorization.k8s.io",
)
.without_namespace();

/// Whose token it is.
pub const IDENTITIES: Resource = Resource::of(
    "authentication.k8s.io/v1",
    "SelfSubjectReview",
    "selfsubjectreviews.authentication.k8s.io",
)
.without_namespace();

impl Resource {
    const fn of(api_version: &'static str, kind: &'static str, name: &'static str) -> Resource {
        Resource {
            api_version,
            kind,
            name,
            rule: Rule::Subdomain,
            namespaced: true,
        }
    }

    /// Its name in a path, and the part of an object that it is: `pods` and `/log`.
    pub(super) fn plural_and_part(&self) -> (&'static str, &'static str) {
        let (whole, _) = self.name.split_once('.').unwrap_or((self.name, ""));
        whole.split_at(whole.find('/').unwrap_or(whole.len()))
    }

    const fn with_labels_as_names(mut self) -> Resource {
        self.rule = Rule::Label;
        self
    }

    const fn without_namespace(mut self) -> Resource {
        self.namespaced = false;
        self
    }
}

/// The name alone, which tells a resource from every other.
impl fmt::Debug for Resource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
}
