//! The resources that Landfall calls: one row per resource, with its kind and its path.

use super::name::Rule;
use std::fmt;

/// A resource of the API: its kind, group, version, and name in a path and in a Role.
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#standard-api-terminology>
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// The group and version: `apps/v1`.
    pub api_version: &'static str,
    /// The kind: `Deployment`.
    pub kind: &'static str,
    /// The name in a Role, with group and subresource: `deployments.apps`, `pods/log`.
    pub name: &'static str,
    /// The naming rule of its objects.
    /// The kind of what is answered; `None` where that is a text.
    pub(super) answer: Option<&'static str>,
    pub(super) rule: Rule,
    /// Whether its objects are in namespaces.
    pub(super) namespaced: bool,
}

/// Deployments, the deployed kind of workload.
pub const DEPLOYMENTS: Resource = Resource::of("apps/v1", "Deployment", "deployments.apps");

/// ReplicaSets, which contain a Deployment's versions.
pub const REPLICA_SETS: Resource = Resource::of("apps/v1", "ReplicaSet", "replicasets.apps");

/// Pods.
pub const PODS: Resource = Resource::of("v1", "Pod", "pods");

/// Logs of a pod's containers.
pub const LOGS: Resource = Resource::of("v1", "Pod", "pods/log").answered_by_text();

/// Events of an object.
pub const EVENTS: Resource = Resource::of("v1", "Event", "events");

/// Services.
pub const SERVICES: Resource = Resource::of("v1", "Service", "services").with_labels_as_names();

/// The API server's proxy to the pods of a Service.
pub const PROXY: Resource = Resource::of("v1", "Service", "services/proxy")
    .with_labels_as_names()
    .answered_by_text();

/// EndpointSlices, which say where a Service routes to.
pub const ENDPOINT_SLICES: Resource = Resource::of(
    "discovery.k8s.io/v1",
    "EndpointSlice",
    "endpointslices.discovery.k8s.io",
);

/// HorizontalPodAutoscalers.
pub const AUTOSCALERS: Resource = Resource::of(
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers.autoscaling",
);

/// Tokens of a ServiceAccount.
pub const TOKENS: Resource =
    Resource::of("v1", "ServiceAccount", "serviceaccounts/token").answered_by("TokenRequest");

/// Reviews of whether the token has a permission.
pub const REVIEWS: Resource = Resource::of(
    "authorization.k8s.io/v1",
    "SelfSubjectAccessReview",
    "selfsubjectaccessreviews.authorization.k8s.io",
)
.without_namespace();

/// Reviews of whose token it is.
pub const IDENTITIES: Resource = Resource::of(
    "authentication.k8s.io/v1",
    "SelfSubjectReview",
    "selfsubjectreviews.authentication.k8s.io",
)
.without_namespace();

/// Splits the name in a Role: plural, subresource and group, as in `pods`, `log` and no group.
pub(super) fn parts(name: &'static str) -> (&'static str, &'static str, &'static str) {
    let (whole, group) = name.split_once('.').unwrap_or((name, ""));
    let (plural, part) = whole.split_once('/').unwrap_or((whole, ""));
    (plural, part, group)
}

impl Resource {
    const fn of(api_version: &'static str, kind: &'static str, name: &'static str) -> Resource {
        Resource {
            api_version,
            kind,
            name,
            answer: Some(kind),
            rule: Rule::Subdomain,
            namespaced: true,
        }
    }

    /// Answers with an object of another kind.
    const fn answered_by(mut self, kind: &'static str) -> Resource {
        self.answer = Some(kind);
        self
    }

    const fn answered_by_text(mut self) -> Resource {
        self.answer = None;
        self
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

/// Prints only the name, which is unique.
impl fmt::Debug for Resource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
}
