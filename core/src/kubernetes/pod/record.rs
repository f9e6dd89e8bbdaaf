//! What is kept of a pod that is followed: the little that every question about it needs.

use super::model::{ENDING_LIMIT, Ending, FAILED_LIMIT, Failed, Pod, Pods, RESTARTED_LIMIT};
use super::raw::RawPod;
use jiff::Timestamp;

/// A pod that is followed.
#[derive(Clone, Debug, PartialEq)]
pub struct PodRecord {
    /// `metadata.name`.
    pub name: String,
    /// The names of the objects that control it.
    pub controllers: Vec<String>,
    /// How it ends, if it is being deleted.
    pub ends: Option<Box<Ending>>,
    /// Where it stands.
    pub standing: Standing,
}

/// Where a pod stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It is ready.
    Ready,
    /// It is ready, and a container of it has ended before.
    Restarted(Box<Pod>),
    /// It is not ready.
    Other(Box<Pod>),
    /// A container of a Job failed in it.
    FailedByItself(Box<(Pod, Option<Failed>)>),
    /// Its containers have all ended well.
    Completed,
    /// Its node gave it up; with what is told of one that failed.
    Over(Option<Box<Failed>>),
}

impl PodRecord {
    /// Reads the pod in a line of a watch; `None` if it is not one.
    pub fn in_line(line: &[u8]) -> Option<PodRecord> {
        let line: Line = serde_json::from_slice(line).ok()?;
        Some(line.object.into()).filter(|pod: &PodRecord| !pod.name.is_empty())
    }

    /// Takes a pod of a list.
    pub fn of(pod: &serde_json::Value) -> Option<PodRecord> {
        <RawPod as serde::Deserialize>::deserialize(pod)
            .ok()
            .map(PodRecord::from)
    }

    fn is_of(&self, owner: &str) -> bool {
        self.controllers.iter().any(|name| name == owner)
    }

    fn gone_at(&self) -> Option<Timestamp> {
        self.ends.as_ref().map(|ending| ending.until)
    }
}

#[derive(serde::Deserialize)]
struct Line {
    object: RawPod,
}

impl From<RawPod> for PodRecord {
    fn from(raw: RawPod) -> PodRecord {
        PodRecord {
            name: raw.metadata.name.clone(),
            controllers: raw.controllers(),
            ends: raw.ends().map(Box::new),
            standing: if raw.failed_by_itself() {
                let failed = raw.failed();
                Standing::FailedByItself(Box::new((raw.into(), failed)))
            } else if raw.has_completed() {
                Standing::Completed
            } else if raw.is_over() {
                Standing::Over(raw.failed().map(Box::new))
            } else if raw.is_ready() && raw.was_restarted() {
                Standing::Restarted(Box::new(ended_of(raw.into())))
            } else if raw.is_ready() {
                Standing::Ready
            } else {
                Standing::Other(Box::new(raw.into()))
            },
        }
    }
}

/// What is kept of a ready pod: the containers that have ended before.
fn ended_of(mut pod: Pod) -> Pod {
    pod.containers.retain(|container| container.restarts > 0);
    pod
}

impl Pods {
    /// The pods among these that the object of this name controls.
    pub fn of<'a>(all: impl IntoIterator<Item = &'a PodRecord>, owner: &str) -> Pods {
        let mut pods = Pods::default();
        all.into_iter().for_each(|pod| pods.take(pod, owner));
        pods
    }

    /// Adds a pod, if the object of this name controls it.
    pub(super) fn take(&mut self, pod: &PodRecord, owner: &str) {
        self.ending = self.ending.max(pod.gone_at());
        match &pod.ends {
            _ if !pod.is_of(owner) => {}
            Some(ending) => self.add_ending(ending),
            None => self.add(pod.standing.clone()),
        }
    }

    /// Adds a pod that is being deleted.
    pub(super) fn add_ending(&mut self, pod: &Ending) {
        if self.endings.len() < ENDING_LIMIT {
            return self.endings.push(pod.clone());
        }
        let last = self.endings.iter_mut().max_by_key(|it| it.until);
        if let Some(last) = last.filter(|it| pod.until < it.until) {
            *last = pod.clone();
        }
    }

    /// Adds a ready pod that has ended before.
    pub(super) fn add_restarted(&mut self, pod: Pod) {
        if self.restarted.len() < RESTARTED_LIMIT {
            return self.restarted.push(pod);
        }
        let least = self.restarted.iter_mut().min_by_key(|it| it.restarts());
        if let Some(least) = least.filter(|it| it.restarts() < pod.restarts()) {
            *least = pod;
        }
    }

    /// Adds a pod that counts.
    fn add(&mut self, standing: Standing) {
        match standing {
            Standing::Ready => self.ready += 1,
            Standing::Restarted(pod) => {
                self.ready += 1;
                self.add_restarted(*pod);
            }
            Standing::Completed => self.completed += 1,
            Standing::Other(pod) => self.others.push(*pod),
            Standing::FailedByItself(both) if self.others.len() < FAILED_LIMIT => {
                self.others.push(both.0);
            }
            Standing::FailedByItself(both) => self.fail(both.1),
            Standing::Over(failed) => self.fail(failed.map(|failed| *failed)),
        }
    }

    fn fail(&mut self, failed: Option<Failed>) {
        if self.failed.len() < FAILED_LIMIT {
            self.failed.extend(failed);
        }
    }
}
