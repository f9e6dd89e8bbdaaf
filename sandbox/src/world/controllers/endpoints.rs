//! The endpoint controller: one EndpointSlice for each Service that has a selector.

use crate::world::controllers::pod::script::is_over;
use crate::world::object::{condition, list, map, terminating, text, written};
use crate::world::selector::Labels;
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::{Value, json};

impl World {
    pub(crate) fn sync_endpoints(&mut self, key: &Key) {
        let slice = Key::new(
            "endpointslices",
            &key.namespace,
            &format!("{}-slice", key.name),
        );
        let Some(service) = self.store.get(key).cloned() else {
            self.remove(&slice);
            return;
        };
        let selector = &service["spec"]["selector"];
        if map(selector, "").is_none_or(serde_json::Map::is_empty) {
            return;
        }
        let labels = Labels::of_map(selector);
        let pods = self.store.all("pods").filter(|(pod, object)| {
            pod.namespace == key.namespace
                && labels.match_object(object)
                && !text(object, "/status/podIP").is_empty()
                && !is_over(object)
        });
        let endpoints: Vec<Value> = pods.map(|(_, pod)| endpoint(pod)).collect();
        let old = self.store.get(&slice).cloned();
        let created = old.as_ref().map_or_else(
            || written(self.clock),
            |old| text(old, "/metadata/creationTimestamp").to_owned(),
        );
        let ports: Vec<Value> = list(&service, "/spec/ports")
            .iter()
            .map(|port| {
                json!({"name": text(port, "/name"), "port": port["targetPort"],
                    "protocol": port["protocol"]})
            })
            .collect();
        let object = json!({
            "kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1",
            "metadata": {"name": slice.name, "namespace": key.namespace,
                "uid": format!("slice-{}", text(&service, "/metadata/uid")),
                "creationTimestamp": created,
                "labels": {"kubernetes.io/service-name": key.name,
                    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"},
                "ownerReferences": [{"apiVersion": "v1", "kind": "Service", "name": key.name,
                    "uid": service["metadata"]["uid"], "controller": true,
                    "blockOwnerDeletion": true}]},
            "addressType": "IPv4", "endpoints": endpoints, "ports": ports});
        self.write(&slice, object);
    }
}

fn endpoint(pod: &Value) -> Value {
    let serving = condition(pod, "Ready").is_some_and(|ready| ready["status"] == "True");
    let leaving = terminating(pod);
    json!({"addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": serving && !leaving, "serving": serving, "terminating": leaving},
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": {"kind": "Pod", "namespace": pod["metadata"]["namespace"],
            "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}})
}
