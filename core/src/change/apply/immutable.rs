//! Which fields cannot be changed, where the server only says `spec`.

use super::refusal::ApplyRefusal;
use crate::change::comparison::contains;
use serde_json::Value;

/// What may change of the kinds whose refusal names the whole `spec`.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#update-strategies>
const CHANGEABLE: [(&str, &[&str]); 2] = [
    (
        "StatefulSet",
        &[
            "replicas",
            "ordinals",
            "template",
            "updateStrategy",
            "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy",
            "minReadySeconds",
        ],
    ),
    (
        "PersistentVolumeClaim",
        &["resources", "volumeAttributesClassName"],
    ),
];

impl ApplyRefusal {
    /// Names the fields of the spec that differ from the live object, where the server says only
    /// that the spec cannot be changed.
    pub fn named(self, live: Option<&Value>, sent: &Value) -> ApplyRefusal {
        let (ApplyRefusal::Immutable(fields), Some(live)) = (&self, live) else {
            return self;
        };
        if fields != &["spec"] {
            return self;
        }
        let kind = sent["kind"].as_str().unwrap_or_default();
        let changeable = CHANGEABLE.iter().find(|(known, _)| *known == kind);
        let changeable = changeable.map_or(&[][..], |(_, fields)| fields);
        let wanted = sent["spec"].as_object().into_iter().flatten();
        let changed = wanted.filter(|(field, wanted)| {
            let found = live["spec"].get(field.as_str());
            !changeable.contains(&field.as_str())
                && !contains(found.unwrap_or(&Value::Null), wanted)
        });
        let changed = changed.map(|(field, _)| format!("spec.{field}"));
        let changed = changed.collect::<Vec<_>>();
        match changed.is_empty() {
            true => self,
            false => ApplyRefusal::Immutable(changed),
        }
    }
}

#[cfg(test)]
mod tests;
