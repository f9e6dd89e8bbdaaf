//! The autoscaler of a family: it is pointed at the Deployment that serves, and held at a floor
//! meanwhile.

use super::context::Context;
use crate::kubernetes::call::Call;
use crate::kubernetes::resource::{AUTOSCALERS, DEPLOYMENTS};
use crate::kubernetes::service::Autoscaler;
use crate::snapshot::Query;
use crate::state::marks::{MIN_REPLICAS, WANTED};
use crate::strategy::decision::Decision;
use crate::strategy::service_lock::Lock;
use crate::workload::Workload;
use serde_json::{Value, json};

impl Context<'_> {
    /// Points the autoscaler of the family at a Deployment. `floor`: it may not scale below that
    /// until the floor that it had is given back, by `None`; each of the family gets it. Where that
    /// Deployment has one of its own, the others keep their target: Kubernetes follows none of two
    /// with one target.
    pub(super) fn move_autoscaler(
        &self,
        from: &str,
        to: &str,
        floor: Option<i64>,
    ) -> Result<(), Decision> {
        let scalers = self.snapshot.autoscalers()?.iter();
        let plain = &*self.request.deployment;
        // The names of all versions begin with that of the plain one.
        if !scalers.clone().any(|it| it.target().starts_with(plain)) {
            return Ok(());
        }
        let names = self.names(&[from, to])?;
        let scalers = scalers.filter(|scaler| is_of(scaler, &names));
        let has_own = scalers.clone().any(|scaler| is_of(scaler, &[to]));
        for scaler in scalers {
            let target = if has_own { scaler.target() } else { to };
            if let Some(patch) = autoscaler_patch(scaler, target, floor) {
                let namespace = &self.request.namespace;
                let call = Call::merge_patch(&AUTOSCALERS, namespace, scaler.name(), patch);
                return Err(self.step(call));
            }
        }
        Ok(())
    }

    /// Once all traffic goes to the candidate, the old version gets as many pods as that one has,
    /// so that the way back stays one change. It is asked for once: whoever undoes it means it.
    pub(super) fn keep_pace(&self, old: &Workload, found: &Workload) -> Result<(), Decision> {
        let wanted = found.replicas();
        let note = wanted.to_string();
        if old.replicas() == 0
            || old.replicas() >= wanted
            || old.is_being_deleted()
            || old.annotation(WANTED) == Some(&note)
            || self.is_left(old.name())
        {
            return Ok(());
        }
        self.rechecked()?;
        let patch = json!({"metadata": {"resourceVersion": old.resource_version(),
                "annotations": {WANTED: note}},
            "spec": {"replicas": wanted}});
        Err(self.step(self.patch_deployment(old.name(), patch)))
    }

    /// The names of the family's Deployments, and these.
    pub(super) fn names<'b>(&'b self, more: &[&'b str]) -> Result<Vec<&'b str>, Query> {
        let names = self.versions()?.iter().map(|it| it.name());
        let names = names.chain(more.iter().copied());
        Ok(names.chain([&*self.request.deployment]).collect())
    }

    /// How many replicas the candidate is held at after the switch: those that were wanted then, or
    /// one at least where the old version is going already.
    pub(super) fn held(&self, lock: &Lock, found: &Workload, retiring: bool) -> Result<i64, Query> {
        let wanted = match lock.wanted {
            Some(wanted) if !retiring => wanted.max(1),
            Some(_) | None => 1,
        };
        if found.replicas() >= wanted {
            return Ok(wanted);
        }
        let scalers = self.snapshot.autoscalers()?.iter();
        let mut scalers = scalers.filter(|scaler| is_of(scaler, &[found.name()]));
        // An autoscaler holds it, from its floor up: while that is raised to what was wanted, and
        // with fewer once the floor is its own again.
        Ok(match scalers.next() {
            Some(scaler) => wanted.min(scaler.minimum().min(scaler.maximum()).max(1)),
            None => wanted,
        })
    }
}

/// Whether an autoscaler scales one of these Deployments.
pub(super) fn is_of(scaler: &Autoscaler, names: &[&str]) -> bool {
    let mut names = names.iter();
    names.any(|name| scaler.scales(&DEPLOYMENTS.kind, name))
}

/// What makes an autoscaler scale this Deployment with this floor; `None` where it does.
pub(super) fn autoscaler_patch(scaler: &Autoscaler, to: &str, floor: Option<i64>) -> Option<Value> {
    let kept = scaler.annotation(MIN_REPLICAS);
    let kept = kept.and_then(|text| text.parse::<i64>().ok());
    let original = kept.unwrap_or(scaler.minimum());
    let (minimum, note) = match floor {
        Some(floor) => {
            let held = floor.min(scaler.maximum()).max(original);
            (held, json!(original.to_string()))
        }
        None => (original, Value::Null),
    };
    let held = floor.is_none() || kept.is_some();
    let released = floor.is_some() || kept.is_none();
    if scaler.scales(&DEPLOYMENTS.kind, to) && held && released && scaler.minimum() >= minimum {
        return None;
    }
    Some(
        json!({"metadata": {"resourceVersion": scaler.resource_version(),
            "annotations": {MIN_REPLICAS: note}},
        "spec": {"minReplicas": minimum, "scaleTargetRef": {"name": to}}}),
    )
}

#[cfg(test)]
mod tests;
