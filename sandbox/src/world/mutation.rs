//! What mutating webhooks make of an object before it is stored.

use super::World;
use serde_json::{Value, json};

/// What is changed in every object of a resource that is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Mutation {
    /// `deployments`, …
    pub resource: String,
    /// An image that is replaced, as by a webhook that turns tags into digests, and by which.
    pub image: Option<(String, String)>,
    /// Fields that every container gets where it has them not, as GKE Autopilot does it.
    pub container: Value,
}

impl World {
    /// Lets a webhook change what is written from now on.
    pub fn mutate(&mut self, mutation: Mutation) {
        self.mutations.push(mutation);
    }

    pub(super) fn mutated(&self, plural: &str, object: &mut Value) {
        for mutation in self.mutations.iter().filter(|it| it.resource == plural) {
            let containers = object.pointer_mut("/spec/template/spec/containers");
            let containers = containers.and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                if let Some((from, to)) = &mutation.image
                    && container["image"] == **from
                {
                    container["image"] = to.as_str().into();
                }
                let Some(container) = container.as_object_mut() else {
                    continue;
                };
                for (field, value) in mutation.container.as_object().into_iter().flatten() {
                    let found = container.entry(field).or_insert(Value::Null);
                    if found.is_null() || *found == json!({}) {
                        found.clone_from(value);
                    }
                }
            }
        }
    }
}
