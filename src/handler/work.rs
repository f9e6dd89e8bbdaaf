//! The work of one job: what it asks for, its files, the way to the cluster, and the engine that
//! does it.

use super::Function;
use super::ledger::Ledger;
use crate::access::{Connection, Purpose, no_answer};
use crate::aws::clients::Aws;
use crate::telemetry::logging;
use crate::telemetry::metrics::DeployMetrics;
use crate::{artifacts, driver};
use jiff::Timestamp;
use landfall_core::engine::release::ReleaseEnded;
use landfall_core::engine::{self, Outcome};
use landfall_core::environment::Environment;
use landfall_core::event::Job;
use landfall_core::outcome::{CredentialSource, CredentialsError};
use landfall_core::report::{self, Report};
use landfall_core::request::{Asked, Draft, Files, Origin, Wanted};
use landfall_core::state::continuation::{Continuation, ContinuationError, Phase};
use landfall_core::state::guard::Guard;
use landfall_core::strategy::Failure;
use tokio::time::{Instant, timeout_at};
use tracing::Span;

impl Function {
    /// Does what a job asks for, as far as this invocation comes.
    pub(super) async fn work(&self, job: &Job, ledger: &Ledger, until: Instant) -> Report {
        let (environment, draft) = match self.asked(job, ledger) {
            Ok(asked) => asked,
            Err(report) => return report,
        };
        let bound_to = format!("{} {}", environment.source, job.identity());
        let now = Timestamp::now();
        let mut continuation = match &job.continuation {
            None => Continuation::begin(&job.id, now, draft.timeout),
            Some(token) => match Continuation::decode(token, &bound_to) {
                Ok(continuation) => continuation,
                Err(unusable) => return report::unusable_continuation(&unusable),
            },
        };
        if job.output.is_some() || environment.event_bus.is_some() {
            continuation.timeline.get_or_insert_default();
        }
        *ledger.begun.borrow_mut() = Some((continuation.clone(), bound_to.clone()));
        let source = self.access.source(environment, job.account.as_deref());
        let files = self.files(job, &draft.wanted, &mut continuation, &bound_to, until);
        let files = match files.await {
            Ok(files) => files,
            Err(report) => return report,
        };
        if job.names_artifacts()
            && let Some(digest) = files.digest()
        {
            if !continuation.has_files(digest, job.is_repeatable()) {
                return report::unusable_continuation(&ContinuationError::Replaced);
            }
            *ledger.begun.borrow_mut() = Some((continuation.clone(), bound_to.clone()));
        }
        let asked = match complete(draft, files, &continuation, ledger) {
            Ok(asked) => asked,
            Err(report) => return report,
        };
        *ledger.deploy.borrow_mut() = Some(DeployMetrics::of(&asked, continuation.started));
        let context = asked.cluster().map(str::to_owned);
        let connect = async |purpose| {
            let context = context.as_deref();
            self.access
                .connect(environment, context, &source, purpose)
                .await
        };
        let connected = timeout_at(until, connect(Purpose::Begin)).await;
        let is_cut = connected.is_err();
        let connection = match connected.unwrap_or_else(|_| Err(no_answer(&source))) {
            Ok(connection) => connection,
            Err(error) => {
                let goes_on = is_cut || error.may_pass() && continuation.has_begun();
                ledger.name(report::kubeconfig_fields(&error));
                let report = access_lost(&asked, &continuation.phase, &error, &source);
                return put_off(goes_on, &mut continuation, &bound_to, "AWS", now, report);
            }
        };
        if !continuation.belongs_to(&connection.server.address) {
            return report::unusable_continuation(&ContinuationError::Foreign);
        }
        let resumed = job.continuation.is_some();
        run(
            asked,
            (connection, connect),
            &self.access.aws,
            continuation,
            (&bound_to, resumed),
            ledger,
            until,
        )
        .await
    }

    /// What the function is set up for, and what the job asks for.
    fn asked(&self, job: &Job, ledger: &Ledger) -> Result<(&Environment, Draft), Report> {
        let environment = self.access.environment.as_ref().map_err(|faults| {
            ledger.note(faults);
            report::wrong_environment(faults)
        })?;
        let draft = Draft::read(&job.parameters).and_then(|draft| {
            draft.fits(&environment.source)?;
            Ok(draft)
        });
        let draft = draft.map_err(|faults| {
            ledger.note(&faults);
            report::wrong_parameters(&faults)
        })?;
        let bucket = environment.artifact_bucket.as_deref();
        let foreign = job.foreign_artifacts(bucket);
        if !foreign.is_empty() {
            return Err(report::called::foreign_buckets(&foreign, bucket));
        }
        let variables = landfall_core::request::variables(&job.parameters);
        logging::hide_parts(variables.iter().map(String::as_str));
        Ok((environment, draft))
    }

    /// The files that the request names. What was begun is not given up because S3 is busy.
    async fn files(
        &self,
        job: &Job,
        wanted: &Wanted,
        continuation: &mut Continuation,
        bound_to: &str,
        until: Instant,
    ) -> Result<Files, Report> {
        let now = Timestamp::now();
        let error = match artifacts::read(&self.store, job, wanted, until).await {
            Ok(files) => return Ok(files),
            Err(error) => error,
        };
        let is_cut = Instant::now() >= until;
        let goes_on = error.may_pass() && (is_cut || continuation.has_begun());
        let report = report::no_artifact(&error, &continuation.phase);
        Err(put_off(goes_on, continuation, bound_to, "S3", now, report))
    }
}

/// Runs the engine of what is asked for, and reports how it ended.
async fn run(
    asked: Asked,
    (connection, connect): (
        Connection,
        impl AsyncFn(Purpose) -> Result<Connection, CredentialsError>,
    ),
    aws: &Aws,
    continuation: Continuation,
    (bound_to, resumed): (&str, bool),
    ledger: &Ledger,
    until: Instant,
) -> Report {
    let source = connection.source.clone();
    match asked {
        Asked::Workload(request, before) => {
            let mut continuation = continuation;
            let mut planned = None;
            if let Some(before) = before.filter(|_| is_at_start(&continuation)) {
                let (connection, connect) = (connection.clone(), &connect);
                let run =
                    driver::release::run(connection, connect, aws, *before, continuation, until);
                let mut ended = run.await;
                if !ended.is_passed() {
                    note_release(ledger, &mut ended);
                    return ended.report(bound_to, &source, Timestamp::now());
                }
                continuation = ended.continuation.clone();
                continuation.phase = Phase::Start;
                continuation.guard = Guard::default();
                planned = Some(ended);
            }
            tracing::info!(
                deployment = request.deployment,
                namespace = request.namespace,
                resumed,
                beside = (!request.skipped.is_empty()).then(|| request.skipped.join(",")),
                "deploying"
            );
            let run = driver::run(connection, connect, aws, request, continuation, until);
            let mut ended = run.await;
            ledger.deployed(|deploy| deploy.ended(&ended.outcome));
            ledger.seen(ended.details(), &mut ended.continuation);
            ledger.is_final.set(ended.is_final());
            if let Outcome::Failed(Failure::Faults(faults)) = &ended.outcome {
                ledger.note(faults);
            }
            let report = ended.report(bound_to, &source, Timestamp::now());
            match planned {
                Some(before) => before.before(report),
                None => report,
            }
        }
        Asked::Release(request) => {
            tracing::info!(
                release = request.name,
                namespace = request.namespace,
                objects = request.manifests.len(),
                resumed,
                "releasing"
            );
            let run = driver::release::run(connection, connect, aws, request, continuation, until);
            let mut ended = run.await;
            ledger.deployed(|deploy| deploy.released(&ended.outcome));
            note_release(ledger, &mut ended);
            ended.report(bound_to, &source, Timestamp::now())
        }
    }
}

fn note_release(ledger: &Ledger, ended: &mut ReleaseEnded) {
    ledger.name(ended.names());
    ledger.seen(ended.details(), &mut ended.continuation);
    ledger.is_final.set(ended.is_final());
}

/// Whether the workload itself was not touched yet.
fn is_at_start(continuation: &Continuation) -> bool {
    matches!(continuation.phase, Phase::Start | Phase::Release(_))
}

fn access_lost(
    asked: &Asked,
    phase: &Phase,
    error: &CredentialsError,
    source: &CredentialSource,
) -> Report {
    match asked {
        Asked::Workload(request, _) => report::access_lost(request, phase, error, source),
        Asked::Release(request) => report::release::access_lost(request, phase, error, source),
    }
}

/// The request, with the files that it names. An invocation that goes on reads them again: they are
/// the same, and the token has no room for them.
fn complete(
    draft: Draft,
    files: Files,
    continuation: &Continuation,
    ledger: &Ledger,
) -> Result<Asked, Report> {
    let origin = Origin::new(&draft.wanted, &files);
    let asked = draft.complete(files, &continuation.job);
    let asked = asked.map_err(|faults| {
        ledger.note(&faults);
        report::wrong_files(&faults, &origin)
    })?;
    match &asked {
        Asked::Workload(request, before) => {
            logging::hide_values(request.secrets());
            logging::hide_values(before.iter().flat_map(|before| before.secrets()));
            Span::current().record("execution", request.execution.as_str());
        }
        Asked::Release(request) => {
            logging::hide_values(request.secrets());
            Span::current().record("execution", request.execution.as_str());
        }
    }
    Ok(asked)
}

/// The report, or a later one if the deploy goes on: AWS did not answer in this invocation, and the
/// next one may have more luck, for a while.
fn put_off(
    goes_on: bool,
    continuation: &mut Continuation,
    bound_to: &str,
    who: &str,
    now: Timestamp,
    report: Report,
) -> Report {
    if !goes_on {
        return report;
    }
    let since = *continuation.unreachable_since.get_or_insert(now);
    if now >= continuation.deadline || now.duration_since(since) >= engine::OUTAGE {
        return report;
    }
    report::handed_over_silent(continuation, bound_to, who)
}

#[cfg(test)]
mod tests;
