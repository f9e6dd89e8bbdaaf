//! The rolling strategy: one write, then Kubernetes' own rolling update is followed to its end;
//! where that fails, the template that served before is brought back and followed, too.

use super::newcomer;
use super::pursuit::{CATCHING_UP, Failed, Followed, Pursuit};
use super::pursuit::{catching_up, waiting_for_replica_set};
use super::{
    Action, Aftermath, Decision, Failure, Look, Observation, Stage, Success, Wait, author,
    other_author,
};
use crate::change::{self, Change, Previous};
use crate::cluster::object::{self, Deployment, timestamp};
use crate::continuation::{CAUSE_LIMIT, Continuation, Phase, Rollback, Rollout};
use crate::diagnosis::Evidence;
use crate::report;
use crate::request::{Fault, Method, Request};
use crate::rollout::{self, Progress, Verdict, Written};
use jiff::Timestamp;
use std::time::Duration;

/// A rollback gets as long as the deploy, but no longer than this: its pods ran before.
const ROLLBACK_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Decides the next step.
pub fn decide(
    request: &Request,
    continuation: &Continuation,
    observation: &Observation,
    now: Timestamp,
) -> Decision {
    let Some(deployment) = &observation.deployment else {
        return Decision::Look(Look::Deployment);
    };
    let context = Context {
        request,
        continuation,
        observation,
        now,
    };
    match (&continuation.phase, deployment) {
        // A token is bound to its request, so that a rolling deploy never has a switch's phase.
        (Phase::Start | Phase::Switch | Phase::Return(_), None) => context.start_from_nothing(),
        (Phase::Start | Phase::Switch | Phase::Return(_), Some(deployment)) => {
            context.start(deployment)
        }
        (Phase::Rollout(_), None) => Decision::GiveUp(Failure::Deleted),
        (Phase::Rollback(rollback), None) => ended(rollback, Aftermath::Deleted),
        (Phase::Rollout(rollout), Some(deployment)) => context.rollout(rollout, deployment),
        (Phase::Rollback(rollback), Some(deployment)) => context.rollback(rollback, deployment),
    }
}

/// The phase after a write: the rollout, or the rollback, of the object that came back.
pub fn acted(
    request: &Request,
    observation: &Observation,
    action: &Action,
    after: &Deployment,
    now: Timestamp,
) -> Phase {
    let before = observation.deployment.as_ref().and_then(Option::as_ref);
    let written = Written::new(before, after, now);
    match action {
        Action::Step(step) => step.then.clone(),
        Action::Patch(_) | Action::Put(_) | Action::Create(_) => Phase::Rollout(Rollout {
            previous: before
                .and_then(|before| Previous::serving(before, observation.replica_sets.as_deref()?)),
            wrote: true,
            changed_since: false,
            written,
        }),
        Action::Undo {
            revision,
            cause,
            kind,
            evidence,
            ..
        } => Phase::Rollback(Rollback {
            written,
            revision: *revision,
            cause: cause.clone(),
            kind: *kind,
            evidence: evidence.clone(),
            deadline: now + request.timeout.min(ROLLBACK_LIMIT),
        }),
    }
}

/// All that a decision may depend on.
struct Context<'a> {
    request: &'a Request,
    continuation: &'a Continuation,
    observation: &'a Observation,
    now: Timestamp,
}

impl Context<'_> {
    fn start_from_nothing(&self) -> Decision {
        if self.now >= self.continuation.deadline {
            return Decision::GiveUp(Failure::TooLate);
        }
        match self.request.method {
            Method::Patch => Decision::GiveUp(Failure::Missing),
            Method::Put => {
                let author = author(self.request, self.continuation, self.now);
                match change::create(self.request, &author) {
                    Ok(object) => Decision::Act(Action::Create(object)),
                    Err(faults) => Decision::GiveUp(Failure::Faults(faults)),
                }
            }
        }
    }

    fn start(&self, live: &Deployment) -> Decision {
        if live.is_being_deleted() {
            return Decision::GiveUp(Failure::BeingDeleted);
        }
        let job = &self.continuation.job;
        let mut superseded = live
            .annotation(change::SUPERSEDED)
            .into_iter()
            .flat_map(|jobs| jobs.split(','));
        if superseded.any(|superseded| superseded == job) {
            let by = other_author(live, self.continuation);
            return Decision::GiveUp(Failure::OutOfSync { by, wrote: true });
        }
        if live.annotation(change::JOB) == Some(job) {
            return self.take_up(live);
        }
        if self.now >= self.continuation.deadline {
            return Decision::GiveUp(Failure::TooLate);
        }
        let unpaused = |manifest: &serde_json::Value| {
            manifest.pointer("/spec/paused") == Some(&serde_json::Value::Bool(false))
        };
        if live.is_paused() && !self.request.manifest.as_ref().is_some_and(unpaused) {
            return Decision::GiveUp(Failure::Paused);
        }
        // A switch has scaled it to zero: whatever is rolled here would serve nobody.
        if live.replicas() == 0 && live.annotation(newcomer::REPLICAS).is_some() {
            return Decision::GiveUp(Failure::Faults(vec![retired(live)]));
        }
        let Some(sets) = &self.observation.replica_sets else {
            let selector = live.selector();
            return Decision::Look(Look::ReplicaSets { selector });
        };
        let autoscaled = match self.observation.autoscaled {
            None if change::needs_autoscalers(self.request, live) => {
                return Decision::Look(Look::Autoscalers);
            }
            autoscaled => autoscaled.unwrap_or(false),
        };
        let author = author(self.request, self.continuation, self.now);
        match change::plan(self.request, live, sets, autoscaled, &author) {
            Err(faults) => Decision::GiveUp(Failure::Faults(faults)),
            Ok(Change::Patch(patch)) => Decision::Act(Action::Patch(patch)),
            Ok(Change::Put(object)) => Decision::Act(Action::Put(object)),
            Ok(Change::Nothing) => Decision::Enter(Phase::Rollout(Rollout {
                written: Written::adopted(live, self.now),
                wrote: false,
                changed_since: false,
                previous: None,
            })),
        }
    }

    /// Goes on with a deploy of ours whose continuation, or the answer to whose write, was lost.
    fn take_up(&self, live: &Deployment) -> Decision {
        let deployed_at = live.annotation(change::DEPLOYED_AT).and_then(timestamp);
        let at = deployed_at.unwrap_or(self.now);
        let previous = Previous::recorded(live);
        if live.annotation(change::ROLLED_BACK) == Some(&self.continuation.job) {
            return self.take_up_rollback(live, previous);
        }
        let changed_since = !change::is_untouched(live);
        if changed_since {
            let Some(sets) = &self.observation.replica_sets else {
                let selector = live.selector();
                return Decision::Look(Look::ReplicaSets { selector });
            };
            // Our write made one ReplicaSet the newest; a second one is of someone else's template.
            let before = previous.as_ref().map_or(0, |previous| previous.revision);
            let since = sets
                .iter()
                .filter(|set| set.owner == live.uid() && set.revision > before);
            let author = author(self.request, self.continuation, self.now);
            if since.count() > 1 || !change::is_satisfied(self.request, live, &author) {
                let failure = Failure::OutOfSync {
                    by: None,
                    wrote: true,
                };
                return Decision::GiveUp(failure);
            }
        }
        Decision::Enter(Phase::Rollout(Rollout {
            written: Written::adopted(live, at),
            wrote: true,
            changed_since,
            previous,
        }))
    }

    fn take_up_rollback(&self, live: &Deployment, previous: Option<Previous>) -> Decision {
        if let Some(previous) = &previous {
            match &self.observation.previous_template {
                None => {
                    let name = previous.name.clone();
                    return Decision::Look(Look::Previous { name });
                }
                Some(Ok(Some(template))) if !is_current(template, live) => {
                    let by = other_author(live, self.continuation);
                    let cause = live.annotation(change::CAUSE).unwrap_or_default();
                    return Decision::GiveUp(Failure::Rollout {
                        cause: cause.to_owned(),
                        kind: None,
                        evidence: Evidence::default(),
                        aftermath: Aftermath::OvertakenBy(by),
                        reason: None,
                    });
                }
                Some(_) => {}
            }
        }
        let cause = live
            .annotation(change::CAUSE)
            .unwrap_or_default()
            .to_owned();
        Decision::Enter(Phase::Rollback(Rollback {
            // Whatever deadline has passed, it passed before the rollback was written.
            written: Written::new(Some(live), live, self.now),
            revision: previous.map_or(0, |previous| previous.revision),
            cause: report::clip(&cause, CAUSE_LIMIT),
            kind: None,
            evidence: Evidence::default(),
            deadline: self.now + self.request.timeout.min(ROLLBACK_LIMIT),
        }))
    }

    fn rollout(&self, rollout: &Rollout, live: &Deployment) -> Decision {
        let written = &rollout.written;
        if let Some(other) = self.overtaken(written, rollout.wrote, live) {
            if live.annotation(change::ROLLED_BACK) == Some(&self.continuation.job) {
                return self.take_up_rollback(live, rollout.previous.clone());
            }
            return other;
        }
        let pursuit = Pursuit {
            request: self.request,
            observation: self.observation,
            rollout,
            sights: &self.continuation.sights,
            live,
            now: self.now,
            deadline: self.continuation.deadline,
            stage: Stage::Rollout,
        };
        match pursuit.next() {
            Followed::Serves => self.finish(rollout, live),
            Followed::GoesOn(decision) => decision,
            Followed::Failed(failed) => self.take_back(rollout, live, failed),
        }
    }

    fn finish(&self, rollout: &Rollout, live: &Deployment) -> Decision {
        Decision::Finish(Success {
            deployment: live.clone(),
            wrote: rollout.wrote,
            previous_revision: rollout.previous.as_ref().map(|previous| previous.revision),
            switched: None,
        })
    }

    /// Brings the previous version back, or says why not.
    fn take_back(&self, rollout: &Rollout, live: &Deployment, failed: Failed) -> Decision {
        let Failed {
            cause,
            kind,
            evidence,
        } = failed;
        let aftermath = match self.way_back(rollout, live) {
            Ok(previous) => match &self.observation.previous_template {
                None => {
                    let name = previous.name.clone();
                    return Decision::Look(Look::Previous { name });
                }
                Some(Ok(Some(template))) if is_current(template, live) => {
                    Aftermath::NothingToReturnTo
                }
                Some(Ok(Some(template))) => {
                    let job = &self.continuation.job;
                    return Decision::Act(Action::Undo {
                        operations: change::undo(live, template, job, &cause),
                        revision: previous.revision,
                        cause,
                        kind,
                        evidence,
                    });
                }
                Some(Ok(None)) => Aftermath::PreviousGone(previous.name.clone()),
                Some(Err(why)) => Aftermath::NotReturned(previous.revision, why.clone()),
            },
            Err(aftermath) => aftermath,
        };
        Decision::GiveUp(Failure::Rollout {
            cause,
            kind,
            evidence,
            aftermath,
            reason: None,
        })
    }

    /// The ReplicaSet to return to, or why there is no way back.
    fn way_back<'b>(
        &self,
        rollout: &'b Rollout,
        live: &Deployment,
    ) -> Result<&'b Previous, Aftermath> {
        if !rollout.wrote {
            return Err(Aftermath::NothingWritten);
        }
        if !self.request.rollback {
            return Err(Aftermath::RollbackDisabled);
        }
        if rollout.changed_since {
            return Err(Aftermath::OvertakenBy(None));
        }
        rollout.previous.as_ref().ok_or(match live.revision() {
            Some(2..) => Aftermath::NothingServed,
            Some(_) | None => Aftermath::NothingToReturnTo,
        })
    }

    fn rollback(&self, rollback: &Rollback, live: &Deployment) -> Decision {
        match self.overtaken(&rollback.written, true, live) {
            None => {}
            Some(Decision::GiveUp(Failure::Deleted)) => {
                return ended(rollback, Aftermath::Deleted);
            }
            Some(_) => {
                let by = other_author(live, self.continuation);
                return ended(rollback, Aftermath::OvertakenBy(by));
            }
        }
        let failed = |why| ended(rollback, Aftermath::RollbackFailed(rollback.revision, why));
        let (progress, at_most) = match rollout::verdict(live, &rollback.written, self.now) {
            Verdict::Complete => {
                let Some(sets) = &self.observation.replica_sets else {
                    let selector = live.selector();
                    return Decision::Look(Look::ReplicaSets { selector });
                };
                if rollout::holds_the_pods(live, sets) {
                    return ended(rollback, Aftermath::RolledBack(rollback.revision));
                }
                (waiting_for_replica_set(live), CATCHING_UP)
            }
            Verdict::Progressing(progress) => {
                let at_most = catching_up(&progress);
                (progress, at_most)
            }
            Verdict::Failed(progress) => {
                return failed(report::deadline_exceeded(live, &progress, "previous"));
            }
        };
        if self.now >= rollback.deadline {
            let timeout = self.request.timeout.min(ROLLBACK_LIMIT);
            return failed(report::timed_out(timeout, &progress, "previous"));
        }
        self.wait(progress, rollback.deadline, at_most, true)
    }

    /// Whether what we follow is still there. An object older than our write proves nothing.
    fn overtaken(&self, written: &Written, wrote: bool, live: &Deployment) -> Option<Decision> {
        let out_of_sync = || {
            let by = other_author(live, self.continuation);
            Some(Decision::GiveUp(Failure::OutOfSync { by, wrote }))
        };
        if live.uid() != written.uid {
            return out_of_sync();
        }
        if live.generation() < written.generation {
            // The verdict says that it waits for our write to be observed.
            return None;
        }
        if live.is_being_deleted() {
            return Some(Decision::GiveUp(Failure::Deleted));
        }
        if live.template_digest() != written.template {
            return out_of_sync();
        }
        None
    }

    fn wait(
        &self,
        progress: Progress,
        deadline: Timestamp,
        at_most: Duration,
        rollback: bool,
    ) -> Decision {
        let left = deadline.duration_since(self.now).unsigned_abs();
        Decision::Wait(Wait {
            progress,
            rollback,
            at_most: at_most.min(left),
            stage: Stage::Rollout,
        })
    }
}

/// The end of a rollback, whichever it is: what counts is why the new version failed.
fn ended(rollback: &Rollback, aftermath: Aftermath) -> Decision {
    Decision::GiveUp(Failure::Rollout {
        cause: rollback.cause.clone(),
        kind: rollback.kind,
        evidence: rollback.evidence.clone(),
        aftermath,
        reason: None,
    })
}

/// Whether a ReplicaSet's template is the Deployment's own.
fn is_current(template: &serde_json::Value, live: &Deployment) -> bool {
    object::template_digest(template) == live.template_digest()
}

/// The request asks for a rollout of what a switch has retired.
fn retired(live: &Deployment) -> Fault {
    let name = live.name();
    Fault::new(
        "strategy",
        format!(
            "is `rolling`, and Deployment `{name}` was scaled to zero when its Service was \
             switched to another one, by `blueGreen` or `immutable`. Give the strategy that \
             switched it; docs/strategies.md has the way back to `rolling`"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::object::{REVISION, ReplicaSet};
    use crate::cluster::pod::{Container, Pod, Pods, State};
    use crate::diagnosis::{self, Explanation, Sight};
    use crate::job::Parameters;
    use crate::rollout::WaitsFor;
    use serde_json::{Value, json};

    /// The decision once the last look is remembered, which is a step of its own.
    fn decide(
        request: &Request,
        continuation: &Continuation,
        observation: &Observation,
        now: Timestamp,
    ) -> Decision {
        let decision = super::decide(request, continuation, observation, now);
        let Decision::Remember(sights) = decision else {
            return decision;
        };
        let continuation = Continuation {
            sights,
            ..continuation.clone()
        };
        super::decide(request, &continuation, observation, now)
    }

    fn at(seconds: u64) -> Timestamp {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        start + Duration::from_secs(seconds)
    }

    /// A request for a new image, with more fields.
    fn request(more: Value) -> Request {
        let mut fields = json!({"deployment": "web", "images": {"app": "app:2"},
            "execution": "run-2"});
        merge(&mut fields, &more);
        Request::parse(&Parameters::Text(fields.to_string()), "job-2").unwrap()
    }

    fn manifest(more: Value) -> Value {
        let mut manifest = json!({"spec": {"replicas": 5,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]}}}});
        merge(&mut manifest, &more);
        json!({"manifest": manifest})
    }

    /// Changes fields as RFC 7396 has it: `null` removes.
    fn merge(target: &mut Value, changes: &Value) {
        let Value::Object(changes) = changes else {
            *target = changes.clone();
            return;
        };
        for (key, change) in changes {
            if change.is_null() {
                target.as_object_mut().unwrap().remove(key);
            } else {
                merge(&mut target[key], change);
            }
        }
    }

    /// The new version as it serves, written by this deploy, with some fields that differ.
    fn live(changes: Value) -> Deployment {
        let mut object = json!({
            "metadata": {"name": "web", "uid": "uid-1", "resourceVersion": "41", "generation": 4,
                "annotations": {REVISION: "2", change::JOB: "job-2", change::EXECUTION: "run-2",
                    change::GENERATION: "4", change::PREVIOUS: "web-1@1",
                    change::DEPLOYED_AT: at(5).to_string()}},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
                "template": template("app:2")},
            "status": {"observedGeneration": 4, "replicas": 2, "updatedReplicas": 2,
                "availableReplicas": 2}});
        merge(&mut object, &changes);
        Deployment::new(object)
    }

    fn template(image: &str) -> Value {
        json!({"metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": image}]}})
    }

    /// The version before, which nobody of us wrote.
    fn before(changes: Value) -> Deployment {
        let mut all = json!({
            "metadata": {"generation": 3, "annotations": {REVISION: "1", change::JOB: null,
                change::EXECUTION: null, change::GENERATION: null, change::PREVIOUS: null,
                change::DEPLOYED_AT: null}},
            "spec": {"template": template("app:1")},
            "status": {"observedGeneration": 3}});
        overlay(&mut all, &changes);
        live(all)
    }

    /// Puts changes over changes; a `null` stays one.
    fn overlay(target: &mut Value, changes: &Value) {
        match (target, changes) {
            (Value::Object(target), Value::Object(changes)) => {
                for (key, change) in changes {
                    overlay(target.entry(key).or_insert(Value::Null), change);
                }
            }
            (target, change) => *target = change.clone(),
        }
    }

    /// Another deploy's version after ours.
    fn theirs(changes: Value) -> Value {
        let mut all = json!({"metadata": {"generation": 5,
                "annotations": {change::JOB: "job-3", change::EXECUTION: "run-3"}},
            "spec": {"template": template("app:3")}});
        overlay(&mut all, &changes);
        all
    }

    fn deleting() -> Value {
        json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
    }

    /// One of two pods is not available.
    fn short() -> Value {
        json!({"status": {"availableReplicas": 1}})
    }

    /// The same, and Kubernetes has given it up.
    fn exceeded() -> Value {
        json!({"status": {"availableReplicas": 1, "conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                "lastUpdateTime": "2026-01-01T00:00:30Z"}]}})
    }

    fn set(name: &str, revision: u64, available: i64) -> ReplicaSet {
        ReplicaSet {
            name: name.into(),
            revision,
            available,
            replicas: 2,
            owner: "uid-1".into(),
            template_hash: format!("hash-{revision}"),
            ..ReplicaSet::default()
        }
    }

    fn old_and_new(available: i64) -> Vec<ReplicaSet> {
        vec![set("web-1", 1, 0), set("web-2", 2, available)]
    }

    fn seen(deployment: Deployment) -> Observation {
        Observation::of(Some(deployment))
    }

    fn seen_with(deployment: Deployment, sets: Vec<ReplicaSet>) -> Observation {
        Observation {
            replica_sets: Some(sets),
            ..seen(deployment)
        }
    }

    /// All that a failed rollout looks at, up to the template to return to.
    fn seen_failing(deployment: Deployment, previous: Option<Value>) -> Observation {
        Observation {
            sight: Some(sight(Ok(unready()))),
            explanation: explained(),
            previous_template: Some(Ok(previous)),
            ..seen_with(deployment, old_and_new(1))
        }
    }

    /// The newest look of all rows.
    fn sight(pods: Result<Pods, String>) -> Sight {
        Sight {
            at: at(899),
            set: set("web-2", 2, 1),
            pods,
        }
    }

    /// One pod that runs and is not ready.
    fn unready() -> Pods {
        let container = Container {
            name: "app".into(),
            state: State::Running,
            ..Container::default()
        };
        let pod = Pod {
            name: "web-2-x".into(),
            containers: vec![container],
            ..Pod::default()
        };
        Pods {
            others: vec![pod],
            ..Pods::default()
        }
    }

    /// All was read, and there was nothing.
    fn explained() -> Explanation {
        Explanation {
            events: Some(Ok(Vec::new())),
            log: Some(Ok(Vec::new())),
        }
    }

    /// What is shown of [`seen_failing`]. Its text is held in `diagnosis`.
    fn evidence(live: &Deployment) -> Evidence {
        let sight = sight(Ok(unready()));
        let patience = Duration::from_secs(30);
        let finding = diagnosis::explain(&sight, at(0), patience);
        let finding = finding.as_ref();
        Evidence::of(
            live,
            Some(&sight),
            finding,
            &explained(),
            &at(0).into(),
            patience,
        )
    }

    fn begun(phase: Phase) -> Continuation {
        Continuation {
            phase,
            ..Continuation::begin("job-2", at(0), Duration::from_secs(900))
        }
    }

    fn previous() -> Previous {
        Previous {
            name: "web-1".into(),
            revision: 1,
        }
    }

    fn rollout() -> Rollout {
        Rollout {
            written: Written::new(None, &live(json!({})), at(0)),
            wrote: true,
            changed_since: false,
            previous: Some(previous()),
        }
    }

    /// Back at the version before, by an undo.
    fn undone(changes: Value) -> Deployment {
        let mut all = json!({"metadata": {"generation": 5, "annotations": {REVISION: "3",
                change::ROLLED_BACK: "job-2", change::CAUSE: "it broke"}},
            "spec": {"template": template("app:1")},
            "status": {"observedGeneration": 5}});
        overlay(&mut all, &changes);
        live(all)
    }

    fn rollback() -> Rollback {
        Rollback {
            written: Written::new(None, &undone(json!({})), at(60)),
            revision: 1,
            cause: "it broke".into(),
            kind: None,
            evidence: Evidence::default(),
            deadline: at(960),
        }
    }

    fn progress(waits_for: WaitsFor, available: i64) -> Progress {
        Progress {
            waits_for,
            available,
            wanted: 2,
            obstacle: None,
        }
    }

    fn wait(progress: Progress, seconds: u64, rollback: bool) -> Decision {
        Decision::Wait(Wait {
            progress,
            rollback,
            at_most: Duration::from_secs(seconds),
            stage: Stage::Rollout,
        })
    }

    /// The template of the ReplicaSet that a rollback returned to has been read.
    fn seen_back(deployment: Deployment, template: Value) -> Observation {
        Observation {
            previous_template: Some(Ok(Some(template))),
            ..seen(deployment)
        }
    }

    fn look_at_previous() -> Decision {
        let name = "web-1".into();
        Decision::Look(Look::Previous { name })
    }

    fn replica_sets() -> Decision {
        let selector = "app=web".into();
        Decision::Look(Look::ReplicaSets { selector })
    }

    fn pods(selector: &str) -> Decision {
        let selector = selector.into();
        let set = "web-2".into();
        Decision::Look(Look::Pods { selector, set })
    }

    fn out_of_sync(by: Option<&str>, wrote: bool) -> Decision {
        let by = by.map(str::to_owned);
        Decision::GiveUp(Failure::OutOfSync { by, wrote })
    }

    fn gives_up(cause: &str, evidence: Evidence, aftermath: Aftermath) -> Decision {
        let seen = evidence != Evidence::default();
        let in_a_pod = seen && cause.contains("in pod");
        Decision::GiveUp(Failure::Rollout {
            cause: cause.into(),
            kind: in_a_pod.then_some(diagnosis::Cause::NotReady),
            evidence,
            aftermath,
            reason: None,
        })
    }

    type Row<'a> = (&'a str, Request, Observation, u64, Decision);

    /// Each row: what is asked for, what is seen, when, and what must follow.
    fn check(phase: &Phase, rows: Vec<Row>) {
        for (name, request, observation, seconds, expected) in rows {
            let continuation = begun(phase.clone());
            let decision = decide(&request, &continuation, &observation, at(seconds));
            assert_eq!(decision, expected, "{name}");
        }
    }

    #[test]
    fn a_start_that_comes_to_nothing() {
        let patch = || request(json!({}));
        let put = |more: Value| request(manifest(more));
        let give_up = Decision::GiveUp;
        let fault =
            |problem: &str| give_up(Failure::Faults(vec![Fault::new("images.app", problem)]));
        let not_there = |listed: &str| {
            fault(&format!(
                "names container `app`, which the Deployment does not have; it has `{listed}`"
            ))
        };
        let other = json!({"spec": {"template":
            {"spec": {"containers": [{"name": "api", "image": "api:1"}]}}}});
        let paused = json!({"spec": {"paused": true}});
        let superseded = theirs(json!({"metadata": {"annotations": {
            change::SUPERSEDED: "job-9,job-2,job-1"}}}));
        let superseded_and_deadline = seen(live(superseded.clone()));
        let none = || Observation::of(None);
        check(
            &Phase::Start,
            vec![
                ("missing", patch(), none(), 1, give_up(Failure::Missing)),
                (
                    "missing, too late",
                    patch(),
                    none(),
                    900,
                    give_up(Failure::TooLate),
                ),
                (
                    "missing, a container too",
                    put(other.clone()),
                    none(),
                    1,
                    not_there("api"),
                ),
                (
                    "being deleted",
                    patch(),
                    seen(before(deleting())),
                    1,
                    give_up(Failure::BeingDeleted),
                ),
                (
                    "superseded",
                    patch(),
                    seen(live(superseded)),
                    1,
                    out_of_sync(Some("run-3"), true),
                ),
                (
                    "superseded, too late",
                    patch(),
                    superseded_and_deadline,
                    9000,
                    out_of_sync(Some("run-3"), true),
                ),
                (
                    "too late",
                    patch(),
                    seen(before(json!({}))),
                    900,
                    give_up(Failure::TooLate),
                ),
                (
                    "paused",
                    patch(),
                    seen(before(paused.clone())),
                    1,
                    give_up(Failure::Paused),
                ),
                (
                    "paused, a manifest that does not say",
                    put(json!({})),
                    seen(before(paused)),
                    1,
                    give_up(Failure::Paused),
                ),
                (
                    "another container",
                    patch(),
                    seen_with(before(other), vec![]),
                    1,
                    not_there("api"),
                ),
            ],
        );
    }

    #[test]
    fn a_start_that_looks_and_writes() {
        let patch = request(json!({}));
        let put = request(manifest(json!({})));
        let same = request(json!({"images": {"app": "app:1"}}));
        let resume = request(manifest(json!({"spec": {"paused": false}})));
        let continuation = begun(Phase::Start);
        let plan = |request: &Request, sets: &[ReplicaSet], autoscaled| {
            let live = before(json!({}));
            let author = author(request, &continuation, at(1));
            match change::plan(request, &live, sets, autoscaled, &author).unwrap() {
                Change::Patch(patch) => Decision::Act(Action::Patch(patch)),
                Change::Put(object) => Decision::Act(Action::Put(object)),
                Change::Nothing => panic!("there is something to change"),
            }
        };
        let sets = vec![set("web-1", 1, 2)];
        let found = || seen_with(before(json!({})), sets.clone());
        let scaled = |autoscaled| Observation {
            autoscaled: Some(autoscaled),
            ..found()
        };
        let create = change::create(&put, &author(&put, &continuation, at(1))).unwrap();
        let autoscalers = Decision::Look(Look::Autoscalers);
        let paused = before(json!({"spec": {"paused": true}}));
        let unwritten = Decision::Enter(Phase::Rollout(Rollout {
            written: Written::adopted(&before(json!({})), at(1)),
            wrote: false,
            changed_since: false,
            previous: None,
        }));
        let nothing = Observation::default();
        let of_before = seen(before(json!({})));
        let created = Decision::Act(Action::Create(create));
        check(
            &Phase::Start,
            vec![
                (
                    "nothing seen",
                    patch.clone(),
                    nothing,
                    1,
                    Decision::Look(Look::Deployment),
                ),
                (
                    "missing, a manifest",
                    put.clone(),
                    Observation::of(None),
                    1,
                    created,
                ),
                (
                    "sets not read",
                    patch.clone(),
                    of_before.clone(),
                    1,
                    replica_sets(),
                ),
                (
                    "the last moment",
                    patch.clone(),
                    of_before,
                    899,
                    replica_sets(),
                ),
                (
                    "a manifest that resumes",
                    resume,
                    seen(paused),
                    1,
                    replica_sets(),
                ),
                (
                    "it differs",
                    patch.clone(),
                    found(),
                    1,
                    plan(&patch, &sets, false),
                ),
                ("it does not", same, found(), 1, unwritten),
                (
                    "a manifest that scales",
                    put.clone(),
                    found(),
                    1,
                    autoscalers,
                ),
                (
                    "and may",
                    put.clone(),
                    scaled(false),
                    1,
                    plan(&put, &sets, false),
                ),
                (
                    "and may not",
                    put.clone(),
                    scaled(true),
                    1,
                    plan(&put, &sets, true),
                ),
            ],
        );
        assert_ne!(plan(&put, &sets, false), plan(&put, &sets, true));
    }

    #[test]
    fn a_start_that_was_made_before() {
        let patch = || request(json!({}));
        let taken_up = |live: &Deployment, seconds, previous| {
            Decision::Enter(Phase::Rollout(Rollout {
                written: Written::adopted(live, at(seconds)),
                wrote: true,
                changed_since: false,
                previous,
            }))
        };
        let ours = live(json!({}));
        let scaled = live(json!({"metadata": {"generation": 5}, "spec": {"replicas": 3}}));
        let changed = live(json!({"metadata": {"generation": 5},
            "spec": {"template": template("app:3")}}));
        let bare = live(
            json!({"metadata": {"annotations": {change::DEPLOYED_AT: null,
            change::PREVIOUS: null}}}),
        );
        let unrelated = live(json!({"metadata": {"annotations": {change::ROLLED_BACK: "job-1"}}}));
        let paused = live(json!({"spec": {"paused": true}}));
        let taken_back = Decision::Enter(Phase::Rollback(Rollback {
            written: Written::new(None, &undone(json!({})), at(70)),
            deadline: at(970),
            ..rollback()
        }));
        let past = at(5);
        assert_eq!(Written::adopted(&ours, past).at, past);
        let followed = |live: &Deployment| taken_up(live, 5, Some(previous()));
        let touched = |live: &Deployment| {
            Decision::Enter(Phase::Rollout(Rollout {
                written: Written::adopted(live, past),
                wrote: true,
                changed_since: true,
                previous: Some(previous()),
            }))
        };
        let three = [old_and_new(1), vec![set("web-3", 3, 1)]].concat();
        check(
            &Phase::Start,
            vec![
                (
                    "ours again",
                    patch(),
                    seen(ours.clone()),
                    60,
                    followed(&ours),
                ),
                (
                    "ours again, late",
                    patch(),
                    seen(ours.clone()),
                    9000,
                    followed(&ours),
                ),
                (
                    "ours, scaled since, ReplicaSets not read",
                    patch(),
                    seen(scaled.clone()),
                    60,
                    replica_sets(),
                ),
                (
                    "ours, scaled since",
                    patch(),
                    seen_with(scaled.clone(), old_and_new(1)),
                    60,
                    touched(&scaled),
                ),
                (
                    "ours, and a third template since, with our image",
                    patch(),
                    seen_with(scaled.clone(), three),
                    60,
                    out_of_sync(None, true),
                ),
                (
                    "ours, paused since",
                    patch(),
                    seen(paused.clone()),
                    60,
                    followed(&paused),
                ),
                (
                    "without its notes",
                    patch(),
                    seen(bare.clone()),
                    60,
                    taken_up(&bare, 60, None),
                ),
                (
                    "overwritten",
                    patch(),
                    seen_with(changed, old_and_new(1)),
                    60,
                    out_of_sync(None, true),
                ),
                (
                    "rolled back, its template not read",
                    patch(),
                    seen(undone(json!({}))),
                    70,
                    look_at_previous(),
                ),
                (
                    "rolled back",
                    patch(),
                    seen_back(undone(json!({})), template("app:1")),
                    70,
                    taken_back,
                ),
                (
                    "rolled back, and changed by someone since",
                    patch(),
                    seen_back(undone(json!({})), template("app:9")),
                    70,
                    gives_up(
                        "it broke",
                        Evidence::default(),
                        Aftermath::OvertakenBy(None),
                    ),
                ),
                (
                    "an older rollback's note",
                    patch(),
                    seen(unrelated.clone()),
                    60,
                    followed(&unrelated),
                ),
            ],
        );
    }

    #[test]
    fn a_rollback_that_is_taken_up_again_keeps_to_its_bounds() {
        let long = json!({"metadata": {"annotations": {change::CAUSE: "c".repeat(5000)}}});
        let mut exceeded = exceeded();
        overlay(&mut exceeded, &long);
        let live = undone(exceeded);
        for (timeout, deadline) in [("5m", 360), ("2h", 960)] {
            let request = request(json!({"timeout": timeout}));
            let seen = seen_back(live.clone(), template("app:1"));
            let decision = decide(&request, &begun(Phase::Start), &seen, at(60));
            let Decision::Enter(Phase::Rollback(rollback)) = decision else {
                panic!("it goes on with the rollback, and not: {decision:?}")
            };
            assert_eq!(rollback.deadline, at(deadline), "{timeout}");
            assert_eq!(rollback.cause.len(), CAUSE_LIMIT);
            // The deadline that the new version missed is not the old one's.
            let stale = rollback.written.stale_deadline.as_deref();
            assert_eq!(stale, Some("2026-01-01T00:00:30Z"));
        }
    }

    #[test]
    fn a_rollout_that_is_followed() {
        let patch = || request(json!({}));
        let older = live(json!({"metadata": {"generation": 3},
            "status": {"observedGeneration": 3}}));
        let older_and_odd = before(deleting());
        let unobserved = || progress(WaitsFor::Observation, 0);
        let available = |count| progress(WaitsFor::Availability, count);
        let paused = live(json!({"spec": {"paused": true}, "status": {"availableReplicas": 1}}));
        let hpa = live(json!({"metadata": {"generation": 5}}));
        let finished = |live: Deployment| {
            Decision::Finish(Success {
                deployment: live,
                wrote: true,
                previous_revision: Some(1),
                switched: None,
            })
        };
        let done = || live(json!({}));
        let looked = |live| Observation {
            sight: Some(sight(Ok(Pods::default()))),
            ..seen(live)
        };
        let up = || seen_with(done(), old_and_new(2));
        let behind = || seen_with(done(), old_and_new(1));
        let resumed = progress(WaitsFor::Resumption, 1);
        check(
            &Phase::Rollout(rollout()),
            vec![
                (
                    "nothing seen",
                    patch(),
                    Observation::default(),
                    60,
                    Decision::Look(Look::Deployment),
                ),
                (
                    "an older object",
                    patch(),
                    seen(older),
                    60,
                    wait(unobserved(), 1, false),
                ),
                (
                    "an older object says nothing",
                    patch(),
                    seen(older_and_odd),
                    60,
                    wait(unobserved(), 1, false),
                ),
                (
                    "a change that is not observed",
                    patch(),
                    seen(hpa),
                    60,
                    wait(unobserved(), 1, false),
                ),
                (
                    "not available",
                    patch(),
                    seen(live(short())),
                    1,
                    wait(available(1), 3, false),
                ),
                (
                    "not available near the end",
                    patch(),
                    looked(live(short())),
                    898,
                    wait(available(1), 2, false),
                ),
                (
                    "paused meanwhile",
                    patch(),
                    seen(paused),
                    60,
                    wait(resumed, 10, false),
                ),
                (
                    "complete, sets not read",
                    patch(),
                    seen(done()),
                    60,
                    replica_sets(),
                ),
                (
                    "complete and confirmed",
                    patch(),
                    up(),
                    60,
                    finished(done()),
                ),
                ("complete in the end", patch(), up(), 9000, finished(done())),
                (
                    "not confirmed",
                    patch(),
                    behind(),
                    60,
                    wait(available(2), 1, false),
                ),
            ],
        );
    }

    #[test]
    fn a_rollout_that_was_overtaken() {
        let patch = || request(json!({}));
        let give_up = Decision::GiveUp;
        let by_us = |changes: Value| {
            let mut all = json!({"metadata": {"annotations": {change::JOB: "job-2"}}});
            overlay(&mut all, &changes);
            theirs(all)
        };
        let recreated = live(theirs(
            json!({"metadata": {"uid": "uid-2", "generation": 1}}),
        ));
        let taken_back = |live: &Deployment| {
            Decision::Enter(Phase::Rollback(Rollback {
                written: Written::new(None, live, at(60)),
                ..rollback()
            }))
        };
        let undone = undone(json!({}));
        let rows = |wrote| {
            vec![
                (
                    "gone",
                    patch(),
                    Observation::of(None),
                    60,
                    give_up(Failure::Deleted),
                ),
                (
                    "being deleted",
                    patch(),
                    seen(live(deleting())),
                    60,
                    give_up(Failure::Deleted),
                ),
                (
                    "another object",
                    patch(),
                    seen(recreated.clone()),
                    60,
                    out_of_sync(Some("run-3"), wrote),
                ),
                (
                    "another deploy",
                    patch(),
                    seen(live(theirs(json!({})))),
                    60,
                    out_of_sync(Some("run-3"), wrote),
                ),
                (
                    "another deploy, late",
                    patch(),
                    seen(live(theirs(json!({})))),
                    9000,
                    out_of_sync(Some("run-3"), wrote),
                ),
                (
                    "another template by nobody of us",
                    patch(),
                    seen(live(by_us(json!({})))),
                    60,
                    out_of_sync(None, wrote),
                ),
                (
                    "our own rollback",
                    patch(),
                    seen_back(undone.clone(), template("app:1")),
                    60,
                    taken_back(&undone),
                ),
                (
                    "a rollback of another job",
                    patch(),
                    seen(live(by_us(json!({"metadata": {
                        "annotations": {change::ROLLED_BACK: "job-1"}}})))),
                    60,
                    out_of_sync(None, wrote),
                ),
            ]
        };
        check(&Phase::Rollout(rollout()), rows(true));
        let unwritten = Rollout {
            wrote: false,
            changed_since: false,
            ..rollout()
        };
        check(&Phase::Rollout(unwritten), rows(false));
    }

    const EXCEEDED: &str = "Kubernetes saw no progress for 10 min (progressDeadlineSeconds), with \
        1 of 2 new pods available";
    const IN_A_POD: &str = "`app` in pod `web-2-x` runs and is not ready";

    /// Pods of which none will ever start.
    fn hopeless() -> Pods {
        let mut pods = unready();
        pods.others[0].containers[0].state = State::Waiting {
            reason: "InvalidImageName".into(),
            message: String::new(),
        };
        pods
    }

    #[test]
    fn pods_are_looked_at_in_their_own_time() {
        let patch = || request(json!({}));
        let stuck = || live(short());
        let looked = |pods| Observation {
            sight: Some(Sight {
                at: at(20),
                ..sight(pods)
            }),
            ..seen_with(stuck(), old_and_new(1))
        };
        let pods = || pods("app=web,pod-template-hash=hash-2");
        let waits = |seconds| wait(progress(WaitsFor::Availability, 1), seconds, false);
        let mut doubtful = unready();
        doubtful.others[0].containers[0].restarts = 1;
        let told = Progress {
            obstacle: Some(
                "`app` in pod `web-2-x` runs (it was started again once) and is not ready".into(),
            ),
            ..progress(WaitsFor::Availability, 1)
        };
        let paused = live(json!({"spec": {"paused": true}, "status": {"availableReplicas": 1}}));
        let unmade = vec![set("web-1", 1, 2)];
        let events = Look::Events {
            kind: "Pod",
            name: "web-2-x".into(),
        };
        let refused = || looked(Err("HTTP 403".into()));
        check(
            &Phase::Rollout(rollout()),
            vec![
                ("right after the write", patch(), seen(stuck()), 1, waits(3)),
                ("soon after", patch(), seen(stuck()), 4, replica_sets()),
                (
                    "then",
                    patch(),
                    seen_with(stuck(), old_and_new(1)),
                    4,
                    pods(),
                ),
                (
                    "no new ReplicaSet",
                    patch(),
                    seen_with(stuck(), unmade),
                    4,
                    waits(4),
                ),
                (
                    "nothing wrong",
                    patch(),
                    looked(Ok(unready())),
                    21,
                    waits(3),
                ),
                (
                    "some time later",
                    patch(),
                    looked(Ok(unready())),
                    24,
                    pods(),
                ),
                ("unreadable", patch(), refused(), 24, waits(10)),
                ("unreadable, later", patch(), refused(), 50, pods()),
                (
                    "suspicious",
                    patch(),
                    looked(Ok(doubtful)),
                    22,
                    wait(told, 2, false),
                ),
                (
                    "doomed",
                    patch(),
                    looked(Ok(hopeless())),
                    22,
                    Decision::Look(events),
                ),
                (
                    "paused",
                    patch(),
                    seen(paused),
                    60,
                    wait(progress(WaitsFor::Resumption, 1), 10, false),
                ),
            ],
        );
    }

    #[test]
    fn a_doomed_rollout_is_undone_at_once() {
        let seen = Observation {
            sight: Some(sight(Ok(hopeless()))),
            ..seen_failing(live(short()), Some(template("app:1")))
        };
        let phase = Phase::Rollout(rollout());
        let decision = decide(&request(json!({})), &begun(phase), &seen, at(20));
        let Decision::Act(Action::Undo { cause, kind, .. }) = decision else {
            panic!("{decision:?}")
        };
        assert_eq!(kind, Some(diagnosis::Cause::ImageName));
        assert_eq!(
            cause,
            "`app` in pod `web-2-x` cannot start: `app:2` is no valid image name"
        );
    }

    #[test]
    fn a_rollout_that_failed_is_looked_into_and_undone() {
        let patch = || request(json!({}));
        let failing = || live(exceeded());
        let unmade = vec![set("web-1", 1, 2)];
        let unhashed = ReplicaSet {
            template_hash: String::new(),
            ..set("web-2", 2, 1)
        };
        let told = |pods: Result<Pods, String>, explanation| Observation {
            sight: Some(sight(pods)),
            explanation,
            ..seen_with(failing(), old_and_new(1))
        };
        let events_read = || Explanation {
            events: Some(Err("HTTP 403".into())),
            log: None,
        };
        let events = || {
            Decision::Look(Look::Events {
                kind: "Pod",
                name: "web-2-x".into(),
            })
        };
        let log = || {
            Decision::Look(Look::Log {
                pod: "web-2-x".into(),
                container: "app".into(),
                previous: false,
            })
        };
        let previous = || {
            Decision::Look(Look::Previous {
                name: "web-1".into(),
            })
        };
        let undo = |cause: &str, live: &Deployment| {
            let operations = change::undo(live, &template("app:1"), "job-2", cause);
            Decision::Act(Action::Undo {
                operations,
                revision: 1,
                cause: cause.into(),
                kind: Some(diagnosis::Cause::NotReady),
                evidence: evidence(live),
            })
        };
        let cause = format!("{IN_A_POD}; {EXCEEDED}");
        let late = format!(
            "{IN_A_POD}; the rollout was not done within 15 min (timeout), with 1 of 2 new pods \
             available"
        );
        let unconfirmed = format!(
            "{IN_A_POD}; the rollout was not done within 15 min (timeout), with 2 of 2 new pods \
             available"
        );
        let back = || Some(template("app:1"));
        let stuck = seen_failing(live(short()), back());
        let all_there = seen_failing(live(json!({})), back());
        check(
            &Phase::Rollout(rollout()),
            vec![
                (
                    "sets not read",
                    patch(),
                    seen(failing()),
                    60,
                    replica_sets(),
                ),
                (
                    "pods not read",
                    patch(),
                    seen_with(failing(), old_and_new(1)),
                    60,
                    pods("app=web,pod-template-hash=hash-2"),
                ),
                (
                    "pods without a hash",
                    patch(),
                    seen_with(failing(), vec![unhashed]),
                    60,
                    pods("app=web"),
                ),
                (
                    "no new ReplicaSet: the pods are the old ones",
                    patch(),
                    seen_with(failing(), unmade),
                    60,
                    previous(),
                ),
                (
                    "events not read",
                    patch(),
                    told(Ok(unready()), Explanation::default()),
                    60,
                    events(),
                ),
                (
                    "log not read",
                    patch(),
                    told(Ok(unready()), events_read()),
                    60,
                    log(),
                ),
                (
                    "the way back not read",
                    patch(),
                    told(Ok(unready()), explained()),
                    60,
                    previous(),
                ),
                (
                    "nothing to explain",
                    patch(),
                    told(Ok(Pods::default()), Explanation::default()),
                    60,
                    previous(),
                ),
                (
                    "pods that cannot be read",
                    patch(),
                    told(Err("no".into()), Explanation::default()),
                    60,
                    previous(),
                ),
                (
                    "given up by Kubernetes",
                    patch(),
                    seen_failing(failing(), back()),
                    60,
                    undo(&cause, &failing()),
                ),
                (
                    "our own deadline",
                    patch(),
                    stuck.clone(),
                    900,
                    undo(&late, &live(short())),
                ),
                (
                    "a second before",
                    patch(),
                    stuck,
                    899,
                    wait(progress(WaitsFor::Availability, 1), 1, false),
                ),
                (
                    "complete and never confirmed",
                    patch(),
                    all_there,
                    900,
                    undo(&unconfirmed, &live(json!({}))),
                ),
            ],
        );
    }

    #[test]
    fn a_rollout_that_failed_and_stays() {
        let patch = || request(json!({}));
        let no_rollback = || request(json!({"rollback": false}));
        let cause = format!("{IN_A_POD}; {EXCEEDED}");
        let failing = || live(exceeded());
        let end = |aftermath| gives_up(&cause, evidence(&failing()), aftermath);
        let to = |previous: Option<Value>| seen_failing(failing(), previous);
        let mut same = template("app:2");
        same["metadata"]["labels"]["pod-template-hash"] = json!("hash-2");
        let gone = || Aftermath::PreviousGone("web-1".into());
        let unread = Observation {
            sight: Some(sight(Err("HTTP 403".into()))),
            previous_template: Some(Ok(None)),
            ..seen_with(failing(), old_and_new(1))
        };
        let unread_line = Evidence {
            pods: vec!["The new pods could not be read: HTTP 403.".into()],
            ..Evidence::default()
        };
        check(
            &Phase::Rollout(rollout()),
            vec![
                (
                    "rollback off",
                    no_rollback(),
                    to(None),
                    60,
                    end(Aftermath::RollbackDisabled),
                ),
                ("previous gone", patch(), to(None), 60, end(gone())),
                (
                    "previous equal",
                    patch(),
                    to(Some(same)),
                    60,
                    end(Aftermath::NothingToReturnTo),
                ),
                (
                    "pods unread",
                    patch(),
                    unread,
                    60,
                    gives_up(EXCEEDED, unread_line, gone()),
                ),
            ],
        );
        let back = || to(Some(template("app:1")));
        let first = Rollout {
            previous: None,
            ..rollout()
        };
        let rows = vec![(
            "nothing served",
            patch(),
            back(),
            60,
            end(Aftermath::NothingServed),
        )];
        check(&Phase::Rollout(first.clone()), rows);
        let anew = live(json!({"metadata": {"annotations": {REVISION: "1"}},
            "status": exceeded()["status"]}));
        let end_anew = gives_up(&cause, evidence(&anew), Aftermath::NothingToReturnTo);
        let rows = vec![(
            "the first ever",
            patch(),
            seen_failing(anew, None),
            60,
            end_anew,
        )];
        check(&Phase::Rollout(first.clone()), rows);
        let touched = Rollout {
            changed_since: true,
            ..rollout()
        };
        let rows = vec![(
            "changed by someone since",
            patch(),
            back(),
            60,
            end(Aftermath::OvertakenBy(None)),
        )];
        check(&Phase::Rollout(touched), rows);
        let unwritten = Rollout {
            wrote: false,
            changed_since: false,
            ..first
        };
        let rows = vec![(
            "unwritten",
            no_rollback(),
            back(),
            60,
            end(Aftermath::NothingWritten),
        )];
        check(&Phase::Rollout(unwritten), rows);
    }

    #[test]
    fn a_rollback_is_followed_to_its_end() {
        let patch = || request(json!({}));
        let back = |changes: Value| seen(undone(changes));
        let sets = |available| vec![set("web-2", 2, 0), set("web-1", 3, available)];
        let up = |available| seen_with(undone(json!({})), sets(available));
        let end = |aftermath| gives_up("it broke", Evidence::default(), aftermath);
        let failed = |why: &str| end(Aftermath::RollbackFailed(1, why.into()));
        let none_yet = || progress(WaitsFor::Availability, 1);
        let overwritten = |changes: Value| seen(live(theirs(changes)));
        let older = json!({"metadata": {"generation": 4}, "status": {"observedGeneration": 4}});
        let exceeded_why = EXCEEDED.replace("new", "previous");
        let late = "the rollout was not done within 15 min (timeout), with 1 of 2 previous pods \
            available";
        check(
            &Phase::Rollback(rollback()),
            vec![
                (
                    "nothing seen",
                    patch(),
                    Observation::default(),
                    90,
                    Decision::Look(Look::Deployment),
                ),
                (
                    "gone",
                    patch(),
                    Observation::of(None),
                    90,
                    end(Aftermath::Deleted),
                ),
                (
                    "being deleted",
                    patch(),
                    back(deleting()),
                    90,
                    end(Aftermath::Deleted),
                ),
                (
                    "overtaken",
                    patch(),
                    overwritten(json!({})),
                    90,
                    end(Aftermath::OvertakenBy(Some("run-3".into()))),
                ),
                (
                    "overtaken by nobody of us",
                    patch(),
                    overwritten(json!({"metadata": {"annotations": {change::JOB: "job-2"}}})),
                    90,
                    end(Aftermath::OvertakenBy(None)),
                ),
                (
                    "an older object",
                    patch(),
                    back(older),
                    90,
                    wait(progress(WaitsFor::Observation, 0), 1, true),
                ),
                (
                    "not available",
                    patch(),
                    back(short()),
                    90,
                    wait(none_yet(), 10, true),
                ),
                (
                    "near its deadline",
                    patch(),
                    back(short()),
                    950,
                    wait(none_yet(), 10, true),
                ),
                (
                    "complete, sets not read",
                    patch(),
                    back(json!({})),
                    90,
                    replica_sets(),
                ),
                (
                    "complete and confirmed",
                    patch(),
                    up(2),
                    90,
                    end(Aftermath::RolledBack(1)),
                ),
                (
                    "confirmed in the end",
                    patch(),
                    up(2),
                    9000,
                    end(Aftermath::RolledBack(1)),
                ),
                (
                    "not confirmed",
                    patch(),
                    up(1),
                    90,
                    wait(progress(WaitsFor::Availability, 2), 1, true),
                ),
                (
                    "given up",
                    patch(),
                    back(exceeded()),
                    90,
                    failed(&exceeded_why),
                ),
                ("its deadline", patch(), back(short()), 960, failed(late)),
            ],
        );
    }

    #[test]
    fn a_write_leads_to_the_phase_that_follows_it() {
        let seen_before = seen_with(before(exceeded()), vec![set("web-1", 1, 2)]);
        let after = live(json!({}));
        let phase = |action: Action, seen: &Observation, timeout: &str| {
            let request = request(json!({"timeout": timeout}));
            acted(&request, seen, &action, &after, at(60))
        };
        let written = Written {
            stale_deadline: Some("2026-01-01T00:00:30Z".into()),
            ..Written::new(None, &after, at(60))
        };
        let rolling = Phase::Rollout(Rollout {
            written: written.clone(),
            wrote: true,
            changed_since: false,
            previous: Some(previous()),
        });
        let nothing = || json!({});
        assert_eq!(
            phase(Action::Patch(nothing()), &seen_before, "15m"),
            rolling
        );
        assert_eq!(phase(Action::Put(nothing()), &seen_before, "15m"), rolling);
        let created = phase(Action::Create(nothing()), &Observation::of(None), "15m");
        let first = Phase::Rollout(Rollout {
            written: Written::new(None, &after, at(60)),
            wrote: true,
            changed_since: false,
            previous: None,
        });
        assert_eq!(created, first);
        for (timeout, deadline) in [("5m", 360), ("15m", 960), ("2h", 960)] {
            let undo = Action::Undo {
                operations: json!([]),
                revision: 1,
                cause: "it broke".into(),
                kind: None,
                evidence: Evidence::default(),
            };
            let expected = Phase::Rollback(Rollback {
                written: written.clone(),
                revision: 1,
                cause: "it broke".into(),
                kind: None,
                evidence: Evidence::default(),
                deadline: at(deadline),
            });
            assert_eq!(phase(undo, &seen_before, timeout), expected, "{timeout}");
        }
    }
}
