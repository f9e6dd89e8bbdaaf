//! The resources that are not built in: those that a CustomResourceDefinition defines, and those
//! that the API server lists.

use super::resource::Resource;
use serde_json::Value;

/// The resources of a CustomResourceDefinition, one for each version, and whether the version is
/// served.
pub fn defined(definition: &Value) -> Vec<(Resource, bool)> {
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (group, names) = (text(&spec["group"]), &spec["names"]);
    let (kind, plural) = (text(&names["kind"]), text(&names["plural"]));
    let is_namespaced = spec["scope"] == "Namespaced";
    let versions = spec["versions"].as_array().into_iter().flatten();
    let resources = versions.map(|version| {
        let api_version = format!("{group}/{}", text(&version["name"]));
        let resource = Resource::new(&api_version, &kind, &plural, is_namespaced);
        (resource, version["served"] != false)
    });
    resources.collect()
}

/// The resources of a group in a version, as the API server lists them. A name with a slash is a
/// part of another resource.
/// <https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api>
pub fn listed(api_version: &str, list: &Value) -> Vec<Resource> {
    let entries = list["resources"].as_array().into_iter().flatten();
    let resources = entries.filter_map(|entry| {
        let text = |field: &str| entry[field].as_str().unwrap_or_default();
        let (plural, kind) = (text("name"), text("kind"));
        let is_whole = !plural.contains('/') && !plural.is_empty() && !kind.is_empty();
        let is_namespaced = entry["namespaced"] == true;
        is_whole.then(|| Resource::new(api_version, kind, plural, is_namespaced))
    });
    resources.collect()
}
