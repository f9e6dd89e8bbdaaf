//! From tasks to calls.

use super::super::model::{Ask, Engine, Next};
use super::model::{ReleaseEngine, Task, Ticket};
use crate::change::apply;
use crate::kubernetes::call::{Call, Verb};
use crate::kubernetes::object_id::ObjectId;
use crate::kubernetes::resource::{AUTOSCALERS, Resource, SECRETS};
use crate::snapshot::Reading;
use crate::state::release::{Heading, Parent};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Calls at the same time. An API server lets one client have some dozens of them before it makes
/// it wait, and other clients are to be served as well.
/// <https://kubernetes.io/docs/concepts/cluster-administration/flow-control/>
const CONCURRENT: usize = 12;

/// How often a follower that has nothing to wait for is looked at again.
const FOLLOW_PAUSE: SignedDuration = SignedDuration::from_secs(1);

impl ReleaseEngine {
    /// Starts as many tasks as may run at the same time.
    pub(super) fn start(&mut self) -> Vec<(Ticket, Ask)> {
        self.wake();
        let mut asks = Vec::new();
        while self.asked.len() < CONCURRENT && self.outcome.is_none() {
            let Some(task) = self.queue.pop_front() else {
                break;
            };
            if let Some(ask) = self.ask(&task) {
                if let Task::Apply(item) | Task::Remove(item) = task {
                    self.items[item].begun = true;
                }
                self.tickets += 1;
                self.asked
                    .insert(self.tickets, (task, ask.clone(), self.now));
                asks.push((self.tickets, ask));
            }
        }
        asks
    }

    /// When the next task is due that waits for its time.
    pub(super) fn next_time(&self) -> Option<Timestamp> {
        self.later.iter().map(|(time, _)| *time).min()
    }

    pub(super) fn push(&mut self, task: Task) {
        self.queue.push_back(task);
    }

    pub(super) fn push_at(&mut self, time: Timestamp, task: Task) {
        self.later.push((time, task));
    }

    fn wake(&mut self) {
        let (due, later) = std::mem::take(&mut self.later)
            .into_iter()
            .partition(|(time, _)| *time <= self.now);
        self.later = later;
        self.queue.extend(due.into_iter().map(|(_, task)| task));
    }

    /// The call of a task; `None` where it has none now.
    fn ask(&mut self, task: &Task) -> Option<Ask> {
        if let Task::Follow(_) | Task::FollowBack(_) = task {
            return self.ask_for_follower(task);
        }
        if let Task::Try(place) = task
            && self.is_rather_read(*place)
        {
            self.push(Task::Get(*place));
            return None;
        }
        let call = match task {
            Task::Resources(api_version) => Call::resources(api_version),
            Task::Autoscalers(namespace) => Call::list(&AUTOSCALERS, namespace, ""),
            Task::Permission(permission, namespace) => {
                Call::may(namespace.as_deref().unwrap_or_default(), permission)
            }
            Task::GetOld(old) | Task::Pruned(old) | Task::Prune(old) => {
                self.call_of_old(task, *old)?
            }
            Task::GetBack(back)
            | Task::JobPods(back)
            | Task::PutBack(back)
            | Task::GoneBack(back) => self.call_of_back(task, *back)?,
            Task::Get(item)
            | Task::Try(item)
            | Task::TakeOver(item)
            | Task::Apply(item)
            | Task::Remove(item)
            | Task::Gone(item)
            | Task::Check(item) => self.call_of_item(task, *item)?,
            _ => self.call_of_record(task)?,
        };
        Some(Ask {
            reading: self.reading(task, &call),
            call,
            until: self.until,
            fresh: true,
        })
    }

    /// How an answer is read: with who manages which field, where that says whether somebody else
    /// has changed it.
    fn reading(&self, task: &Task, call: &Call) -> Reading {
        match task {
            Task::Autoscalers(_) | Task::Reread | Task::Headings | Task::Revisions => Reading::List,
            Task::JobPods(back) => Reading::Pods(self.backs[*back].id.name.clone()),
            Task::PutBack(_) if call.verb == Verb::Delete => Reading::Object,
            Task::Get(_)
            | Task::Check(_)
            | Task::Try(_)
            | Task::Apply(_)
            | Task::TakeOver(_)
            | Task::GetBack(_)
            | Task::PutBack(_) => Reading::Whole,
            _ => Reading::Object,
        }
    }

    fn call_of_record(&self, task: &Task) -> Option<Call> {
        let (namespace, release) = (&self.request.namespace, &self.request.name);
        let get = |name: &str| Call::get(&SECRETS, namespace, name);
        let create = |object| Call::create(&SECRETS, namespace, object);
        let list = |selector: &str| Call::list(&SECRETS, namespace, selector).metadata_alone();
        let patch = |name: &str, patch| Call::merge_patch(&SECRETS, namespace, name, patch);
        Some(match task {
            Task::Parent => get(&Parent::name_for(release)),
            Task::Recorded(revision) | Task::Target(revision) => {
                get(&Heading::name_for(release, *revision))
            }
            Task::Await => patch(&self.parent.name(), self.note_of_waiting()?),
            Task::TryParent => create(self.parent.object()).dry_run(),
            Task::Parented => match &self.parent_live {
                Some(live) => {
                    let object = self.parent.replacement(live);
                    Call::replace(&SECRETS, namespace, &self.parent.name(), object)
                }
                None => create(self.parent.object()),
            },
            Task::Record => create(self.record_secret.clone()?),
            Task::Close => {
                let heading = &self.record.as_ref()?.heading;
                patch(&heading.name(), heading.patch())
            }
            Task::Reread => list(&self.record.as_ref()?.heading.own_selector()),
            Task::Headings | Task::Revisions => list(&Heading::selector(release)),
            Task::Forget(revision) => {
                Call::delete_any(&SECRETS, namespace, &Heading::name_for(release, *revision))
            }
            _ => return None,
        })
    }

    fn call_of_old(&self, task: &Task, place: usize) -> Option<Call> {
        let old = &self.olds[place];
        let (namespace, name) = (old.object.id.namespace_or_empty(), &old.object.id.name);
        if !matches!(task, Task::Prune(_)) {
            return Some(Call::get(&old.resource, namespace, name));
        }
        let (uid, version) = old.fate.as_ref()?.as_ref().ok()?;
        Some(Call::delete_version(
            &old.resource,
            namespace,
            name,
            uid,
            version,
        ))
    }

    fn call_of_item(&self, task: &Task, place: usize) -> Option<Call> {
        let item = &self.items[place];
        let resource: &Resource = item.resource.as_ref()?;
        let (namespace, name) = (item.id.namespace_or_empty(), &item.id.name);
        let apply = |live: Option<&Value>, force| {
            let manifest = self.request.manifests[place].object();
            let body = self.body(&manifest, &item.id, live);
            Call::apply(resource, namespace, name, body, self.request.force || force)
        };
        Some(match task {
            Task::Get(_) | Task::Check(_) | Task::Gone(_) => Call::get(resource, namespace, name),
            Task::Try(_) => apply(item.live().as_ref(), item.force).dry_run(),
            Task::Apply(_) => {
                let live = item.live().filter(|_| !item.removed);
                apply(live.as_ref(), item.pressed)
            }
            Task::TakeOver(_) => Call::json_patch(resource, namespace, name, self.takeover(place)?),
            Task::Remove(_) => removal(
                resource,
                &item.id,
                item.live()?["metadata"]["uid"].as_str()?,
            ),
            _ => return None,
        })
    }

    /// What is sent to apply a manifest.
    pub(super) fn body(&self, manifest: &Value, id: &ObjectId, live: Option<&Value>) -> Value {
        let mut body = apply::body(manifest, live, self.scaled_by(id), &self.owner);
        if let Some(namespace) = &id.namespace {
            body["metadata"]["namespace"] = json!(namespace);
        } else if let Some(metadata) = body["metadata"].as_object_mut() {
            metadata.remove("namespace");
        }
        body
    }

    /// Goes on with an engine that follows a workload, until it asks, waits or ends.
    fn ask_for_follower(&mut self, task: &Task) -> Option<Ask> {
        let now = self.now;
        match self.follower(task)?.next(now) {
            Next::Ask(ask) => return Some(ask),
            Next::Watch(watching) => {
                self.push_at(watching.until.min(self.now + FOLLOW_PAUSE), task.clone());
            }
            // Alarms guard no single workload of a release.
            Next::Alarms(asked) => self.push_at(asked.until.max(self.now), task.clone()),
            Next::Sleep(time) => self.push_at(time.max(self.now), task.clone()),
            Next::Done(outcome) => match task {
                Task::Follow(item) => self.followed(*item, *outcome),
                Task::FollowBack(back) => self.followed_back(*back, *outcome),
                _ => {}
            },
        }
        None
    }

    /// The engine that follows the workload of a task.
    pub(super) fn follower(&mut self, task: &Task) -> Option<&mut Engine> {
        let follower = match task {
            Task::Follow(item) => &mut self.items[*item].follower,
            Task::FollowBack(back) => &mut self.backs[*back].follower,
            _ => return None,
        };
        follower.as_deref_mut()
    }
}

/// The deletion of an object that is made anew. The pods of a StatefulSet stay.
pub(super) fn removal(resource: &Resource, id: &ObjectId, uid: &str) -> Call {
    let call = Call::delete(resource, id.namespace_or_empty(), &id.name, uid);
    match id.is("apps", "StatefulSet") {
        true => call.leaving_pods(),
        false => call,
    }
}
