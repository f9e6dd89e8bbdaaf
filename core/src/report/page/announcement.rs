//! The event for an event bus: what the page has as data, without the evidence.

use super::Page;
use super::model::{FailureKind, Happened, RolledBackTo, Target, VersionSeen};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// The detail of the event.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Announcement<'a> {
    format: u32,
    outcome: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a FailureKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back_to: Option<&'a RolledBackTo>,
    outage: bool,
    job: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deploy: Option<&'a Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<Timestamp>,
    ended: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<i64>,
    variables: &'a BTreeMap<&'static str, String>,
    versions: &'a [VersionSeen],
    marks: &'a [Happened],
}

impl Page {
    /// The detail of the event as JSON, by docs/event.schema.json. `outage` is whether nothing
    /// serves any more.
    pub fn announcement(&self, outage: bool) -> String {
        let since = |started| self.ended.duration_since(started).as_secs().max(0);
        let announcement = Announcement {
            format: self.format,
            outcome: self.outcome,
            message: &self.message,
            failure: self.failure.as_ref(),
            rolled_back_to: self.rolled_back_to.as_ref(),
            outage,
            job: &self.job,
            deploy: self.deploy.as_ref(),
            started: self.started,
            ended: self.ended,
            seconds: self.started.map(since),
            variables: &self.variables,
            versions: &self.versions,
            marks: &self.marks,
        };
        serde_json::to_string(&announcement).expect("plain data is always JSON")
    }
}
