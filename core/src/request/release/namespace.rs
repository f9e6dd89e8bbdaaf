//! The namespace in which an object of a release is applied.

use super::model::{Manifest, ReleaseRequest};
use crate::problem::Fault;

/// The namespace of an object, once it is known whether its kind has namespaces: the one that the
/// manifest names, or else the release's. `None` for an object of the whole cluster, whatever its
/// manifest says. A namespace that the request does not allow is a fault.
pub fn namespace_of(
    manifest: &Manifest,
    is_namespaced: bool,
    request: &ReleaseRequest,
) -> Result<Option<String>, Fault> {
    if !is_namespaced {
        return Ok(None);
    }
    let namespace = manifest.namespace.as_ref().unwrap_or(&request.namespace);
    if *namespace == request.namespace || request.namespaces.contains(namespace) {
        return Ok(Some(namespace.clone()));
    }
    let problem = format!(
        "is `{namespace}`, and the release is for `{}`: add `{namespace}` to \
         `namespaces` if the release may write there too",
        request.namespace
    );
    Err(Fault::new("metadata.namespace", problem))
}
