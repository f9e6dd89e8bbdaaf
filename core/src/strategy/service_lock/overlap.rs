//! The overlap of a switch: both versions serve, by the labels that they have in common. The
//! Service says so, and which of them leaves.

use super::{
    Failed, Lock, common, mark, named, of_version, patch, select, selector_before, switch,
};
use crate::change::Author;
use crate::kubernetes::service::{Selector, Service};
use crate::state::marks::{self, LOCK, OVERLAP};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// An overlap that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Overlap {
    /// Which version leaves when it is over.
    pub leaves: Leaves,
    /// For how many seconds both versions serve.
    pub seconds: u64,
    /// Since when it counts: since the Service was seen to send to all pods of the version that
    /// stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// Which version leaves the Service when an overlap is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Leaves {
    /// The one that served before.
    Old,
    /// The one that the switch was to: it has failed.
    New,
}

impl Overlap {
    /// One that begins.
    pub fn of(leaves: Leaves, time: Duration) -> Overlap {
        Overlap {
            leaves,
            seconds: time.as_secs(),
            since: None,
        }
    }

    /// The overlap that a Service says is under way, where it selects by it. What somebody else has
    /// set the selector to since is none.
    pub fn read(service: &Service) -> Option<Overlap> {
        let overlap = serde_json::from_str(service.annotation(OVERLAP)?).ok()?;
        let before = selector_before(service)?;
        (service.selector() == common(&before)).then_some(overlap)
    }

    /// For how long both versions serve.
    pub fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// When it is over, once it counts.
    pub fn until(&self) -> Option<Timestamp> {
        Some(self.since? + self.time())
    }

    fn text(&self) -> Value {
        Value::String(json!(self).to_string())
    }
}

/// The first half of a switch: from here on both versions serve.
pub fn widen(
    service: &Service,
    lock: &Lock,
    from: &str,
    to: (&str, &str),
    by: &Author,
    time: Duration,
) -> Value {
    let both = common(&service.selector());
    let selecting = patch(service, named([]), Some(&both));
    let mut patch = switch(service, lock, from, to, by);
    patch["spec"] = selecting["spec"].clone();
    patch["metadata"]["annotations"][OVERLAP] = Overlap::of(Leaves::Old, time).text();
    patch
}

/// Says since when an overlap counts.
pub fn count(service: &Service, overlap: &Overlap, lock: Option<&Lock>, now: Timestamp) -> Value {
    let counted = Overlap {
        since: Some(now),
        ..*overlap
    };
    let mut notes = named([(OVERLAP, counted.text())]);
    notes.extend(lock.map(|lock| (LOCK.to_owned(), lock.text())));
    patch(service, notes, None)
}

/// The second half of a switch: the old version leaves, and the bake begins.
pub fn narrow(service: &Service, lock: &Lock, now: Timestamp) -> Value {
    let selector = of_version(&service.selector(), &lock.version);
    let notes = [
        (LOCK, lock.text()),
        (marks::DEPLOYED_AT, json!(now.to_string())),
        (OVERLAP, Value::Null),
    ];
    patch(service, named(notes), Some(&selector))
}

/// Ends an overlap with the version that this selector finds, and leaves every other note as it is.
pub fn end(service: &Service, selector: &Selector) -> Value {
    let mut patch = select(service, selector, true);
    patch["metadata"]["annotations"][OVERLAP] = Value::Null;
    patch
}

/// The first half of a way back: the failure is written down, and both versions serve.
pub fn widen_back(service: &Service, lock: &Lock, failed: &Failed, time: Duration) -> Value {
    let both = common(&service.selector());
    let mut patch = mark(service, lock, failed, Some(&both));
    patch["metadata"]["annotations"][OVERLAP] = Overlap::of(Leaves::New, time).text();
    patch
}

#[cfg(test)]
mod tests;
