//! The resources that Landfall calls: one row per resource, with its kind and its path.

use super::name::Rule;
use super::object_id::group_of;
use std::borrow::Cow;
use std::fmt;

/// A resource of the API: its kind, group, version, and name in a path and in a Role.
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#standard-api-terminology>
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// The group and version: `apps/v1`.
    pub api_version: Cow<'static, str>,
    /// The kind: `Deployment`.
    pub kind: Cow<'static, str>,
    /// The name in a Role, with group and subresource: `deployments.apps`, `pods/log`.
    pub name: Cow<'static, str>,
    pub(super) answer: Answer,
    /// The naming rule of its objects.
    pub(super) rule: Rule,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

/// What a call of a resource is answered with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Answer {
    /// An object of its kind.
    Kind,
    /// An object of another kind.
    Other(&'static str),
    /// A text.
    Text,
}

/// Deployments.
pub static DEPLOYMENTS: Resource = Resource::of("apps/v1", "Deployment", "deployments.apps");

/// StatefulSets.
pub static STATEFUL_SETS: Resource = Resource::of("apps/v1", "StatefulSet", "statefulsets.apps");

/// DaemonSets.
pub static DAEMON_SETS: Resource = Resource::of("apps/v1", "DaemonSet", "daemonsets.apps");

/// Jobs.
pub static JOBS: Resource = Resource::of("batch/v1", "Job", "jobs.batch");

/// ReplicaSets, which contain a Deployment's versions.
pub static REPLICA_SETS: Resource = Resource::of("apps/v1", "ReplicaSet", "replicasets.apps");

/// ControllerRevisions, which contain the versions of a StatefulSet or a DaemonSet.
pub static CONTROLLER_REVISIONS: Resource =
    Resource::of("apps/v1", "ControllerRevision", "controllerrevisions.apps");

/// Pods.
pub static PODS: Resource = Resource::of("v1", "Pod", "pods");

/// Logs of a pod's containers.
pub static LOGS: Resource = Resource::of("v1", "Pod", "pods/log").answered_by_text();

/// Events of an object.
pub static EVENTS: Resource = Resource::of("v1", "Event", "events");

/// Services.
pub static SERVICES: Resource = Resource::of("v1", "Service", "services").with_labels_as_names();

/// The API server's proxy to the pods of a Service.
pub static PROXY: Resource = Resource::of("v1", "Service", "services/proxy")
    .with_labels_as_names()
    .answered_by_text();

/// Secrets, in which a release keeps what it has.
pub static SECRETS: Resource = Resource::of("v1", "Secret", "secrets");

/// EndpointSlices, which say where a Service routes to.
pub static ENDPOINT_SLICES: Resource = Resource::of(
    "discovery.k8s.io/v1",
    "EndpointSlice",
    "endpointslices.discovery.k8s.io",
);

/// HorizontalPodAutoscalers.
pub static AUTOSCALERS: Resource = Resource::of(
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers.autoscaling",
);

/// HTTPRoutes of the Gateway API.
/// <https://gateway-api.sigs.k8s.io/api-types/httproute/>
pub static HTTP_ROUTES: Resource = Resource::of(
    "gateway.networking.k8s.io/v1",
    "HTTPRoute",
    "httproutes.gateway.networking.k8s.io",
);

/// Ingresses.
pub static INGRESSES: Resource = Resource::of(
    "networking.k8s.io/v1",
    "Ingress",
    "ingresses.networking.k8s.io",
);

/// TargetGroupBindings of the AWS Load Balancer Controller: what a load balancer sends to.
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/targetgroupbinding/spec/>
pub static TARGET_GROUP_BINDINGS: Resource = Resource::of(
    "elbv2.k8s.aws/v1beta1",
    "TargetGroupBinding",
    "targetgroupbindings.elbv2.k8s.aws",
);

/// Tokens of a ServiceAccount.
pub static TOKENS: Resource =
    Resource::of("v1", "ServiceAccount", "serviceaccounts/token").answered_by("TokenRequest");

/// Reviews of whether the token has a permission.
pub static REVIEWS: Resource = Resource::of(
    "authorization.k8s.io/v1",
    "SelfSubjectAccessReview",
    "selfsubjectaccessreviews.authorization.k8s.io",
)
.without_namespace();

/// Reviews of whose token it is.
pub static IDENTITIES: Resource = Resource::of(
    "authentication.k8s.io/v1",
    "SelfSubjectReview",
    "selfsubjectreviews.authentication.k8s.io",
)
.without_namespace();

/// Splits the name in a Role: plural, subresource and group, as in `pods`, `log` and no group.
pub(crate) fn parts(name: &str) -> (&str, &str, &str) {
    let (whole, group) = name.split_once('.').unwrap_or((name, ""));
    let (plural, part) = whole.split_once('/').unwrap_or((whole, ""));
    (plural, part, group)
}

impl Resource {
    const fn of(api_version: &'static str, kind: &'static str, name: &'static str) -> Resource {
        Resource {
            api_version: Cow::Borrowed(api_version),
            kind: Cow::Borrowed(kind),
            name: Cow::Borrowed(name),
            answer: Answer::Kind,
            rule: Rule::Subdomain,
            namespaced: true,
        }
    }

    /// A resource that is found in a cluster or in a manifest: `apps/v1`, `Deployment` and
    /// `deployments`. Its names may have more characters than those of the resources above, as a
    /// ClusterRole's `system:metrics-server` does.
    pub fn new(api_version: &str, kind: &str, plural: &str, namespaced: bool) -> Resource {
        let name = match api_version.split_once('/') {
            Some((group, _)) => format!("{plural}.{group}"),
            None => plural.to_owned(),
        };
        Resource {
            api_version: Cow::Owned(api_version.to_owned()),
            answer: Answer::Kind,
            kind: Cow::Owned(kind.to_owned()),
            name: Cow::Owned(name),
            rule: Rule::Segment,
            namespaced,
        }
    }

    /// The kind of the answer; `None` where that is a text.
    pub(super) fn answered(&self) -> Option<Cow<'static, str>> {
        match self.answer {
            Answer::Kind => Some(self.kind.clone()),
            Answer::Other(kind) => Some(Cow::Borrowed(kind)),
            Answer::Text => None,
        }
    }

    /// The group; empty for the core group.
    pub fn group(&self) -> &str {
        group_of(&self.api_version)
    }

    /// What manifests name it by: its version and kind.
    pub fn key(&self) -> (String, String) {
        let version = self.api_version.clone().into_owned();
        (version, self.kind.clone().into_owned())
    }

    /// The name in a path: `deployments`.
    pub fn plural(&self) -> &str {
        parts(&self.name).0
    }

    /// Answers with an object of another kind.
    const fn answered_by(mut self, kind: &'static str) -> Resource {
        self.answer = Answer::Other(kind);
        self
    }

    const fn answered_by_text(mut self) -> Resource {
        self.answer = Answer::Text;
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
        out.write_str(&self.name)
    }
}
