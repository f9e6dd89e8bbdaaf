//! What no text may show of a release.

use super::images::Found;
use super::model::ReleaseRequest;
use crate::request::model::Hidden;
use std::collections::BTreeSet;

/// The values to redact: without words that are names in the request, which no text can avoid.
pub(super) fn hidden(
    request: &ReleaseRequest,
    images: &[Found],
    secrets: BTreeSet<String>,
) -> Vec<Hidden> {
    let mut names = BTreeSet::from(["true", "false", &*request.name, &*request.namespace]);
    names.insert(&request.execution);
    names.extend(request.namespaces.iter().map(String::as_str));
    names.extend(
        request
            .cluster
            .iter()
            .chain(&request.commit)
            .map(String::as_str),
    );
    for manifest in &request.manifests {
        names.extend([&*manifest.name, &*manifest.kind, &*manifest.place.file]);
        names.extend(manifest.namespace.as_deref());
    }
    for Found { image, .. } in images {
        names.extend(image.container.as_deref());
        names.insert(&image.image);
    }
    let is_name = |value: &String| names.iter().any(|name| name.contains(value.as_str()));
    let secrets = secrets.into_iter().filter(|value| !is_name(value));
    secrets.map(Hidden::new).collect()
}
