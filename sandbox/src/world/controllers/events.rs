//! Events, as controllers, the scheduler and the kubelet write them.

use crate::world::object::{integer, text, written};
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::{Value, json};

/// How many events the cluster keeps; a real one drops them after an hour.
const EVENT_LIMIT: usize = 2_000;

impl World {
    /// Writes an event about an object; a repeated event only increments its count.
    pub(crate) fn event(
        &mut self,
        about: &Value,
        component: &str,
        kind: &str,
        reason: &str,
        message: &str,
    ) {
        let now = written(self.clock);
        let namespace = text(about, "/metadata/namespace").to_owned();
        let uid = text(about, "/metadata/uid").to_owned();
        let same = |event: &Value| {
            event["message"] == message
                && event["reason"] == reason
                && event["involvedObject"]["uid"] == *uid
                && event["involvedObject"]["fieldPath"] == about["fieldPath"]
        };
        // An event's name begins with the name of its object.
        let about_it = format!("{}.", text(about, "/metadata/name"));
        let known = self.store.named(&namespace, "events", &about_it);
        let known = { known }.find(|(_, event)| same(event));
        let known = known.map(|(key, event)| (key.clone(), Value::clone(event)));
        if let Some((key, mut event)) = known {
            event["count"] = (integer(&event, "/count") + 1).into();
            event["lastTimestamp"] = now.into();
            self.write(&key, event);
            return;
        }
        let name = format!(
            "{}.{:016x}",
            text(about, "/metadata/name"),
            self.store.number()
        );
        let event = json!({
            "kind": "Event", "apiVersion": "v1",
            "metadata": {"name": name, "namespace": namespace, "uid": format!("event-{name}"),
                "creationTimestamp": now},
            "involvedObject": {"kind": about["kind"], "namespace": namespace,
                "name": about["metadata"]["name"], "uid": uid, "fieldPath": about["fieldPath"],
                "apiVersion": about["apiVersion"],
                "resourceVersion": about["metadata"]["resourceVersion"]},
            "reason": reason, "message": message, "type": kind,
            "source": {"component": component},
            "firstTimestamp": now, "lastTimestamp": now, "count": 1,
            "eventTime": null, "reportingComponent": component, "reportingInstance": ""});
        self.write(&Key::new("events", &namespace, &name), event);
        self.drop_oldest_event();
    }

    fn drop_oldest_event(&mut self) {
        if self.store.size() <= EVENT_LIMIT || self.store.all("events").count() <= EVENT_LIMIT {
            return;
        }
        let age = |event: &Value| text(event, "/lastTimestamp").to_owned();
        let oldest = self.store.all("events").min_by_key(|(_, event)| age(event));
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.remove(&key);
        }
    }
}
