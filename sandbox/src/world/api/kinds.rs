//! The resources that this cluster serves.

/// A resource that this cluster serves.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) group: &'static str,
    /// The served versions; objects are returned in the requested one.
    pub(crate) versions: &'static [&'static str],
    pub(crate) plural: &'static str,
    pub(crate) name: &'static str,
    pub(crate) namespaced: bool,
    /// The name in the store: the plural, for a custom resource with its group.
    pub(crate) resource: &'static str,
    /// Whether it has the subresource `status`.
    pub(crate) has_status: bool,
}

const fn kind(
    group: &'static str,
    versions: &'static [&'static str],
    plural: &'static str,
    name: &'static str,
) -> Kind {
    Kind {
        group,
        versions,
        plural,
        name,
        namespaced: true,
        resource: plural,
        has_status: true,
    }
}

/// A cluster-scoped resource.
const fn global(of: Kind) -> Kind {
    Kind {
        namespaced: false,
        ..of
    }
}

/// A resource without a status.
const fn plain(of: Kind) -> Kind {
    Kind {
        has_status: false,
        ..of
    }
}

const V1: &[&str] = &["v1"];
const RBAC: &str = "rbac.authorization.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const HOOKS: &str = "admissionregistration.k8s.io";

/// All resources that are served in every cluster.
pub(crate) const KINDS: &[Kind] = &[
    kind("apps", V1, "deployments", "Deployment"),
    kind("apps", V1, "replicasets", "ReplicaSet"),
    kind("", V1, "pods", "Pod"),
    kind("", V1, "services", "Service"),
    plain(kind("", V1, "events", "Event")),
    plain(kind("", V1, "serviceaccounts", "ServiceAccount")),
    plain(kind("", V1, "configmaps", "ConfigMap")),
    plain(kind("", V1, "secrets", "Secret")),
    global(kind("", V1, "namespaces", "Namespace")),
    kind(
        "autoscaling",
        &["v2", "v1"],
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
    ),
    plain(kind(
        "discovery.k8s.io",
        V1,
        "endpointslices",
        "EndpointSlice",
    )),
    plain(kind("coordination.k8s.io", V1, "leases", "Lease")),
    kind("policy", V1, "poddisruptionbudgets", "PodDisruptionBudget"),
    kind("apps", V1, "statefulsets", "StatefulSet"),
    kind("apps", V1, "daemonsets", "DaemonSet"),
    plain(kind(
        "apps",
        V1,
        "controllerrevisions",
        "ControllerRevision",
    )),
    kind("batch", V1, "jobs", "Job"),
    kind("batch", V1, "cronjobs", "CronJob"),
    kind("", V1, "persistentvolumeclaims", "PersistentVolumeClaim"),
    global(kind("", V1, "persistentvolumes", "PersistentVolume")),
    kind("", V1, "resourcequotas", "ResourceQuota"),
    plain(kind("", V1, "limitranges", "LimitRange")),
    global(kind("", V1, "nodes", "Node")),
    plain(kind(RBAC, V1, "roles", "Role")),
    plain(kind(RBAC, V1, "rolebindings", "RoleBinding")),
    plain(global(kind(RBAC, V1, "clusterroles", "ClusterRole"))),
    plain(global(kind(
        RBAC,
        V1,
        "clusterrolebindings",
        "ClusterRoleBinding",
    ))),
    kind(NETWORKING, V1, "ingresses", "Ingress"),
    plain(kind(NETWORKING, V1, "networkpolicies", "NetworkPolicy")),
    plain(global(kind(
        NETWORKING,
        V1,
        "ingressclasses",
        "IngressClass",
    ))),
    plain(global(kind(
        "storage.k8s.io",
        V1,
        "storageclasses",
        "StorageClass",
    ))),
    plain(global(kind(
        "scheduling.k8s.io",
        V1,
        "priorityclasses",
        "PriorityClass",
    ))),
    plain(global(kind(
        HOOKS,
        V1,
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
    ))),
    plain(global(kind(
        HOOKS,
        V1,
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
    ))),
    global(kind(
        HOOKS,
        V1,
        "validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
    )),
    global(kind(
        "apiextensions.k8s.io",
        V1,
        DEFINITIONS,
        "CustomResourceDefinition",
    )),
    global(kind(
        "apiregistration.k8s.io",
        V1,
        "apiservices",
        "APIService",
    )),
];

/// The resource that defines custom resources.
pub(crate) const DEFINITIONS: &str = "customresourcedefinitions";

impl Kind {
    /// Finds a resource by its name in the store, which tests use.
    pub(crate) fn of_plural(plural: &str) -> Option<&'static Kind> {
        KINDS.iter().find(|kind| kind.resource == plural)
    }

    /// Whether the server knows a kind in a version, even one that it no longer serves.
    pub(crate) fn is_registered(&self, name: &str, api_version: &str) -> bool {
        let old = ["apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"];
        if matches!(name, "Deployment" | "ReplicaSet") && old.contains(&api_version) {
            return true;
        }
        let known = |kind: &Kind| {
            let mut versions = kind.versions.iter();
            kind.name == name && versions.any(|version| kind.api_version(version) == api_version)
        };
        known(self) || KINDS.iter().any(known)
    }

    /// Whether this is a custom resource.
    pub(crate) fn is_custom(&self) -> bool {
        self.resource != self.plural
    }

    /// The kind that has rules of its own; nothing for a custom resource, whatever its name is.
    pub(crate) fn built_in(&self) -> &'static str {
        if self.is_custom() { "" } else { self.name }
    }

    /// `apps/v1`, or `v1` for the core group.
    pub(crate) fn api_version(&self, version: &str) -> String {
        if self.group.is_empty() {
            version.to_owned()
        } else {
            format!("{}/{version}", self.group)
        }
    }
}
