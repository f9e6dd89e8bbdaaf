//! What served before a change: what a rollback returns to.

use super::marks::{self, PREVIOUS};
use crate::kubernetes::name::{Name, Rule};
use crate::kubernetes::object::{self, Deployment, ReplicaSet};

/// The ReplicaSet that serves before a change.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct Previous {
    /// Its name, which follows from its template.
    pub name: String,
    /// Its revision at the time.
    pub revision: u64,
}

impl Previous {
    /// The ReplicaSet that serves: the newest if it has available pods, else whichever has most of
    /// them. `None` where nothing serves, so that there is nothing to return to.
    pub fn serving(deployment: &Deployment, sets: &[ReplicaSet]) -> Option<Previous> {
        let serves = |set: &&ReplicaSet| {
            set.available > 0 && Name::new(&set.name, Rule::Subdomain).is_some()
        };
        let newest = object::newest(deployment, sets).filter(serves);
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

    /// Reads it back from the Deployment that we wrote. Others may have written the note, so that
    /// one which is not valid is treated as absent.
    pub fn recorded(deployment: &Deployment) -> Option<Previous> {
        let (name, revision) = marks::revision_of(deployment.annotation(PREVIOUS)?)?;
        Some(Previous {
            name: name.into(),
            revision,
        })
    }
}
