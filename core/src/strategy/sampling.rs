//! What a look at the cluster shows of the versions and of the traffic, for the timeline of a
//! deploy. Nothing is read for it, and nothing is decided by it.

use super::context::Context;
use super::switch;
use crate::request::Request;
use crate::snapshot::Snapshot;
use crate::state::timeline::Seen;
use crate::workload::replica_set;

/// The versions as far as they were read, and the share of the traffic that the new version of a
/// switch has, in percent.
pub fn sample(context: &Context) -> (Vec<Seen>, Option<u8>) {
    if context.request.strategy.switch().is_none() {
        return (versions(context.request, context.snapshot), None);
    }
    let seen = context.snapshot.deployments().map(|live| Seen {
        name: live.name().to_owned(),
        image: live
            .images("containers")
            .next()
            .unwrap_or_default()
            .to_owned(),
        available: live.available_replicas(),
        is_up: live.replicas() > 0,
    });
    (seen.collect(), switch::share(context))
}

/// The versions of one workload, by its ReplicaSets or ControllerRevisions.
fn versions(request: &Request, snapshot: &Snapshot) -> Vec<Seen> {
    let Some(live) = snapshot.seen_deployment(&request.deployment) else {
        return Vec::new();
    };
    let sets = snapshot.replica_sets(live).unwrap_or_default();
    let mut own = replica_set::own(live, sets).collect::<Vec<_>>();
    own.sort_by_key(|set| set.revision);
    let seen = own.iter().map(|set| Seen {
        name: set.name.clone(),
        image: set.images.first().cloned().unwrap_or_default(),
        available: set.available,
        is_up: set.replicas > 0,
    });
    seen.collect()
}
