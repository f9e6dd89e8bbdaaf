//! What is kept of a pod that is followed: the little that every question about it needs.

use super::model::{FAILED_LIMIT, Failed, Pod, Pods};
use super::raw::RawPod;
use jiff::Timestamp;

/// A pod that is followed.
#[derive(Clone, Debug, PartialEq)]
pub struct PodRecord {
    /// `metadata.name`.
    pub name: String,
    /// The names of the objects that control it.
    pub controllers: Vec<String>,
    /// When it will be gone, if it is being deleted.
    pub ends: Option<Timestamp>,
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

    /// Whether it counts for the object of this name, which controls it.
    pub(super) fn counts_for(&self, owner: &str) -> bool {
        let mut controllers = self.controllers.iter();
        self.ends.is_none() && controllers.any(|name| name == owner)
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
            ends: raw.ends(),
            standing: if raw.failed_by_itself() {
                let failed = raw.failed();
                Standing::FailedByItself(Box::new((raw.into(), failed)))
            } else if raw.has_completed() {
                Standing::Completed
            } else if raw.is_over() {
                Standing::Over(raw.failed().map(Box::new))
            } else if raw.is_ready() && raw.was_restarted() {
                Standing::Restarted(Box::new(raw.into()))
            } else if raw.is_ready() {
                Standing::Ready
            } else {
                Standing::Other(Box::new(raw.into()))
            },
        }
    }
}

impl Pods {
    /// The pods among these that the object of this name controls.
    pub fn of<'a>(all: impl IntoIterator<Item = &'a PodRecord>, owner: &str) -> Pods {
        let mut pods = Pods::default();
        for pod in all {
            pods.ending = pods.ending.max(pod.ends);
            if pod.counts_for(owner) {
                pods.add(pod.standing.clone());
            }
        }
        pods
    }

    /// Adds a pod that counts.
    pub(super) fn add(&mut self, standing: Standing) {
        match standing {
            Standing::Ready => self.ready += 1,
            Standing::Restarted(pod) => {
                self.ready += 1;
                self.restarted.push(*pod);
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
