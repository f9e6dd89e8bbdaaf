//! Following what was written: workloads each by an engine of their own, everything else by its
//! health.

use super::super::following::Following;
use super::super::model::Outcome;
use super::item::{State, uid_of};
use super::model::{ReleaseEngine, ReleaseOutcome, Task};
use super::reading::{Found, found};
use super::settling::Written;
use crate::change::apply::{self, OtherWriter};
use crate::kubernetes::call::Call;
use crate::kubernetes::object_id::ObjectId;
use crate::release::{Followed, FollowedWorkload, ReleaseCause, ReleaseNote};
use crate::request::Request;
use crate::snapshot::Reply;
use crate::state::release::Record;
use crate::strategy::{Failure, Success, SuccessNote};
use crate::workload::health::job;
use crate::workload::health::object::{self, Applied, ObjectHealth};
use crate::workload::health::rollout::WriteReceipt;
use crate::workload::{Kind, Workload};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// The pause between two looks at an object that is not ready.
const CHECK_PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// For how long a look at an object counts as the last one before the end.
const FRESH: SignedDuration = SignedDuration::from_secs(2);

/// The pause between two looks at a Job that is deleted right after its end.
const BRIEF_PAUSE: SignedDuration = SignedDuration::from_millis(400);

/// Workloads that are looked at each second; more are looked at less often, so that a release of a
/// hundred does not ask a hundred times a second.
const FOLLOWED_A_SECOND: usize = 10;

impl ReleaseEngine {
    /// Follows an object until it is ready, if it is to be followed and is not ready already.
    pub(super) fn push_check(&mut self, place: usize) {
        let item = &self.items[place];
        if item.is_done() || item.applied.is_none() {
            return;
        }
        if !self.request.manifests[place].follow {
            let id = item.id.clone();
            self.said.push(ReleaseNote::NotFollowed(id));
            self.items[place].state = State::Ready;
            return;
        }
        self.items[place].is_waited_for = true;
        let item = &self.items[place];
        if workload_kind(&item.id).is_none() {
            if !item.wrote && !item.differs() && self.needs_no_status(place) {
                self.items[place].state = State::Ready;
                return;
            }
            return self.push(Task::Check(place));
        }
        if self.items[place].follower.is_none()
            && let Some(live) = self.items[place].live()
        {
            self.keep_for_follower(place, &live);
        }
        self.push(Task::Follow(place));
    }

    /// Makes the engine that will follow a workload which was written, or found as it should be.
    pub(super) fn keep_for_follower(&mut self, place: usize, object: &Value) {
        let item = &self.items[place];
        let Some(kind) = workload_kind(&item.id) else {
            return;
        };
        let after = Workload::new(kind, object.clone());
        let wrote = self.written(item) != Written::Not;
        let written = match item.wrote {
            true => {
                let before = item.live().filter(|_| !item.removed);
                let before = before.map(|live| Workload::new(kind, live));
                WriteReceipt::new(before.as_ref(), &after, self.now)
            }
            false => self.adopted(&item.id, &after),
        };
        // Of the manifest only what the pods are made of is compared.
        let manifest = self.request.manifests[place].object();
        let request = Request {
            manifest: Some(json!({"spec": {"template": manifest["spec"]["template"]}})),
            ..self.request_for(kind, &item.id)
        };
        // What served as it is when this release was deployed last has been looked at twice then.
        let held = !wrote && self.newest_good().is_some();
        let mut following = self.following(request, written);
        if job::is_brief(&after) {
            following.pause = BRIEF_PAUSE;
        }
        self.items[place].follower = Some(following.forward(wrote, held));
    }

    /// Takes a workload as it was found: the record of this revision tells what it had before.
    fn adopted(&self, id: &ObjectId, found: &Workload) -> WriteReceipt {
        let adopted = WriteReceipt::adopted(found, self.continuation.started);
        let recorded = self.record.as_ref().and_then(|record| record.find(id));
        match recorded.map_or(0, |object| object.had) {
            0 => adopted,
            had => WriteReceipt { had, ..adopted }.after_pods(found),
        }
    }

    /// How the engine of a workload follows it, in this invocation.
    pub(super) fn following(&self, request: Request, written: WriteReceipt) -> Following<'_> {
        Following {
            request,
            written,
            continuation: &self.continuation,
            deadline: self.deadline(),
            now: self.now,
            until: self.until,
            mask: self.mask,
            pause: self.follow_pause(),
            bake_pause: self.follow_pause(),
        }
    }

    /// The revision before this one, if it was deployed to its end.
    pub(super) fn newest_good(&self) -> Option<&Record> {
        let own = self.record.as_ref().map(|record| record.heading.revision);
        let before = self.records.iter();
        let before = before.filter(|record| Some(record.heading.revision) != own);
        let newest = before.max_by_key(|record| record.heading.revision);
        newest.filter(|record| record.heading.status.was_good())
    }

    /// The request by which a workload is followed.
    pub(super) fn request_for(&self, kind: Kind, id: &ObjectId) -> Request {
        Request {
            rollback: false,
            cluster: self.request.cluster.clone(),
            commit: self.request.commit.clone(),
            ..Request::following(
                kind,
                &id.name,
                id.namespace_or_empty(),
                (self.request.timeout, self.request.patience),
                &self.request.execution,
            )
        }
    }

    pub(super) fn follow_pause(&self) -> SignedDuration {
        let workloads = self.items.iter();
        let workloads = workloads.filter(|item| workload_kind(&item.id).is_some());
        let seconds = 1 + workloads.count() / FOLLOWED_A_SECOND;
        SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    /// An engine that followed a workload is done.
    pub(super) fn followed(&mut self, place: usize, outcome: Outcome) {
        let id = self.items[place].id.clone();
        match outcome {
            Outcome::Finished(success) => {
                let state = followed(&id, &success);
                self.items[place].state = State::Serves(Box::new(state));
                let follower = self.items[place].follower.take();
                // One that has watched through the bake has done all that it was for.
                let follower = follower.filter(|it| it.request.bake.is_zero());
                self.items[place].follower =
                    follower.and_then(|it| self.watched_on(&self.items[place], it));
            }
            Outcome::Failed(mut failure) => {
                if let Failure::Deleted(Some(left)) = &mut failure {
                    // What was there before this release has served.
                    let is_new = self.written(&self.items[place]) == Written::New;
                    let serves = workload_kind(&id).is_some_and(|kind| !kind.ends());
                    left.wanted = i64::from(serves && !is_new);
                }
                let request = self.items[place].follower.take().map(|it| it.request);
                let kind = workload_kind(&id).unwrap_or(Kind::Deployment);
                let request = request.unwrap_or_else(|| self.request_for(kind, &id));
                let is_new = self.written(&self.items[place]) != Written::Not;
                self.doom(ReleaseCause::Workload {
                    id,
                    is_new,
                    request: Box::new(request),
                    failure: Box::new(failure),
                });
            }
            Outcome::Broken(call, error, _) => self.doom(ReleaseCause::Broken {
                id: Some(id),
                call,
                error,
            }),
            Outcome::LockedOut(error) => self.end(ReleaseOutcome::LockedOut(error)),
            Outcome::LostSight(since, why) => self.end(ReleaseOutcome::LostSight(since, why)),
            Outcome::HandedOver(_) => self.hand_over(),
            Outcome::Planned(_) => {}
        }
    }

    /// Takes a look at an object that is not a workload.
    pub(super) fn checked(&mut self, place: usize, call: Call, result: Reply) {
        let live = match found(result) {
            Ok(Found::Object(live)) => live,
            Ok(Found::Nothing | Found::NotServed) => {
                let id = self.items[place].id.clone();
                return self.doom(ReleaseCause::Gone(id));
            }
            Err(error) => return self.trouble(Task::Check(place), call, error),
        };
        self.items[place].looked = Some(self.now);
        if let Some(by) = self.overwritten(place, &live) {
            let id = self.items[place].id.clone();
            return self.doom(ReleaseCause::Overwritten { id, by });
        }
        let Some(applied) = &self.items[place].applied else {
            return;
        };
        let health = object::health(&live, applied, self.now);
        self.judge(place, health);
    }

    /// Whether this release wrote an object, in this invocation or an earlier one.
    pub(super) fn is_written(&self, place: usize) -> bool {
        let item = &self.items[place];
        item.wrote || self.is_resumed && self.written(item) != Written::Not
    }

    /// Whether an object is ready as soon as it is written, as a ConfigMap is, so that it need not
    /// be looked at before everything else is ready.
    pub(super) fn is_looked_at_last(&self, place: usize) -> bool {
        let item = &self.items[place];
        if item.is_done() || !self.is_followed_by_status(place) || !self.is_written(place) {
            return false;
        }
        let mut manifest = self.request.manifests[place].object();
        if let Some(fields) = manifest.as_object_mut() {
            fields.remove("status");
        }
        let applied = Applied {
            generation: 0,
            uid: String::new(),
            at: self.now,
        };
        object::health(&manifest, &applied, self.now) == ObjectHealth::Ready
    }

    /// Whether an object is followed, and has no engine of its own for it.
    fn is_followed_by_status(&self, place: usize) -> bool {
        let id = &self.items[place].id;
        self.request.manifests[place].follow && workload_kind(id).is_none()
    }

    /// Looks at what this release wrote once more before it is said to serve: meanwhile somebody
    /// may have changed or deleted it.
    pub(super) fn look_again(&mut self) {
        self.last_look.get_or_insert(self.now);
        for place in 0..self.items.len() {
            if !self.items[place].is_done() {
                self.push_check(place);
                continue;
            }
            let looked = self.items[place]
                .looked
                .unwrap_or(self.continuation.started);
            let is_fresh = self.now.duration_since(looked) < FRESH;
            if !is_fresh && self.is_followed_by_status(place) && self.is_written(place) {
                self.push(Task::Check(place));
            }
        }
    }

    /// Who has changed an object since this release wrote it. With `force` what others set is
    /// overwritten each time, so that somebody who sets it again is nothing new.
    fn overwritten(&self, place: usize, live: &Value) -> Option<OtherWriter> {
        let item = &self.items[place];
        let is_same = Some(&uid_of(live)) == item.applied.as_ref().map(|it| &it.uid);
        if !self.is_written(place) || !is_same || self.request.force {
            return None;
        }
        let manifest = &self.request.manifests[place];
        let body = || self.body(&manifest.object(), &item.id, Some(live));
        apply::overwritten(&item.id.group, body, live, &self.owner)
    }

    /// Judges an object by how it was read a moment ago, where nothing is written: only what is not
    /// ready has to be read again.
    pub(super) fn judge_as_read(&mut self, place: usize) {
        let item = &self.items[place];
        let is_followed = self.is_followed_by_status(place);
        let (Some(live), Some(applied)) = (item.live(), &item.applied) else {
            return;
        };
        let health = object::health(&live, applied, self.now);
        let is_ready = matches!(
            health,
            ObjectHealth::Ready | ObjectHealth::Noted(_) | ObjectHealth::NoStatus
        );
        if is_followed && is_ready {
            self.judge(place, health);
        }
    }

    /// Whether an object is ready whatever its status says, as a ConfigMap is: where it is as it
    /// should be, it has been read and tried, and is not read once more.
    fn needs_no_status(&self, place: usize) -> bool {
        let item = &self.items[place];
        let (Some(mut live), Some(applied)) = (item.live(), &item.applied) else {
            return false;
        };
        if let Some(fields) = live.as_object_mut() {
            fields.remove("status");
        }
        object::health(&live, applied, self.now) == ObjectHealth::Ready
    }

    fn judge(&mut self, place: usize, health: ObjectHealth) {
        let item = &mut self.items[place];
        let id = item.id.clone();
        // What was said of it before may not be so any more.
        self.said.retain(|said| {
            !matches!(said, ReleaseNote::Pending(one, _) | ReleaseNote::NoStatus(one) if *one == id)
        });
        match health {
            ObjectHealth::Ready => item.state = State::Ready,
            ObjectHealth::Noted(note) => {
                item.state = State::Ready;
                self.said.push(ReleaseNote::Pending(id, note));
            }
            ObjectHealth::NoStatus => {
                item.state = State::Ready;
                self.said.push(ReleaseNote::NoStatus(id));
            }
            ObjectHealth::Deleted => self.doom(ReleaseCause::Gone(id)),
            ObjectHealth::Failed(cause) => self.doom(ReleaseCause::Object { id, cause }),
            ObjectHealth::Waiting(wait) => {
                item.state = State::Waiting(wait);
                let deadline = self.deadline();
                if self.now >= deadline {
                    return self.time_out();
                }
                let pause = (self.now + CHECK_PAUSE).min(deadline);
                self.push_at(pause.max(self.now), Task::Check(place));
            }
        }
    }
}

/// The kind of workload that an engine of its own follows.
pub(super) fn workload_kind(id: &ObjectId) -> Option<Kind> {
    Kind::of(&id.group, &id.kind)
}

fn followed(id: &ObjectId, success: &Success) -> FollowedWorkload {
    let live = &success.deployment;
    let state = if id.is_job() {
        Followed::Complete
    } else if success.note == Some(SuccessNote::OnDelete) {
        Followed::OnDelete
    } else {
        Followed::Available(live.available_replicas(), live.replicas())
    };
    FollowedWorkload {
        id: id.clone(),
        images: live.images("containers").map(str::to_owned).collect(),
        state,
    }
}
