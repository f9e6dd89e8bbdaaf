//! Admission: refuses requests that their sender is permitted to make.

use crate::world::api::call::Call;
use crate::world::api::message::Answer;
use crate::world::api::status;
use crate::world::state::World;
use serde_json::{Value, json};

impl World {
    /// Admission: <https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/>
    pub(crate) fn check_admission(&mut self, method: &str, call: &Call<'_>) -> Result<(), Answer> {
        let now = self.clock;
        for refusal in &mut self.refusals {
            let hit = match &refusal.method {
                Some(wanted) => wanted == method,
                None => method != "GET",
            };
            let in_time = refusal.from.is_none_or(|from| now >= from)
                && refusal.until.is_none_or(|until| now < until);
            let hit = hit
                && call.target.kind.plural == refusal.resource
                && call.target.subresource.is_none()
                && call.has(&refusal.having)
                && (call.dry_run || !refusal.trials_only);
            if !hit || !in_time {
                continue;
            }
            if refusal.skip > 0 {
                // A dry run is refused together with the write that it tries.
                refusal.skip -= u32::from(!call.dry_run);
                continue;
            }
            let (code, reason) = (refusal.status, refusal.reason.as_str());
            return Err(status::refusal(code, reason, &refusal.message, json!({})));
        }
        Ok(())
    }

    pub(crate) fn mutated(&self, plural: &str, object: &mut Value) {
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
