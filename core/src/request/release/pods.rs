//! The pods that an object makes: where their template is in each kind, and their containers.

use super::identity::Identity;
use crate::request::place::place_of;
use crate::request::pods::POD;
use serde_json::Value;

/// Groups whose objects have a pod template at `/spec/template`, with the fields of a Deployment.
const TEMPLATED: [&str; 2] = ["apps", "batch"];

/// The path of the pod's specification in an object, as a JSON pointer; `None` if the object makes
/// no pods. Kinds of operators have it where a Deployment has it.
pub(super) fn pod(identity: &Identity, object: &Value) -> Option<&'static str> {
    let path = match (identity.group(), &*identity.kind) {
        ("", "Pod") => "/spec",
        ("", "PodTemplate") => "/template/spec",
        ("batch", "CronJob") => "/spec/jobTemplate/spec/template/spec",
        ("apiextensions.k8s.io", _) => return None,
        _ => POD,
    };
    object.pointer(path)?.get("containers")?.as_array()?;
    Some(path)
}

/// The part of an object that has the fields of a Deployment, and its path.
pub(super) fn templated<'o>(
    identity: &Identity,
    object: &'o Value,
) -> Option<(&'static str, &'o Value)> {
    if identity.is("batch", "CronJob") {
        return Some((".spec.jobTemplate", object.pointer("/spec/jobTemplate")?));
    }
    TEMPLATED
        .contains(&identity.group())
        .then_some(("", object))
}

/// An image in a pod.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Image {
    /// The container; `None` for a volume.
    pub(super) container: Option<String>,
    /// Whether it is an init container.
    pub(super) is_init: bool,
    /// Where the image is in the object, as a JSON pointer.
    pub(super) pointer: String,
    /// The same as a path for messages, with names in place of indexes.
    pub(super) path: String,
    /// The image; empty if there is none.
    pub(super) image: String,
}

/// The images in a pod: of containers, init containers and image volumes.
/// <https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/>
pub(super) fn images(pod: &'static str, object: &Value) -> Vec<Image> {
    let dotted = pod.replace('/', ".");
    let mut found = Vec::new();
    for list in ["containers", "initContainers", "volumes"] {
        let items = object.pointer(pod).and_then(|pod| pod[list].as_array());
        for (index, item) in items.into_iter().flatten().enumerate() {
            let is_volume = list == "volumes";
            let (field, dots) = match is_volume {
                true => ("/image/reference", ".image.reference"),
                false => ("/image", ".image"),
            };
            let image = item.pointer(field).and_then(Value::as_str);
            if !item.is_object() || is_volume && image.is_none() {
                continue;
            }
            found.push(Image {
                container: item["name"]
                    .as_str()
                    .filter(|_| !is_volume)
                    .map(str::to_owned),
                is_init: list == "initContainers",
                pointer: format!("{pod}/{list}/{index}{field}"),
                path: format!("{dotted}.{list}[{}]{dots}", place_of(item, index)),
                image: image.unwrap_or_default().to_owned(),
            });
        }
    }
    found
}
