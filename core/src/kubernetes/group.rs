//! The API groups that Kubernetes itself serves. Objects of all other groups are custom resources.

/// <https://kubernetes.io/docs/reference/kubernetes-api/>
const BUILT_IN: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Kinds whose objects are only deleted where the object itself asks for it: with a namespace or a
/// definition goes all that is in it, with the others goes data.
const KEPT_KINDS: &[(&str, &str)] = &[
    ("", "Namespace"),
    ("", "PersistentVolume"),
    ("", "PersistentVolumeClaim"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("storage.k8s.io", "StorageClass"),
];

/// Whether objects of this kind are only deleted where the object itself asks for it, when a
/// release has them no more, and on its way back.
pub fn is_kept_kind(group: &str, kind: &str) -> bool {
    KEPT_KINDS.contains(&(group, kind))
}

/// Whether Kubernetes itself serves the group. The ending `.k8s.io` alone says nothing: the
/// Gateway API has it, and is a set of custom resources.
pub fn is_builtin(group: &str) -> bool {
    BUILT_IN.contains(&group)
}
