//! What was seen of the cluster since the last write.

use super::scene::Scene;
use crate::change::editor::Editor;
use crate::kubernetes::object::{Deployment, ReplicaSet};
use crate::workload::health::diagnosis::{Explanation, PodSnapshot};
use crate::workload::health::steadiness::Roster;
use serde_json::Value;

/// What was seen of the cluster since the last write. `None` has not been looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// The Deployment; `Some(None)` where there is none.
    pub deployment: Option<Option<Deployment>>,
    /// The ReplicaSets under its selector.
    pub replica_sets: Option<Vec<ReplicaSet>>,
    /// Whether a HorizontalPodAutoscaler targets it.
    pub autoscaled: Option<bool>,
    /// The last look at the pods of the newest ReplicaSet.
    pub sight: Option<PodSnapshot>,
    /// Which pods it has, where nothing probes them.
    pub roster: Option<Roster>,
    /// What the first write would make of it.
    pub dry_run: Option<DryRun>,
    /// Who changed it after us, where that was asked; the inner `None`: it is not noted.
    pub editor: Option<Option<Editor>>,
    /// What was read to explain what they show.
    pub explanation: Explanation,
    /// The template of the ReplicaSet to return to; `Ok(None)` where it is gone, an error where it
    /// may not be read.
    pub previous_template: Option<Result<Option<Value>, String>>,
    /// The Service and what is around it, where one is switched. The Deployment above is then the
    /// candidate.
    pub scene: Scene,
}

impl Observation {
    /// The object that a write returned: whatever else was seen belongs to another version.
    pub fn of(deployment: Option<Deployment>) -> Observation {
        Observation {
            deployment: Some(deployment),
            ..Observation::default()
        }
    }

    /// A newer state of the same version: its pods are looked at in their own time.
    pub fn renew(&mut self, deployment: Option<Option<Deployment>>) {
        let scene = std::mem::take(&mut self.scene);
        *self = Observation {
            scene: match deployment {
                Some(_) => scene.stirred(),
                None => scene.forgotten(),
            },
            deployment,
            sight: self.sight.take(),
            explanation: std::mem::take(&mut self.explanation),
            ..Observation::default()
        };
    }
}

/// What a write came to that was only tried.
#[derive(Clone, Debug, PartialEq)]
pub enum DryRun {
    /// The object as it would be.
    Would(Deployment),
    /// It cannot be tried here: a webhook is unfit for it.
    Unable,
}
