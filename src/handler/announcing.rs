//! The event of a deploy's end, for the bus that the environment names.

use super::Function;
use super::ledger::Ledger;
use crate::aws::eventbridge;
use crate::telemetry::{logging, traffic};
use jiff::Timestamp;
use landfall_core::event::Job;
use landfall_core::report::Report;
use landfall_core::report::page::{Details, Page};
use landfall_core::workload::health::diagnosis::Evidence;
use std::time::Duration;
use tokio::time::Instant;

/// How long the event may take with all retries: the function is billed for it.
const EVENT_TIME: Duration = Duration::from_secs(2);

/// The message about parameters that could not be read: the report's own may quote them.
const UNREAD: &str = "The user parameters are wrong: the report says what of them.";

/// The detail of an event, and the bus that it goes to.
pub(super) type Announcement<'a> = (&'a str, String);

impl Function {
    /// The event of a job that has ended, where there is a bus for it.
    pub(super) fn announcement(
        &self,
        job: &Job,
        report: &Report,
        ledger: &Ledger,
    ) -> Option<Announcement<'_>> {
        let environment = self.access.environment.as_ref().ok()?;
        let bus = environment.event_bus.as_deref()?;
        // The evidence is in the report's page alone.
        let details = ledger.page.take().map(|details| Details {
            evidence: Evidence::default(),
            changes: Vec::new(),
            warnings: Vec::new(),
            ..details
        });
        let unread;
        let report = if let Report::Failure {
            failure_type, code, ..
        } = report
            && ledger.may_quote_secrets(*code)
        {
            unread = Report::Failure {
                failure_type: *failure_type,
                code: *code,
                message: UNREAD.to_owned(),
            };
            &unread
        } else {
            report
        };
        let about = (&*job.id, Timestamp::now());
        let page = Page::of(report, details, about, traffic::so_far(), &logging::mask())?;
        Some((bus, page.announcement(ledger.is_outage())))
    }

    /// Puts an event on its bus, in the time until `last`. No verdict depends on it: a failure is
    /// only logged.
    pub(super) async fn announce(&self, announcement: Option<Announcement<'_>>, last: Instant) {
        let Some((bus, detail)) = announcement else {
            return;
        };
        let until = last.min(Instant::now() + EVENT_TIME);
        if let Err(why) = eventbridge::put(&self.access.aws, bus, &detail, until).await {
            let why = logging::masked(&why);
            tracing::warn!(
                bus,
                why,
                "EventBridge did not confirm the event of the deploy's end"
            );
        }
    }
}
