//! Counts the ready pods; all statements about ready pods use this count.

use crate::workload::Workload;
use crate::workload::health::diagnosis::finding::PodSnapshot;
use crate::workload::replica_set::{ReplicaSet, own};
use serde::{Deserialize, Serialize};

/// The ready pods of all versions, which get traffic whether or not `minReadySeconds` are over, and
/// the wanted number.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Serving {
    /// Ready pods, by their versions and by the pods themselves if these were read.
    pub available: i64,
    /// The number of wanted pods.
    pub wanted: i64,
}

impl Serving {
    /// Counts the pods. A version's count may be old, so pods that were read have priority.
    pub fn counted(live: &Workload, sets: &[ReplicaSet], sight: Option<&PodSnapshot>) -> Serving {
        let available = own(live, sets).map(|set| {
            let seen = sight.filter(|sight| sight.set.name == set.name);
            let pods = seen.and_then(|sight| sight.pods.as_ref().ok());
            let ready = set.ready.max(set.available);
            match pods {
                Some(pods) if !pods.cut => ready.min(pods.ready as i64),
                Some(_) | None => ready,
            }
        });
        Serving {
            available: available.sum(),
            wanted: live.replicas(),
        }
    }

    /// Whether pods are wanted and none is ready.
    pub fn is_outage(&self) -> bool {
        self.wanted > 0 && self.available <= 0
    }

    /// Whether as many pods are ready as are wanted.
    pub fn is_whole(&self) -> bool {
        self.available >= self.wanted
    }
}

#[cfg(test)]
mod tests;
