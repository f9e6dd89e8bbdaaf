//! From an event to its work. A deploy: request, resume, access, engine, and exactly one report. A
//! renewal of the token: a new one, or why there is none.

mod announcing;
mod ledger;
mod page;
mod unreported;
mod work;

pub use unreported::Unreported;

use crate::access::Access;
use crate::access::rotation::log_renewed;
use crate::aws::clients::Aws;
use crate::aws::codepipeline::{self, Receipt, Undelivered};
use crate::aws::s3::Store;
use crate::telemetry::logging;
use crate::telemetry::{metrics, traffic};
use futures_util::FutureExt;
use jiff::Timestamp;
use landfall_core::environment::Environment;
use landfall_core::event::{self, Event, Job};
use landfall_core::problem::Fault;
use landfall_core::report::called::Answer;
use landfall_core::report::{self, Report};
use landfall_core::rotation::{CurrentToken, RotationError, RotationRequest};
use landfall_core::text::clip;
use ledger::Ledger;
use serde_json::Value;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
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

/// How long an invocation is taken to last whose deadline is past already, as a clock that is wrong
/// makes it: what a function has by default, and enough for a report.
const UNKNOWN_LIFE: Duration = Duration::from_secs(3);

/// How much is logged of the names of what is wrong: a release has thousands of objects.
const FAULTS_LIMIT: usize = 4_000;

/// What a warm function keeps.
pub struct Function {
    name: String,
    access: Access,
    secrets: Vec<String>,
    store: Store,
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
            secrets,
            store: Store::new(&aws),
            access: Access::new(aws, environment),
        }
    }

    /// Handles one event. `deadline` is when Lambda ends the invocation. Whatever happens after the
    /// job's id is known, exactly one report is sent, and the answer says nothing; without a
    /// pipeline the answer is the report. `request` is Lambda's id of the invocation.
    pub async fn handle(
        &self,
        event: Value,
        request: &str,
        deadline: Timestamp,
    ) -> Result<Value, Unreported> {
        let life = deadline.duration_since(Timestamp::now());
        let life = Duration::try_from(life)
            .unwrap_or_default()
            .min(LONGEST_LIFE);
        let margin = HANDOVER_MARGIN.min(life / HANDOVER_PART);
        let end = Instant::now() + life;
        logging::forget();
        // What was asked while no event was handled is nobody's.
        traffic::take();
        logging::hide(self.secrets.iter().map(String::as_str));
        match Event::read(&event) {
            Event::Deploy(job) => {
                logging::hide(event::secrets(&event));
                drop(event);
                self.deploy(&job, end, margin).await
            }
            Event::Call(call) => {
                drop(event);
                let keys = self.access.aws.own_keys().ok();
                let job = call.map(|call| call.job(request, keys));
                self.called(job, end, margin).await
            }
            Event::Rotate(request) => self.rotate(request, end - margin).await,
            Event::Unknown => {
                tracing::error!(
                    "the event is neither a CodePipeline job nor a call; nothing can be reported"
                );
                Err(Unreported::NoJob)
            }
        }
    }

    /// Does what a job asks for, and reports on it. `margin` is kept back before the `end`.
    async fn deploy(&self, job: &Job, end: Instant, margin: Duration) -> Result<Value, Unreported> {
        let ledger = Ledger::default();
        let report = self.perform(job, &ledger, end, margin).await;
        let report = self.with_page(job, report, &ledger, end).await;
        let last = end - ANSWER_MARGIN.min(margin / 4);
        // The report is on its way while its line is written.
        let delivery = self.deliver(&job.id, &report, last);
        // What is secret in parameters that could not be read is not known.
        let line = async { log(&report, &ledger) };
        let (taken, ()) = tokio::join!(delivery, line);
        let taken = taken? == Receipt::Taken;
        // A failure that came too late to be told is one all the same.
        if taken || matches!(report, Report::Failure { .. }) {
            let announcement = self.announcement(job, &report, &ledger);
            self.count(&report, &ledger);
            self.announce(announcement, last).await;
        }
        Ok(Value::Null)
    }

    /// Does what a caller asks for, who gets the report as the answer: a failure as an error, so
    /// that nobody takes it for a success.
    async fn called(
        &self,
        job: Result<Job, Vec<Fault>>,
        end: Instant,
        margin: Duration,
    ) -> Result<Value, Unreported> {
        let ledger = Ledger::default();
        let report = match &job {
            Ok(job) => self.perform(job, &ledger, end, margin).await,
            Err(faults) => {
                ledger.note(faults);
                report::called::wrong_call(faults).hide(&logging::mask())
            }
        };
        let report = report.for_caller(ledger.is_final.get());
        log(&report, &ledger);
        let announcement = job
            .ok()
            .and_then(|job| self.announcement(&job, &report, &ledger));
        self.count(&report, &ledger);
        self.announce(announcement, end - ANSWER_MARGIN.min(margin / 4))
            .await;
        match report.answer() {
            Answer::Value(answer) => Ok(answer),
            Answer::Failure(failure_type, message) => {
                Err(Unreported::Failed(failure_type, message))
            }
        }
    }

    /// Does what a job asks for, and says how it ended without what must not be seen.
    async fn perform(&self, job: &Job, ledger: &Ledger, end: Instant, margin: Duration) -> Report {
        Span::current().record("jobId", job.id.as_str());
        let work = self.work(job, ledger, end - margin);
        let report = guarded(work, ledger, end - margin / 2).await;
        report.hide(&logging::mask())
    }

    fn count(&self, report: &Report, ledger: &Ledger) {
        let deploy = ledger.deploy.take();
        metrics::count(&self.name, deploy.as_ref(), report, Timestamp::now());
    }

    /// Renews the cluster's token, and answers until when the new one is valid.
    async fn rotate(
        &self,
        request: Result<RotationRequest, Vec<Fault>>,
        until: Instant,
    ) -> Result<Value, Unreported> {
        let mut present = CurrentToken::default();
        let renewed = async {
            let request = request.map_err(RotationError::Event)?;
            self.access.renew(&request, &mut present, until).await
        };
        let why = match AssertUnwindSafe(renewed).catch_unwind().await {
            Ok(Ok(renewed)) => {
                log_renewed(&renewed);
                metrics::rotated(&self.name);
                return Ok(renewed.answer());
            }
            Ok(Err(why)) => why,
            Err(_) => RotationError::Broken(logging::panic_place()),
        };
        let cause = logging::masked(&present.not_renewed(&why));
        tracing::error!(cause, "the token was not renewed");
        Err(Unreported::NotRenewed(cause))
    }

    /// Sends the report. That the job is over already is the end of it, too. A report that
    /// CodePipeline refuses as such is sent once more with its first line alone.
    async fn deliver(
        &self,
        job: &str,
        report: &Report,
        last: Instant,
    ) -> Result<Receipt, Unreported> {
        let mut sent = timeout_at(last, codepipeline::send(&self.access.aws, job, report)).await;
        if let Ok(Err(Undelivered::Refused(why))) = &sent {
            tracing::error!(
                why,
                "CodePipeline refused the report; its bare form is sent"
            );
            sent = timeout_at(
                last,
                codepipeline::send(&self.access.aws, job, &report.bare()),
            )
            .await;
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

/// When Lambda ends the invocation, by the `milliseconds` of its header. The emulator of
/// `cargo lambda` gives how long it may take instead, 600,000 for every event: as a time in 1970.
pub fn deadline(milliseconds: u64, now: Timestamp) -> Timestamp {
    let given = Duration::from_millis(milliseconds);
    let end = match given <= LONGEST_LIFE {
        true => now.checked_add(given),
        false => Timestamp::UNIX_EPOCH.checked_add(given),
    };
    let end = end.unwrap_or(Timestamp::MAX);
    match end > now {
        true => end,
        false => now + UNKNOWN_LIFE,
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

/// Logs what is reported; of a failure the first line, and the names of fields that are wrong. What
/// is secret in parameters that could not be read is not known: then there are the names alone.
fn log(report: &Report, ledger: &Ledger) {
    match report {
        Report::Success { summary, .. } => tracing::info!(summary, "reporting success"),
        Report::Progress {
            summary, percent, ..
        } => tracing::info!(summary, percent, "handing over to the next invocation"),
        Report::Failure {
            failure_type,
            code,
            message,
        } => {
            let faults = clip(&ledger.faults.borrow().join(", "), FAULTS_LIMIT);
            let faults = (!faults.is_empty()).then_some(faults);
            let cause = match ledger.may_quote_secrets(*code) {
                true => "the user parameters are wrong",
                false => message.lines().next().unwrap_or_default(),
            };
            let (kind, topic) = (failure_type.name(), code.anchor());
            tracing::error!(kind, topic, cause, faults, "reporting failure");
        }
    }
}

#[cfg(test)]
mod tests;
