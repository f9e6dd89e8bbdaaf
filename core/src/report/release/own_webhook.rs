//! What to do where a webhook does not answer that the release itself has.

use crate::request::release::{Manifest, ReleaseRequest};
use serde_json::Value;

/// The group of CustomResourceDefinitions.
const DEFINITIONS: &str = "apiextensions.k8s.io";

/// The next step, where a text names a webhook of a configuration or a definition in this release,
/// and its address.
pub(super) fn next(request: &ReleaseRequest, text: &str) -> Option<String> {
    let mut manifests = request.manifests.iter();
    let own = manifests.find(|manifest| is_named(manifest, text))?;
    let rest = match own.group() == DEFINITIONS {
        true => format!(
            "bring them back first, for example by `kubectl rollout undo`. Do not delete the {}, \
             or its objects go with it.",
            own.kind
        ),
        false => format!(
            "to release without it, delete the configuration (`kubectl delete {} {}`), which the \
             release makes again.",
            own.kind.to_lowercase(),
            own.name
        ),
    };
    Some(format!(
        "This release has that webhook (`{}`, {}). See why the pods of its Service do not \
         answer; {rest} Then retry the stage.",
        own.label(),
        own.place
    ))
}

fn is_named(manifest: &Manifest, text: &str) -> bool {
    let is_at = |client: &Value| address(client).is_some_and(|address| text.contains(&address));
    match manifest.group() {
        DEFINITIONS => {
            let client = &manifest.object()["spec"]["conversion"]["webhook"]["clientConfig"];
            text.contains("conversion webhook for") && is_at(client)
        }
        "admissionregistration.k8s.io" => {
            let object = manifest.object();
            let mut webhooks = object["webhooks"].as_array().into_iter().flatten();
            webhooks.any(|webhook| {
                let name = webhook["name"].as_str();
                name.is_some_and(|name| text.contains(&format!("`{name}`")))
                    && is_at(&webhook["clientConfig"])
            })
        }
        _ => false,
    }
}

/// How an API server's message begins the address of a webhook. Names of webhooks are unique within
/// their configuration alone.
fn address(client: &Value) -> Option<String> {
    let service = &client["service"];
    match client["url"].as_str() {
        Some(url) => Some(url.to_owned()),
        None => Some(format!(
            "https://{}.{}.svc",
            service["name"].as_str()?,
            service["namespace"].as_str()?
        )),
    }
}
