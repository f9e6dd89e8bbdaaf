//! Reads pods and events into small types, so that the parser skips the rest of a page. Of five
//! thousand pods only the data that may explain a failure is kept.

mod model;
mod raw;
mod raw_event;
mod raw_object;
mod record;

pub use model::{
    Container, ENDING_LIMIT, Ended, Ending, Event, FAILED_LIMIT, Failed, Gate, NO_SCHEDULER, Pod,
    Pods, RESTARTED_LIMIT, Said, State, Unscheduled,
};
pub use record::{PodRecord, Standing};

use crate::kubernetes::watched::Newest;
use raw::RawPod;
use raw_event::RawEvent;
use raw_object::List;

/// A page of a list of pods.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodPage {
    /// The pods, of whatever owner.
    pub pods: Vec<PodRecord>,
    /// The token of the next page; empty on the last one.
    pub proceed: String,
    /// The version of the list, from which its changes can be followed.
    pub version: String,
    /// The newest change of the pods.
    pub newest: Newest,
}

impl PodPage {
    /// Reads a page of a list; `None` if the text is not a list.
    pub fn read(page: &[u8]) -> Option<PodPage> {
        let list: List<RawPod> = serde_json::from_slice(page).ok()?;
        let mut newest = Newest::default();
        for pod in &list.items {
            newest.add(&pod.metadata.resource_version);
        }
        Some(PodPage {
            newest,
            pods: list.items.into_iter().map(PodRecord::from).collect(),
            proceed: list.metadata.proceed,
            version: list.metadata.resource_version,
        })
    }
}

impl Pods {
    /// Reads a page of a list and keeps the pods that the object of this name controls; also
    /// returns the token of the next page. `None` if the text is not a list.
    pub fn read(page: &[u8], owner: &str) -> Option<(Pods, String)> {
        let page = PodPage::read(page)?;
        let mut pods = Pods::default();
        page.pods.iter().for_each(|pod| pods.take(pod, owner));
        Some((pods, page.proceed))
    }

    /// Redacts the messages of containers and nodes with `mask`, before anything is clipped or
    /// changed: afterwards a value might not be recognized.
    pub fn hide(mut self, mask: impl Fn(&str) -> String) -> Pods {
        for failed in &mut self.failed {
            failed.why.message = mask(&failed.why.message);
        }
        for pod in self.others.iter_mut().chain(&mut self.restarted) {
            pod.why.message = mask(&pod.why.message);
            for gate in &mut pod.gates {
                gate.why.message = mask(&gate.why.message);
            }
            if let Some(unscheduled) = &mut pod.unscheduled {
                unscheduled.message = mask(&unscheduled.message);
            }
            for container in &mut pod.containers {
                if let Some(last) = &mut container.last {
                    last.message = mask(&last.message);
                }
                match &mut container.state {
                    State::Waiting { message, .. } => *message = mask(message),
                    State::Ended(ended) => ended.message = mask(&ended.message),
                    State::Unknown | State::Running => {}
                }
            }
        }
        self
    }

    /// Adds the pods of another page.
    pub fn extend(&mut self, page: Pods) {
        self.ready += page.ready;
        self.completed += page.completed;
        self.others.extend(page.others);
        page.restarted
            .into_iter()
            .for_each(|pod| self.add_restarted(pod));
        self.failed.extend(page.failed);
        self.failed.truncate(FAILED_LIMIT);
        self.ending = self.ending.max(page.ending);
        page.endings.iter().for_each(|pod| self.add_ending(pod));
    }

    /// Whether a container was started: `None` if there is no pod that would show it.
    pub fn have_run(&self) -> Option<bool> {
        let mut containers = self.others.iter().flat_map(|pod| &pod.containers);
        let ran = containers.any(|container| match &container.state {
            State::Running | State::Ended(_) => true,
            State::Unknown | State::Waiting { .. } => {
                container.restarts > 0 || container.last.is_some()
            }
        });
        match ran || self.ready + self.completed > 0 {
            true => Some(true),
            // A pod that was given up may have lost what it says of its containers, and one that
            // is being deleted is not among them.
            false => {
                let shows = !self.others.is_empty() && self.failed.is_empty();
                (shows && self.ending.is_none() && !self.cut).then_some(false)
            }
        }
    }

    /// Whether a container runs now, and its pod is not being deleted.
    pub fn run_now(&self) -> bool {
        let mut containers = self.others.iter().flat_map(|pod| &pod.containers);
        self.ready > 0 || containers.any(|container| container.state == State::Running)
    }

    /// Whether there is not one pod, in whatever state.
    pub fn is_none(&self) -> bool {
        let gone = self.failed.is_empty() && self.ending.is_none() && !self.cut;
        gone && self.count() + self.completed == 0
    }

    /// The number of pods that count.
    pub fn count(&self) -> usize {
        self.ready + self.others.len()
    }
}

/// Reads a page of a list of events; `None` if the text is not a list.
pub fn events(page: &[u8]) -> Option<Vec<Event>> {
    let list: List<RawEvent> = serde_json::from_slice(page).ok()?;
    Some(list.items.into_iter().map(Event::from).collect())
}

#[cfg(test)]
mod tests;
