//! Parses a request's path into an object or a collection, and its query.

use crate::world::api::kinds::{KINDS, Kind};
use std::collections::BTreeMap;

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
    /// The resources of a group and a version.
    Discovery {
        group: String,
        version: String,
    },
    /// A served group with an unknown resource.
    NoResource,
    /// A group that is not served.
    NoGroup,
    /// Not a path of the API.
    NoPath,
}

/// Routes a path; `custom` are the resources beside those that every cluster has.
pub(crate) fn route(path: &str, custom: &[&'static Kind]) -> Route {
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
        ["api", version, rest @ ..] => target("", version, rest, custom),
        ["apis", group, version, rest @ ..] => target(group, version, rest, custom),
        _ => Route::NoPath,
    }
}

fn target(group: &str, version: &str, rest: &[&str], custom: &[&'static Kind]) -> Route {
    let kinds = KINDS.iter().chain(custom.iter().copied());
    let kinds = kinds.filter(|kind| kind.group == group);
    let kinds: Vec<&'static Kind> = kinds.collect();
    let served = |kind: &&&'static Kind| kind.versions.contains(&version);
    let built_in = kinds.iter().any(|kind| !kind.is_custom()) || is_other(group);
    let unknown = if built_in {
        Route::NoResource
    } else {
        Route::NoGroup
    };
    if rest.is_empty() {
        if kinds.iter().find(served).is_none() {
            return unknown;
        }
        let (group, version) = (group.to_owned(), version.to_owned());
        return Route::Discovery { group, version };
    }
    let (namespace, rest) = match rest {
        ["namespaces", _, "status"] => (None, rest),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
        rest => (None, rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (*plural, None, None),
        [plural, name] => (*plural, Some(*name), None),
        [plural, name, subresource] => (*plural, Some(*name), Some(*subresource)),
        ["services", name, "proxy", ..] => ("services", Some(*name), Some("proxy")),
        _ => return unknown,
    };
    let mut kind = kinds.iter().filter(served);
    let kind = kind.find(|kind| kind.plural == plural);
    let served = kind.copied().filter(|kind| {
        // An object of a namespaced resource has no path without its namespace.
        kind.namespaced == namespace.is_some() || (kind.namespaced && name.is_none())
    });
    let Some(kind) = served else {
        return unknown;
    };
    if !subresource.is_none_or(|subresource| has_subresource(kind, subresource)) {
        return unknown;
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

/// Groups of the API server that have no resources here.
fn is_other(group: &str) -> bool {
    matches!(
        group,
        "authorization.k8s.io" | "authentication.k8s.io" | "events.k8s.io" | "node.k8s.io"
    )
}

pub(crate) fn has_subresource(kind: &Kind, subresource: &str) -> bool {
    let plural = kind.resource;
    match subresource {
        "status" => kind.has_status,
        "scale" => matches!(plural, "deployments" | "replicasets" | "statefulsets"),
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
