//! The annotations and labels that deploys write to Deployments and Services. Others may also write
//! them, so an invalid value counts as absent.

use crate::kubernetes::name::{Name, Rule, is_label_key, is_label_value};
use crate::kubernetes::service::{Selector, read_selector};
use crate::workload::Workload;
pub use crate::workload::{JOB, VERSION};
use serde_json::Value;

/// The pipeline execution (or job) that made the last change.
pub const EXECUTION: &str = "landfall/execution";
/// When the last change was made.
pub const DEPLOYED_AT: &str = "landfall/deployed-at";
/// The generation after the last change, known beforehand because the write names the state it
/// changes.
pub const GENERATION: &str = "landfall/generation";
/// The ReplicaSet before the last change, `name@revision`, to which a rollback returns. On the
/// Secret of a revision: the revision that served before it.
pub const PREVIOUS: &str = "landfall/previous";
/// The versions that served before [`PREVIOUS`], newest first, each in its form. A rollback on
/// demand takes the first that does not serve now. On a Service they are Deployments.
pub const SERVED: &str = "landfall/served";
/// Of the last change, where it was a rollback on demand, or brought back what served before while
/// an alarm rang: the version that it left, in the form of [`PREVIOUS`]; of a switch the
/// Deployment.
pub const RETURNED_FROM: &str = "landfall/returned-from";
/// The version that it brought back, likewise; of a switch with the digest of its template. On the
/// Secret of a revision: the revision that it brought back.
pub const RETURNED_TO: &str = "landfall/returned-to";
/// The jobs whose changes were overwritten later, newest first: a late repetition of one of them
/// stops.
pub const SUPERSEDED: &str = "landfall/superseded";
/// The job whose change was rolled back.
pub const ROLLED_BACK: &str = "landfall/rolled-back";
/// On a Service, and on the Secret of a revision: when that was written down. A rollback on demand
/// that began before has waited for that deploy.
pub const ROLLED_BACK_AT: &str = "landfall/rolled-back-at";
/// The job of a rolling deploy whose watch over the new version is over.
pub const WATCHED: &str = "landfall/watched";
/// Of a rolling deploy that alarms guard: until when it may be at work. After that one without an
/// end is dead.
pub const GUARDED_UNTIL: &str = "landfall/guarded-until";
/// Why it was rolled back.
pub const CAUSE: &str = "landfall/cause";
/// The commit of the last deploy, if known.
pub const COMMIT: &str = "landfall/commit";
/// When the newest commit was made that was ever deployed, if known: a deploy of an older one goes
/// back.
pub const COMMITTED: &str = "landfall/committed";
/// The text that `kubectl rollout history` shows; Kubernetes copies it to the version's ReplicaSet.
pub const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";
/// [`CHANGE_CAUSE`] as a JSON pointer.
pub const CHANGE_CAUSE_PATH: &str = "/metadata/annotations/kubernetes.io~1change-cause";
/// [`CAUSE`] as a JSON pointer.
pub const CAUSE_PATH: &str = "/metadata/annotations/landfall~1cause";

/// The service lock: who holds it, and when it expires.
pub const LOCK: &str = "landfall/lock";
/// The original selector of the Service, before it was pinned to one version's pods.
pub const ORIGINAL_SELECTOR: &str = "landfall/wide-selector";
/// The selector before the switch.
pub const SELECTOR_BEFORE: &str = "landfall/selector-before";
/// The Deployment that was active before the last switch.
pub const FROM: &str = "landfall/from";
/// The Deployment that the last switch made active.
pub const TO: &str = "landfall/to";
/// The previous version is being scaled down: nothing switches back any more.
pub const RETIRING: &str = "landfall/retiring";
/// On a route: the step of the canary that moves traffic by it, and its weights from before.
pub const CANARY: &str = "landfall/canary";
/// On the Service of a candidate that gets traffic by a route: the Service that it belongs to.
pub const CANARY_OF: &str = "landfall/canary-of";
/// On a Service without a lock: the route that still has something of a canary of it. Only a canary
/// by that route knows what is to be given back.
pub const ROUTE_LEFT: &str = "landfall/route-left";
/// How the last switch handed over, and why so.
pub const HANDOVER: &str = "landfall/handover";
/// On the Service: what a rollback on demand took back before it was done, or found taken back.
pub const TAKEN_BACK: &str = "landfall/taken-back";
/// On the Service, or on the parent of a release: rollbacks on demand wait for the deploy, or the
/// rollback, that holds the lock. On a workload: they follow another rollback of it.
pub const AWAITED: &str = "landfall/awaited";
/// The shares of the pods that the candidate of the last canary had, one after the other.
pub const SHARES: &str = "landfall/shares";
/// Both versions serve: since when that counts, for how long, and which of them leaves.
pub const OVERLAP: &str = "landfall/overlap";
/// On the preview Service: the Service that it belongs to.
pub const PREVIEW_OF: &str = "landfall/preview-of";

/// The digest of the requested template, without the server's defaults.
pub const DIGEST: &str = "landfall/digest";
/// The job that created the Deployment: Landfall may delete only what it created.
pub const CREATED_BY: &str = "landfall/created-by";
/// The replica count of a Deployment before it was scaled to zero.
pub const REPLICAS: &str = "landfall/replicas";
/// The replica count of a candidate that Landfall scaled up again after someone scaled it down.
pub const WANTED: &str = "landfall/wanted";
/// The Service that selects the Deployment: no other Service may be switched to it.
pub const SERVICE: &str = "landfall/service";
/// On an autoscaler whose `minReplicas` is raised: the original value.
pub const MIN_REPLICAS: &str = "landfall/min-replicas";
/// The label of all Deployments of one application: the name in the request.
pub const FAMILY: &str = "landfall/deployment";

/// On each object of a release: the id of its parent, as ApplySets have it. `kubectl` reads it.
pub const PART_OF: &str = "applyset.kubernetes.io/part-of";
/// On each object of a release: the release, `NAMESPACE/NAME`. On the release's own Secrets it is a
/// label with the name.
pub const RELEASE: &str = "landfall/release";
/// On the Secret of a revision, as a label: its number. On the parent, as an annotation: the
/// newest.
pub const RELEASE_REVISION: &str = "landfall/revision";
/// On the parent: the first jobs of the last deploys that locked it, the newest last.
pub const JOBS: &str = "landfall/jobs";
/// On the Secret of a revision: pending, deployed, failed or superseded.
pub const STATUS: &str = "landfall/status";
/// What was done about a revision that failed, packed.
pub const WAY_BACK: &str = "landfall/way-back";
/// On the Secret of a revision: when its deploy began.
pub const AT: &str = "landfall/at";

/// Reads the name in an annotation.
pub fn name_of(text: &str) -> Option<Name> {
    Name::new(text, Rule::Subdomain)
}

/// Reads a ReplicaSet and its revision, in the form of [`PREVIOUS`].
pub fn revision_of(text: &str) -> Option<(Name, u64)> {
    let (name, revision) = text.split_once('@')?;
    Some((name_of(name)?, revision.parse().ok()?))
}

/// Reads the selector in an annotation. If Kubernetes would refuse a label of it, Landfall did not
/// write it.
pub fn selector_of(text: &str) -> Option<Selector> {
    let kept = serde_json::from_str::<Value>(text).ok()?;
    let selector = read_selector(Some(&kept));
    let valid = |(key, value): (&String, &String)| is_label_key(key) && is_label_value(value);
    (!selector.is_empty() && selector.iter().all(valid)).then_some(selector)
}

/// The annotations of an object, or of a list's objects, that are present but invalid.
pub fn invalid_in(object: &Value) -> Vec<&'static str> {
    let items = object["items"].as_array().map_or(&[][..], Vec::as_slice);
    let objects = items.iter().chain([object]);
    objects.flat_map(invalid_on).collect()
}

fn invalid_on(object: &Value) -> impl Iterator<Item = &'static str> {
    let text = |mark: &str| object["metadata"]["annotations"][mark].as_str();
    let is_valid = |mark: &str, text: &str| match mark {
        PREVIOUS => revision_of(text).is_some(),
        FROM | TO => name_of(text).is_some(),
        SERVED => text
            .split(',')
            .all(|one| name_of(one).is_some() || revision_of(one).is_some()),
        _ => selector_of(text).is_some(),
    };
    let read = [
        PREVIOUS,
        SERVED,
        FROM,
        TO,
        ORIGINAL_SELECTOR,
        SELECTOR_BEFORE,
    ];
    read.into_iter().filter(move |mark| {
        text(mark).is_some_and(|text| !text.is_empty() && !is_valid(mark, text))
    })
}

/// The version of a Deployment's pods, if Landfall created it.
pub fn version_of(deployment: &Workload) -> Option<&str> {
    let selector = deployment.value().pointer("/spec/selector/matchLabels")?;
    selector.get(VERSION)?.as_str()
}

#[cfg(test)]
mod tests;
