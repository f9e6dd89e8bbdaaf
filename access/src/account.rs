//! Who the function is to the cluster: a ServiceAccount, or a member of a group.

/// The ServiceAccount of `deploy/rbac.yaml`.
pub(crate) const ACCOUNT: &str = "landfall";
/// The group that an EKS access entry puts the function's role in.
pub(crate) const GROUP: &str = "landfall";

/// The user name of the ServiceAccount.
pub(crate) fn account(namespace: &str) -> String {
    format!("system:serviceaccount:{namespace}:{ACCOUNT}")
}

/// The namespace of a ServiceAccount `landfall`.
pub(crate) fn namespace_of(subject: &str) -> Option<&str> {
    let name = subject.strip_prefix("system:serviceaccount:")?;
    name.strip_suffix(ACCOUNT)?.strip_suffix(':')
}

/// The group of `deploy/`'s RoleBindings, in the form in which subjects are shown.
pub(crate) fn group() -> String {
    format!("Group {GROUP}")
}
