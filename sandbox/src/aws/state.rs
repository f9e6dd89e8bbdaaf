//! The state that all services share, and how it changes.

use crate::aws::answer::Refusal;
use crate::aws::bucket::Buckets;
use crate::aws::cloudwatch::{self, Alarms};
use crate::aws::codepipeline::{CodePipeline, JobResult, Report};
use crate::aws::eks::Clusters;
use crate::aws::eventbridge;
use crate::aws::fault::{AwsFault, Planned};
use crate::aws::invocation::{Event, Invocation, InvocationEnd, Invocations};
use crate::aws::request::{Asked, Protocol};
use crate::aws::ssm::ParameterStore;
use crate::aws::sts::Roles;
use crate::iam::{AccessKeys, Principal};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How many calls and refusals are remembered, so that a long simulation does not fill the memory.
const REMEMBERED: usize = 10_000;

/// An action in CodePipeline: one job, or several if the function continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The id of the first job; empty if the event has none.
    pub id: String,
    pub(super) action: u64,
}

/// How an action ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The final report was a success.
    Succeeded(Report),
    /// The function reported a failure.
    Failed(Report),
    /// The last invocation ended like this without a report: CodePipeline would still wait.
    Silent(InvocationEnd),
    /// Nothing has ended yet.
    Pending,
}

/// One request to a service.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsCall {
    /// The operation: `X-Amz-Target`, such as `AmazonSSM.GetParameters`, or `EKS.DescribeCluster`,
    /// `STS.AssumeRole`, `S3.GetObject`.
    pub target: String,
    /// The request, without parameter values.
    pub body: Value,
    /// When it came.
    pub at: Timestamp,
    /// The HTTP status of the response; `None` without a response.
    pub status: Option<u16>,
    /// The error in the response.
    pub error: Option<String>,
}

/// A request that a service refused by itself, not because of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// `X-Amz-Target`
    pub target: String,
    /// The exception, such as `ValidationException`.
    pub kind: String,
    /// Its message.
    pub message: String,
}

pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) changed: watch::Sender<()>,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change<T>(&self, how: impl FnOnce(&mut State) -> T) -> T {
        let result = how(&mut self.state());
        self.changed.send_replace(());
        result
    }

    pub(super) fn expire_after(self: &Arc<Self>, life: Duration) {
        let shared = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(life).await;
            if let Some(shared) = shared.upgrade() {
                shared.change(|state| state.invocations.expire(Timestamp::now()));
            }
        });
    }
}

#[derive(Default)]
pub(super) struct State {
    pub(super) parameters: ParameterStore,
    pub(super) buckets: Buckets,
    pub(super) codepipeline: CodePipeline,
    pub(super) invocations: Invocations,
    pub(super) clusters: Clusters,
    pub(super) roles: Roles,
    pub(super) alarms: Alarms,
    pub(super) keys: AccessKeys,
    pub(super) calls: VecDeque<AwsCall>,
    pub(super) refused: VecDeque<Refused>,
    pub(super) faults: Vec<Planned>,
    pub(super) reinvoke_after: Duration,
    pub(super) actions: u64,
    pub(super) environments: u64,
    pub(super) requests: u64,
}

impl State {
    pub(super) fn new_action(&mut self) -> u64 {
        self.actions += 1;
        self.actions
    }

    pub(super) fn invoke(
        &mut self,
        body: Vec<u8>,
        job: Option<String>,
        action: u64,
        life: Duration,
    ) -> Job {
        let id = job.clone().unwrap_or_default();
        self.invocations.queue(Event {
            body,
            job,
            action,
            life,
            due: Timestamp::now(),
        });
        Job { id, action }
    }

    pub(super) fn outcome(&self, action: u64, now_or_never: bool) -> Outcome {
        let mut of_action = self.invocations.of_action(action);
        if let Some(report) = self.codepipeline.end(action) {
            if !now_or_never && of_action.any(Invocation::runs) {
                return Outcome::Pending;
            }
            return match report.result {
                JobResult::Success { .. } => Outcome::Succeeded(report.clone()),
                JobResult::Failure { .. } => Outcome::Failed(report.clone()),
            };
        }
        let ends: Option<Vec<_>> = of_action.map(|one| one.end.clone()).collect();
        match ends.and_then(|mut ends| ends.pop()) {
            Some(end) => Outcome::Silent(end),
            None => Outcome::Pending,
        }
    }

    pub(super) fn planned_fault(&mut self, target: &str) -> Option<AwsFault> {
        let mut planned = self.faults.iter_mut();
        let planned = planned.find(|one| one.left > 0 && target.contains(&one.target))?;
        planned.left -= 1;
        Some(planned.fault)
    }

    /// Whose keys a request to EKS or STS is signed with. The other services take any.
    pub(super) fn caller(&self, request: &Asked) -> Option<Result<Principal, Refusal>> {
        let signer = request.signer.as_ref();
        let signer = signer.filter(|_| request.protocol != Protocol::Json)?;
        Some(signer.principal(&self.keys, request.at))
    }

    pub(super) fn perform(&mut self, request: &Asked, body: &Value) -> Result<Value, Refusal> {
        let (now, target) = (Timestamp::now(), &*request.target);
        let caller = self.caller(request).transpose()?;
        match (target.split_once('.'), caller) {
            (Some(("EKS", operation)), Some(caller)) => {
                self.clusters.answer(operation, body, caller.account())
            }
            (Some(("STS", operation)), Some(caller)) => {
                self.roles.answer(operation, body, &caller, &self.keys, now)
            }
            (Some((cloudwatch::SERVICE, operation)), _) => self.alarms.answer(operation, body, now),
            (Some(("AWSEvents", "PutEvents")), _) => {
                eventbridge::put(body, request.signer.as_ref().map(|it| &*it.service))
            }
            (Some(("AmazonSSM", operation)), _) => self.parameters.answer(operation, body, now),
            (Some(("CodePipeline_20150709", operation)), _) => {
                let continuation = self.codepipeline.answer(operation, body, now)?;
                if let Some(next) = continuation {
                    let due = now.saturating_add(self.reinvoke_after).unwrap_or(now);
                    self.invocations.queue(Event {
                        body: next.event.to_string().into_bytes(),
                        job: Some(next.job),
                        action: next.action,
                        life: next.life,
                        due,
                    });
                }
                Ok(json!({}))
            }
            (Some(_) | None, _) => Err(Refusal::unknown_operation(target)),
        }
    }

    pub(super) fn record(
        &mut self,
        request: &Asked,
        result: Option<&Result<Value, Refusal>>,
        fault: bool,
    ) {
        let (status, error) = match result {
            None => (None, None),
            Some(Ok(_)) => (Some(200), None),
            Some(Err(refusal)) => (Some(refusal.status), Some(refusal.kind.to_owned())),
        };
        // Who is unknown or not allowed to has not asked in a wrong way.
        let is_wrong = |refusal: &&Refusal| {
            request.protocol == Protocol::Json || ![403, 404].contains(&refusal.status)
        };
        let refusal = result.and_then(|result| result.as_ref().err());
        if let (Some(refusal), false) = (refusal.filter(is_wrong), fault) {
            push_bounded(
                &mut self.refused,
                Refused {
                    target: request.target.clone(),
                    kind: refusal.kind.to_owned(),
                    message: refusal.message.clone(),
                },
            );
        }
        let mut body = request.body.clone().unwrap_or_default();
        if let Some(value) = body.get_mut("Value") {
            *value = Value::from("(not kept)");
        }
        push_bounded(
            &mut self.calls,
            AwsCall {
                target: request.target.clone(),
                body,
                at: request.at,
                status,
                error,
            },
        );
    }
}

pub(super) fn push_bounded<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() >= REMEMBERED {
        list.pop_front();
    }
    list.push_back(item);
}
