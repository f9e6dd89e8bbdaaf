//! The writes of the way back: each object is read, and put back or deleted.

use super::super::brief::in_short;
use super::super::trouble::CONFLICTS;
use super::asking::removal;
use super::item::{Anew, BackTo, uid_of};
use super::model::{ReleaseEngine, Task};
use super::reading::{Found, found};
use crate::change::apply::{self, ApplyRefusal, OtherWriter};
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::kubernetes::object::held_by;
use crate::kubernetes::pod::Pods;
use crate::kubernetes::resource::PODS;
use crate::release::prune;
use crate::release::{JobUnseen, LeftReason};
use crate::snapshot::{Reply, Response};
use crate::workload::health::job;
use crate::workload::{Kind, Workload};
use serde_json::Value;
use std::sync::Arc;

impl ReleaseEngine {
    pub(super) fn call_of_back(&self, task: &Task, place: usize) -> Option<Call> {
        let back = &self.backs[place];
        let (namespace, name) = (back.id.namespace_or_empty(), &back.id.name);
        if let Task::GoneBack(_) = task {
            let call = Call::get(&back.resource, namespace, name);
            return (back.result == Some(Ok(()))).then_some(call);
        }
        if let Task::JobPods(_) = task {
            let selector = format!("batch.kubernetes.io/job-name={name}");
            return Some(Call::list(&PODS, namespace, &selector));
        }
        if back.result.is_some() {
            return None;
        }
        if let Task::GetBack(_) = task {
            return Some(Call::get(&back.resource, namespace, name));
        }
        let live = back.live();
        if back.anew == Anew::Asked {
            return Some(removal(&back.resource, &back.id, &uid_of(&live?)));
        }
        Some(match &back.to {
            BackTo::Manifest(manifest) | BackTo::Again(manifest) => {
                let manifest = serde_json::from_str(manifest).ok()?;
                let mut body = self.body(&manifest, &back.id, live.as_ref());
                let spec = body.get_mut("spec").and_then(Value::as_object_mut);
                if let Some(spec) = spec.filter(|_| back.keeps_replicas) {
                    spec.remove("replicas");
                }
                // What others have set since is theirs: a conflict says so.
                Call::apply(&back.resource, namespace, name, body, false)
            }
            BackTo::Object(object) => {
                let object = &serde_json::from_str(object).ok()?;
                match live {
                    Some(live) => {
                        let object = replaced(object, &live, self.scaled_by(&back.id).is_some());
                        Call::replace(&back.resource, namespace, name, object)
                    }
                    None => Call::create(&back.resource, namespace, anew(object)),
                }
            }
            BackTo::Nothing => {
                let live = live?;
                let (resource, uid) = (&back.resource, uid_of(&live));
                let version = live.pointer("/metadata/resourceVersion")?.as_str()?;
                // Its controller may write its status again and again; of a Job that says that it
                // has started.
                match back.conflicts < CONFLICTS || back.id.is_job() {
                    true => Call::delete_version(resource, namespace, name, &uid, version),
                    false => Call::delete(resource, namespace, name, &uid),
                }
            }
            BackTo::Stay(_) | BackTo::NothingUnlessRan => return None,
        })
    }

    /// Takes an object as it is before it is put back.
    pub(super) fn took_back(&mut self, place: usize, call: Call, result: Reply) {
        let live = match found(result) {
            Ok(Found::Object(live)) => Some(live),
            // It may be there in another version.
            Ok(Found::NotServed) if self.is_put_back(place) => {
                let (version, _) = self.backs[place].resource.key();
                self.backs[place].result = Some(Err(LeftReason::NotServed(version)));
                return;
            }
            Ok(Found::Nothing | Found::NotServed) => None,
            Err(error) => return self.back_trouble(place, Task::GetBack(place), call, error),
        };
        if self.waits_to_put_back(place, live.as_ref()) {
            return;
        }
        let result = self.back_as_found(place, live.as_ref());
        let back = &mut self.backs[place];
        back.result = result;
        let is_again = back.conflicts > 0 || back.anew == Anew::Removed;
        let again = is_again && back.result.is_none();
        back.live = live.map(|live| live.to_string().into_boxed_str());
        if back.to == BackTo::NothingUnlessRan {
            if back.result.is_none() {
                self.push(Task::JobPods(place));
            }
        } else if again {
            self.push(Task::PutBack(place));
        }
    }

    /// Whether an object goes back to what it was, and not away.
    fn is_put_back(&self, place: usize) -> bool {
        let to = &self.backs[place].to;
        matches!(to, BackTo::Manifest(_) | BackTo::Object(_))
    }

    /// Takes the pods of a Job that stays: they show whether it ran.
    pub(super) fn took_job_pods(&mut self, place: usize, result: Reply) {
        let live = self.backs[place].live();
        let live = live.map(|job| Workload::new(Kind::Job, job));
        let mut still_runs = false;
        let mut unseen = LeftReason::JobUnseen(JobUnseen::PodsUnread);
        let have_run = match result {
            Ok(Response::Pods(pods)) => {
                still_runs = pods.run_now();
                unseen = why_unseen(&pods);
                let never_had = pods.is_none() && live.as_ref().is_some_and(never_had_pods);
                pods.have_run().or(never_had.then_some(false))
            }
            Ok(_) | Err(_) => None,
        };
        let has_lost_pods = live.as_ref().is_some_and(may_have_lost_pods);
        let manager = live.as_ref().and_then(job::other_manager);
        let have_run = have_run.filter(|ran| *ran || !has_lost_pods && manager.is_none());
        let have_run = have_run.or(live.as_ref().is_some_and(job::counts_runs).then_some(true));
        let elsewhere = |it: &str| LeftReason::JobUnseen(JobUnseen::Elsewhere(it.to_owned()));
        let unseen = manager.map_or(unseen, elsewhere);
        let back = &mut self.backs[place];
        // It did nothing, so that nothing is lost with it. The delete is bound to the Job as it was
        // read before its pods.
        if have_run == Some(false) && back.to == BackTo::NothingUnlessRan {
            back.to = BackTo::Nothing;
            back.result = back.live.is_none().then_some(Ok(()));
            return match back.conflicts {
                0 => self.order_backs(),
                _ => self.push(Task::PutBack(place)),
            };
        }
        self.backs[place].result = Some(Err(match have_run {
            Some(true) if still_runs => LeftReason::JobRuns,
            Some(true) => LeftReason::JobRan,
            Some(false) => LeftReason::JobWaits,
            None => unseen,
        }));
    }

    /// What becomes of an object on the way back as it was found, where nothing is to be written:
    /// it is back already, or it is somebody else's now.
    fn back_as_found(&self, place: usize, live: Option<&Value>) -> Option<Result<(), LeftReason>> {
        let back = &self.backs[place];
        let Some(live) = live else {
            return match &back.to {
                BackTo::Nothing => Some(Ok(())),
                // It had not run when it was to be deleted.
                BackTo::NothingUnlessRan if back.conflicts > 0 => Some(Ok(())),
                // Its pods may still show whether it ran.
                BackTo::NothingUnlessRan => None,
                // It may have been us who deleted it, to make it anew.
                _ if back.may_be_removed => None,
                BackTo::Manifest(_) | BackTo::Object(_) => Some(Err(LeftReason::Deleted)),
                BackTo::Again(_) | BackTo::Stay(_) => None,
            };
        };
        if let BackTo::Again(_) = &back.to {
            return Some(Ok(()));
        }
        if let Some(reason) = prune::not_ours(live, &self.owner) {
            return match &back.to {
                // It was never taken over.
                BackTo::Object(_) => Some(Ok(())),
                BackTo::Nothing | BackTo::NothingUnlessRan | BackTo::Manifest(_) => {
                    Some(Err(LeftReason::Keep(reason)))
                }
                BackTo::Again(_) | BackTo::Stay(_) => None,
            };
        }
        // A manifest is applied without force: a conflict says what others have set.
        if matches!(
            back.to,
            BackTo::Manifest(_) | BackTo::Again(_) | BackTo::Stay(_)
        ) {
            return None;
        }
        // A deploy that died may have applied it last.
        let applied = back.applied.as_deref().into_iter();
        let applied = applied.chain(self.applied_by_dead(&back.id));
        let mut taken = applied.filter_map(|text| {
            let manifest = serde_json::from_str(text).ok()?;
            let body = || self.body(&manifest, &back.id, Some(live));
            Some(apply::overwritten(&back.id.group, body, live, &self.owner))
        });
        let first = taken.next().flatten();
        let taken = first.filter(|_| taken.all(|other| other.is_some()));
        let by = match (&back.to, taken) {
            (_, Some(OtherWriter::Manager(field))) => Some(field.manager),
            (_, Some(_)) => return Some(Err(LeftReason::Changed)),
            (BackTo::Object(_), None) => apply::changed_after_us(live),
            (_, None) => None,
        };
        by.map(|manager| Err(LeftReason::ChangedBy((self.mask)(&manager))))
    }

    /// Takes the answer to a write of the way back.
    pub(super) fn put_back(&mut self, place: usize, call: Call, result: Reply) {
        let refusal = match result {
            Ok(response) => return self.was_put_back(place, response),
            Err(CallError::Refused(refusal)) => refusal,
            Err(error) => return self.back_trouble(place, Task::PutBack(place), call, error),
        };
        let meaning = apply::refused(&refusal);
        if matches!(meaning, ApplyRefusal::Immutable(_)) && self.makes_anew(place) {
            return;
        }
        let mask = self.mask;
        let back = &mut self.backs[place];
        if let ApplyRefusal::Conflict(fields) = &meaning {
            let is_scaled = fields.iter().all(|it| it.field == "spec.replicas");
            if is_scaled && !back.keeps_replicas {
                back.keeps_replicas = true;
                return self.push(Task::PutBack(place));
            }
            let manager = fields.first().map(|it| mask(&it.manager));
            back.result = Some(Err(LeftReason::ChangedBy(manager.unwrap_or_default())));
            return;
        }
        let is_stale = matches!(meaning, ApplyRefusal::Stale);
        if (is_stale || matches!(refusal.code, 404 | 409)) && back.conflicts < CONFLICTS {
            back.conflicts += 1;
            if back.id.is_job() && back.to == BackTo::Nothing {
                back.to = BackTo::NothingUnlessRan;
            }
            let races = back.conflicts;
            return self.push_after_race(races, Task::GetBack(place));
        }
        let error = CallError::Refused(refusal);
        self.back_trouble(place, Task::PutBack(place), call, error);
    }

    /// A write of the way back was done.
    fn was_put_back(&mut self, place: usize, response: Response) {
        let back = &mut self.backs[place];
        if back.anew == Anew::Asked {
            back.anew = Anew::Removed;
            return self.push(Task::GetBack(place));
        }
        back.result = Some(Ok(()));
        let id = back.id.clone();
        let object = response.object().map(Arc::unwrap_or_clone);
        if back.to == BackTo::Nothing {
            back.held = object.as_ref().and_then(held_by).unwrap_or_default();
            return self.way_back.deleted.push(id);
        }
        self.way_back.restored.push(id);
        if let Some(object) = object {
            self.follow_back(place, object);
        }
    }

    /// A call of the way back failed: what may pass is tried again until its time is over, and what
    /// is refused stays. So does what a webhook stays silent about, which may be the release's own:
    /// then everything else goes back without it.
    fn back_trouble(&mut self, place: usize, task: Task, call: Call, error: CallError) {
        let is_final = match &error {
            CallError::Refused(refusal) => !refusal.may_pass() || self.is_given_up_on(&error),
            CallError::Untrusted(_) | CallError::Kept(_) => true,
            CallError::NotKubernetes(_) | CallError::Unreachable(_) | CallError::OutOfTime => false,
        };
        match is_final && self.locked_out.is_none() {
            true => {
                let why = (self.mask)(&in_short(&error));
                self.backs[place].result = Some(Err(LeftReason::Refused(why)));
            }
            false => self.trouble(task, call, error),
        }
    }
}

/// The object as it was, as a write that replaces the one that is there now.
fn replaced(object: &Value, live: &Value, is_scaled: bool) -> Value {
    let mut object = object.clone();
    for field in ["resourceVersion", "uid"] {
        object["metadata"][field] = live["metadata"][field].clone();
    }
    if is_scaled && let Some(replicas) = live.pointer("/spec/replicas") {
        object["spec"]["replicas"] = replicas.clone();
    }
    object
}

/// The object as it was, as a write that creates it.
fn anew(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["resourceVersion", "uid", "creationTimestamp", "generation"] {
            metadata.remove(field);
        }
    }
    object
}

/// Whether a Job has never had a pod: none is counted, and nobody has suspended it, or set its
/// parallelism to 0, which deletes pods without counting them.
fn never_had_pods(live: &Workload) -> bool {
    let job = live.value();
    let status = &job["status"];
    let counted = status["active"].as_u64().is_some_and(|count| count > 0);
    let uncounted = &status["uncountedTerminatedPods"];
    let uncounted = ["failed", "succeeded"]
        .iter()
        .any(|it| uncounted[it][0].is_string());
    let is_untouched = job["metadata"]["generation"] == 1;
    is_untouched && !counted && !uncounted && !may_have_lost_pods(live) && !job::is_over(live)
}

/// Why its pods do not show whether a Job ran.
fn why_unseen(pods: &Pods) -> LeftReason {
    LeftReason::JobUnseen(match pods.failed.first() {
        Some(failed) => JobUnseen::PodFailed(failed.why.reason.clone()),
        None if pods.ending.is_some() => JobUnseen::PodEnding,
        None if pods.is_none() => return LeftReason::JobMayHaveRun,
        None => JobUnseen::PodsLost,
    })
}

/// Whether pods of a Job may be gone that had run: another one may wait in the place of one that
/// was evicted or deleted. With a failure policy, failures need not be counted.
fn may_have_lost_pods(live: &Workload) -> bool {
    let job = live.value();
    let counts = ["failed", "succeeded", "ready", "terminating"].into_iter();
    let mut counts = counts.filter_map(|field| job["status"][field].as_u64());
    counts.any(|count| count > 0) || job["spec"]["podFailurePolicy"].is_object()
}
