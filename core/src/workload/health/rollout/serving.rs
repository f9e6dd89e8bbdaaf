//! How many pods serve now, counted: what every sentence about serving is made of.

use crate::kubernetes::object::{Deployment, ReplicaSet};
use crate::workload::health::diagnosis::finding::PodSnapshot;
use serde::{Deserialize, Serialize};

/// Pods of all versions that are available, and how many are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Serving {
    /// Available pods, by their ReplicaSets, or ready ones where the pods themselves were read.
    pub available: i64,
    /// Pods wanted.
    pub wanted: i64,
}

impl Serving {
    /// Counts them. A ReplicaSet's status is as old as its controller's last look, so that pods
    /// which were read go before it.
    pub fn counted(live: &Deployment, sets: &[ReplicaSet], sight: Option<&PodSnapshot>) -> Serving {
        let own = sets.iter().filter(|set| set.owner == live.uid());
        let available = own.map(|set| {
            let seen = sight.filter(|sight| sight.set.name == set.name);
            let pods = seen.and_then(|sight| sight.pods.as_ref().ok());
            match pods {
                Some(pods) if !pods.cut => set.available.min(pods.ready as i64),
                Some(_) | None => set.available,
            }
        });
        Serving {
            available: available.sum(),
            wanted: live.replicas(),
        }
    }

    /// Whether pods are wanted and none serves.
    pub fn is_outage(&self) -> bool {
        self.wanted > 0 && self.available <= 0
    }

    /// Whether as many serve as are wanted.
    pub fn is_whole(&self) -> bool {
        self.available >= self.wanted
    }
}

#[cfg(test)]
mod tests;
