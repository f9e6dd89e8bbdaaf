//! The pure core: from what is known of a deploy and seen of the cluster to what to do next.
//!
//! [`decide`] has no effects and reads no clock. The loop of the function performs one
//! decision, adds what came of it to the observation, and asks again. So a deploy can be taken up
//! at any point by any invocation: all that counts is the continuation and what the cluster shows.

pub mod blue_green;
pub mod claim;
pub mod immutable;
pub mod newcomer;
pub mod pursuit;
pub mod rolling;
pub mod scene;
pub mod switch;
pub mod switch_back;

use crate::change::Author;
use crate::change::asked::Lost;
use crate::change::editor::Editor;
use crate::kubernetes::call::{Call, Right};
use crate::kubernetes::object::{Deployment, ReplicaSet};
use crate::problem::Fault;
use crate::request::{Request, Strategy};
use crate::state::continuation::{CAUSE_LIMIT, Continuation, Phase, Reason, Return};
use crate::state::marks;
use crate::text::clip;
use crate::workload::health::diagnosis::{Cause, Evidence, Explanation, LOG_LINES, Sight, Sights};
use crate::workload::health::rollout::Progress;
use crate::workload::health::steadiness::{Roster, Steady};
use jiff::Timestamp;
use scene::{Scene, Sought};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Images that name a version: more would hide what the sentence says.
const IMAGES_NAMED: usize = 3;

/// How long they may be together: one of ECR's with a digest.
const IMAGE_LIMIT: usize = 200;

/// What was seen of the cluster since the last write. `None` has not been looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// The Deployment; `Some(None)` where there is none.
    pub deployment: Option<Option<Deployment>>,
    /// The ReplicaSets under its selector.
    pub replica_sets: Option<Vec<ReplicaSet>>,
    /// Whether a HorizontalPodAutoscaler targets it.
    pub autoscaled: Option<bool>,
    /// The last look at the pods of the newest ReplicaSet.
    pub sight: Option<Sight>,
    /// Which pods it has, where nothing probes them.
    pub roster: Option<Roster>,
    /// What the first write would make of it.
    pub dry_run: Option<DryRun>,
    /// Who changed it after us, where that was asked; the inner `None`: it is not noted.
    pub editor: Option<Option<Editor>>,
    /// What was read to explain what they show.
    pub explanation: Explanation,
    /// The template of the ReplicaSet to return to; `Ok(None)` where it is gone, an error where it
    /// may not be read.
    pub previous_template: Option<Result<Option<Value>, String>>,
    /// The Service and what is around it, where one is switched. The Deployment above is then the
    /// newcomer.
    pub scene: Scene,
}

impl Observation {
    /// The object that a write returned: whatever else was seen belongs to another version.
    pub fn of(deployment: Option<Deployment>) -> Observation {
        Observation {
            deployment: Some(deployment),
            ..Observation::default()
        }
    }

    /// A newer state of the same version: its pods are looked at in their own time.
    pub fn renew(&mut self, deployment: Option<Option<Deployment>>) {
        let scene = std::mem::take(&mut self.scene);
        *self = Observation {
            scene: match deployment {
                Some(_) => scene.stirred(),
                None => scene.forgotten(),
            },
            deployment,
            sight: self.sight.take(),
            explanation: std::mem::take(&mut self.explanation),
            ..Observation::default()
        };
    }
}

/// What a write came to that was only tried.
#[derive(Clone, Debug, PartialEq)]
pub enum DryRun {
    /// The object as it would be.
    Would(Deployment),
    /// It cannot be tried here: a webhook is unfit for it.
    Unable,
}

/// Something to read before a decision is possible.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// The Deployment.
    Deployment,
    /// The Deployment of this name, which gets the new version.
    Newcomer {
        /// Its name.
        name: String,
    },
    /// Something around the Service.
    Scene(Sought),
    /// The ReplicaSets under its selector.
    ReplicaSets {
        /// The Deployment's selector.
        selector: String,
    },
    /// The namespace's HorizontalPodAutoscalers.
    Autoscalers,
    /// The pods of the newest ReplicaSet.
    Pods {
        /// The ReplicaSet's selector.
        selector: String,
        /// Its name.
        set: String,
    },
    /// Which pods the newest ReplicaSet has, ready ones, too.
    Roster {
        /// The ReplicaSet's selector.
        selector: String,
        /// Its name.
        set: String,
    },
    /// What this write would make of the Deployment.
    DryRun(Box<Call>),
    /// Who set this field of the Deployment.
    Editor {
        /// The field, step by step.
        steps: Vec<String>,
    },
    /// What happened to a pod or a ReplicaSet.
    Events {
        /// `Pod` or `ReplicaSet`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The last lines of a container's log.
    Log {
        /// The pod.
        pod: String,
        /// The container.
        container: String,
        /// Of its life before this one.
        previous: bool,
    },
    /// The ReplicaSet to return to.
    Previous {
        /// Its name.
        name: String,
    },
}

/// The one next step of a deploy.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Read this, then decide again.
    Look(Look),
    /// Write this, then decide again on the object that comes back.
    Act(Action),
    /// Nothing to write: go on in this phase.
    Enter(Phase),
    /// Keep in mind what the looks at the new version's pods have shown.
    Remember(Sights),
    /// Keep in mind that pods which nothing probes were seen available.
    Steady(Steady),
    /// Wait for the Deployment to change.
    Wait(Wait),
    /// The new version serves.
    Finish(Success),
    /// It came to nothing, and all that can be done about it is done.
    GiveUp(Failure),
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// How far it is.
    pub progress: Progress,
    /// Whether the previous version is being brought back.
    pub rollback: bool,
    /// When to read again even if nothing is heard.
    pub at_most: Duration,
    /// What it is about.
    pub stage: Stage,
}

/// What a wait is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Stage {
    /// The rollout of the Deployment that the request names.
    #[default]
    Rollout,
    /// The newcomer of this name, before the switch.
    Newcomer(String),
    /// Another execution is at work on the Service.
    Lock {
        /// Which.
        execution: String,
        /// When its lock ends by itself.
        until: Timestamp,
    },
    /// The smoke test.
    Smoke,
    /// The endpoints of this Service.
    Endpoints(String),
    /// The old version is still there at full scale.
    Bake {
        /// The newcomer.
        newcomer: String,
        /// Until when.
        until: Timestamp,
    },
    /// Pods of this Deployment are to end.
    Leaving(String),
    /// This Deployment is being changed by somebody else.
    Settling(String),
}

impl Stage {
    /// The Deployment whose changes end the wait, where there is one.
    pub fn watched<'a>(&'a self, request: &'a Request) -> Option<&'a str> {
        match self {
            Stage::Rollout => Some(&request.deployment),
            Stage::Newcomer(name) | Stage::Bake { newcomer: name, .. } => Some(name),
            Stage::Lock { .. }
            | Stage::Smoke
            | Stage::Endpoints(_)
            | Stage::Leaving(_)
            | Stage::Settling(_) => None,
        }
    }
}

/// A write.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Patch the named fields.
    Patch(Value),
    /// Replace the object.
    Put(Value),
    /// Create the object.
    Create(Value),
    /// Bring the previous template back.
    Undo {
        /// JSON-patch operations.
        operations: Value,
        /// The revision that they bring back.
        revision: u64,
        /// Why.
        cause: String,
        /// What kind of cause that is, where it is known.
        kind: Option<Cause>,
        /// What was seen of it.
        evidence: Evidence,
        /// Why, where the pods are not to blame.
        reason: Option<Reason>,
    },
    /// One of the writes of a switch.
    Step(Box<Step>),
}

/// One write of a switch.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The write.
    pub call: Call,
    /// The phase after it.
    pub then: Phase,
    /// What is cleared away by it, where the deploy does not fail if that is refused.
    pub clears: Option<String>,
}

/// A version that serves.
#[derive(Clone, Debug, PartialEq)]
pub struct Success {
    /// The Deployment as it serves.
    pub deployment: Deployment,
    /// Whether this deploy wrote anything.
    pub wrote: bool,
    /// The revision that served before, where one did.
    pub previous_revision: Option<u64>,
    /// The Service that sends to it, where one was switched or would have been.
    pub switched: Option<Switched>,
}

/// A Service that sends to a new version.
#[derive(Clone, Debug, PartialEq)]
pub struct Switched {
    /// The Service.
    pub service: String,
    /// The Deployment that served before, and what became of it.
    pub from: Option<(String, Former)>,
    /// What could not be cleared away, and why.
    pub left: Vec<(String, String)>,
}

/// What became of the Deployment that served before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Former {
    /// It is there, at zero.
    ScaledDown,
    /// We deleted it, as none is to be kept.
    NotKept,
    /// Somebody else deleted it meanwhile.
    DeletedByOthers,
}

/// What is there when a switch ends otherwise than it should, as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Present {
    /// The Service.
    pub service: String,
    /// Whether there is one.
    pub is_there: bool,
    /// The Deployments that it sends to, each with the number of pods; what belongs to none is
    /// named itself.
    pub sends: BTreeMap<String, usize>,
    /// The Deployments of the family that are scaled up, and how far.
    pub up: BTreeMap<String, i64>,
    /// The Deployment that this deploy made, as long as it is there.
    pub version: Option<String>,
}

/// A deploy that came to nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The request does not fit the Deployment.
    Faults(Vec<Fault>),
    /// The Deployment to patch is not there.
    Missing,
    /// The Deployment is being deleted.
    BeingDeleted,
    /// The Deployment is paused.
    Paused,
    /// The time was over before anything could be written.
    TooLate,
    /// The token lacks rights that will be needed.
    Forbidden(Vec<Right>),
    /// Another execution was at work on the Service all the time.
    Locked {
        /// Which.
        execution: String,
        /// When its lock ends by itself.
        until: Timestamp,
    },
    /// The Deployment went away while its rollout was followed.
    Deleted,
    /// Someone else's change came after ours.
    OutOfSync {
        /// Who made it, where it was one of us.
        by: Option<String>,
        /// Whether our change had been written.
        wrote: bool,
    },
    /// Someone else took back what this deploy had written.
    Overwritten {
        /// What was asked for and is not so any more.
        lost: Lost,
        /// Who did it, where the server notes that.
        editor: Option<Editor>,
    },
    /// Someone else's change came after ours to what a switch is about.
    SetAside {
        /// Who made it, where it was one of us.
        by: Option<String>,
        /// Who it was otherwise, where the server notes that.
        editor: Option<Editor>,
        /// What is there now.
        present: Present,
    },
    /// The new version does not serve.
    Rollout {
        /// What happened, in a sentence, with the reason.
        cause: String,
        /// What kind of cause that is, where it is known.
        kind: Option<Cause>,
        /// What was seen of it.
        evidence: Evidence,
        /// What of a switch failed, where the pods are not to blame.
        reason: Option<Reason>,
        /// What became of the previous version.
        aftermath: Aftermath,
    },
}

/// What was done about a rollout that failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Aftermath {
    /// The user wants it left.
    RollbackDisabled,
    /// Nothing was written, so there is nothing to take back.
    NothingWritten,
    /// There was nothing before.
    NothingToReturnTo,
    /// There was a version before, and it did not serve either.
    NothingServed,
    /// The ReplicaSet that served before is gone.
    PreviousGone(String),
    /// It could not be brought back, and why.
    NotReturned(u64, String),
    /// The previous version serves again.
    RolledBack(Version),
    /// The previous version was brought back, and is not known to serve as it should.
    RollbackFailed(Version, String),
    /// Somebody paused the Deployment: nothing is written over that.
    Paused,
    /// Someone else changed the Deployment meanwhile.
    OvertakenBy(Option<String>),
    /// The Deployment was deleted meanwhile.
    Deleted,
    /// The Service was deleted meanwhile.
    ServiceGone,
    /// The Service never sent to the new version.
    Unswitched(Fate),
    /// The Service sends to this Deployment again.
    SwitchedBack(String, Fate),
    /// The user wants the Service left where it is.
    LeftSwitched,
    /// The Service was left where it is: the version before cannot take over again.
    NoWayBack,
    /// It took too long to take everything back; this was still to be waited for.
    ReturnFailed(String),
}

/// A version by what people know it by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Version {
    /// The number in `kubectl rollout history`, as it is now.
    pub revision: u64,
    /// The images of its containers.
    pub image: String,
}

impl Version {
    /// The version that a Deployment has now.
    pub fn of(live: &Deployment) -> Version {
        let images = live.containers("containers").iter();
        let images = images.filter_map(|container| container.get("image")?.as_str());
        Version {
            revision: live.revision().unwrap_or_default(),
            image: clip(
                &images.take(IMAGES_NAMED).collect::<Vec<_>>().join(", "),
                IMAGE_LIMIT,
            ),
        }
    }
}

/// What became of a newcomer that failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// There is none.
    Gone,
    /// It is there, scaled to zero.
    ScaledDown(String),
    /// It was left as it is.
    Left(String),
}

/// Decides the next step of a deploy.
pub fn decide(
    request: &Request,
    continuation: &Continuation,
    observation: &Observation,
    now: Timestamp,
) -> Decision {
    match &request.strategy {
        Strategy::Rolling => rolling::decide(request, continuation, observation, now),
        Strategy::BlueGreen(switch) | Strategy::Immutable { switch, .. } => {
            switch::decide(request, switch, continuation, observation, now)
        }
    }
}

/// The phase that a write leads to, given the object that it returned.
pub fn acted(
    request: &Request,
    observation: &Observation,
    action: &Action,
    after: &Deployment,
    now: Timestamp,
) -> Phase {
    match action {
        Action::Step(step) => step.then.clone(),
        Action::Patch(_) | Action::Put(_) | Action::Create(_) | Action::Undo { .. } => {
            rolling::acted(request, observation, action, after, now)
        }
    }
}

/// What is seen after a write: the object that came back, and of a switch only what a write does
/// not change.
pub fn seen_after(before: Observation, action: &Action, after: Deployment) -> Observation {
    match action {
        Action::Patch(_) | Action::Put(_) | Action::Create(_) | Action::Undo { .. } => {
            Observation::of(Some(after))
        }
        Action::Step(_) => {
            let mut seen = before;
            seen.renew(None);
            seen
        }
    }
}

/// The phase in which a switch is taken back, because the cluster refuses something that it needs;
/// `None` where there is nothing to take back, or that is what was refused.
pub fn turn_back(phase: &Phase, why: &str, refused: Option<Reason>) -> Option<Phase> {
    match phase {
        Phase::Switch => Some(Phase::Return(Return {
            cause: clip(why, CAUSE_LIMIT),
            kind: None,
            evidence: Evidence::default(),
            reason: refused,
        })),
        Phase::Start | Phase::Rollout(_) | Phase::Rollback(_) | Phase::Return(_) => None,
    }
}

/// Who this deploy is on the objects that it writes.
pub fn author<'a>(
    request: &'a Request,
    continuation: &'a Continuation,
    now: Timestamp,
) -> Author<'a> {
    Author {
        execution: &request.execution,
        job: &continuation.job,
        now,
    }
}

impl Look {
    /// The call that reads it.
    pub fn call(&self, request: &Request) -> Call {
        let namespace = &request.namespace;
        match self {
            Look::Deployment => Call::deployment(namespace, &request.deployment),
            Look::Editor { .. } => match request.strategy.switch() {
                Some(switch) => Call::service(namespace, &switch.service),
                None => Call::deployment(namespace, &request.deployment),
            },
            Look::DryRun(call) => (**call).clone(),
            Look::Newcomer { name } => Call::deployment(namespace, name),
            Look::Scene(sought) => sought.call(request),
            Look::ReplicaSets { selector } => Call::replica_sets(namespace, selector),
            Look::Autoscalers => Call::autoscalers(namespace),
            Look::Pods { selector, .. } | Look::Roster { selector, .. } => {
                Call::pods(namespace, selector)
            }
            Look::Events { kind, name } => Call::events(namespace, kind, name),
            Look::Log {
                pod,
                container,
                previous,
            } => Call::log(namespace, pod, container, *previous, LOG_LINES),
            Look::Previous { name } => Call::replica_set(namespace, name),
        }
    }
}

impl Action {
    /// The same with its texts run through `mask`: the cause of an undo goes into the cluster and
    /// quotes what the cluster said.
    pub fn hide(self, mask: impl Fn(&str) -> String) -> Action {
        match self {
            Action::Undo {
                mut operations,
                revision,
                cause,
                kind,
                evidence,
                reason,
            } => {
                let cause = mask(&cause);
                let all = operations.as_array_mut().into_iter().flatten();
                for operation in all.filter(|operation| operation["path"] == marks::CAUSE_PATH) {
                    operation["value"] = Value::String(cause.clone());
                }
                Action::Undo {
                    operations,
                    revision,
                    cause,
                    kind,
                    evidence: evidence.hide(&mask),
                    reason,
                }
            }
            Action::Step(mut step) => {
                let notes = step.call.body.as_mut();
                let notes = notes.and_then(|body| body.pointer_mut("/metadata/annotations"));
                if let Some(Value::String(cause)) = notes.and_then(|all| all.get_mut(marks::CAUSE))
                {
                    *cause = mask(cause);
                }
                step.then = step.then.hide(mask);
                Action::Step(step)
            }
            other @ (Action::Patch(_) | Action::Put(_) | Action::Create(_)) => other,
        }
    }

    /// The call that performs it.
    pub fn call(&self, request: &Request) -> Call {
        let (namespace, name) = (&request.namespace, &request.deployment);
        match self {
            Action::Patch(patch) => Call::patch(namespace, name, patch.clone()),
            Action::Put(object) => Call::put(namespace, name, object.clone()),
            Action::Create(object) => Call::create(namespace, object.clone()),
            Action::Undo { operations, .. } => {
                Call::operations(namespace, name, operations.clone())
            }
            Action::Step(step) => step.call.clone(),
        }
    }
}

/// Who made the last change, if it was another deploy of ours.
fn other_author(deployment: &Deployment, continuation: &Continuation) -> Option<String> {
    let job = deployment.annotation(marks::JOB)?;
    let execution = deployment.annotation(marks::EXECUTION)?;
    (job != continuation.job).then(|| execution.to_owned())
}

#[cfg(test)]
mod tests;
