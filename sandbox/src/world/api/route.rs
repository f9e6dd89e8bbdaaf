//! Parses a request's path into an object or a collection, and its query.

use std::collections::BTreeMap;

/// A resource that this cluster serves.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) group: &'static str,
    /// The served versions; objects are returned in the requested one.
    pub(crate) versions: &'static [&'static str],
    pub(crate) plural: &'static str,
    pub(crate) name: &'static str,
    pub(crate) namespaced: bool,
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
    }
}

/// All served resources.
pub(crate) const KINDS: &[Kind] = &[
    kind("apps", &["v1"], "deployments", "Deployment"),
    kind("apps", &["v1"], "replicasets", "ReplicaSet"),
    kind("", &["v1"], "pods", "Pod"),
    kind("", &["v1"], "services", "Service"),
    kind("", &["v1"], "events", "Event"),
    kind("", &["v1"], "serviceaccounts", "ServiceAccount"),
    kind("", &["v1"], "configmaps", "ConfigMap"),
    kind("", &["v1"], "secrets", "Secret"),
    Kind {
        namespaced: false,
        ..kind("", &["v1"], "namespaces", "Namespace")
    },
    kind(
        "autoscaling",
        &["v2", "v1"],
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
    ),
    kind(
        "discovery.k8s.io",
        &["v1"],
        "endpointslices",
        "EndpointSlice",
    ),
    kind("coordination.k8s.io", &["v1"], "leases", "Lease"),
    kind(
        "policy",
        &["v1"],
        "poddisruptionbudgets",
        "PodDisruptionBudget",
    ),
];

impl Kind {
    /// Finds a resource by its plural name, which tests use.
    pub(crate) fn of_plural(plural: &str) -> Option<&'static Kind> {
        KINDS.iter().find(|kind| kind.plural == plural)
    }

    /// Finds a resource by an object's kind.
    pub(crate) fn of_object(name: &str) -> Option<&'static Kind> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// Whether the server knows a kind in a version, even one that it no longer serves.
    pub(crate) fn is_registered(name: &str, api_version: &str) -> bool {
        let old = ["apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"];
        if matches!(name, "Deployment" | "ReplicaSet") && old.contains(&api_version) {
            return true;
        }
        Kind::of_object(name).is_some_and(|kind| {
            let mut versions = kind.versions.iter();
            versions.any(|version| kind.api_version(version) == api_version)
        })
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

/// The target of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) kind: &'static Kind,
    pub(crate) version: String,
    /// The namespace; `None` for all namespaces, or for a cluster-scoped resource.
    pub(crate) namespace: Option<String>,
    /// The name; `None` for the collection.
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
    /// The path behind a proxy.
    pub(crate) beyond: String,
}

/// The route of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Version,
    Healthy,
    /// `selfsubjectaccessreviews`: which permissions do I have?
    AccessReview,
    /// `selfsubjectreviews`: who am I?
    IdentityReview,
    Target(Target),
    /// A served group with an unknown resource.
    NoResource,
    /// Not a path of the API.
    NoPath,
}

pub(crate) fn route(path: &str) -> Route {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(decoded)
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["version"] => Route::Version,
        ["readyz" | "livez" | "healthz", ..] => Route::Healthy,
        [
            "apis",
            "authorization.k8s.io",
            "v1",
            "selfsubjectaccessreviews",
        ] => Route::AccessReview,
        ["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"] => Route::IdentityReview,
        ["api", version, rest @ ..] => target("", version, rest),
        ["apis", group, version, rest @ ..] => target(group, version, rest),
        _ => Route::NoPath,
    }
}

fn target(group: &str, version: &str, rest: &[&str]) -> Route {
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
        rest => (None, rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (*plural, None, None),
        [plural, name] => (*plural, Some(*name), None),
        [plural, name, subresource] => (*plural, Some(*name), Some(*subresource)),
        ["services", name, "proxy", ..] => ("services", Some(*name), Some("proxy")),
        _ => return Route::NoResource,
    };
    let kind = KINDS.iter().find(|kind| {
        kind.group == group && kind.plural == plural && kind.versions.contains(&version)
    });
    let served = kind.filter(|kind| {
        // An object of a namespaced resource has no path without its namespace.
        kind.namespaced == namespace.is_some() || (kind.namespaced && name.is_none())
    });
    let Some(kind) = served else {
        return Route::NoResource;
    };
    if !subresource.is_none_or(|subresource| has_subresource(kind.plural, subresource)) {
        return Route::NoResource;
    }
    Route::Target(Target {
        kind,
        version: version.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.map(str::to_owned),
        subresource: subresource.map(str::to_owned),
        beyond: match subresource {
            Some("proxy") => format!("/{}", rest[3..].join("/")),
            _ => String::new(),
        },
    })
}

fn has_subresource(plural: &str, subresource: &str) -> bool {
    match subresource {
        "status" => !matches!(
            plural,
            "configmaps" | "secrets" | "events" | "serviceaccounts"
        ),
        "scale" => matches!(plural, "deployments" | "replicasets"),
        "log" => plural == "pods",
        "proxy" => plural == "services",
        "token" => plural == "serviceaccounts",
        _ => false,
    }
}

/// The decoded query; the first of several equal names counts.
pub(crate) fn query(path: &str) -> BTreeMap<String, String> {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let mut all = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        all.entry(decoded(name))
            .or_insert_with(|| decoded(&value.replace('+', " ")));
    }
    all
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).filter(|_| *first == b'%');
        let hex = escaped.and_then(|pair| std::str::from_utf8(pair).ok());
        match hex.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
