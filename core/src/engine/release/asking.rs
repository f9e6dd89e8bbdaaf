//! From tasks to calls.

use super::super::model::{Ask, Next};
use super::model::{ReleaseEngine, Task, Ticket};
use crate::change::apply;
use crate::kubernetes::call::Call;
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
    pub(super) fn start(&mut self, now: Timestamp) -> Vec<(Ticket, Ask)> {
        self.wake(now);
        let mut asks = Vec::new();
        while self.asked.len() < CONCURRENT && self.outcome.is_none() {
            let Some(task) = self.queue.pop_front() else {
                break;
            };
            if let Some(ask) = self.ask(&task, now) {
                if let Task::Apply(item) | Task::Remove(item) = task {
                    self.items[item].begun = true;
                }
                self.tickets += 1;
                self.asked.insert(self.tickets, (task, ask.clone(), now));
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

    fn wake(&mut self, now: Timestamp) {
        let (due, later) = std::mem::take(&mut self.later)
            .into_iter()
            .partition(|(time, _)| *time <= now);
        self.later = later;
        self.queue.extend(due.into_iter().map(|(_, task)| task));
    }

    /// The call of a task; `None` where it has none now.
    fn ask(&mut self, task: &Task, now: Timestamp) -> Option<Ask> {
        if let Task::Follow(_) | Task::FollowBack(_) = task {
            return self.ask_for_follower(task, now);
        }
        if let Task::Try(place) = task
            && self.is_rather_read(*place)
        {
            self.push(Task::Get(*place));
            return None;
        }
        let (call, reading) = match task {
            Task::Parent
            | Task::Await
            | Task::Recorded(_)
            | Task::Revisions
            | Task::Target(_)
            | Task::TryParent
            | Task::Parented
            | Task::Record
            | Task::Close
            | Task::Reread
            | Task::Headings
            | Task::Forget(_) => self.call_of_record(task)?,
            Task::Resources(api_version) => (Call::resources(api_version), Reading::Object),
            Task::Autoscalers(namespace) => {
                (Call::list(&AUTOSCALERS, namespace, ""), Reading::List)
            }
            Task::Permission(permission, namespace) => {
                let namespace = namespace.as_deref().unwrap_or_default();
                (Call::may(namespace, permission), Reading::Object)
            }
            Task::GetOld(old) | Task::Pruned(old) => {
                let old = &self.olds[*old];
                let namespace = old.object.id.namespace.as_deref().unwrap_or_default();
                let call = Call::get(&old.resource, namespace, &old.object.id.name);
                (call, Reading::Object)
            }
            Task::Prune(old) => {
                let old = &self.olds[*old];
                let namespace = old.object.id.namespace.as_deref().unwrap_or_default();
                let Some(Ok((uid, version))) = &old.fate else {
                    return None;
                };
                let name = &old.object.id.name;
                let call = Call::delete_version(&old.resource, namespace, name, uid, version);
                (call, Reading::Object)
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
            Task::Follow(_) | Task::FollowBack(_) | Task::Wake => return None,
        };
        Some(Ask {
            call,
            reading,
            until: self.until,
            fresh: true,
        })
    }

    fn call_of_record(&self, task: &Task) -> Option<(Call, Reading)> {
        let (namespace, release) = (&self.request.namespace, &self.request.name);
        Some(match task {
            Task::Parent => {
                let call = Call::get(&SECRETS, namespace, &Parent::name_for(release));
                (call, Reading::Object)
            }
            Task::Recorded(revision) | Task::Target(revision) => {
                let call = Call::get(&SECRETS, namespace, &Heading::name_for(release, *revision));
                (call, Reading::Object)
            }
            Task::Await => {
                let note = self.note_of_waiting()?;
                let call = Call::merge_patch(&SECRETS, namespace, &self.parent.name(), note);
                (call, Reading::Object)
            }
            Task::TryParent => {
                let call = Call::create(&SECRETS, namespace, self.parent.object());
                (call.dry_run(), Reading::Object)
            }
            Task::Parented => {
                let call = match &self.parent_live {
                    Some(live) => {
                        let object = self.parent.replacement(live);
                        Call::replace(&SECRETS, namespace, &self.parent.name(), object)
                    }
                    None => Call::create(&SECRETS, namespace, self.parent.object()),
                };
                (call, Reading::Object)
            }
            Task::Record => {
                let object = self.record_secret.clone()?;
                (Call::create(&SECRETS, namespace, object), Reading::Object)
            }
            Task::Close => {
                let heading = &self.record.as_ref()?.heading;
                let patch = heading.patch();
                let call = Call::merge_patch(&SECRETS, namespace, &heading.name(), patch);
                (call, Reading::Object)
            }
            Task::Reread => {
                let selector = self.record.as_ref()?.heading.own_selector();
                let call = Call::list(&SECRETS, namespace, &selector);
                (call.metadata_alone(), Reading::List)
            }
            Task::Headings | Task::Revisions => {
                let call = Call::list(&SECRETS, namespace, &Heading::selector(release));
                (call.metadata_alone(), Reading::List)
            }
            Task::Forget(revision) => {
                let name = Heading::name_for(release, *revision);
                (
                    Call::delete_any(&SECRETS, namespace, &name),
                    Reading::Object,
                )
            }
            _ => return None,
        })
    }

    fn call_of_item(&self, task: &Task, place: usize) -> Option<(Call, Reading)> {
        let item = &self.items[place];
        let resource: &Resource = item.resource.as_ref()?;
        let (namespace, name) = (item.namespace(), &item.id.name);
        let force = self.request.force || item.force;
        Some(match task {
            // Who manages which field says whether somebody else has changed it.
            Task::Get(_) | Task::Check(_) => (Call::get(resource, namespace, name), Reading::Whole),
            Task::Gone(_) => (Call::get(resource, namespace, name), Reading::Object),
            Task::Try(_) => {
                let manifest = self.request.manifests[place].object();
                let body = self.body(&manifest, &item.id, item.live().as_ref());
                let call = Call::apply(resource, namespace, name, body, force);
                (call.dry_run(), Reading::Whole)
            }
            Task::Apply(_) => {
                let live = item.live().filter(|_| !item.removed);
                let manifest = self.request.manifests[place].object();
                let body = self.body(&manifest, &item.id, live.as_ref());
                let force = self.request.force || item.pressed;
                let call = Call::apply(resource, namespace, name, body, force);
                (call, Reading::Whole)
            }
            Task::TakeOver(_) => {
                let patch = self.takeover(place)?;
                let call = Call::json_patch(resource, namespace, name, patch);
                (call, Reading::Whole)
            }
            Task::Remove(_) => {
                let live = item.live()?;
                let uid = live.pointer("/metadata/uid")?.as_str()?.to_owned();
                let mut call = Call::delete(resource, namespace, name, &uid);
                if item.id.is("apps", "StatefulSet") {
                    call = call.leaving_pods();
                }
                (call, Reading::Object)
            }
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
    fn ask_for_follower(&mut self, task: &Task, now: Timestamp) -> Option<Ask> {
        let follower = match task {
            Task::Follow(item) => self.items[*item].follower.as_mut(),
            Task::FollowBack(back) => self.backs[*back].follower.as_mut(),
            _ => None,
        }?;
        let next = follower.next(now);
        match next {
            Next::Ask(ask) => return Some(ask),
            Next::Watch(watching) => {
                self.push_at(watching.until.min(now + FOLLOW_PAUSE), task.clone());
            }
            // Alarms guard no single workload of a release.
            Next::Alarms(asked) => self.push_at(asked.until.max(now), task.clone()),
            Next::Sleep(time) => self.push_at(time.max(now), task.clone()),
            Next::Done(outcome) => match task {
                Task::Follow(item) => self.followed(*item, *outcome),
                Task::FollowBack(back) => self.followed_back(*back, *outcome),
                _ => {}
            },
        }
        None
    }
}
