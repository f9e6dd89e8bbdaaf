//! Answers: each goes to what asked for it.

use super::model::{ReleaseEngine, Stage, Task};
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::snapshot::{Reply, Response};
use serde_json::Value;
use std::sync::Arc;

/// The HTTP status of what is not there.
const NOT_FOUND: u16 = 404;

/// What a read found.
pub(super) enum Found {
    /// The object.
    Object(Value),
    /// There is none.
    Nothing,
    /// The cluster does not serve its kind.
    NotServed,
}

/// Reads the answer to the read of an object.
pub(super) fn found(result: Reply) -> Result<Found, CallError> {
    match result {
        Ok(Response::Object(object)) => Ok(Found::Object(Arc::unwrap_or_clone(object))),
        Ok(_) => Ok(Found::Nothing),
        Err(error) if error.is_not_served() => Ok(Found::NotServed),
        Err(CallError::Refused(refusal)) if refusal.code == NOT_FOUND => Ok(Found::Nothing),
        Err(error) => Err(error),
    }
}

impl ReleaseEngine {
    /// Takes the answer to a task.
    pub(super) fn take(&mut self, task: Task, call: Call, result: Reply) {
        let is_late = self.failure.is_some() && !self.is_of_way_back(&task);
        if self.outcome.is_some() || is_late {
            return self.note_write(&task, &result);
        }
        match task {
            Task::Parent => self.took_parent(call, result),
            Task::Recorded(revision) => self.took_record(revision, call, result),
            Task::Await => self.noted_waiting(call, result),
            Task::Revisions | Task::Target(_) => self.took_revision(task, call, result),
            Task::Resources(api_version) => match found(result) {
                Ok(Found::Object(list)) => self.looked_up(&api_version, &list),
                Ok(Found::Nothing | Found::NotServed) => {}
                Err(error) => self.trouble(Task::Resources(api_version), call, error),
            },
            Task::Autoscalers(namespace) => match result {
                Ok(list) => self.scalers(&namespace, &list.items()),
                Err(error) => self.unreadable(Task::Autoscalers(namespace), call, error),
            },
            Task::Get(item) => match found(result) {
                Ok(found) => {
                    let is_served = !matches!(found, Found::NotServed);
                    self.took_item(item, found);
                    match self.stage {
                        // It was tried before.
                        Stage::Review if is_served => self.try_read(item),
                        // It was read again in the middle, because somebody else changed it.
                        Stage::Ready(_) => self.push_apply(item),
                        _ => {}
                    }
                }
                Err(error) => self.unreadable(Task::Get(item), call, error),
            },
            Task::Try(item) => self.tried(item, call, result),
            Task::GetOld(old) => match found(result) {
                Ok(found) => {
                    self.took_old(old, found);
                    self.prune_again(old);
                }
                Err(error) => self.unreadable(Task::GetOld(old), call, error),
            },
            Task::Permission(..) => self.took_permission(task, call, result),
            Task::TryParent => self.tried_parent(call, result),
            Task::Parented => self.parented(call, result),
            Task::Record => self.recorded(call, result),
            Task::TakeOver(item) => self.took_over(item, call, result),
            Task::Apply(item) => self.applied(item, call, result),
            Task::Remove(item) => self.removed(item, call, result),
            Task::Gone(item) => self.is_gone(item, call, result),
            Task::Check(item) => self.checked(item, call, result),
            Task::Follow(_) | Task::FollowBack(_) => self.answer_follower(task, result),
            Task::Close => self.closed(call, result),
            Task::Reread => self.reread(call, result),
            Task::Prune(_) | Task::Pruned(_) | Task::Headings | Task::Forget(_) => {
                self.settled(task, call, result)
            }
            Task::GetBack(back) => self.took_back(back, call, result),
            Task::JobPods(back) => self.took_job_pods(back, result),
            Task::PutBack(back) => self.put_back(back, call, result),
            Task::GoneBack(back) => self.gone_back(back, call, result),
            Task::Wake => {}
        }
    }

    /// Gives an answer to the engine that follows a workload, which then goes on.
    fn answer_follower(&mut self, task: Task, result: Reply) {
        let (locked_out, now) = (self.locked_out.clone(), self.now);
        if let Some(follower) = self.follower(&task) {
            if let Some(error) = locked_out {
                follower.lock_out(error);
            }
            follower.answered(result, now);
        }
        self.push(task);
    }

    /// Whether a task belongs to the way back, or to the end of a release that failed.
    fn is_of_way_back(&self, task: &Task) -> bool {
        matches!(
            task,
            Task::GetBack(_)
                | Task::JobPods(_)
                | Task::PutBack(_)
                | Task::GoneBack(_)
                | Task::FollowBack(_)
        ) || matches!(
            self.stage,
            Stage::BackBegins
                | Stage::BackRecorded
                | Stage::PutBack(_)
                | Stage::BackIsOurs(_)
                | Stage::FollowBack
                | Stage::CloseFailed
                | Stage::UnlockFailed
                | Stage::Failed
        ) && matches!(
            task,
            Task::Close | Task::Reread | Task::Parented | Task::Parent
        )
    }

    /// An answer that came after the end was decided: only what was written is of interest.
    fn note_write(&mut self, task: &Task, result: &Reply) {
        if let (Task::Apply(item), Ok(_)) = (task, result) {
            self.items[*item].wrote = true;
        }
    }
}
