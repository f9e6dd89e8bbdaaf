//! The report as a page, written where the job has an output artifact.

use super::Function;
use super::ledger::Ledger;
use crate::telemetry::{logging, traffic};
use futures_util::FutureExt;
use jiff::Timestamp;
use landfall_core::event::{Job, Output};
use landfall_core::report::Report;
use landfall_core::report::page::Page;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long the page may take, from its first byte and with all retries: the report waits for it.
const PAGE_TIME: Duration = Duration::from_secs(4);

/// Without so much there is no page: nothing interrupts the computing of one, and so long a usual
/// one takes with the least memory (docs/decisions.md). The template's lives leave seconds.
const LEAST: Duration = Duration::from_millis(100);

/// Why there is no page.
const NO_TIME: &str = "there was no time left for it";

impl Function {
    /// The report of a job that ends, with the sentence that tells where its page is, or why there
    /// is none. At least half of what is left before the `end` is kept for the report.
    pub(super) async fn with_page(
        &self,
        job: &Job,
        report: Report,
        ledger: &Ledger,
        end: Instant,
    ) -> Report {
        let Some(output) = job.output.as_deref() else {
            return report;
        };
        if matches!(report, Report::Progress { .. }) {
            return report;
        }
        let now = Instant::now();
        let until = now + PAGE_TIME.min(end.saturating_duration_since(now) / 2);
        let written = timeout_at(until, self.write(job, output, &report, ledger, until));
        let written = match AssertUnwindSafe(written).catch_unwind().await {
            Ok(Ok(written)) => written,
            Ok(Err(_)) => Err("S3 did not answer in time".to_owned()),
            Err(_) => Err("the page could not be made".to_owned()),
        };
        let written = written.map_err(|why| logging::masked(&why));
        let place = format!("s3://{}/{}", output.artifact.bucket, output.artifact.key);
        let place = logging::masked(&place);
        match written {
            Ok(()) => {
                tracing::info!(place, "the report's page was written");
                report.with_page(&place, Ok(()))
            }
            Err(why) => {
                tracing::warn!(place, why, "the report's page was not written");
                report.with_page(&place, Err(&why))
            }
        }
    }

    async fn write(
        &self,
        job: &Job,
        output: &Output,
        report: &Report,
        ledger: &Ledger,
        until: Instant,
    ) -> Result<(), String> {
        let has_time = |needed| until.saturating_duration_since(Instant::now()) > needed;
        if !has_time(LEAST) {
            return Err(NO_TIME.to_owned());
        }
        let keys = job.keys.as_ref().map_err(ToString::to_string)?;
        if output.artifact.bucket.is_empty() {
            return Err("the job does not say where in S3 it goes".to_owned());
        }
        let about = (&*job.id, Timestamp::now());
        let details = ledger.page.borrow().clone();
        let page = Page::of(report, details, about, traffic::so_far(), &logging::mask());
        let Some(page) = page else {
            return Ok(());
        };
        let archive = page.archive();
        if !has_time(Duration::ZERO) {
            return Err(NO_TIME.to_owned());
        }
        let put = self.store.put(keys, output, &archive);
        put.await.map_err(|error| error.to_string())
    }
}
