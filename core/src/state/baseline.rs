//! The version before a change, to which a rollback returns.

use super::marks::{self, PREVIOUS, SERVED};
use crate::kubernetes::name::{Name, Rule};
use crate::workload::Workload;
use crate::workload::replica_set::{self, ReplicaSet};

/// How many versions [`SERVED`] names: a rollback on demand needs one, and each may be the one that
/// serves now.
const SERVED_LIMIT: usize = 4;

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
            let serving = replica_set::own(deployment, sets).filter(serves);
            serving.max_by_key(|set| (set.available, set.revision))
        })?;
        Some(Previous::of(serving))
    }

    /// The version of a ReplicaSet or ControllerRevision.
    pub fn of(set: &ReplicaSet) -> Previous {
        Previous {
            name: set.name.clone(),
            revision: set.revision,
        }
    }

    /// Reads it from the Deployment's annotation. Others may have written that, so an invalid value
    /// counts as absent.
    pub fn recorded(deployment: &Workload) -> Option<Previous> {
        Previous::read(deployment.annotation(PREVIOUS)?)
    }

    /// Reads the text of an annotation.
    pub fn read(text: &str) -> Option<Previous> {
        let (name, revision) = marks::revision_of(text)?;
        Some(Previous {
            name: name.into(),
            revision,
        })
    }

    /// The text of an annotation.
    pub fn text(&self) -> String {
        format!("{}@{}", self.name, self.revision)
    }

    /// The versions that served before the last change, newest first.
    pub fn all_recorded(deployment: &Workload) -> Vec<Previous> {
        let noted = deployment.annotation(SERVED).unwrap_or_default();
        let noted = noted.split(',').filter_map(Previous::read);
        let last = Previous::recorded(deployment);
        let mut all = Vec::<Previous>::new();
        for one in last.into_iter().chain(noted) {
            if all.iter().all(|known| known.name != one.name) {
                all.push(one);
            }
        }
        all
    }

    /// What [`SERVED`] is after a change before which this version served: those before it.
    pub fn served_text(serving: Option<&Previous>, deployment: &Workload) -> Option<String> {
        let older = Previous::all_recorded(deployment).into_iter();
        let older = older.filter(|older| serving.is_none_or(|it| it.name != older.name));
        let older = older.take(SERVED_LIMIT).map(|one| one.text());
        let text = older.collect::<Vec<_>>().join(",");
        (!text.is_empty()).then_some(text)
    }
}
