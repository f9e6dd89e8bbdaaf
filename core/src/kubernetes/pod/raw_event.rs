//! The JSON format of an event.

use super::model::Event;
use super::raw_object::{RawMetadata, clipped, null, time};
use jiff::Timestamp;
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawEvent {
    metadata: RawMetadata,
    involved_object: RawSubject,
    #[serde(rename = "type", deserialize_with = "null")]
    kind: String,
    #[serde(deserialize_with = "null")]
    reason: String,
    #[serde(deserialize_with = "clipped")]
    message: String,
    #[serde(deserialize_with = "null")]
    count: u64,
    #[serde(deserialize_with = "time")]
    last_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    event_time: Option<Timestamp>,
    series: Option<RawSeries>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawSubject {
    #[serde(deserialize_with = "null")]
    field_path: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawSeries {
    #[serde(deserialize_with = "null")]
    count: u64,
    #[serde(deserialize_with = "time")]
    last_observed_time: Option<Timestamp>,
}

/// What stands before a message that differs a little each time: it is the newest of many.
/// <https://github.com/kubernetes/client-go/blob/master/tools/record/events_cache.go>
const COMBINED: &str = "(combined from similar events): ";

impl RawSubject {
    /// The container in `spec.containers{web}`, or in the same of another list.
    fn container(&self) -> Option<&str> {
        let (_, name) = self.field_path.split_once('{')?;
        name.strip_suffix('}')
    }
}

impl From<RawEvent> for Event {
    /// Newer components write `eventTime` and `series`, older ones `lastTimestamp` and `count`.
    fn from(raw: RawEvent) -> Event {
        let series = raw.series.unwrap_or_default();
        let container = raw.involved_object.container().unwrap_or_default();
        let message = raw.message.strip_prefix(COMBINED);
        Event {
            container: container.to_owned(),
            message: message.unwrap_or(&raw.message).to_owned(),
            kind: raw.kind,
            reason: raw.reason,
            count: raw.count.max(series.count).max(1),
            last: series
                .last_observed_time
                .or(raw.last_timestamp)
                .or(raw.event_time)
                .or(raw.metadata.creation_timestamp),
        }
    }
}
