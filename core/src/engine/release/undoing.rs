//! The way back: what the last good revision had, or what was there before, is put back; what is
//! new is deleted; and what served before is followed until it serves again.

use super::super::brief::in_short;
use super::super::following::Following;
use super::super::model::Outcome;
use super::back_order::{ADMISSION_LAG, is_in_the_way};
use super::following::workload_kind;
use super::item::{Anew, Back, BackTo, resource_of};
use super::model::{ReleaseEngine, ReleaseOutcome, Stage, Task};
use crate::kubernetes::object_id::ObjectId;
use crate::release::prune::{KeepReason, is_kept_kind};
use crate::release::{LeftReason, ReleaseCause, ReleaseFailure};
use crate::report;
use crate::state::continuation::{Phase, RecordedFailure, ReleasePhase};
use crate::state::release::{Before, Kept, RecordedObject, Status};
use crate::strategy::{Failure, RollbackResult};
use crate::workload::Workload;
use crate::workload::health::object::ObjectCause;
use crate::workload::health::rollout::WriteReceipt;
use jiff::Timestamp;
use serde_json::Value;

impl ReleaseEngine {
    /// The next stage of the way back.
    pub(super) fn take_back(&mut self) {
        match self.stage {
            Stage::WayBack => {
                // Another execution may have taken the release over since it was locked.
                if self.record.is_some() && self.request.rollback {
                    self.push(Task::Parent);
                }
                self.stage = Stage::BackBegins;
            }
            Stage::BackBegins => self.begin_way_back(),
            Stage::BackRecorded => self.find_way_back(),
            Stage::PutBack(step) if step > 0 && self.back_waits.remove(&(step - 1)) => {
                for back in self.back_steps[step - 1].clone() {
                    match is_in_the_way(&self.backs[back]) {
                        true => self.push_at(self.now + ADMISSION_LAG, Task::Wake),
                        false => self.push(Task::GoneBack(back)),
                    }
                }
            }
            Stage::PutBack(step) if step < self.back_steps.len() => {
                self.push(Task::Parent);
                self.stage = Stage::BackIsOurs(step);
            }
            Stage::PutBack(_) => self.follow_backs(),
            Stage::BackIsOurs(step) => match self.overtaken_by() {
                Some(later) => self.leave_rest(later),
                None => {
                    for back in self.back_steps[step].clone() {
                        self.push(Task::PutBack(back));
                    }
                    self.stage = Stage::PutBack(step + 1);
                }
            },
            Stage::FollowBack => {
                let failure = self.recorded_failure();
                let cause = failure.cause.clone();
                self.way_back.failure = Some(Box::new(failure));
                self.count_left();
                self.add_account_of_twin();
                let account = self.way_back.packed();
                if let Some(record) = &mut self.record {
                    if record.heading.status != Status::Failed {
                        record.heading.failed_at = Some(self.now);
                    }
                    record.heading.status = Status::Failed;
                    record.heading.cause = Some(cause);
                    record.heading.way_back = account;
                    self.push(Task::Close);
                }
                self.stage = Stage::CloseFailed;
            }
            Stage::CloseFailed => {
                self.unlock();
                self.stage = Stage::UnlockFailed;
            }
            Stage::UnlockFailed => {
                if !self.unlocks_again() {
                    self.stage = Stage::Failed;
                }
            }
            _ => self.end_failed(),
        }
    }

    /// Decides what is taken back, and to what.
    fn begin_way_back(&mut self) {
        let failure = self.recorded_failure();
        let revision = self.record.as_ref().map(|record| record.heading.revision);
        let later = self.overtaken_by();
        let overtaken = self.was_overtaken() || later.is_some();
        self.way_back.overtaken_by = later.flatten();
        let (Some(revision), true, false) = (revision, self.request.rollback, overtaken) else {
            // Nothing was written, nothing may be taken back, or it would overwrite others.
            self.way_back.overtaken = overtaken && revision.is_some();
            self.stage = Stage::FollowBack;
            return;
        };
        let until = self.way_back_until();
        self.record_way_back(&failure);
        self.enter(ReleasePhase {
            revision,
            way_back: Some((failure, until)),
        });
        self.stage = Stage::BackRecorded;
    }

    /// Finds what is taken back, and reads it.
    fn find_way_back(&mut self) {
        self.way_back.tried = true;
        self.way_back.revision = self.good().map(|record| record.heading.revision);
        self.find_backs();
        for back in 0..self.backs.len() {
            self.push(match self.backs[back].result {
                Some(Err(LeftReason::JobRan)) => Task::JobPods(back),
                _ => Task::GetBack(back),
            });
        }
        self.stage = Stage::PutBack(0);
    }

    /// Follows what was put back, until it serves.
    fn follow_backs(&mut self) {
        for back in 0..self.backs.len() {
            if self.backs[back].follower.is_some() {
                self.push(Task::FollowBack(back));
            }
        }
        self.stage = Stage::FollowBack;
    }

    /// Another execution has released while this one was slow on its way back: what is not back yet
    /// is theirs now, and what was put back is theirs to follow.
    fn leave_rest(&mut self, later: Option<String>) {
        for back in self.backs.iter_mut().filter(|back| back.result.is_none()) {
            back.result = Some(Err(LeftReason::Overtaken(later.clone())));
        }
        self.way_back.overtaken = true;
        self.way_back.overtaken_by = later;
        self.stage = Stage::FollowBack;
    }

    /// Whether somebody else's change is the cause: taking back would overwrite it.
    fn was_overtaken(&self) -> bool {
        match &self.failure {
            Some(
                ReleaseCause::Gone(_)
                | ReleaseCause::Overwritten { .. }
                | ReleaseCause::Object {
                    cause: ObjectCause::Replaced,
                    ..
                },
            ) => true,
            Some(ReleaseCause::Workload { failure, .. }) => matches!(
                **failure,
                Failure::OutOfSync { .. }
                    | Failure::Overwritten { .. }
                    | Failure::SetAside { .. }
                    | Failure::Deleted(_)
            ),
            _ => false,
        }
    }

    /// Finds what each object of the failed revision goes back to.
    pub(super) fn find_backs(&mut self) {
        let good = self.good().map(|record| record.objects.clone());
        let good = good.unwrap_or_default();
        let objects = self.record.as_ref().map(|record| record.objects.clone());
        let mut backs = Vec::new();
        for object in objects.unwrap_or_default() {
            // What this revision does not have, or did not come to, is as it was. Where the way
            // back is resumed, the namespaces of the manifests are not known.
            let items = self.items.iter().zip(&self.request.manifests);
            let mut items = items.filter(|(item, _)| item.id.is_but_for_namespace(&object.id));
            let Some((item, asked)) = items.next() else {
                continue;
            };
            if !item.begun && !self.is_resumed {
                continue;
            }
            let may_be_removed = item.recreate || asked.recreate;
            let former = good.iter().find(|former| former.id == object.id);
            let to = back_to(&object, former);
            backs.extend(to.map(|to| back(object, former, to, may_be_removed)));
        }
        if self.is_resumed {
            self.find_leftovers(&good, &mut backs);
        }
        self.backs = backs;
        self.order_backs();
    }

    /// Makes the engine that follows a workload which was put back.
    pub(super) fn follow_back(&mut self, place: usize, object: Value) {
        let id = self.backs[place].id.clone();
        let Some(kind) = workload_kind(&id).filter(|_| !id.is_job()) else {
            return;
        };
        let live = Workload::new(kind, object);
        let revision = live.revision().unwrap_or_default();
        let written = WriteReceipt::adopted(&live, self.now);
        let following = Following {
            deadline: self.way_back_until(),
            ..self.following(self.request_for(kind, &id), written)
        };
        self.backs[place].follower = Some(following.back(revision));
    }

    /// Until when what is put back is followed.
    fn way_back_until(&self) -> Timestamp {
        match &self.continuation.phase {
            Phase::Release(ReleasePhase {
                way_back: Some((_, until)),
                ..
            }) => *until,
            _ => self.now + self.way_back_limit(),
        }
    }

    /// An engine that followed a workload on the way back is done.
    pub(super) fn followed_back(&mut self, place: usize, outcome: Outcome) {
        let id = self.backs[place].id.clone();
        self.backs[place].follower = None;
        let why = match outcome {
            Outcome::Finished(_) => return,
            Outcome::Failed(Failure::Rollout {
                rollback_result: RollbackResult::RolledBack(_),
                ..
            }) => return,
            Outcome::Failed(Failure::Rollout {
                rollback_result: RollbackResult::RollbackFailed(_, cause),
                ..
            }) => report::cause::cause(&cause, "of its pods"),
            Outcome::HandedOver(_) => return self.hand_over(),
            Outcome::LockedOut(error) => return self.end(ReleaseOutcome::LockedOut(error)),
            Outcome::LostSight(since, why) => {
                return self.end(ReleaseOutcome::LostSight(since, why));
            }
            Outcome::Broken(_, error, _) => in_short(&error),
            Outcome::Failed(_) | Outcome::Planned(_) => "somebody else changed it".to_owned(),
        };
        self.way_back.unserved.push((id, (self.mask)(&why)));
    }

    /// Why the release failed, in the form in which it is kept.
    fn recorded_failure(&self) -> RecordedFailure {
        let failure = match &self.failure {
            Some(ReleaseCause::Recorded(failure)) => failure.clone(),
            Some(cause) => report::release::recorded(cause),
            None => RecordedFailure::of(""),
        };
        failure.hide(self.mask)
    }

    /// Notes what was not taken back.
    fn count_left(&mut self) {
        let left = self.backs.iter().filter_map(|back| {
            let reason = back.result.clone()?.err()?;
            Some((back.id.clone(), reason))
        });
        let held = self.backs.iter().filter(|back| !back.held.is_empty());
        let held = held.map(|back| (back.id.clone(), LeftReason::Held(back.held.clone())));
        let held = held.collect::<Vec<_>>();
        let deleted = &mut self.way_back.deleted;
        deleted.retain(|id| !held.iter().any(|(one, _)| one == id));
        self.way_back.left = left.chain(held).collect();
    }

    fn end_failed(&mut self) {
        let Some(cause) = self.failure.take() else {
            return self.end(ReleaseOutcome::Failed(Box::new(ReleaseFailure::TooLate)));
        };
        let failed: Option<ObjectId> = match &cause {
            ReleaseCause::Workload { id, .. } | ReleaseCause::Object { id, .. } => Some(id.clone()),
            _ => None,
        };
        let others = self.items.iter().filter(|item| {
            workload_kind(&item.id).is_some() && (item.is_waited_for || item.is_done())
        });
        let others = others.filter(|item| Some(&item.id) != failed.as_ref());
        let others = others
            .map(|item| (item.id.clone(), item.is_done()))
            .collect();
        let way_back = std::mem::take(&mut self.way_back);
        self.fail(ReleaseFailure::Ended {
            cause: Box::new(cause),
            others,
            way_back,
        });
    }
}

/// Whether an object that a failed release has made is deleted: for that it needs the permission.
pub(super) fn is_deleted_on_the_way_back(id: &ObjectId) -> bool {
    !id.is_job() && !is_kept_kind(&id.group, &id.kind)
}

pub(super) fn back(
    object: RecordedObject,
    former: Option<&RecordedObject>,
    to: BackTo,
    may_be_removed: bool,
) -> Back {
    Back {
        applied: match &object.manifest {
            Kept::Whole(text) => Some(text.clone()),
            Kept::Omitted => None,
        },
        may_be_removed,
        anew: Anew::No,
        held: Vec::new(),
        keeps_replicas: false,
        resource: match (&to, former) {
            (BackTo::Manifest(_), Some(former)) => resource_of(former),
            _ => resource_of(&object),
        },
        result: match &to {
            BackTo::Stay(reason) => Some(Err(reason.clone())),
            _ => None,
        },
        wave: object.wave,
        id: object.id,
        to,
        live: None,
        conflicts: 0,
        follower: None,
    }
}

/// What an object goes back to; `None` if the failed revision does not differ from what was there.
pub(super) fn back_to(object: &RecordedObject, former: Option<&RecordedObject>) -> Option<BackTo> {
    let is_definition = object.id.is_definition();
    let is_job = object.id.is_job();
    let to = match (&object.before, former) {
        (Before::InRelease, Some(former)) => match (&former.manifest, &object.manifest) {
            (Kept::Whole(former), Kept::Whole(now)) if former == now => return None,
            (Kept::Whole(former), _) => BackTo::Manifest(former.clone()),
            (Kept::Omitted, _) => BackTo::Stay(LeftReason::NotRecorded),
        },
        (Before::InRelease, None) => return None,
        (Before::Absent, _) if is_kept_kind(&object.id.group, &object.id.kind) => {
            BackTo::Stay(LeftReason::Keep(KeepReason::Kind))
        }
        (Before::Absent, _) if is_job => BackTo::NothingUnlessRan,
        (Before::Absent, _) => BackTo::Nothing,
        (Before::Live(object), _) => BackTo::Object(object.clone()),
        (Before::Unknown, _) => BackTo::Stay(LeftReason::NotRecorded),
    };
    Some(match to {
        BackTo::NothingUnlessRan => BackTo::NothingUnlessRan,
        _ if is_job => BackTo::Stay(LeftReason::JobRan),
        _ if is_definition => BackTo::Stay(LeftReason::Definition),
        to => to,
    })
}

#[cfg(test)]
mod tests;
