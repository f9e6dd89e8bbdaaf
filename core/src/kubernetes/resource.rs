//! The resources that are called: their names in a Role, and their paths.

use super::name::Rule;
use super::path::{One, Path};

pub(super) const LOGS: &str = "pods/log";

pub(super) const REVIEWS: &str = "selfsubjectaccessreviews.authorization.k8s.io";

pub(super) const IDENTITIES: &str = "selfsubjectreviews.authentication.k8s.io";

pub(super) const TOKENS: &str = "serviceaccounts/token";

pub(super) const DEPLOYMENTS: &str = "deployments.apps";

pub(super) const SERVICES: &str = "services";

pub(super) const PROXY: &str = "services/proxy";

pub(super) const AUTOSCALERS: &str = "horizontalpodautoscalers.autoscaling";

pub(super) fn deployments_path(namespace: &str) -> Path {
    Path::of("apis/apps/v1", namespace, "deployments", None)
}

pub(super) fn deployment_path(namespace: &str, name: &str) -> Path {
    let name = Some(One(name, Rule::Subdomain));
    Path::of("apis/apps/v1", namespace, "deployments", name)
}

pub(super) fn services_path(namespace: &str, name: Option<&str>) -> Path {
    let name = name.map(|name| One(name, Rule::Label));
    Path::of("api/v1", namespace, "services", name)
}

pub(super) fn autoscalers_path(namespace: &str, name: Option<&str>) -> Path {
    let (api, name) = (
        "apis/autoscaling/v2",
        name.map(|name| One(name, Rule::Subdomain)),
    );
    Path::of(api, namespace, "horizontalpodautoscalers", name)
}
