//! The marks that deploys leave in the cluster: annotations of Deployments and Services. Others may
//! have written them, so that one which is not valid is treated as absent.

use crate::kubernetes::name::{Name, Rule, is_label_key, is_label_value};
use crate::kubernetes::object::Deployment;
use crate::kubernetes::service::{Selector, read_selector};
use serde_json::Value;

/// The pipeline execution (or job) that made the last change.
pub const EXECUTION: &str = "landfall/execution";
/// The first job of the deploy that made the last change: tells a repetition from a new deploy.
pub const JOB: &str = "landfall/job";
/// When the last change was made.
pub const DEPLOYED_AT: &str = "landfall/deployed-at";
/// The generation that the last change led to, known beforehand as the write is bound to a state.
pub const GENERATION: &str = "landfall/generation";
/// The ReplicaSet that served before the last change, `name@revision`: what a rollback returns to.
pub const PREVIOUS: &str = "landfall/previous";
/// The jobs whose changes were overwritten since, newest first: a late repetition of one stops.
pub const SUPERSEDED: &str = "landfall/superseded";
/// The job whose change was rolled back.
pub const ROLLED_BACK: &str = "landfall/rolled-back";
/// Why it was rolled back.
pub const CAUSE: &str = "landfall/cause";
/// The commit that was deployed last, where it is known.
pub const COMMIT: &str = "landfall/commit";
/// What `kubectl rollout history` shows; Kubernetes copies it to the ReplicaSet of the version.
pub const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";
/// [`CHANGE_CAUSE`] as a JSON pointer.
pub const CHANGE_CAUSE_PATH: &str = "/metadata/annotations/kubernetes.io~1change-cause";
/// [`CAUSE`] as a JSON pointer.
pub const CAUSE_PATH: &str = "/metadata/annotations/landfall~1cause";

/// Who is at work, and until when at the latest.
pub const LOCK: &str = "landfall/lock";
/// The selector that the Service had before it was narrowed to one version's pods.
pub const ORIGINAL_SELECTOR: &str = "landfall/wide-selector";
/// The selector before the switch.
pub const SELECTOR_BEFORE: &str = "landfall/selector-before";
/// The Deployment that served before the last switch.
pub const FROM: &str = "landfall/from";
/// The Deployment that the last switch was to.
pub const TO: &str = "landfall/to";
/// The old version is being scaled down: from now on there is no switching back.
pub const RETIRING: &str = "landfall/retiring";
/// On the preview Service: whose it is.
pub const PREVIEW_OF: &str = "landfall/preview-of";

/// The digest of the template that was asked for: the server completes it with defaults.
pub const DIGEST: &str = "landfall/digest";
/// The job that created the Deployment: what it created it may delete again.
pub const CREATED_BY: &str = "landfall/created-by";
/// How many replicas a Deployment had before it was scaled to zero.
pub const REPLICAS: &str = "landfall/replicas";
/// How many replicas a candidate was given again, after somebody had scaled it down.
pub const WANTED: &str = "landfall/wanted";
/// The Service that the Deployment is behind: another one must not be switched to it.
pub const SERVICE: &str = "landfall/service";
/// On an autoscaler whose floor is held: the floor that it had.
pub const MIN_REPLICAS: &str = "landfall/min-replicas";
/// The label of every Deployment that is one of a family: the name that the request has.
pub const FAMILY: &str = "landfall/deployment";
/// The label by which a Service, and a Deployment, tells one version's pods from another's.
pub const VERSION: &str = "landfall/version";

/// The name in a mark.
pub fn name_of(text: &str) -> Option<Name> {
    Name::new(text, Rule::Subdomain)
}

/// A ReplicaSet and its revision, as [`PREVIOUS`] has them.
pub fn revision_of(text: &str) -> Option<(Name, u64)> {
    let (name, revision) = text.split_once('@')?;
    Some((name_of(name)?, revision.parse().ok()?))
}

/// The selector in a mark. One with a label that Kubernetes would refuse was not written by us.
pub fn selector_of(text: &str) -> Option<Selector> {
    let kept = serde_json::from_str::<Value>(text).ok()?;
    let selector = read_selector(Some(&kept));
    let valid = |(key, value): (&String, &String)| is_label_key(key) && is_label_value(value);
    (!selector.is_empty() && selector.iter().all(valid)).then_some(selector)
}

/// The marks on an object, or on those of a list, that are there and not valid.
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
        _ => selector_of(text).is_some(),
    };
    let read = [PREVIOUS, FROM, TO, ORIGINAL_SELECTOR, SELECTOR_BEFORE];
    read.into_iter().filter(move |mark| {
        text(mark).is_some_and(|text| !text.is_empty() && !is_valid(mark, text))
    })
}

/// The version that a Deployment's pods have, where it is one of ours.
pub fn version_of(deployment: &Deployment) -> Option<&str> {
    let selector = deployment.value().pointer("/spec/selector/matchLabels")?;
    selector.get(VERSION)?.as_str()
}

#[cfg(test)]
mod tests;
