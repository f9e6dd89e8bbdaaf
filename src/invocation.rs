//! The main path of one invocation: job, request, resume, access, deploy, and exactly one report.

use crate::artifact;
use crate::bucket::Store;
use crate::cluster::Cluster;
use crate::continuation::{Continuation, Phase};
use crate::credentials::{self, CredentialsError, Token};
use crate::deploy::{self, Outcome};
use crate::environment::Environment;
use crate::job::{self, Job, Receipt, Undelivered};
use crate::logging;
use crate::metrics::{self, Deploy};
use crate::report::{self, Report};
use crate::request::{Draft, Fault, Files, Request, Wanted};
use aws_types::SdkConfig;
use futures_util::FutureExt;
use jiff::Timestamp;
use serde_json::Value;
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use tracing::Span;

/// The most time kept back at the end of an invocation, for the report and its retries.
const HANDOVER_MARGIN: Duration = Duration::from_secs(10);

/// In a short life the margin is this part of it: a third.
const HANDOVER_PART: u32 = 3;

/// The time kept back for the answer to Lambda itself.
const ANSWER_MARGIN: Duration = Duration::from_millis(100);

/// How long the longest life of a Lambda is, for a deadline that makes no sense.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const LONGEST_LIFE: Duration = Duration::from_secs(900);

/// What a warm function keeps.
pub struct Function {
    name: String,
    environment: Result<Environment, Vec<Fault>>,
    secrets: Vec<String>,
    aws: SdkConfig,
    store: Store,
    ssm: OnceLock<aws_sdk_ssm::Client>,
    codepipeline: OnceLock<aws_sdk_codepipeline::Client>,
    connection: Mutex<Option<Connection>>,
}

/// An open way to the cluster, and the token that opened it.
#[derive(Clone)]
struct Connection {
    cluster: Arc<Cluster>,
    token: Token,
}

/// Why an invocation is answered with an error, so that Lambda counts it as one.
#[derive(Debug, PartialEq)]
pub enum Unreported {
    /// There is no job to report to.
    NoJob,
    /// The report could not be delivered.
    Undelivered(String),
}

impl std::fmt::Display for Unreported {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unreported::NoJob => formatter.write_str(
                "this is no CodePipeline job: the event has no `CodePipeline.job` with an `id`",
            ),
            Unreported::Undelivered(why) => {
                write!(formatter, "CodePipeline did not take the report: {why}")
            }
        }
    }
}

impl std::error::Error for Unreported {}

impl From<Unreported> for lambda_runtime::Diagnostic {
    fn from(unreported: Unreported) -> Self {
        let kind = match unreported {
            Unreported::NoJob => "NoJob",
            Unreported::Undelivered(_) => "Undelivered",
        };
        lambda_runtime::Diagnostic {
            error_type: kind.to_owned(),
            error_message: unreported.to_string(),
        }
    }
}

/// What is known of a running invocation, however it ends.
#[derive(Default)]
struct Ledger {
    /// The continuation that it began with, and the text that this is bound to: what it leaves if
    /// it breaks off. Whatever it did since, the cluster tells.
    begun: RefCell<Option<(Continuation, String)>>,
    /// What is deployed, for the metrics.
    deploy: RefCell<Option<Deploy>>,
}

impl Function {
    /// Nothing is connected yet. `name` is what Lambda calls the function. `secrets` are the
    /// function's own, which AWS may quote in an error.
    pub fn new(
        name: String,
        environment: Result<Environment, Vec<Fault>>,
        aws: SdkConfig,
        store: Store,
        secrets: Vec<String>,
    ) -> Function {
        Function {
            name,
            environment,
            secrets,
            aws,
            store,
            ssm: OnceLock::new(),
            codepipeline: OnceLock::new(),
            connection: Mutex::new(None),
        }
    }

    /// Handles one event. `deadline` is when Lambda ends the invocation. Whatever happens after the
    /// job's id is known, exactly one report is sent.
    pub async fn handle(&self, event: Value, deadline: Timestamp) -> Result<(), Unreported> {
        let Some(job) = Job::read(&event) else {
            tracing::error!("the event is no CodePipeline job; nothing can be reported");
            return Err(Unreported::NoJob);
        };
        Span::current().record("jobId", job.id.as_str());
        let life = deadline.duration_since(Timestamp::now());
        let life = Duration::try_from(life)
            .unwrap_or_default()
            .min(LONGEST_LIFE);
        let margin = HANDOVER_MARGIN.min(life / HANDOVER_PART);
        let end = Instant::now() + life;
        let ledger = Ledger::default();
        logging::forget();
        logging::hide(self.secrets.iter().map(String::as_str));
        logging::hide(job::secrets(&event));
        let work = self.work(&job, &ledger, end - margin);
        let report = guarded(work, &ledger, end - margin / 2).await;
        let report = logging::mask().report(report);
        // What is secret in parameters that could not be read is not known.
        log(&report, ledger.begun.borrow().is_some());
        let last = end - ANSWER_MARGIN.min(margin / 4);
        if self.deliver(&job.id, &report, last).await? == Receipt::Taken {
            let deploy = ledger.deploy.take();
            metrics::count(&self.name, deploy.as_ref(), &report, Timestamp::now());
        }
        Ok(())
    }

    async fn work(&self, job: &Job, ledger: &Ledger, until: Instant) -> Report {
        let environment = match &self.environment {
            Ok(environment) => environment,
            Err(faults) => return report::wrong_environment(faults),
        };
        let draft = match Draft::read(&job.parameters) {
            Ok(draft) => draft,
            Err(faults) => return report::wrong_parameters(&faults),
        };
        let bound_to = format!("{} {}", environment.cluster, job.parameters.identity());
        let now = Timestamp::now();
        let mut continuation = match &job.continuation {
            None => Continuation::begin(&job.id, now, draft.timeout),
            Some(token) => match Continuation::decode(token, &bound_to) {
                Ok(continuation) => continuation,
                Err(unusable) => return report::unusable_continuation(&unusable),
            },
        };
        *ledger.begun.borrow_mut() = Some((continuation.clone(), bound_to.clone()));
        let ssm_is_silent = || {
            let why = "it did not answer in time".to_owned();
            report::no_credentials(&CredentialsError::Unreachable(why))
        };
        let read = artifact::read(&self.store, job, &draft.wanted);
        let files = match timeout_at(until, read).await {
            Ok(Ok(files)) => files,
            Ok(Err(error)) => {
                let report = report::no_artifact(&error, &continuation.phase);
                // What was begun is not given up because S3 is busy.
                let goes_on = error.may_pass() && continuation.phase != Phase::Start;
                return match goes_on {
                    true => silent(&mut continuation, &bound_to, now, || report),
                    false => report,
                };
            }
            Err(_) => return silent(&mut continuation, &bound_to, now, ssm_is_silent),
        };
        let request = match complete(draft, &files, &continuation) {
            Ok(request) => request,
            Err(report) => return report,
        };
        *ledger.deploy.borrow_mut() = Some(Deploy::of(&request, continuation.started));
        let cluster = match timeout_at(until, self.connect(environment, false)).await {
            Ok(Ok(cluster)) => cluster,
            Ok(Err(error)) => return report::no_credentials(&error),
            Err(_) => return silent(&mut continuation, &bound_to, now, ssm_is_silent),
        };
        tracing::info!(
            deployment = request.deployment,
            namespace = request.namespace,
            resumed = job.continuation.is_some(),
            beside = (!request.beside.is_empty()).then(|| request.beside.join(",")),
            "deploying"
        );
        let renew = async || self.connect(environment, true).await;
        let outcome = deploy::run(cluster, renew, &request, &mut continuation, until).await;
        if let Outcome::Finished(success) = &outcome
            && let Some(deploy) = &mut *ledger.deploy.borrow_mut()
        {
            deploy.wrote = success.wrote;
        }
        conclude(&request, &continuation, &bound_to, outcome)
    }

    /// The connection that is open, or a new one; `anew` where the token was refused.
    async fn connect(
        &self,
        environment: &Environment,
        anew: bool,
    ) -> Result<Arc<Cluster>, CredentialsError> {
        let mut connection = self.connection.lock().await;
        let now = Timestamp::now();
        if let Some(open) = &*connection
            && !anew
            && credentials::check(&open.token, &environment.token_parameter, now).is_ok()
        {
            logging::hide([open.token.reveal()]);
            return Ok(open.cluster.clone());
        }
        *connection = None;
        let ssm = self.ssm.get_or_init(|| aws_sdk_ssm::Client::new(&self.aws));
        let found = credentials::fetch(ssm, environment, now).await?;
        logging::hide([found.token.reveal()]);
        let cluster = Cluster::new(environment, &found).map_err(CredentialsError::Ca)?;
        let cluster = Arc::new(cluster);
        *connection = Some(Connection {
            cluster: cluster.clone(),
            token: found.token,
        });
        Ok(cluster)
    }

    /// Sends the report. That the job is over already is the end of it, too. A report that
    /// CodePipeline refuses as such is sent once more with its first line alone.
    async fn deliver(
        &self,
        job: &str,
        report: &Report,
        last: Instant,
    ) -> Result<Receipt, Unreported> {
        let client = self
            .codepipeline
            .get_or_init(|| aws_sdk_codepipeline::Client::new(&self.aws));
        let mut sent = timeout_at(last, job::send(client, job, report)).await;
        if let Ok(Err(Undelivered::Refused(why))) = &sent {
            tracing::error!(
                why,
                "CodePipeline refused the report; its bare form is sent"
            );
            sent = timeout_at(last, job::send(client, job, &report.bare())).await;
        }
        let why = match sent {
            Ok(Ok(receipt)) => {
                if let Receipt::TooLate(said) = &receipt {
                    tracing::warn!(said, "nobody waits for this report any more");
                }
                return Ok(receipt);
            }
            Ok(Err(Undelivered::Refused(why) | Undelivered::Unreachable(why))) => why,
            Err(_) => "it did not answer before the end of the invocation".to_owned(),
        };
        tracing::error!(why, "the report could not be delivered");
        Err(Unreported::Undelivered(logging::masked(&why)))
    }
}

/// Lets the work run until `last` at the most. A panic becomes a report, and so does an end that
/// comes too early: the next invocation takes up what this one began with.
async fn guarded(work: impl Future<Output = Report>, ledger: &Ledger, last: Instant) -> Report {
    match timeout_at(last, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(report)) => report,
        Ok(Err(_)) => report::panicked(&logging::panic_place()),
        Err(_) => match &*ledger.begun.borrow() {
            Some((continuation, bound_to)) => report::handed_over(continuation, bound_to, None),
            None => report::no_time(),
        },
    }
}

/// The request, with the files that it names. An invocation that goes on reads them again: they are
/// the same, and the token has no room for them.
fn complete(draft: Draft, files: &Files, continuation: &Continuation) -> Result<Request, Report> {
    let names_files = draft.wanted != Wanted::default();
    let request = draft.complete(files, &continuation.job);
    let request = request.map_err(|faults| match names_files {
        true => report::wrong_files(&faults),
        false => report::wrong_parameters(&faults),
    })?;
    logging::hide(request.secrets());
    Span::current().record("execution", request.execution.as_str());
    Ok(request)
}

/// SSM or S3 did not answer in this invocation: the next one may have more luck, for a while.
fn silent(
    continuation: &mut Continuation,
    bound_to: &str,
    now: Timestamp,
    over: impl FnOnce() -> Report,
) -> Report {
    let since = *continuation.unreachable_since.get_or_insert(now);
    if now >= continuation.deadline || now.duration_since(since) >= deploy::OUTAGE {
        return over();
    }
    report::handed_over(continuation, bound_to, None)
}

fn conclude(
    request: &Request,
    continuation: &Continuation,
    bound_to: &str,
    outcome: Outcome,
) -> Report {
    match outcome {
        Outcome::Finished(success) => {
            report::success(request, continuation, &success, Timestamp::now())
        }
        Outcome::Planned(plan) => report::planned(request, &plan),
        Outcome::Failed(failure) => report::failure(request, &failure),
        Outcome::Broken(call, error) => {
            report::call_failed(request, &continuation.phase, &call, &error)
        }
        Outcome::LockedOut(error) => report::access_lost(request, &continuation.phase, &error),
        Outcome::LostSight(since, why) => {
            report::lost_sight(request, &continuation.phase, since, &why)
        }
        Outcome::HandedOver(waiting) => {
            report::handed_over(continuation, bound_to, waiting.as_ref())
        }
    }
}

/// Logs what is reported; of a failure the first line, if all that must be hidden is known.
fn log(report: &Report, all_is_known: bool) {
    match report {
        Report::Success { summary, .. } => tracing::info!(summary, "reporting success"),
        Report::Progress {
            summary, percent, ..
        } => tracing::info!(summary, percent, "handing over to the next invocation"),
        Report::Failure {
            kind,
            topic,
            message,
        } => {
            let cause = message.lines().next().filter(|_| all_is_known);
            let (kind, topic) = (kind.name(), topic.anchor());
            tracing::error!(kind, topic, cause, "reporting failure");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Kind;

    fn run(work: impl Future<Output = Report>, ledger: &Ledger) -> Report {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let last = Duration::from_millis(20);
        runtime
            .unwrap()
            .block_on(async { guarded(work, ledger, Instant::now() + last).await })
    }

    #[test]
    fn a_panic_becomes_a_report_that_quotes_nothing() {
        logging::note_panics();
        let work = async {
            tokio::task::yield_now().await;
            panic!("a secret value");
        };
        let report = run(work, &Ledger::default());
        _ = std::panic::take_hook();
        let Report::Failure { kind, message, .. } = report else {
            panic!("it must be a failure");
        };
        assert_eq!(kind, Kind::JobFailed);
        assert!(message.contains("src/invocation.rs:"), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }

    #[test]
    fn work_that_does_not_end_is_handed_over() {
        let now = Timestamp::now();
        let continuation = Continuation::begin("job", now, Duration::from_secs(60));
        let ledger = Ledger::default();
        *ledger.begun.borrow_mut() = Some((continuation.clone(), "bound".to_owned()));
        let Report::Progress { token, .. } = run(std::future::pending(), &ledger) else {
            panic!("it must go on");
        };
        assert_eq!(Continuation::decode(&token, "bound"), Ok(continuation));
        let Report::Failure { kind, .. } = run(std::future::pending(), &Ledger::default()) else {
            panic!("nothing is known that could go on");
        };
        assert_eq!(kind, Kind::SystemUnavailable);
    }

    #[test]
    fn a_silent_ssm_is_waited_for_but_not_for_ever() {
        let over = || report::no_credentials(&CredentialsError::Unreachable("silent".into()));
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut continuation = Continuation::begin("job", start, Duration::from_secs(900));
        let later = |seconds| start + Duration::from_secs(seconds);
        let first = silent(&mut continuation, "bound", later(1), over);
        assert!(matches!(first, Report::Progress { .. }));
        let second = silent(&mut continuation, "bound", later(100), over);
        assert!(matches!(second, Report::Progress { .. }));
        let last = silent(&mut continuation, "bound", later(200), over);
        assert!(matches!(
            last,
            Report::Failure {
                kind: Kind::SystemUnavailable,
                ..
            }
        ));
    }
}
