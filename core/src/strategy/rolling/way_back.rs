//! The version to return to: decided when the deploy has failed, by what is available then.

use crate::state::baseline::Previous;
use crate::workload::Workload;
use crate::workload::health::rollout::WriteReceipt;
use crate::workload::replica_set::{self, ReplicaSet};

/// The ReplicaSet or ControllerRevision to return to. The one that served before the write goes
/// first as long as it serves; then any other that does; then the recorded one, which served
/// before. `None` where nothing did and nothing does.
pub fn choose(
    recorded: Option<&Previous>,
    written: &WriteReceipt,
    live: &Workload,
    sets: &[ReplicaSet],
) -> Option<Previous> {
    // The newest is the one that failed, once there is one for our write: a note moves a
    // Deployment's generation, too, and makes none.
    let failed = replica_set::newest(live, sets)
        .filter(|set| live.observed_generation() >= written.generation || set.is_live(live))
        .map(|set| set.name.as_str());
    let own = replica_set::own(live, sets);
    let serving = own.filter(|set| set.available > 0 && failed != Some(set.name.as_str()));
    let is_recorded = |set: &ReplicaSet| recorded.is_some_and(|recorded| recorded.name == set.name);
    let best = serving.max_by_key(|set| (is_recorded(set), set.available, set.revision));
    best.map(Previous::of).or_else(|| recorded.cloned())
}

#[cfg(test)]
mod tests;
