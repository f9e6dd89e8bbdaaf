//! The kinds that every cluster serves: for these the API server need not be asked where they are.

use super::resource::Resource;

/// Version, whether the objects are in namespaces, and kinds. Only what is stable (GA) in every
/// supported Kubernetes is here; anything else is looked up in the cluster.
/// <https://kubernetes.io/docs/reference/kubernetes-api/>
const BUILTIN: &[(&str, bool, &[&str])] = &[
    (
        "v1",
        true,
        &[
            "ConfigMap",
            "Endpoints",
            "LimitRange",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
    ),
    ("v1", false, &["Namespace", "PersistentVolume"]),
    (
        "admissionregistration.k8s.io/v1",
        false,
        &[
            "MutatingWebhookConfiguration",
            "ValidatingWebhookConfiguration",
        ],
    ),
    (
        "apiextensions.k8s.io/v1",
        false,
        &["CustomResourceDefinition"],
    ),
    ("apiregistration.k8s.io/v1", false, &["APIService"]),
    (
        "apps/v1",
        true,
        &[
            "ControllerRevision",
            "DaemonSet",
            "Deployment",
            "ReplicaSet",
            "StatefulSet",
        ],
    ),
    ("autoscaling/v1", true, &["HorizontalPodAutoscaler"]),
    ("autoscaling/v2", true, &["HorizontalPodAutoscaler"]),
    ("batch/v1", true, &["CronJob", "Job"]),
    ("coordination.k8s.io/v1", true, &["Lease"]),
    ("discovery.k8s.io/v1", true, &["EndpointSlice"]),
    ("networking.k8s.io/v1", true, &["Ingress", "NetworkPolicy"]),
    ("networking.k8s.io/v1", false, &["IngressClass"]),
    ("policy/v1", true, &["PodDisruptionBudget"]),
    (
        "rbac.authorization.k8s.io/v1",
        false,
        &["ClusterRole", "ClusterRoleBinding"],
    ),
    (
        "rbac.authorization.k8s.io/v1",
        true,
        &["Role", "RoleBinding"],
    ),
    ("scheduling.k8s.io/v1", false, &["PriorityClass"]),
    ("storage.k8s.io/v1", false, &["StorageClass"]),
];

/// Finds the resource of a kind that every cluster serves.
pub fn resource(api_version: &str, kind: &str) -> Option<Resource> {
    let mut rows = BUILTIN.iter();
    let (_, namespaced, _) =
        rows.find(|(version, _, kinds)| *version == api_version && kinds.contains(&kind))?;
    Some(Resource::new(api_version, kind, &plural(kind), *namespaced))
}

/// The plural of a kind, by the rule that Kubernetes' own kinds follow.
/// <https://github.com/kubernetes/apimachinery/blob/master/pkg/api/meta/restmapper.go>
fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind == "endpoints" => kind,
        None if kind.ends_with('s') => kind + "es",
        None => kind + "s",
    }
}
