//! The release of the demo, as it is in the cluster.

use crate::picture::Picture;
use crate::stage::{NAMESPACE, Stage};
use serde_json::{Value, json};

/// The names of all objects of the release begin so.
const SHOP: &str = "shop-";

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
            let deployment = world.deployment(NAMESPACE, "shop-web");
            let picture = Picture::of(deployment, &pods, is_old);
            picture.with(Stage::requests(world, "shop-web", false))
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
