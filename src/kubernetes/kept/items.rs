//! What is kept of a list, and the answers that it gives.

use super::stream::Item;
use crate::kubernetes::Cluster;
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::call::Call;
use landfall_core::kubernetes::pod::Pods;
use landfall_core::snapshot::{Reading, Response};
use landfall_core::workload::replica_set::ReplicaSet;
use tokio::time::Instant;

impl Item {
    pub(super) fn name(&self) -> &str {
        match self {
            Item::Pod(pod) => &pod.name,
            Item::Version(set) => &set.name,
        }
    }
}

/// Reads a list as a whole, and its version where it can be followed.
pub(super) async fn read(
    cluster: &Cluster,
    call: &Call,
    reading: &Reading,
    until: Instant,
) -> Result<(Vec<Item>, Option<String>), CallError> {
    if *reading == Reading::ReplicaSets {
        let version = |set: &_| Item::Version(Box::new(ReplicaSet::read(set)));
        return cluster.list_at(call.clone(), until, version).await;
    }
    let (pods, version) = cluster.pod_records(call, until).await?;
    let pods = pods.into_iter().map(|pod| Item::Pod(Box::new(pod)));
    Ok((pods.collect(), version))
}

/// Answers a question from what is kept of a list.
pub(super) fn answer<'a>(
    items: impl Iterator<Item = &'a Item> + Clone,
    reading: &Reading,
) -> Response {
    let pods = items.clone().filter_map(|item| match item {
        Item::Pod(pod) => Some(&**pod),
        Item::Version(_) => None,
    });
    match reading {
        Reading::Pods(owner) => Response::Pods(Box::new(Pods::of(pods, owner))),
        Reading::ReplicaSets
        | Reading::Roster(_)
        | Reading::Object
        | Reading::Whole
        | Reading::List
        | Reading::Events
        | Reading::Text => {
            let sets = items.filter_map(|item| match item {
                Item::Version(set) => Some(ReplicaSet::clone(set)),
                Item::Pod(_) => None,
            });
            Response::ReplicaSets(sets.collect())
        }
    }
}
