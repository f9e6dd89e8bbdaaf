//! The subresource `scale`.

use crate::world::api::call::Call;
use crate::world::api::decode::{apply_patch, body_of, parse_patch};
use crate::world::api::fields::managers::{Managers, Writer};
use crate::world::api::kinds::Kind;
use crate::world::api::message::{Answer, answer};
use crate::world::api::preconditions::{check_name, check_version};
use crate::world::api::tracking::Note;
use crate::world::object;
use crate::world::object::{integer, written};
use crate::world::state::World;
use serde_json::{Value, json};

impl World {
    pub(crate) fn get_scale(&self, call: &Call<'_>) -> Result<Answer, Answer> {
        let (_, object) = self.find(call)?;
        Ok(answer(200, scale_of(&object)))
    }

    pub(crate) fn change_scale(&mut self, method: &str, call: &Call<'_>) -> Result<Answer, Answer> {
        let kind = call.target.kind;
        let (key, old) = self.find(call)?;
        let mut scale = scale_of(&old);
        if method == "PATCH" {
            let read = parse_patch(call)?;
            apply_patch(kind, call.content_type, &read, &mut scale)?;
        } else {
            scale = body_of(call, "Scale")?;
            check_name(&scale, &key.name)?;
        }
        check_version(kind, &scale, &old)?;
        let before = scale_of(&old);
        let mut object = Value::clone(&old);
        object["spec"]["replicas"] = integer(&scale, "/spec/replicas").into();
        let note = self.scaled(kind, &old, &before, &scale, &Writer::of(call));
        let stored = self.admit(kind, Some(&old), object, &note)?;
        let stored = self.store_or_not(call, &key, Some(&old), stored, &note);
        Ok(answer(200, scale_of(&stored)))
    }
}

impl World {
    /// A scale is tracked by its own fields, where a count of zero is an absent one.
    fn scaled(&self, kind: &Kind, old: &Value, before: &Value, scale: &Value, by: &Writer) -> Note {
        let managed = &old["metadata"]["managedFields"];
        let managers = Managers::decoded(managed).filter(|managers| !managers.0.is_empty());
        let Some(mut managers) = managers.filter(|_| self.tracks_fields) else {
            return Note::Update(by.clone());
        };
        let count = |scale: &Value| match integer(scale, "/spec/replicas") {
            0 => json!({"spec": {}}),
            count => json!({"spec": {"replicas": count}}),
        };
        let of = self.type_of(kind, kind.versions[0]);
        let now = written(self.clock);
        managers.update(&of, &count(before), &count(scale), by, &now);
        Note::Applied(managers.encoded())
    }
}

pub(crate) fn scale_of(object: &Value) -> Value {
    let labels = object::map(object, "/spec/selector/matchLabels")
        .into_iter()
        .flatten();
    let selector: Vec<String> = labels
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let metadata = &object["metadata"];
    let replicas = match integer(object, "/spec/replicas") {
        0 => json!({}),
        count => json!({"replicas": count}),
    };
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"],
            "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"],
            "creationTimestamp": metadata["creationTimestamp"]},
        "spec": replicas,
        "status": {"replicas": integer(object, "/status/replicas"),
            "selector": selector.join(",")}})
}
