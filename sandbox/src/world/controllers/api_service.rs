//! API services: whether the server behind a group of the API can be reached.

use crate::world::controllers::deployment::rollout::merge_condition;
use crate::world::object::{condition, list, map_mut, text, written};
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::{Value, json};

impl World {
    pub(crate) fn sync_api_service(&mut self, key: &Key) {
        let Some(old) = self.store.get(key).cloned() else {
            return;
        };
        let (status, reason, message) = self.reach(&old["spec"]["service"]);
        let mut object = Value::clone(&old);
        let new = json!({"type": "Available", "status": status, "reason": reason,
            "message": message, "lastTransitionTime": written(self.clock)});
        let known = condition(&old, "Available");
        if known.is_some_and(|it| it["message"] == new["message"] && it["reason"] == new["reason"])
        {
            return;
        }
        merge_condition(map_mut(&mut object, "status"), new);
        self.write(key, object);
    }

    /// (status, reason, message) of an API service that is served by this Service.
    fn reach(&self, service: &Value) -> (&'static str, &'static str, String) {
        if service.is_null() {
            let message = "Local APIServices are always available";
            return ("True", "Local", message.to_owned());
        }
        let (namespace, name) = (text(service, "/namespace"), text(service, "/name"));
        if self
            .store
            .get(&Key::new("services", namespace, name))
            .is_none()
        {
            let message = format!("service/{name} in \"{namespace}\" is not present");
            return ("False", "ServiceNotFound", message);
        }
        let slices = self.store.all("endpointslices");
        let mut own = slices.filter(|(key, slice)| {
            let of = &slice["metadata"]["labels"]["kubernetes.io/service-name"];
            key.namespace == namespace && *of == name
        });
        let is_ready = |endpoint: &Value| endpoint["conditions"]["ready"] == true;
        if own.any(|(_, slice)| list(slice, "/endpoints").iter().any(is_ready)) {
            return ("True", "Passed", "all checks passed".to_owned());
        }
        let message = format!("endpoints for service/{name} in \"{namespace}\" have no addresses");
        ("False", "MissingEndpoints", message)
    }
}
