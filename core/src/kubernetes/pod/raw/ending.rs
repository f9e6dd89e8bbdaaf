//! Pods that have ended, or are being deleted.

use super::{RawCondition, RawContainer, RawPod};
use crate::kubernetes::pod::model::{Ended, Ending, FINALIZERS_LIMIT, Failed, Said};

impl RawPod {
    /// Whether the node gave the pod up. It has been or will be replaced, so neither its controller
    /// nor Landfall counts it.
    pub(in crate::kubernetes::pod) fn is_over(&self) -> bool {
        ["Failed", "Succeeded"].contains(&self.status.phase.as_str())
    }

    pub(in crate::kubernetes::pod) fn has_completed(&self) -> bool {
        self.status.phase == "Succeeded"
    }

    /// Whether a Job's pod has failed because a container of it did: its containers show why, as
    /// those of a running pod do.
    pub(in crate::kubernetes::pod) fn failed_by_itself(&self) -> bool {
        let mut owners = self.metadata.owner_references.iter();
        let statuses = self.status.init_container_statuses.iter();
        let mut statuses = statuses.chain(&self.status.container_statuses);
        self.status.phase == "Failed"
            && owners.any(|owner| owner.controller && owner.kind == "Job")
            && statuses.any(|status| {
                let ended = status.state.terminated.as_ref();
                ended.is_some_and(|ended| ended.code != 0)
            })
    }

    /// How a pod ends that is being deleted: the server adds the grace period itself.
    pub(in crate::kubernetes::pod) fn ends(&self) -> Option<Ending> {
        Some(Ending {
            name: self.metadata.name.clone(),
            node: self.spec.node_name.clone(),
            until: self.metadata.deletion_timestamp?,
            is_over: self.is_over() || self.has_ended(),
            finalizers: {
                let finalizers = self.metadata.finalizers.iter();
                finalizers.take(FINALIZERS_LIMIT).cloned().collect()
            },
        })
    }

    /// Whether all of its containers have ended, as far as its node has reported.
    fn has_ended(&self) -> bool {
        let statuses = &self.status.container_statuses;
        let ended = |status: &RawContainer| status.state.terminated.is_some();
        !statuses.is_empty() && statuses.iter().all(ended)
    }

    /// The data to keep of a failed pod.
    pub(in crate::kubernetes::pod) fn failed(&self) -> Option<Failed> {
        (self.status.phase == "Failed").then(|| Failed {
            name: self.metadata.name.clone(),
            node: self.spec.node_name.clone(),
            created: self.metadata.creation_timestamp,
            why: self.why_failed(),
        })
    }

    /// The reason in `status`; evictions by API, preemptions and the deletion of a lost node's pods
    /// have theirs in a condition alone. A pod without any has what ended its container.
    fn why_failed(&self) -> Said {
        if self.status.said() != Said::default() {
            return self.status.said();
        }
        let target = self.condition_that_holds("DisruptionTarget");
        let ended = self.status.container_statuses.iter();
        let ended = ended.filter_map(|status| status.state.terminated.as_ref());
        let mut ended = ended.filter(|ended| ended.code != 0);
        let target = target.map(RawCondition::said);
        target
            .or_else(|| ended.next().map(Ended::said))
            .unwrap_or_default()
    }
}

impl Ended {
    fn said(&self) -> Said {
        Said {
            reason: self.reason.clone(),
            message: match self.message.as_str() {
                "" => format!("exit code {}", self.code),
                message => message.to_owned(),
            },
        }
    }
}
