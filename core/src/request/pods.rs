//! What is in the specification of pods.

use serde_json::Value;

/// Where a workload has it.
pub(super) const POD: &str = "/spec/template/spec";

/// The paths of containers and volumes without a name, by which the API server merges them: without
/// it a strategic merge patch is answered by HTTP 500.
pub(super) fn nameless(pod: &'static str, object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for list in ["initContainers", "containers", "volumes"] {
        let items = object.pointer(pod).and_then(|pod| pod[list].as_array());
        for (index, item) in items.into_iter().flatten().enumerate() {
            if item.is_object() && item["name"].is_null() {
                found.push(format!("{}.{list}[{index}].name", pod.replace('/', ".")));
            }
        }
    }
    found
}

/// The values of the variables of all containers of a pod.
pub(super) fn values<'o>(pod: &'static str, object: &'o Value) -> Vec<&'o str> {
    let pod = object.pointer(pod);
    let lists = ["containers", "initContainers"].into_iter();
    let containers = lists
        .filter_map(|list| pod?.get(list)?.as_array())
        .flatten();
    let variables = containers.filter_map(|container| container.get("env")?.as_array());
    let values = variables
        .flatten()
        .filter_map(|variable| variable.get("value")?.as_str());
    values.collect()
}
