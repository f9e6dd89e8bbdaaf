//! The versions of a workload, the newest and the previous ones: ReplicaSets of a Deployment,
//! ControllerRevisions of a StatefulSet or a DaemonSet. A Job is its own and only version.
//!
//! A ControllerRevision has a template and no pods: these belong to the workload itself, and only
//! its status counts them.

use super::{
    JOB, Kind, REVISION, REVISION_HASH, TEMPLATE_HASH, VERSION, Workload, template_digest,
    without_null_time,
};
use crate::kubernetes::object::{at, bounded, condition, controller, controller_name, timestamp};
use crate::kubernetes::service::ServicePod;
use jiff::Timestamp;
use serde_json::Value;
use std::borrow::Cow;

/// The earlier revisions of a ReplicaSet that came back.
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";

/// The longest image that is read: a registry, a path and a digest fit.
const IMAGE_LIMIT: usize = 512;

/// What we read of a ReplicaSet, or of what stands in its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplicaSet {
    /// `metadata.name`.
    pub name: String,
    /// The rollout that made it the newest the last time; 0 where the controller has not said.
    pub revision: u64,
    /// The uid of the object that controls it.
    pub owner: String,
    /// Its selector's `pod-template-hash`, which its pods carry too.
    pub template_hash: String,
    /// Pods that it has.
    pub replicas: i64,
    /// Pods that are ready.
    pub ready: i64,
    /// Pods that were ready for `minReadySeconds`.
    pub available: i64,
    /// Why it cannot create pods, and since when.
    pub failure: Option<(String, Option<Timestamp>)>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Whether it was the newest before, and its template came back: the controller keeps a list of
    /// the revisions that it had.
    /// <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/deployment/util/deployment_util.go>
    pub returned: bool,
    /// The name of the workload, where that controls the pods itself; empty for a ReplicaSet.
    pub keeper: String,
    /// Whether the pods run once, to their end.
    pub ends: bool,
    /// The digest of its template.
    pub template: String,
    /// The images of its containers, init containers last.
    pub images: Vec<String>,
    /// The job of the deploy that made it the newest: its controller copies our annotation.
    pub job: String,
    /// The version of its pods, where a switch made its Deployment.
    pub version: String,
}

impl ReplicaSet {
    /// Reads one item of a list, which does not tell its kind: a ControllerRevision has its number
    /// at the top.
    pub fn read(object: &Value) -> ReplicaSet {
        let text = |pointer: &str| text(object, pointer);
        if let Some(revision) = object.get("revision").and_then(Value::as_u64) {
            return ReplicaSet::of_revision(object, revision);
        }
        let number = |pointer: &str| at(object, pointer).and_then(Value::as_i64);
        ReplicaSet {
            name: text("/metadata/name"),
            revision: at(object, "/metadata/annotations")
                .and_then(|annotations| annotations.get(REVISION)?.as_str()?.parse().ok())
                .unwrap_or(0),
            owner: bounded(controller(object).unwrap_or_default()).to_owned(),
            template_hash: text(&format!("/metadata/labels/{TEMPLATE_HASH}")),
            replicas: number("/status/replicas").unwrap_or(0),
            ready: number("/status/readyReplicas").unwrap_or(0),
            available: number("/status/availableReplicas").unwrap_or(0),
            failure: failure(object),
            created: timestamp(&text("/metadata/creationTimestamp")),
            returned: at(object, "/metadata/annotations")
                .and_then(|annotations| annotations.get(REVISION_HISTORY))
                .is_some(),
            template: plain_template(object, Kind::Deployment)
                .map(|template| template_digest(&template))
                .unwrap_or_default(),
            images: images(object, Kind::Deployment),
            job: job(object),
            version: label(object, VERSION),
            ..ReplicaSet::default()
        }
    }

    fn of_revision(object: &Value, revision: u64) -> ReplicaSet {
        let text = |pointer: &str| text(object, pointer);
        let name = text("/metadata/name");
        // The pods of a StatefulSet are labelled with the whole name.
        let hash = match text(&format!("/metadata/labels/{REVISION_HASH}")) {
            hash if hash.is_empty() => name.clone(),
            hash => hash,
        };
        ReplicaSet {
            name,
            revision,
            owner: bounded(controller(object).unwrap_or_default()).to_owned(),
            template_hash: hash,
            created: timestamp(&text("/metadata/creationTimestamp")),
            keeper: controller_name(object).unwrap_or_default().to_owned(),
            template: plain_template(object, Kind::StatefulSet)
                .map(|template| template_digest(&template))
                .unwrap_or_default(),
            images: images(object, Kind::StatefulSet),
            job: job(object),
            ..ReplicaSet::default()
        }
    }

    /// Whether a workload has the template of this version.
    pub fn is_live(&self, live: &Workload) -> bool {
        match live.kind() {
            Kind::Deployment => self.template == live.template_digest(),
            Kind::StatefulSet | Kind::DaemonSet | Kind::Job => {
                self.template == template_digest(&without_null_time(live.template()))
            }
        }
    }

    /// The only version of a Job; `None` for any other kind, whose versions are objects.
    pub fn only(live: &Workload) -> Option<ReplicaSet> {
        live.kind().ends().then(|| ReplicaSet {
            name: live.name().to_owned(),
            revision: 1,
            owner: live.uid().to_owned(),
            replicas: live.total_replicas(),
            created: timestamp(live.text("/metadata/creationTimestamp")),
            keeper: live.name().to_owned(),
            ends: true,
            ..ReplicaSet::default()
        })
    }

    /// The Deployment that a switch made of this one, where its pods are that one's: a selector
    /// that tells no version finds them as well.
    pub fn beside(&self, plain: &str) -> Option<String> {
        let name = format!("{plain}-{}", self.version);
        let own = format!("{name}-{}", self.template_hash);
        (!self.version.is_empty() && self.name == own).then_some(name)
    }

    /// The name of the object that controls its pods.
    pub fn pod_owner(&self) -> &str {
        match self.keeper.as_str() {
            "" => &self.name,
            keeper => keeper,
        }
    }
}

fn text(object: &Value, pointer: &str) -> String {
    let value = at(object, pointer).and_then(Value::as_str);
    value.unwrap_or_default().to_owned()
}

fn label(object: &Value, name: &str) -> String {
    let labels = at(object, "/metadata/labels");
    let label = labels.and_then(|all| all.get(name)?.as_str());
    bounded(label.unwrap_or_default()).to_owned()
}

fn job(object: &Value) -> String {
    let annotations = at(object, "/metadata/annotations");
    let job = annotations.and_then(|all| all.get(JOB)?.as_str());
    bounded(job.unwrap_or_default()).to_owned()
}

/// The images in a version's template.
fn images(object: &Value, kind: Kind) -> Vec<String> {
    let template = at(object, kind.row().versions.template);
    let lists = ["containers", "initContainers"].into_iter();
    let lists = lists.filter_map(|list| template?["spec"][list].as_array());
    let images = lists.flatten().filter_map(|one| one["image"].as_str());
    let images = images.filter(|image| image.len() <= IMAGE_LIMIT);
    images.map(str::to_owned).collect()
}

/// Spreads the pods that a workload's status counts over its ControllerRevisions. The status does
/// not tell which version's pods are available: those of the old one are, as far as there are any,
/// because they were there before.
pub fn count_pods(live: &Workload, sets: &mut [ReplicaSet]) {
    let (newest, former) = match live.kind() {
        Kind::Deployment | Kind::Job => return,
        Kind::StatefulSet => (
            live.text("/status/updateRevision").to_owned(),
            live.text("/status/currentRevision").to_owned(),
        ),
        Kind::DaemonSet => counted_by_daemon_set(live, sets),
    };
    let (total, updated) = (live.total_replicas(), live.updated_replicas());
    let (ready, available) = (live.ready_replicas(), live.available_replicas());
    let old = match newest == former {
        true => 0,
        false => (total - updated).max(0),
    };
    for set in sets.iter_mut().filter(|set| set.owner == live.uid()) {
        if set.name == newest {
            set.replicas = total - old;
            set.ready = ready - old.min(ready);
            set.available = available - old.min(available);
        } else if set.name == former {
            set.replicas = old;
            set.ready = old.min(ready);
            set.available = old.min(available);
        }
    }
}

/// The version that the status of a DaemonSet calls updated, and the one before it. As long as the
/// status is older than the template, that is not the version of the template.
fn counted_by_daemon_set(live: &Workload, sets: &[ReplicaSet]) -> (String, String) {
    let is_observed = live.observed_generation() >= live.generation();
    let current = template_digest(&without_null_time(live.template()));
    let own = own(live, sets).filter(|set| is_observed || set.template != current);
    let mut own = own.collect::<Vec<_>>();
    own.sort_by_key(|set| std::cmp::Reverse(set.revision));
    let name = |index: usize| own.get(index).map(|set| set.name.clone());
    (name(0).unwrap_or_default(), name(1).unwrap_or_default())
}

/// The condition `ReplicaFailure` of a ReplicaSet.
fn failure(object: &Value) -> Option<(String, Option<Timestamp>)> {
    let found = condition(object, "ReplicaFailure").filter(|it| it["status"] == "True")?;
    let since = found["lastTransitionTime"].as_str().and_then(timestamp);
    let message = found["message"].as_str().unwrap_or_default();
    Some((message.to_owned(), since))
}

impl ServicePod {
    /// Whether one of these ReplicaSets of the workload controls it.
    pub fn is_of(&self, live: &Workload, sets: &[ReplicaSet]) -> bool {
        own(live, sets).any(|set| set.name == self.owner)
    }
}

/// The versions that this very workload controls.
pub fn own<'a>(
    live: &Workload,
    sets: &'a [ReplicaSet],
) -> impl Iterator<Item = &'a ReplicaSet> + Clone {
    sets.iter().filter(move |set| set.owner == live.uid())
}

/// The newest version of a workload: the one with the highest revision among its own.
pub fn newest<'a>(live: &Workload, sets: &'a [ReplicaSet]) -> Option<&'a ReplicaSet> {
    own(live, sets).max_by_key(|set| set.revision)
}

/// The template of a version to return to. A note or a token names the ReplicaSet or
/// ControllerRevision, and is data: only one that this very workload controls is taken.
pub fn template_of(set: &Value, live: &Workload) -> Option<Value> {
    let uid = live.uid();
    let owned = !uid.is_empty() && controller(set) == Some(uid);
    let template = plain_template(set, live.kind()).filter(|_| owned);
    template.map(Cow::into_owned)
}

/// The template in a version, without what its controller added.
fn plain_template(set: &Value, kind: Kind) -> Option<Cow<'_, Value>> {
    let template = at(set, kind.row().versions.template)?;
    if kind == Kind::Deployment {
        return Some(Cow::Borrowed(template));
    }
    let mut template = without_null_time(template);
    if let Some(fields) = template.as_object_mut() {
        // A ControllerRevision is a patch, which says how it is merged.
        fields.remove("$patch");
    }
    Some(Cow::Owned(template))
}

#[cfg(test)]
mod tests;
