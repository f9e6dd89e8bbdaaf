//! The main path of one invocation: job, request, resume, access, deploy, and exactly one report.
//! An event without a job may ask for a new token instead.

use crate::artifact;
use crate::aws::clients::Aws;
use crate::aws::codepipeline::{self, Receipt, Undelivered};
use crate::aws::s3::Store;
use crate::aws::ssm::{self, Credentials};
use crate::cluster::{Approach, Cluster};
use crate::driver;
use crate::environment::Environment;
use crate::job::{self, Job};
use crate::logging;
use crate::metrics::{self, Deploy};
use crate::rotation::{self, End, Holder, Issued, Present, Renewed, Step, Why, Wish};
use futures_util::FutureExt;
use jiff::Timestamp;
use landfall_core::engine::{self, Outcome};
use landfall_core::kubernetes::call::Call;
use landfall_core::kubernetes::token::Token;
use landfall_core::outcome::{CredentialsError, ParameterPlace, Topic};
use landfall_core::problem::Fault;
use landfall_core::report::{self, Report};
use landfall_core::request::{Draft, Files, Origin, Request};
use landfall_core::state::continuation::{Continuation, Phase};
use landfall_core::strategy::Failure;
use landfall_core::text::clip;
use serde_json::Value;
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
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

/// What parameters as a whole are called, where they cannot be read.
const UNREADABLE: &str = "UserParameters";

/// How much of a field's name is logged: it may be anything that somebody wrote.
const LONGEST_NAME: usize = 60;

/// What a warm function keeps.
pub struct Function {
    name: String,
    environment: Result<Environment, Vec<Fault>>,
    secrets: Vec<String>,
    aws: Aws,
    store: Store,
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
    /// The cluster's token was to be renewed and was not.
    NotRenewed(String),
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
            Unreported::NotRenewed(why) => formatter.write_str(why),
        }
    }
}

impl std::error::Error for Unreported {}

impl From<Unreported> for lambda_runtime::Diagnostic {
    fn from(unreported: Unreported) -> Self {
        let kind = match unreported {
            Unreported::NoJob => "NoJob",
            Unreported::Undelivered(_) => "Undelivered",
            Unreported::NotRenewed(_) => "NotRenewed",
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
    /// What is wrong with parameters or environment, by the names of the fields.
    faults: RefCell<Vec<String>>,
    /// What is deployed, for the metrics.
    deploy: RefCell<Option<Deploy>>,
}

impl Ledger {
    /// Notes the names of fields that are wrong. Their problems may quote values.
    fn note(&self, faults: &[Fault]) {
        let names = faults
            .iter()
            .map(|fault| match fault.problem.split_once(", the arrow in ") {
                // Of parameters that are not JSON the place tells more.
                Some((place, _)) if fault.field == UNREADABLE => format!("{UNREADABLE} {place}"),
                Some(_) | None => clip(&fault.field, LONGEST_NAME),
            });
        *self.faults.borrow_mut() = names.collect();
    }
}

impl Function {
    /// Nothing is connected yet. `name` is what Lambda calls the function. `secrets` are the
    /// function's own, which AWS may quote in an error.
    pub fn new(
        name: String,
        environment: Result<Environment, Vec<Fault>>,
        aws: Aws,
        secrets: Vec<String>,
    ) -> Function {
        Function {
            name,
            environment,
            secrets,
            store: Store::new(&aws),
            aws,
            connection: Mutex::new(None),
        }
    }

    /// Handles one event. `deadline` is when Lambda ends the invocation. Whatever happens after the
    /// job's id is known, exactly one report is sent, and the answer says nothing.
    pub async fn handle(&self, event: Value, deadline: Timestamp) -> Result<Value, Unreported> {
        let life = deadline.duration_since(Timestamp::now());
        let life = Duration::try_from(life)
            .unwrap_or_default()
            .min(LONGEST_LIFE);
        let margin = HANDOVER_MARGIN.min(life / HANDOVER_PART);
        let end = Instant::now() + life;
        logging::forget();
        logging::hide(self.secrets.iter().map(String::as_str));
        let Some(job) = Job::read(&event) else {
            if rotation::is_meant(&event) {
                return self.rotate(&event, end - margin).await;
            }
            tracing::error!("the event is no CodePipeline job; nothing can be reported");
            return Err(Unreported::NoJob);
        };
        Span::current().record("jobId", job.id.as_str());
        let ledger = Ledger::default();
        logging::hide(job::secrets(&event));
        let work = self.work(&job, &ledger, end - margin);
        let report = guarded(work, &ledger, end - margin / 2).await;
        let report = report.hide(&logging::mask());
        let last = end - ANSWER_MARGIN.min(margin / 4);
        // The report is on its way while its line is written.
        let delivery = self.deliver(&job.id, &report, last);
        // What is secret in parameters that could not be read is not known.
        let line = async { log(&report, &ledger) };
        let (taken, ()) = tokio::join!(delivery, line);
        let taken = taken? == Receipt::Taken;
        // A failure that came too late to be told is one all the same.
        if taken || matches!(report, Report::Failure { .. }) {
            let deploy = ledger.deploy.take();
            metrics::count(&self.name, deploy.as_ref(), &report, Timestamp::now());
        }
        Ok(Value::Null)
    }

    async fn work(&self, job: &Job, ledger: &Ledger, until: Instant) -> Report {
        let environment = match &self.environment {
            Ok(environment) => environment,
            Err(faults) => {
                ledger.note(faults);
                return report::wrong_environment(faults);
            }
        };
        let draft = match Draft::read(&job.parameters) {
            Ok(draft) => draft,
            Err(faults) => {
                ledger.note(&faults);
                return report::wrong_parameters(&faults);
            }
        };
        let variables = landfall_core::request::variables(&job.parameters);
        logging::hide_parts(variables.iter().map(String::as_str));
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
        let (account, region) = (job.account.as_deref(), self.aws.settings.region.as_deref());
        let place = ParameterPlace::new(&environment.token_parameter, account, region);
        let ssm_is_silent = || report::no_credentials(&no_answer(), &place);
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
        let request = match complete(draft, &files, &continuation, ledger) {
            Ok(request) => request,
            Err(report) => return report,
        };
        *ledger.deploy.borrow_mut() = Some(Deploy::of(&request, continuation.started));
        let cluster = match timeout_at(until, self.connect(environment, false)).await {
            Ok(Ok(cluster)) => cluster,
            Ok(Err(error)) => return report::no_credentials(&error, &place),
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
        let ended = driver::run(cluster, renew, request, continuation, until).await;
        if let Some(deploy) = &mut *ledger.deploy.borrow_mut() {
            deploy.ended(&ended.outcome);
        }
        if let Outcome::Failed(Failure::Faults(faults)) = &ended.outcome {
            ledger.note(faults);
        }
        ended.report(&bound_to, &place, Timestamp::now())
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
            && landfall_core::outcome::check(&open.token, &environment.token_parameter, now).is_ok()
        {
            logging::hide([open.token.reveal()]);
            return Ok(open.cluster.clone());
        }
        *connection = None;
        let found = ssm::fetch(&self.aws, environment, now).await?;
        logging::hide([found.token.reveal()]);
        let cluster = Cluster::new(environment, found.ca.as_deref(), &found.token);
        let cluster = Arc::new(cluster.map_err(CredentialsError::Ca)?);
        *connection = Some(Connection {
            cluster: cluster.clone(),
            token: found.token,
        });
        Ok(cluster)
    }

    /// Renews the cluster's token, and answers until when the new one is valid.
    async fn rotate(&self, event: &Value, until: Instant) -> Result<Value, Unreported> {
        let mut present = Present::default();
        let renewed = AssertUnwindSafe(self.renew(event, &mut present, until));
        let why = match renewed.catch_unwind().await {
            Ok(Ok(renewed)) => {
                log_renewed(&renewed);
                metrics::rotated(&self.name);
                return Ok(renewed.answer());
            }
            Ok(Err(why)) => why,
            Err(_) => Why::Broken(logging::panic_place()),
        };
        let cause = logging::masked(&present.not_renewed(&why));
        tracing::error!(cause, "the token was not renewed");
        Err(Unreported::NotRenewed(cause))
    }

    /// Has a new token issued, tries it, and stores it last: whatever fails before leaves the
    /// present one in place. What is known of that is kept in `known`.
    async fn renew(
        &self,
        event: &Value,
        known: &mut Present,
        until: Instant,
    ) -> Result<Renewed, Why> {
        let wish = Wish::read(event)?;
        let environment = self.environment.as_ref();
        let environment = environment.map_err(|faults| Why::Environment(faults.clone()))?;
        let (aws, name) = (&self.aws, &environment.token_parameter);
        known.parameter = Some(name.clone());
        known.region.clone_from(&self.aws.settings.region);
        rotation::unpinned(name)?;
        let now = Timestamp::now();
        let fetched = in_time(until, ssm::fetch(aws, environment, now)).await;
        let present = fetched.map_err(Why::NoAccess)?;
        logging::hide([present.token.reveal()]);
        let former = End::of(&present.token);
        known.end = Some(former.clone());
        let newest = in_time(until, ssm::newest(aws, name)).await;
        let newest = newest.map_err(Why::NoAccess)?;
        rotation::renewable(&newest)?;
        let (cluster, issued) = exchange(environment, &present, &wish, until).await?;
        issued.lasts(now)?;
        let stored = in_time(until, ssm::store(aws, &newest, &issued.token)).await;
        let version = stored.map_err(Why::NotStored)?;
        // It was tried, so that a warm function needs no other: the former one may end any time.
        *self.connection.lock().await = Some(Connection {
            cluster: Arc::new(cluster),
            token: issued.token.clone(),
        });
        Ok(Renewed {
            parameter: name.clone(),
            version,
            until: issued.until,
            former,
            short: issued.is_short(&wish, now),
        })
    }

    /// Sends the report. That the job is over already is the end of it, too. A report that
    /// CodePipeline refuses as such is sent once more with its first line alone.
    async fn deliver(
        &self,
        job: &str,
        report: &Report,
        last: Instant,
    ) -> Result<Receipt, Unreported> {
        let mut sent = timeout_at(last, codepipeline::send(&self.aws, job, report)).await;
        if let Ok(Err(Undelivered::Refused(why))) = &sent {
            tracing::error!(
                why,
                "CodePipeline refused the report; its bare form is sent"
            );
            sent = timeout_at(last, codepipeline::send(&self.aws, job, &report.bare())).await;
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

/// Another token for whoever holds the present one, and a way to the cluster, tried with it.
async fn exchange(
    environment: &Environment,
    present: &Credentials,
    wish: &Wish,
    until: Instant,
) -> Result<(Cluster, Issued), Why> {
    let no_ca = |why| Why::NoAccess(CredentialsError::Ca(why));
    let approach = Approach::new(environment, present.ca.as_deref()).map_err(no_ca)?;
    let cluster = Cluster::on(&approach, &present.token).map_err(no_ca)?;
    let failed = |step| move |error| Why::Call(step, error);
    let review = cluster.send(&Call::who_am_i(), until).await;
    let holder = Holder::read(&review.map_err(failed(Step::Ask))?)?;
    let (namespace, account) = holder.account()?;
    let call = Call::token(namespace, account, wish.lifetime);
    let answer = cluster.send(&call, until).await;
    let issued = Issued::read(&answer.map_err(failed(Step::Issue))?, Timestamp::now())?;
    logging::hide([issued.token.reveal()]);
    let cluster = Cluster::on(&approach, &issued.token).map_err(no_ca)?;
    let review = cluster.send(&Call::who_am_i(), until).await;
    holder.same(&Holder::read(&review.map_err(failed(Step::Try))?)?)?;
    Ok((cluster, issued))
}

/// A call to SSM, which counts as not answered where the time is over first.
async fn in_time<T>(
    until: Instant,
    call: impl Future<Output = Result<T, CredentialsError>>,
) -> Result<T, CredentialsError> {
    let answer = timeout_at(until, call).await;
    answer.unwrap_or_else(|_| Err(no_answer()))
}

fn no_answer() -> CredentialsError {
    CredentialsError::Unreachable("it did not answer in time".to_owned())
}

/// When Lambda ends the invocation, by the `milliseconds` of its header. The emulator of
/// `cargo lambda` gives how long it may take instead, 600,000 for every event: as a time in 1970.
pub fn deadline(milliseconds: u64, now: Timestamp) -> Timestamp {
    let given = Duration::from_millis(milliseconds);
    let end = match given <= LONGEST_LIFE {
        true => now.checked_add(given),
        false => Timestamp::UNIX_EPOCH.checked_add(given),
    };
    end.unwrap_or(Timestamp::MAX)
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
fn complete(
    draft: Draft,
    files: &Files,
    continuation: &Continuation,
    ledger: &Ledger,
) -> Result<Request, Report> {
    let origin = Origin::new(&draft.wanted, files);
    let request = draft.complete(files, &continuation.job);
    let request = request.map_err(|faults| {
        ledger.note(&faults);
        report::wrong_files(&faults, &origin)
    })?;
    logging::hide_values(request.secrets());
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
    if now >= continuation.deadline || now.duration_since(since) >= engine::OUTAGE {
        return over();
    }
    report::handed_over(continuation, bound_to, None)
}

/// Logs a new token, and what a person should know of the former one.
fn log_renewed(renewed: &Renewed) {
    let Renewed {
        parameter,
        version,
        until,
        ..
    } = renewed;
    let until = format!("{until:.0}");
    tracing::info!(
        parameter,
        version,
        validUntil = until,
        "the token was renewed"
    );
    if renewed.short {
        tracing::warn!(
            validUntil = until,
            "the cluster gave the new token a shorter life than was asked for"
        );
    }
    if let Some(advice) = renewed.former.advice() {
        tracing::warn!("{advice}");
    }
}

/// Logs what is reported; of a failure the first line, and the names of fields that are wrong. What
/// is secret in parameters that could not be read is not known: then there are the names alone.
fn log(report: &Report, ledger: &Ledger) {
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
            let faults = ledger.faults.borrow().join(", ");
            let faults = (!faults.is_empty()).then_some(faults);
            let is_quoted = *topic == Topic::Parameters && ledger.begun.borrow().is_none();
            let cause = match is_quoted {
                true => "the user parameters are wrong",
                false => message.lines().next().unwrap_or_default(),
            };
            let (kind, topic) = (kind.name(), topic.anchor());
            tracing::error!(kind, topic, cause, faults, "reporting failure");
        }
    }
}

#[cfg(test)]
mod tests;
