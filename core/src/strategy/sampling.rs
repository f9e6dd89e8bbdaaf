//! What a look at the cluster shows of the versions and of the traffic, for the timeline of a
//! deploy. Nothing is read for it, and nothing is decided by it.

use super::switch;
use crate::request::Request;
use crate::snapshot::Snapshot;
use crate::state::continuation::Continuation;
use crate::state::timeline::Seen;
use crate::workload::Workload;
use jiff::Timestamp;

/// The versions as far as they were read, and the share of the traffic that the new version of a
/// switch has, in percent.
pub fn sample(
    request: &Request,
    continuation: &Continuation,
    snapshot: &Snapshot,
    now: Timestamp,
) -> (Vec<Seen>, Option<u8>) {
    let Some(strategy) = request.strategy.switch() else {
        return (versions(request, snapshot), None);
    };
    let seen = snapshot.deployments().map(|live| Seen {
        name: live.name().to_owned(),
        image: first_image(live),
        available: live.available_replicas(),
        is_up: live.replicas() > 0,
    });
    let share = switch::share(request, strategy, continuation, snapshot, now);
    (seen.collect(), share)
}

/// The versions of one workload, by its ReplicaSets or ControllerRevisions.
fn versions(request: &Request, snapshot: &Snapshot) -> Vec<Seen> {
    let Some(live) = snapshot.seen_deployment(&request.deployment) else {
        return Vec::new();
    };
    let sets = snapshot.replica_sets(live).unwrap_or_default().iter();
    let mut own = sets
        .filter(|set| set.owner == live.uid())
        .collect::<Vec<_>>();
    own.sort_by_key(|set| set.revision);
    let seen = own.iter().map(|set| Seen {
        name: set.name.clone(),
        image: set.images.first().cloned().unwrap_or_default(),
        available: set.available,
        is_up: set.replicas > 0,
    });
    seen.collect()
}

fn first_image(live: &Workload) -> String {
    let mut images = live.containers("containers").iter();
    let image = images.find_map(|container| container.get("image")?.as_str());
    image.unwrap_or_default().to_owned()
}
