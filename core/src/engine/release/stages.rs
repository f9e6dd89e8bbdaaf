//! What follows what: each stage begins when the tasks of the one before are done.

use super::model::{ReleaseEngine, ReleaseOutcome, Stage, Task};
use crate::change::apply::{ApplyRefusal, ForeignOwner, OtherWriter};
use crate::release::{ObjectFault, ObjectTrouble, ReleaseCause, ReleaseFailure, WayBack, order};

impl ReleaseEngine {
    /// Begins the next stage.
    pub(super) fn advance(&mut self) {
        match self.stage {
            Stage::Begin => {
                self.push(Task::Parent);
                self.stage = Stage::Read;
            }
            Stage::Read => self.read_records(),
            Stage::Look => {
                if !self.end_forbidden() && self.knows_objects() && self.resume() {
                    self.look_up();
                    self.stage = Stage::Survey;
                }
            }
            Stage::Choose => self.choose(),
            Stage::Recall => self.recall(),
            Stage::Survey => {
                self.place();
                self.survey();
                self.stage = Stage::Try;
            }
            Stage::Try => {
                if self.asks_for_kinds_again() {
                    return;
                }
                self.check_owners();
                self.try_all();
                self.stage = Stage::Review;
            }
            Stage::Review => self.review(),
            Stage::Lock => self.lock(),
            Stage::Record => self.begin_record(),
            Stage::Apply(step) => self.apply_step(step),
            Stage::Ready(step) => self.wait_for_step(step),
            Stage::Follow => {
                for place in 0..self.items.len() {
                    if !self.is_looked_at_last(place) {
                        self.push_check(place);
                    }
                }
                self.stage = Stage::Bake;
            }
            Stage::Bake => self.bake(),
            Stage::LookAgain => {
                self.look_again();
                self.stage = Stage::Close;
            }
            Stage::Close
            | Stage::Prune(_)
            | Stage::Pruned(_)
            | Stage::Tidy
            | Stage::Forget
            | Stage::Unlock => {
                self.settle();
            }
            Stage::Done => self.finish(),
            Stage::WayBack
            | Stage::BackBegins
            | Stage::BackRecorded
            | Stage::PutBack(_)
            | Stage::BackIsOurs(_)
            | Stage::FollowBack
            | Stage::CloseFailed
            | Stage::UnlockFailed
            | Stage::Failed => self.take_back(),
        }
    }

    /// Everything was tried: reads what is not in the release any more, and asks whether the token
    /// may do what cannot be tried.
    fn review(&mut self) {
        if self.asks_for_kinds_again() {
            return;
        }
        if !self.faults.is_empty() {
            let mut faults = std::mem::take(&mut self.faults);
            faults.sort_by(|one, other| one.place.cmp(&other.place));
            return match self.record.is_some() && !self.request.mode.is_plan() {
                // It was begun, so what does not fit any more has come since.
                true => self.doom(begun_and_wrong(faults.swap_remove(0))),
                false => self.fail(ReleaseFailure::Faults(faults)),
            };
        }
        self.find_olds();
        self.ask_permissions();
        self.try_parent();
        self.stage = Stage::Lock;
    }

    /// Everything is read, and nothing is written: the end of a plan, of a release that is as it
    /// should be, and of one that may not be written.
    fn lock(&mut self) {
        if self.end_forbidden() {
            return;
        }
        self.judge_olds();
        if !self.is_let_by_alarms() {
            return;
        }
        if self.request.mode.is_plan() {
            if !self.can_record() {
                return;
            }
            let plan = Box::new(self.plan());
            return self.end(ReleaseOutcome::Planned(plan));
        }
        if self.record.is_some() {
            self.stage = Stage::Apply(0);
            return;
        }
        if self.now >= self.continuation.deadline {
            return self.fail(ReleaseFailure::TooLate);
        }
        if self.is_as_it_should_be() {
            for place in 0..self.items.len() {
                self.push_apply(place);
                self.judge_as_read(place);
            }
            self.success.revision = self.there().map_or(0, |record| record.heading.revision);
            self.stage = Stage::Follow;
            return;
        }
        self.hold();
        self.push(Task::Parented);
        self.stage = Stage::Record;
    }

    /// Applies the objects of a step.
    fn apply_step(&mut self, step: usize) {
        let Some(members) = self.steps.get(step).map(|step| step.members.clone()) else {
            self.stage = Stage::Follow;
            return;
        };
        // What served once has been in time.
        let has_served = self.continuation.guard.serving_since.is_some();
        if self.now >= self.continuation.deadline && !has_served {
            return self.time_out();
        }
        if self.reads_record_first() {
            return;
        }
        for place in members {
            self.push_apply(place);
        }
        self.stage = Stage::Ready(step);
    }

    /// Waits for the objects of a step that the next one needs, and for all of a wave at its end.
    fn wait_for_step(&mut self, step: usize) {
        let wave = self.steps[step].wave;
        let ends_wave = self
            .steps
            .get(step + 1)
            .is_some_and(|next| next.wave != wave);
        let mut waited = Vec::new();
        if ends_wave {
            let of_wave = self.steps.iter().filter(|it| it.wave == wave);
            waited.extend(of_wave.flat_map(|it| it.members.clone()));
        } else if order::waits(self.steps[step].rank) {
            waited.extend(self.steps[step].members.clone());
        }
        for place in waited {
            self.push_check(place);
        }
        self.stage = Stage::Apply(step + 1);
    }

    /// The time is over, and something is not ready.
    pub(super) fn time_out(&mut self) {
        let waiting = self.waiting_for(usize::MAX);
        self.doom(ReleaseCause::TimedOut {
            timeout: self.request.timeout,
            waiting,
        });
    }

    /// Ends a release that lacks permissions, with all of them; `false` if it lacks none.
    pub(super) fn end_forbidden(&mut self) -> bool {
        let missing = std::mem::take(&mut self.forbidden);
        let is_forbidden = !missing.is_empty();
        if is_forbidden {
            let missing = missing.into_iter().collect();
            // What was begun is taken back as far as it may be, and never said not to be there.
            if self.record.is_some() {
                self.doom(ReleaseCause::Forbidden(missing));
            } else if self.continuation.has_begun() {
                self.fail(ReleaseFailure::Ended {
                    cause: Box::new(ReleaseCause::Forbidden(missing)),
                    others: Vec::new(),
                    way_back: WayBack {
                        unread: true,
                        ..WayBack::default()
                    },
                });
            } else {
                self.fail(ReleaseFailure::Forbidden(missing));
            }
        }
        is_forbidden
    }
}

/// Why a release that was begun cannot go on.
fn begun_and_wrong(fault: ObjectFault) -> ReleaseCause {
    let by = match &fault.trouble {
        ObjectTrouble::Refused(ApplyRefusal::Conflict(fields), _) => {
            fields.first().cloned().map(OtherWriter::Manager)
        }
        ObjectTrouble::Foreign(owners) => owners.iter().find_map(|owner| match owner {
            ForeignOwner::Release(name) => Some(OtherWriter::Release(name.clone())),
            ForeignOwner::Helm(_)
            | ForeignOwner::ArgoCd(_)
            | ForeignOwner::Flux(_)
            | ForeignOwner::Kapp(_)
            | ForeignOwner::Inventory(_)
            | ForeignOwner::ApplySet(_) => None,
        }),
        ObjectTrouble::Refused(..)
        | ObjectTrouble::Fault(_)
        | ObjectTrouble::UnknownKind(_)
        | ObjectTrouble::BeingDeleted(_)
        | ObjectTrouble::OwnNamespace => None,
    };
    match by {
        Some(by) => ReleaseCause::Overwritten { id: fault.id, by },
        None => ReleaseCause::Refused(fault),
    }
}
