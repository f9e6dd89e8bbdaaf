//! The ServiceAccount that the function uses.

/// The ServiceAccount of `deploy/rbac.yaml`.
pub(crate) const ACCOUNT: &str = "landfall";

/// The user name of the ServiceAccount.
pub(crate) fn account(namespace: &str) -> String {
    format!("system:serviceaccount:{namespace}:{ACCOUNT}")
}

/// The namespace of a ServiceAccount `landfall`.
pub(crate) fn namespace_of(subject: &str) -> Option<&str> {
    let name = subject.strip_prefix("system:serviceaccount:")?;
    name.strip_suffix(ACCOUNT)?.strip_suffix(':')
}
