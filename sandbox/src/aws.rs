//! A local AWS: the Lambda Runtime API, SSM Parameter Store, CodePipeline's job API, S3, EKS, STS,
//! the alarms of CloudWatch, EventBridge.
//!
//! It uses plain HTTP on loopback. All but the Runtime API share one endpoint: `X-Amz-Target`, the
//! form of STS and the scope of the signature say which service is called. Every process of the
//! function has its own Runtime API.

mod account;
mod answer;
mod bucket;
mod cbor;
mod cloudwatch;
mod codepipeline;
mod eks;
mod endpoint;
mod environment;
mod eventbridge;
mod fault;
mod invocation;
mod request;
mod runtime_api;
mod s3;
mod server;
mod ssm;
mod state;
mod sts;
mod xml;
mod zip;

use crate::aws::fault::Planned;
use crate::aws::server::{Server, Service};
use crate::aws::state::{Shared, State};
use crate::iam::{AccessKey, AccessKeys, Principal};
use hyper::body::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fmt, io};
use tokio::sync::watch;

pub use account::{ACCOUNT, CREDENTIALS, REGION, ROLE};
pub use cloudwatch::{Alarm, AlarmState};
pub use codepipeline::{JobResult, Report};
pub use eks::EksCluster;
pub(crate) use environment::Environment;
pub use fault::AwsFault;
pub use invocation::{Invocation, InvocationEnd};
pub use ssm::{Parameter, ParameterKind};
pub use state::{AwsCall, Job, Outcome, Refused};
pub use sts::Role;
pub use zip::zip;

/// A running local AWS; dropping it stops it.
pub struct Aws {
    shared: Arc<Shared>,
    server: Server,
    runtime: Environment,
}

impl Aws {
    /// Starts all services on free ports of 127.0.0.1.
    pub async fn start() -> io::Result<Aws> {
        let state = State {
            reinvoke_after: Duration::from_millis(50),
            ..State::default()
        };
        let [(_, id), (_, secret), (_, session)] = CREDENTIALS.map(|it| (it.0, it.1.to_owned()));
        state.keys.add(AccessKey {
            id,
            secret,
            session,
            principal: Principal {
                role: ROLE.to_owned(),
                session: account::SESSION.to_owned(),
            },
            expires: Timestamp::MAX,
        });
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

    /// The value for `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// The value for `AWS_LAMBDA_RUNTIME_API`, for a process that [`crate::function`] does not run.
    pub fn runtime_api(&self) -> String {
        self.runtime.address()
    }

    /// Stores a new version of a parameter and returns its number.
    pub fn put_parameter(&self, name: &str, value: &str, kind: ParameterKind) -> u64 {
        let now = Timestamp::now();
        self.shared.state().parameters.put(name, value, kind, now)
    }

    /// Stores a `SecureString` with a KMS key and a description.
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

    /// Stores a secret in Secrets Manager, which SSM gives out by its reference.
    pub fn put_secretsmanager(&self, name: &str, value: &str) {
        let mut state = self.shared.state();
        state.parameters.put_secretsmanager(name, value);
    }

    /// Adds a cluster to EKS, or changes it.
    pub fn put_cluster(&self, cluster: EksCluster) {
        self.shared.state().clusters.put(cluster);
    }

    /// Deletes a cluster from EKS.
    pub fn delete_cluster(&self, arn: &str) {
        self.shared.state().clusters.remove(arn);
    }

    /// Makes an alarm of CloudWatch, or changes it.
    pub fn put_alarm(&self, alarm: Alarm) {
        self.shared.state().alarms.put(alarm);
    }

    /// Deletes an alarm.
    pub fn delete_alarm(&self, name: &str) {
        self.shared.state().alarms.remove(name);
    }

    /// Gives an alarm a state now, as its metric or SetAlarmState does.
    pub fn set_alarm(&self, name: &str, state: AlarmState, reason: &str) {
        let now = Timestamp::now();
        self.shared
            .change(|all| all.alarms.set(name, state, reason, now));
    }

    /// Adds a role that the function may assume, or changes it.
    pub fn put_role(&self, role: Role) {
        self.shared.state().roles.put(role);
    }

    /// The access keys that were given out, the function's own first.
    pub fn keys(&self) -> AccessKeys {
        self.shared.state().keys.clone()
    }

    /// Stores an object; its bucket is in [`REGION`] unless it was put elsewhere.
    pub fn put_object(&self, bucket: &str, key: &str, content: impl Into<Bytes>) {
        self.shared.state().buckets.put(bucket, key, content.into());
    }

    /// Lets the function's own role read a bucket.
    pub fn open_bucket(&self, bucket: &str) {
        let mut state = self.shared.state();
        state.buckets.open.insert(bucket.to_owned());
    }

    /// Moves a bucket to a region.
    pub fn locate_bucket(&self, bucket: &str, region: &str) {
        self.shared.state().buckets.locate(bucket, region);
    }

    /// The content of an object.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let place = (bucket.to_owned(), key.to_owned());
        let state = self.shared.state();
        state.buckets.objects.get(&place).map(|it| it.to_vec())
    }

    /// Queues a job event as CodePipeline does; `life` is the function's timeout.
    ///
    /// The same job again is a second delivery of its event and belongs to the same action.
    pub fn submit(&self, event: Value, life: Duration) -> Job {
        let body = event.to_string().into_bytes();
        self.shared.change(|state| {
            let id = codepipeline::job_id(&event).map(str::to_owned);
            state.buckets.open_stores(&event);
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

    /// Waits for the end of an action, through all its continuations, and until the invocation that
    /// reported has also ended.
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

    /// Returns every accepted result, in order.
    pub fn reports(&self) -> Vec<Report> {
        self.shared.state().codepipeline.reports.clone()
    }

    /// Returns every request that a service refused by itself, not because of a fault.
    pub fn refused(&self) -> Vec<Refused> {
        self.shared.state().refused.iter().cloned().collect()
    }

    /// Every invocation, in the order in which they were queued.
    pub fn invocations(&self) -> Vec<Invocation> {
        self.shared.state().invocations.list()
    }

    /// Returns what was posted to `/runtime/init/error`.
    pub fn init_errors(&self) -> Vec<Value> {
        self.shared.state().invocations.init_errors.clone()
    }

    /// Every request to SSM and CodePipeline, in order.
    pub fn calls(&self) -> Vec<AwsCall> {
        self.shared.state().calls.iter().cloned().collect()
    }

    /// Makes the next `times` requests fail whose target contains this text.
    pub fn fault(&self, target_contains: &str, fault: AwsFault, times: u32) {
        let planned = Planned {
            target: target_contains.to_owned(),
            fault,
            left: times,
        };
        self.shared.state().faults.push(planned);
    }

    /// Sets the delay before the next invocation of an action that continues.
    pub fn reinvoke_after(&self, delay: Duration) {
        self.shared.state().reinvoke_after = delay;
    }

    /// Notifies about each change: a call, an invocation, a report.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.shared.changed.subscribe()
    }

    /// Creates a Runtime API for another process.
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

#[cfg(test)]
mod tests;
