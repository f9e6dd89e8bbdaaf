//! What is written on the Service: who is at work on it, how it was before, and the switch itself.
//! Each is one patch bound to the state that was read, so that of two writers one loses.
//!
//! A Service has no generation, and its annotations are copied nowhere: it is the one place whose
//! notes disturb no rollout.

use crate::change::{self, Author};
use crate::cluster::service::{Selector, Service, TEMPLATE_HASH, VERSION, read_selector};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Who is at work, and until when at the latest.
pub const LOCK: &str = "landfall/lock";
/// The selector that the Service had before it was narrowed to one version's pods.
pub const WIDE_SELECTOR: &str = "landfall/wide-selector";
/// The selector before the switch.
pub const SELECTOR_BEFORE: &str = "landfall/selector-before";
/// The Deployment that served before the last switch.
pub const FROM: &str = "landfall/from";
/// The Deployment that the last switch was to.
pub const TO: &str = "landfall/to";
/// On the preview Service: whose it is.
pub const PREVIEW_OF: &str = "landfall/preview-of";

/// How long after its deadline a lock counts: the last write may still be under way, and clocks
/// differ.
pub const LOCK_MARGIN: Duration = Duration::from_secs(120);

/// The lock on a Service. It expires by itself: nobody has to be alive to give it back.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Lock {
    /// The pipeline's execution.
    pub execution: String,
    /// The first job of the deploy.
    pub job: String,
    /// The version that is to take over.
    pub version: String,
    /// When the deploy began.
    pub since: Timestamp,
    /// When it must be over.
    pub deadline: Timestamp,
}

impl Lock {
    /// Reads the lock; one that cannot be read is none.
    pub fn read(service: &Service) -> Option<Lock> {
        serde_json::from_str(service.annotation(LOCK)?).ok()
    }

    /// When it counts no longer.
    pub fn expires(&self) -> Timestamp {
        self.deadline
            .checked_add(LOCK_MARGIN)
            .unwrap_or(Timestamp::MAX)
    }

    fn text(&self) -> Value {
        let text = serde_json::to_string(self).expect("plain data is always JSON");
        Value::String(text)
    }
}

/// The selector that the Service had before it was narrowed, where it is.
pub fn wide_selector(service: &Service) -> Option<Selector> {
    kept_selector(service, WIDE_SELECTOR)
}

/// The selector that the Service had before the last switch.
pub fn selector_before(service: &Service) -> Option<Selector> {
    kept_selector(service, SELECTOR_BEFORE)
}

fn kept_selector(service: &Service, annotation: &str) -> Option<Selector> {
    let kept: Value = serde_json::from_str(service.annotation(annotation)?).ok()?;
    Some(read_selector(Some(&kept))).filter(|selector| !selector.is_empty())
}

/// The selector without what tells versions apart.
pub fn common(selector: &Selector) -> Selector {
    let mut common = selector.clone();
    common.retain(|key, _| ![VERSION, TEMPLATE_HASH].contains(&key.as_str()));
    common
}

/// The selector of one version.
pub fn of_version(selector: &Selector, version: &str) -> Selector {
    let mut narrow = common(selector);
    narrow.insert(VERSION.to_owned(), version.to_owned());
    narrow
}

/// Takes the lock. `narrow`: at the same time the Service is held to the pods of the one ReplicaSet
/// that serves, so that no other pod gets traffic by labels alone.
pub fn take(service: &Service, lock: &Lock, narrow: Option<&str>) -> Value {
    let dead = Lock::read(service).map(|lock| lock.job);
    let mut notes = named([
        (LOCK, lock.text()),
        (
            change::SUPERSEDED,
            json!(superseded(service, dead, &lock.job)),
        ),
    ]);
    let Some(hash) = narrow else {
        return patch(service, notes, None);
    };
    let wide = service.selector();
    notes.insert(WIDE_SELECTOR.to_owned(), text(&wide));
    let mut narrowed = wide;
    narrowed.insert(TEMPLATE_HASH.to_owned(), hash.to_owned());
    patch(service, notes, Some(&narrowed))
}

/// The switch. From here on the Service tells that it was made, when, by whom, and the way back.
pub fn switch(service: &Service, lock: &Lock, from: &str, to: (&str, &str), by: &Author) -> Value {
    let (name, version) = to;
    let last = service.annotation(change::JOB).map(str::to_owned);
    let superseded = superseded(service, last, by.job);
    let notes = [
        (LOCK, lock.text()),
        (change::EXECUTION, json!(by.execution)),
        (change::JOB, json!(by.job)),
        (change::DEPLOYED_AT, json!(by.now.to_string())),
        (change::SUPERSEDED, json!(superseded)),
        (change::ROLLED_BACK, Value::Null),
        (change::CAUSE, Value::Null),
        (FROM, json!(from)),
        (TO, json!(name)),
        (SELECTOR_BEFORE, text(&service.selector())),
    ];
    let selector = of_version(&service.selector(), version);
    patch(service, named(notes), Some(&selector))
}

/// Takes over a deploy that died after its switch: the same switch, by another job.
pub fn take_over(service: &Service, lock: &Lock, by: &Author) -> Value {
    let dead = Lock::read(service).map(|lock| lock.job);
    let notes = [
        (LOCK, lock.text()),
        (change::EXECUTION, json!(by.execution)),
        (change::JOB, json!(by.job)),
        (change::SUPERSEDED, json!(superseded(service, dead, by.job))),
    ];
    patch(service, named(notes), None)
}

/// Writes down that the deploy failed and why, before anything is taken back; `back` is the selector
/// that is to hold again.
pub fn mark(
    service: &Service,
    lock: &Lock,
    job: &str,
    cause: &str,
    back: Option<&Selector>,
) -> Value {
    let notes = [
        (LOCK, lock.text()),
        (change::SUPERSEDED, json!(superseded(service, None, job))),
        (change::ROLLED_BACK, json!(job)),
        (change::CAUSE, json!(cause)),
    ];
    patch(service, named(notes), back)
}

/// The same where nothing is to be taken back: the lock is given up at once.
pub fn mark_and_release(service: &Service, job: &str, cause: &str) -> Value {
    let notes = [
        (LOCK, Value::Null),
        (WIDE_SELECTOR, Value::Null),
        (SELECTOR_BEFORE, Value::Null),
        (change::SUPERSEDED, json!(superseded(service, None, job))),
        (change::ROLLED_BACK, json!(job)),
        (change::CAUSE, json!(cause)),
    ];
    patch(service, named(notes), None)
}

/// Gives the lock up. `wide`: the selector that the Service had before it was narrowed.
pub fn release(service: &Service, wide: Option<&Selector>) -> Value {
    let notes = [
        (LOCK, Value::Null),
        (WIDE_SELECTOR, Value::Null),
        (SELECTOR_BEFORE, Value::Null),
    ];
    patch(service, named(notes), wide)
}

/// The jobs that others came after, newest first: a late repetition of one stops. `last` is one
/// that this write comes after, and so is the one that failed the last time.
fn superseded(service: &Service, last: Option<String>, job: &str) -> Option<String> {
    let older = service.annotation(change::SUPERSEDED).unwrap_or_default();
    let failed = service.annotation(change::ROLLED_BACK);
    let mut all: Vec<&str> = Vec::new();
    for other in last
        .as_deref()
        .into_iter()
        .chain(failed)
        .chain(older.split(','))
    {
        if other != job && !other.is_empty() && !all.contains(&other) {
            all.push(other);
        }
    }
    all.truncate(change::SUPERSEDED_LIMIT);
    (!all.is_empty()).then(|| all.join(","))
}

fn named<const N: usize>(notes: [(&str, Value); N]) -> Map<String, Value> {
    let notes = notes.into_iter();
    notes
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn text(selector: &Selector) -> Value {
    Value::String(json!(selector).to_string())
}

/// A merge patch; a label of the selector that is not wanted any more is removed by `null`.
fn patch(service: &Service, notes: Map<String, Value>, selector: Option<&Selector>) -> Value {
    let mut patch = json!({"metadata": {
        "resourceVersion": service.resource_version(), "annotations": notes}});
    if let Some(wanted) = selector {
        let gone = service.selector().into_keys();
        let gone = gone.filter(|key| !wanted.contains_key(key));
        let mut labels = gone.map(|key| (key, Value::Null)).collect::<Map<_, _>>();
        labels.extend(
            wanted
                .iter()
                .map(|(key, value)| (key.clone(), json!(value))),
        );
        patch["spec"] = json!({"selector": labels});
    }
    patch
}
