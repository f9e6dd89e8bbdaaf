//! Frees a StatefulSet that was taken back and is held up by a pod of the version that failed.
//!
//! Its controller replaces no pod while one is not ready, also where that one is of a version that
//! nobody wants any more. Kubernetes calls the way out a forced rollback: bring the template back,
//! then delete these pods.
//! <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback>

use super::super::decision::Decision;
use super::context::Context;
use crate::kubernetes::call::Call;
use crate::kubernetes::resource::PODS;
use crate::snapshot::Query;
use crate::state::continuation::{Phase, Rollback};
use crate::workload::Workload;
use crate::workload::replica_set::newest;

impl Context<'_> {
    /// The deletion of the next pod that holds the rollback up. Its controller must have seen the
    /// template that is back, or it would make the pod anew from the one that failed.
    pub(super) fn unstick(
        &self,
        rollback: &Rollback,
        live: &Workload,
    ) -> Result<Option<Decision>, Query> {
        let written = rollback.written.generation.max(live.generation());
        let is_ready = live.available_replicas() >= live.total_replicas();
        if !live.is_ordered()
            || live.rolls_on_delete()
            || live.observed_generation() < written
            || is_ready && live.total_replicas() >= live.replicas()
        {
            return Ok(None);
        }
        let sets = self.snapshot.replica_sets(live)?;
        let wanted = live.text("/status/updateRevision");
        let Some(set) = newest(live, sets).filter(|set| set.name == wanted) else {
            return Ok(None);
        };
        let stuck = self.snapshot.get::<Vec<_>>(Query::Blocking {
            selector: live.pods_of_others(&set.template_hash),
            owner: set.pod_owner().to_owned(),
        })?;
        let is_left = |name: &str| self.snapshot.left.iter().any(|(left, _)| left == name);
        let mut stuck = stuck.iter().filter(|(name, _)| !is_left(name));
        let Some((name, uid)) = stuck.next() else {
            return Ok(None);
        };
        // Bound to its uid: the pod that comes in its place stays.
        let call = Call::delete(&PODS, &self.request.namespace, name, uid);
        let then = Phase::Rollback(rollback.clone());
        Ok(Some(Decision::step(call, then, Some(name.clone()))))
    }
}

#[cfg(test)]
mod tests;
