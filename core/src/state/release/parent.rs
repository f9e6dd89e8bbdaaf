//! The parent of a release: the Secret `landfall.NAME`.

use super::lock::Lock;
use crate::kubernetes::object_id::ObjectId;
use crate::state::awaited::Awaited;
use crate::state::marks::{AWAITED, JOBS, LOCK, RELEASE, RELEASE_REVISION};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The label of a parent: the id of its ApplySet.
const ID: &str = "applyset.kubernetes.io/id";

/// The tool whose ApplySet it is, and the version of what the tool writes.
const TOOLING: &str = "applyset.kubernetes.io/tooling";
const OUR_TOOLING: &str = "landfall/v1";

/// The kinds that members may have, `Kind.group`, sorted and joined by commas.
const KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";

/// The namespaces besides the parent's own in which members may be.
const NAMESPACES: &str = "applyset.kubernetes.io/additional-namespaces";

/// How many deploys are remembered by their jobs. Lambda delivers an event again for six hours at
/// most, and hardly ever after a few minutes; a release takes longer than that for twenty.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
const REMEMBERED: usize = 20;

/// What a release owns and who is at work on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parent {
    /// The name of the release.
    pub release: String,
    /// The namespace of the release.
    pub namespace: String,
    /// The group and kind of everything that it may own.
    pub kinds: BTreeSet<(String, String)>,
    /// Where else than in its namespace it may own objects.
    pub namespaces: BTreeSet<String>,
    /// Who is at work on it.
    pub lock: Option<Lock>,
    /// The newest revision of which there may be a record; 0 before the first.
    pub revision: u64,
    /// The first jobs of the last deploys that locked it, the newest last. Records are deleted, and
    /// an event that comes once more is known by this.
    pub jobs: Vec<String>,
    /// The deploy that a rollback on demand waits for, or has waited for.
    pub waits_for: Option<Awaited>,
}

/// Why a Secret is not the parent of a release of Landfall.
#[derive(Clone, Debug, PartialEq)]
pub enum ParentFault {
    /// It has no id of an ApplySet, or its tool is not named.
    NoParent,
    /// Another tool made it: the tool, as it names itself.
    OtherTool(String),
    /// It was copied from elsewhere: its id is that of another parent.
    OtherId(String),
}

impl Parent {
    /// The parent of a release that does not exist yet.
    pub fn new(release: &str, namespace: &str) -> Parent {
        Parent {
            release: release.to_owned(),
            namespace: namespace.to_owned(),
            kinds: BTreeSet::new(),
            namespaces: BTreeSet::new(),
            lock: None,
            revision: 0,
            jobs: Vec::new(),
            waits_for: None,
        }
    }

    /// The name of a release's parent.
    pub fn name_for(release: &str) -> String {
        format!("landfall.{release}")
    }

    /// The parent's name.
    pub fn name(&self) -> String {
        Parent::name_for(&self.release)
    }

    /// The id that the objects of the release have in the label `applyset.kubernetes.io/part-of`.
    pub fn id(&self) -> String {
        id_of(&self.name(), &self.namespace)
    }

    /// What the objects of the release have in the annotation `landfall/release`.
    pub fn title(&self) -> String {
        format!("{}/{}", self.namespace, self.release)
    }

    /// Reads a Secret that has a parent's name.
    pub fn read(secret: &Value) -> Result<Parent, ParentFault> {
        let text = |pointer: &str| secret.pointer(pointer).and_then(Value::as_str);
        let name = text("/metadata/name").unwrap_or_default();
        let namespace = text("/metadata/namespace").unwrap_or_default();
        let annotation = |key: &str| secret["metadata"]["annotations"][key].as_str();
        let id = secret["metadata"]["labels"][ID].as_str();
        let (Some(id), Some(tooling)) = (id, annotation(TOOLING)) else {
            return Err(ParentFault::NoParent);
        };
        if tooling.rsplit_once('/').map_or(tooling, |(tool, _)| tool) != "landfall" {
            return Err(ParentFault::OtherTool(tooling.to_owned()));
        }
        let release = name.strip_prefix("landfall.");
        let release = release.filter(|_| id == id_of(name, namespace));
        let Some(release) = release else {
            return Err(ParentFault::OtherId(id.to_owned()));
        };
        let listed = |key: &str| {
            let list = annotation(key).unwrap_or_default().split(',');
            list.map(str::trim).filter(|item| !item.is_empty())
        };
        Ok(Parent {
            release: release.to_owned(),
            namespace: namespace.to_owned(),
            kinds: listed(KINDS).map(group_and_kind).collect(),
            namespaces: listed(NAMESPACES).map(str::to_owned).collect(),
            lock: annotation(LOCK).and_then(Lock::read),
            revision: annotation(RELEASE_REVISION)
                .and_then(|number| number.parse().ok())
                .unwrap_or(0),
            jobs: listed(JOBS).map(str::to_owned).collect(),
            waits_for: annotation(AWAITED).and_then(Awaited::read),
        })
    }

    /// The Secret that creates it.
    pub fn object(&self) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": self.name(),
                "namespace": self.namespace,
                "labels": self.labels(),
                "annotations": self.annotations(),
            },
        })
    }

    /// The Secret that replaces the one that was read: whoever has changed it since wins. What
    /// others have noted on it stays.
    pub fn replacement(&self, live: &Value) -> Value {
        let mut secret = live.clone();
        let mut put = |field: &str, all: Map<String, Value>| {
            let kept = live["metadata"][field].as_object();
            let mut kept = kept.cloned().unwrap_or_default();
            let ours = [KINDS, NAMESPACES, LOCK, JOBS, AWAITED];
            kept.retain(|key, _| !ours.contains(&key.as_str()));
            kept.extend(all);
            secret["metadata"][field] = Value::Object(kept);
        };
        put("labels", self.labels());
        put("annotations", self.annotations());
        secret
    }

    fn labels(&self) -> Map<String, Value> {
        let labels = [(ID, self.id()), (RELEASE, self.release.clone())];
        map(labels)
    }

    fn annotations(&self) -> Map<String, Value> {
        let kinds = self.kinds.iter().map(|(group, kind)| match group.as_str() {
            "" => kind.clone(),
            group => format!("{kind}.{group}"),
        });
        // Sorted as they are written, which is what other tools of ApplySets expect.
        let kinds = kinds.collect::<BTreeSet<_>>();
        let namespaces = self.namespaces.iter().filter(|it| **it != self.namespace);
        let joined = |all: Vec<String>| all.join(",");
        let mut annotations = map([
            (TOOLING, OUR_TOOLING.to_owned()),
            (KINDS, joined(kinds.into_iter().collect())),
            (NAMESPACES, joined(namespaces.cloned().collect())),
            (RELEASE_REVISION, self.revision.to_string()),
        ]);
        if !self.jobs.is_empty() {
            annotations.insert(JOBS.to_owned(), Value::String(self.jobs.join(",")));
        }
        if let Some(lock) = &self.lock {
            annotations.insert(LOCK.to_owned(), Value::String(lock.text()));
        }
        if let Some(awaited) = &self.waits_for {
            annotations.insert(AWAITED.to_owned(), Value::String(awaited.text()));
        }
        annotations
    }

    /// The same, locked.
    pub fn locked(&self, lock: Lock) -> Parent {
        let mut jobs = self.jobs.clone();
        jobs.retain(|job| *job != lock.job);
        jobs.push(lock.job.clone());
        jobs.drain(..jobs.len().saturating_sub(REMEMBERED));
        let dead = self.lock.as_ref().map(|dead| &*dead.job);
        let own = self.waits_for.clone();
        let own = own.filter(|awaited| awaited.executions.contains(&lock.execution));
        // Who waited for a deploy that died waits for the one that takes its place.
        let awaited = self.waits_for.clone().zip(dead);
        let passed_on = awaited.and_then(|(awaited, dead)| awaited.passed_on(dead, &lock.job));
        Parent {
            waits_for: passed_on.or(own),
            lock: Some(lock),
            jobs,
            ..self.clone()
        }
    }

    /// The same, unlocked.
    pub fn unlocked(&self) -> Parent {
        Parent {
            lock: None,
            ..self.clone()
        }
    }

    /// Whether a job's deploy once locked it, and a later one has since.
    pub fn has_passed(&self, job: &str) -> bool {
        let mut earlier = self.jobs.iter().rev().skip(1);
        earlier.any(|other| other == job)
    }

    /// Whose lock holds, if it is another deploy's: another job of the same execution is the same
    /// stage tried again, and is another deploy as well.
    pub fn held_by_other(&self, job: &str, now: Timestamp) -> Option<&Lock> {
        let lock = self.lock.as_ref()?;
        (lock.job != job && lock.holds(now)).then_some(lock)
    }

    /// Adds what these objects are and where, as it must be before the first of them is applied.
    pub fn cover<'a>(&mut self, objects: impl IntoIterator<Item = &'a ObjectId>) {
        for id in objects {
            self.kinds.insert((id.group.clone(), id.kind.clone()));
            let namespace = id.namespace.iter();
            let elsewhere = namespace.filter(|namespace| **namespace != self.namespace);
            self.namespaces.extend(elsewhere.cloned());
        }
    }

    /// Takes these objects for all that there are, as it may be once everything else is pruned.
    pub fn hold_only<'a>(&mut self, objects: impl IntoIterator<Item = &'a ObjectId>) {
        self.kinds.clear();
        self.namespaces.clear();
        self.cover(objects);
    }
}

/// <https://github.com/kubernetes/enhancements/tree/master/keps/sig-cli/3659-kubectl-apply-prune>
fn id_of(name: &str, namespace: &str) -> String {
    let hash = Sha256::digest(format!("{name}.{namespace}.Secret."));
    format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(hash))
}

fn group_and_kind(text: &str) -> (String, String) {
    let (kind, group) = text.split_once('.').unwrap_or((text, ""));
    (group.to_owned(), kind.to_owned())
}

fn map<const N: usize>(pairs: [(&str, String); N]) -> Map<String, Value> {
    let pairs = pairs.into_iter();
    pairs
        .map(|(key, value)| (key.to_owned(), Value::String(value)))
        .collect()
}

#[cfg(test)]
mod tests;
