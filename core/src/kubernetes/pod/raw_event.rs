//! The JSON format of an event.

use super::model::Event;
use super::raw_object::{RawMetadata, clipped, null, time};
use jiff::Timestamp;
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawEvent {
    metadata: RawMetadata,
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
struct RawSeries {
    #[serde(deserialize_with = "null")]
    count: u64,
    #[serde(deserialize_with = "time")]
    last_observed_time: Option<Timestamp>,
}

impl From<RawEvent> for Event {
    /// Newer components write `eventTime` and `series`, older ones `lastTimestamp` and `count`.
    fn from(raw: RawEvent) -> Event {
        let series = raw.series.unwrap_or_default();
        Event {
            kind: raw.kind,
            reason: raw.reason,
            message: raw.message,
            count: raw.count.max(series.count).max(1),
            last: series
                .last_observed_time
                .or(raw.last_timestamp)
                .or(raw.event_time)
                .or(raw.metadata.creation_timestamp),
        }
    }
}
