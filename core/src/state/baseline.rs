//! The version before a change, to which a rollback returns.

use super::marks::{self, PREVIOUS};
use crate::kubernetes::name::{Name, Rule};
use crate::workload::Workload;
use crate::workload::replica_set::{self, ReplicaSet};

/// The ReplicaSet that has the ready pods before a change.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct Previous {
    /// The ReplicaSet's name, which depends on its template.
    pub name: String,
    /// Its revision at the time.
    pub revision: u64,
}

impl Previous {
    /// Selects the ReplicaSet of the previous version: the newest if it has available pods, else
    /// the one with most of them. `None` if no pod is available, so there is nothing to return to.
    pub fn serving(deployment: &Workload, sets: &[ReplicaSet]) -> Option<Previous> {
        let serves = |set: &&ReplicaSet| {
            set.available > 0 && Name::new(&set.name, Rule::Subdomain).is_some()
        };
        let newest = replica_set::newest(deployment, sets).filter(serves);
        let serving = newest.or_else(|| {
            sets.iter()
                .filter(|set| set.owner == deployment.uid() && serves(set))
                .max_by_key(|set| (set.available, set.revision))
        })?;
        Some(Previous {
            name: serving.name.clone(),
            revision: serving.revision,
        })
    }

    /// Reads it from the Deployment's annotation. Others may have written that, so an invalid value
    /// counts as absent.
    pub fn recorded(deployment: &Workload) -> Option<Previous> {
        let (name, revision) = marks::revision_of(deployment.annotation(PREVIOUS)?)?;
        Some(Previous {
            name: name.into(),
            revision,
        })
    }
}
