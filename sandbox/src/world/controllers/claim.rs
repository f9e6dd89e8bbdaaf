//! Volume claims: bound at once, or with the first pod that uses them.

use crate::world::object::{list, text};
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::{Value, json};

impl World {
    /// Binds a claim, unless its class waits for a pod.
    pub(crate) fn sync_claim(&mut self, key: &Key) {
        let Some(claim) = self.store.get(key).cloned() else {
            return;
        };
        let phase = text(&claim, "/status/phase");
        if matches!(phase, "Bound" | "Lost") {
            return;
        }
        let mut claim = Value::clone(&claim);
        if self.waits_for_consumer(&claim) && !self.is_consumed(key) {
            claim["status"] = json!({"phase": "Pending"});
        } else {
            let volume = format!("pvc-{}", text(&claim, "/metadata/uid"));
            claim["status"] = json!({"phase": "Bound", "accessModes": claim["spec"]["accessModes"],
                "capacity": claim["spec"]["resources"]["requests"]});
            claim["spec"]["volumeName"] = volume.into();
        }
        self.write(key, claim);
    }

    fn waits_for_consumer(&self, claim: &Value) -> bool {
        let class = Key::new("storageclasses", "", text(claim, "/spec/storageClassName"));
        let class = self.store.get(&class);
        class.is_some_and(|class| class["volumeBindingMode"] == "WaitForFirstConsumer")
    }

    /// Whether a pod wants the claim.
    fn is_consumed(&self, key: &Key) -> bool {
        let mut pods = self.store.all("pods");
        pods.any(|(pod, object)| {
            pod.namespace == key.namespace && claims_of(object).any(|name| name == key.name)
        })
    }
}

/// The names of the claims that a pod uses.
pub(crate) fn claims_of(pod: &Value) -> impl Iterator<Item = &str> {
    let volumes = list(pod, "/spec/volumes").iter();
    let names = volumes.map(|volume| text(volume, "/persistentVolumeClaim/claimName"));
    names.filter(|name| !name.is_empty())
}
