//! A local AWS: the Lambda Runtime API, SSM Parameter Store, CodePipeline's job API and S3.
//!
//! Plain HTTP on loopback. SSM, CodePipeline and S3 share one endpoint and are told apart by
//! `X-Amz-Target`, which S3 does not know; every process that runs the function has a Runtime API
//! of its own.

mod codepipeline;
mod endpoint;
mod runtime_api;
mod s3;
mod server;
mod ssm;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

pub use codepipeline::{JobResult, Report};
pub use runtime_api::{Invocation, InvocationEnd};
pub use ssm::{Parameter, ParameterKind};

use codepipeline::CodePipeline;
use endpoint::{Asked, Refusal};
use runtime_api::{Event, Invocations};
use server::{Server, Service};
use ssm::ParameterStore;

/// The region the function is told it runs in.
pub const REGION: &str = "eu-central-1";
/// The account that everything belongs to.
pub const ACCOUNT: &str = "111122223333";
/// Calls and refusals that are remembered, so that a long simulation does not fill the memory.
const REMEMBERED: usize = 10_000;

type Answer = Response<Full<Bytes>>;

/// A running local AWS; dropping it stops it.
pub struct Aws {
    shared: Arc<Shared>,
    server: Server,
    runtime: Environment,
}

/// An action as CodePipeline runs it: one job, or several where the function continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The id of the first job; empty where the event holds none.
    pub id: String,
    action: u64,
}

/// How an action ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The final report was a success.
    Succeeded(Report),
    /// The function reported a failure.
    Failed(Report),
    /// The last invocation ended like this and nobody had reported: CodePipeline would wait on.
    Silent(InvocationEnd),
    /// Nothing has ended yet.
    Pending,
}

/// One request to SSM or CodePipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsCall {
    /// `X-Amz-Target`, such as `AmazonSSM.GetParameters`.
    pub target: String,
    /// The request; parameter values are left out.
    pub body: Value,
    /// When it came.
    pub at: Timestamp,
    /// The HTTP status answered; none where there was no answer.
    pub status: Option<u16>,
    /// The error answered.
    pub error: Option<String>,
}

/// A request that a service refused by itself, without a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// `X-Amz-Target`
    pub target: String,
    /// The exception, such as `ValidationException`.
    pub kind: String,
    /// Its message.
    pub message: String,
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsFault {
    /// 400 `ThrottlingException`
    Throttling,
    /// 503
    Unavailable,
    /// 400 `AccessDeniedException` that names the action.
    AccessDenied,
    /// 400 `ExpiredTokenException`
    ExpiredToken,
    /// SSM may be read but not the key: 400 `AccessDeniedException` as KMS words it.
    KmsAccessDenied,
    /// 400 `InvalidJobStateException`
    InvalidJobState,
    /// 400 `JobNotFoundException`
    JobNotFound,
    /// No answer ever; the connection stays open.
    Stall,
    /// The connection closes without an answer; nothing was done.
    Cut,
    /// The connection closes without an answer; the request was carried out.
    CutAfter,
    /// The right answer, late.
    Slow(Duration),
}

impl Aws {
    /// Starts all services on free ports of 127.0.0.1.
    pub async fn start() -> io::Result<Aws> {
        let state = State {
            reinvoke_after: Duration::from_millis(50),
            ..State::default()
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
        });
        let server = Server::start(&shared, Service::Aws)?;
        let runtime = Environment::start(&shared)?;
        Ok(Aws {
            shared,
            server,
            runtime,
        })
    }

    /// For `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// For `AWS_LAMBDA_RUNTIME_API`, for a process that [`crate::function`] does not run.
    pub fn runtime_api(&self) -> String {
        self.runtime.address()
    }

    /// Stores a new version of a parameter and answers its number.
    pub fn put_parameter(&self, name: &str, value: &str, kind: ParameterKind) -> u64 {
        let now = Timestamp::now();
        self.shared.state().parameters.put(name, value, kind, now)
    }

    /// The same for a `SecureString` under a KMS key, with a description.
    pub fn put_secret(&self, name: &str, value: &str, key: &str, description: &str) -> u64 {
        let more = (Some(key), Some(description));
        let (kind, now) = (ParameterKind::SecureString, Timestamp::now());
        let mut state = self.shared.state();
        state.parameters.put_under(name, value, kind, more, now)
    }

    /// The newest version of a parameter.
    pub fn parameter(&self, name: &str) -> Option<Parameter> {
        self.shared.state().parameters.newest(name)
    }

    /// Moves a label to a version of a parameter; false where that version does not exist.
    pub fn label_parameter(&self, name: &str, version: u64, label: &str) -> bool {
        self.shared.state().parameters.label(name, version, label)
    }

    /// Stores an object; its bucket is in [`REGION`] unless it was put elsewhere.
    pub fn put_object(&self, bucket: &str, key: &str, content: impl Into<Bytes>) {
        self.shared.state().buckets.put(bucket, key, content.into());
    }

    /// Moves a bucket to a region.
    pub fn locate_bucket(&self, bucket: &str, region: &str) {
        self.shared.state().buckets.locate(bucket, region);
    }

    /// Queues a job event as CodePipeline does; `life` is the function's timeout.
    ///
    /// The same job again is a second delivery of its event and belongs to the same action.
    pub fn submit(&self, event: Value, life: Duration) -> Job {
        let body = event.to_string().into_bytes();
        self.shared.change(|state| {
            let id = codepipeline::job_id(&event).map(str::to_owned);
            let mut action = state.new_action();
            if let Some(id) = &id {
                action = state.codepipeline.open(id, action, event, life);
            }
            state.invoke(body, id, action, life)
        })
    }

    /// Queues any bytes as an event; no job is opened for it.
    pub fn submit_raw(&self, body: Vec<u8>, life: Duration) -> Job {
        self.shared.change(|state| {
            let action = state.new_action();
            state.invoke(body, None, action, life)
        })
    }

    /// Delivers the last event of an action once more with the same request id, as Lambda retries
    /// an asynchronous invocation; false where there was none.
    pub fn retry(&self, job: &Job) -> bool {
        let now = Timestamp::now();
        self.shared
            .change(|state| state.invocations.repeat(job.action, now))
    }

    /// Waits for the end of an action, through all its continuations, and until the invocation
    /// that reported it has ended too.
    pub async fn outcome(&self, job: &Job, within: Duration) -> Outcome {
        let mut changed = self.shared.changed.subscribe();
        let ended = async {
            loop {
                let outcome = self.shared.state().outcome(job.action, false);
                if outcome != Outcome::Pending {
                    return outcome;
                }
                let _changed = changed.changed().await;
            }
        };
        match tokio::time::timeout(within, ended).await {
            Ok(outcome) => outcome,
            Err(_) => self.shared.state().outcome(job.action, true),
        }
    }

    /// Every result that was accepted, in order.
    pub fn reports(&self) -> Vec<Report> {
        self.shared.state().codepipeline.reports.clone()
    }

    /// Every request that was refused, without those refused by a fault.
    pub fn refused(&self) -> Vec<Refused> {
        self.shared.state().refused.iter().cloned().collect()
    }

    /// Every invocation, in the order in which they were queued.
    pub fn invocations(&self) -> Vec<Invocation> {
        self.shared.state().invocations.list()
    }

    /// What was posted to `/runtime/init/error`.
    pub fn init_errors(&self) -> Vec<Value> {
        self.shared.state().invocations.init_errors.clone()
    }

    /// Every request to SSM and CodePipeline, in order.
    pub fn calls(&self) -> Vec<AwsCall> {
        self.shared.state().calls.iter().cloned().collect()
    }

    /// Lets the next `times` requests fail whose target contains this text.
    pub fn fault(&self, target_contains: &str, fault: AwsFault, times: u32) {
        let planned = Planned {
            target: target_contains.to_owned(),
            fault,
            left: times,
        };
        self.shared.state().faults.push(planned);
    }

    /// The delay before the next invocation of an action that goes on.
    pub fn reinvoke_after(&self, delay: Duration) {
        self.shared.state().reinvoke_after = delay;
    }

    /// Notes each change of anything here: a call, an invocation, a report.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.shared.changed.subscribe()
    }

    /// A Runtime API for one process more.
    pub(crate) fn environment(&self) -> io::Result<Environment> {
        Environment::start(&self.shared)
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Aws")
            .field("endpoint", &self.endpoint())
            .finish()
    }
}

/// What Lambda calls an execution environment: the Runtime API as one process sees it.
pub(crate) struct Environment {
    number: u64,
    server: Server,
    shared: Arc<Shared>,
}

impl Environment {
    fn start(shared: &Arc<Shared>) -> io::Result<Environment> {
        let number = {
            let mut state = shared.state();
            state.environments += 1;
            state.environments
        };
        let server = Server::start(shared, Service::Runtime(number))?;
        let shared = Arc::clone(shared);
        Ok(Environment {
            number,
            server,
            shared,
        })
    }

    pub(crate) fn address(&self) -> String {
        self.server.address.to_string()
    }

    pub(crate) fn another(&self) -> io::Result<Environment> {
        Environment::start(&self.shared)
    }

    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.shared.changed.subscribe()
    }

    /// The invocation of this process whose time was over.
    pub(crate) fn timed_out(&self) -> Option<Invocation> {
        self.shared
            .state()
            .invocations
            .timed_out(self.number)
            .cloned()
    }

    /// The process died by itself, perhaps before it asked for its first invocation.
    pub(crate) fn died(&self, reason: &str) {
        let now = Timestamp::now();
        self.shared.change(|state| {
            state.invocations.crash(self.number, reason, now);
            state.invocations.crash_at_start(self.number, reason, now);
        });
    }

    /// The process was ended: it gets nothing more, and what it ran has failed.
    pub(crate) fn close(&self, reason: &str) {
        let now = Timestamp::now();
        self.shared
            .change(|state| state.invocations.crash(self.number, reason, now));
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.close("the process was stopped");
    }
}

struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    parameters: ParameterStore,
    buckets: s3::Buckets,
    codepipeline: CodePipeline,
    invocations: Invocations,
    calls: VecDeque<AwsCall>,
    refused: VecDeque<Refused>,
    faults: Vec<Planned>,
    reinvoke_after: Duration,
    actions: u64,
    environments: u64,
    requests: u64,
}

struct Planned {
    target: String,
    fault: AwsFault,
    left: u32,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, how: impl FnOnce(&mut State) -> T) -> T {
        let result = how(&mut self.state());
        self.changed.send_replace(());
        result
    }

    fn expire_after(self: &Arc<Self>, life: Duration) {
        let shared = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(life).await;
            if let Some(shared) = shared.upgrade() {
                shared.change(|state| state.invocations.expire(Timestamp::now()));
            }
        });
    }
}

impl State {
    fn new_action(&mut self) -> u64 {
        self.actions += 1;
        self.actions
    }

    fn invoke(&mut self, body: Vec<u8>, job: Option<String>, action: u64, life: Duration) -> Job {
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

    fn outcome(&self, action: u64, now_or_never: bool) -> Outcome {
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

    fn planned_fault(&mut self, target: &str) -> Option<AwsFault> {
        let mut planned = self.faults.iter_mut();
        let planned = planned.find(|one| one.left > 0 && target.contains(&one.target))?;
        planned.left -= 1;
        Some(planned.fault)
    }

    fn perform(&mut self, target: &str, body: &Value) -> Result<Value, Refusal> {
        let now = Timestamp::now();
        match target.split_once('.') {
            Some(("AmazonSSM", operation)) => self.parameters.answer(operation, body, now),
            Some(("CodePipeline_20150709", operation)) => {
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
            Some(_) | None => Err(Refusal::unknown_operation(target)),
        }
    }

    fn record(&mut self, request: &Asked, result: Option<&Result<Value, Refusal>>, fault: bool) {
        let (status, error) = match result {
            None => (None, None),
            Some(Ok(_)) => (Some(200), None),
            Some(Err(refusal)) => (Some(refusal.status), Some(refusal.kind.to_owned())),
        };
        if let (Some(Err(refusal)), false) = (result, fault) {
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

fn push_bounded<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() >= REMEMBERED {
        list.pop_front();
    }
    list.push_back(item);
}

fn answer_json(status: u16, body: &Value) -> Answer {
    Response::builder()
        .status(status)
        .header("Content-Type", "application/json")
        .body(body.to_string().into())
        .expect("the headers are made here")
}

#[cfg(test)]
mod tests;
