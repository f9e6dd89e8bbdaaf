//! Another release in the same namespace, and an object of nobody: neither may ever change.

use crate::releases::{GOOD, release, settings, web};
use crate::stage::Stage;
use serde_json::{Value, json};

const OBJECTS: [(&str, &str); 5] = [
    ("configmaps", "settings-of-others"),
    ("configmaps", "nobodys"),
    ("deployments", "bystander"),
    ("secrets", "landfall.other"),
    ("secrets", "landfall.other.v1"),
];

pub struct Others(Vec<Value>);

/// The object of nobody.
pub fn nobodys() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nobodys",
        "namespace": "default"}, "data": {"LEVEL": "theirs"}})
}

impl Others {
    pub async fn release(stage: &Stage) -> Others {
        let config = settings("info").replace("settings", "settings-of-others");
        let bystander = web("bystander", GOOD);
        let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*bystander)];
        let parameters = json!({"release": "other", "execution": "execution-of-others"});
        release(stage, &files, parameters).await.released();
        Others(seen(stage).await)
    }

    /// Says what has changed.
    pub async fn changed(&self, stage: &Stage) -> Result<(), String> {
        let now = seen(stage).await;
        match self.0 == now {
            true => Ok(()),
            false => Err(format!("others were touched: {:?}, now {now:?}", self.0)),
        }
    }
}

/// What only a write of somebody changes, and no controller.
async fn seen(stage: &Stage) -> Vec<Value> {
    let mut all = Vec::new();
    for (resource, name) in OBJECTS {
        let object = stage
            .cluster
            .object(resource, name)
            .await
            .unwrap_or_default();
        let metadata = &object["metadata"];
        all.push(json!([
            name,
            metadata["uid"],
            metadata["labels"],
            object["data"],
            object["spec"],
            metadata["annotations"]
        ]));
    }
    all
}
