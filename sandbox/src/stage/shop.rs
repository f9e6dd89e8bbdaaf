//! The release of the demo: the input artifacts with its objects, and what it is like in the
//! cluster.

use crate::picture::Picture;
use crate::stage::{NAMESPACE, Stage};
use landfall_sandbox::aws::{Aws, zip};
use landfall_sandbox::world::Behaviour;
use serde_json::{Value, json};

/// The names of all objects of the release begin so.
const SHOP: &str = "shop-";
const OBJECTS: &str = include_str!("shop.yaml");
/// The artifacts in `events/shop.json` and `events/migration.json`: key, version, migration.
const ARTIFACTS: [(&str, &str, &str); 2] = [
    ("demo/Release/TdOSFRV", "1.0", "1.0"),
    ("demo/Migration/TdOSFRV", "1.1", "1.1-broken"),
];
/// What a migration says that fails.
const MIGRATION_LOG: &str = "migrating orders from version 41 to 42\n\
    ALTER TABLE orders ADD COLUMN paid_at timestamptz\n\
    ERROR: column \"paid_at\" of relation \"orders\" already exists\n";

/// Puts the release's artifacts into the pipeline's bucket.
pub(crate) fn put_artifacts(aws: &Aws, bucket: &str) {
    for (key, version, migration) in ARTIFACTS {
        let objects = OBJECTS.replace("VERSION", version);
        let objects = objects.replace("MIGRATION", migration);
        aws.put_object(bucket, key, zip(&[("k8s/shop.yaml", objects.as_bytes())]));
    }
}

/// How a broken migration ends.
pub(crate) fn broken_migration() -> Behaviour {
    Behaviour::CrashLoop {
        exit_code: 1,
        log: MIGRATION_LOG.to_owned(),
        reason: None,
    }
}

impl Stage {
    /// The pods of the release.
    pub(crate) fn shop_picture(&self, is_old: &impl Fn(&str) -> bool) -> Picture {
        let Some(kubernetes) = &self.kubernetes else {
            return Picture::default();
        };
        kubernetes.world(|world, _| {
            let mut pods = world.objects("pods");
            pods.retain(|pod| {
                let name = pod["metadata"]["name"].as_str();
                name.is_some_and(|name| name.starts_with(SHOP))
            });
            Picture::of(world.deployment(NAMESPACE, "shop-web"), &pods, is_old)
        })
    }

    /// The templates of the release's workloads.
    pub(crate) fn shop_templates(&self) -> Value {
        let Some(kubernetes) = &self.kubernetes else {
            return Value::Null;
        };
        kubernetes.world(|world, _| {
            let of = |resource: &str, name: &str| {
                let object = world.object(resource, NAMESPACE, name);
                object.map(|object| object["spec"]["template"].clone())
            };
            json!([
                of("deployments", "shop-web"),
                of("statefulsets", "shop-orders")
            ])
        })
    }
}
