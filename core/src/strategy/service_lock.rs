//! What is written on the Service: who is at work on it, how it was before, and the switch itself.
//! Each is one patch bound to the state that was read, so that of two writers one loses.
//!
//! A Service has no generation, and its annotations are copied nowhere: it is the one place whose
//! notes disturb no rollout.

mod noted;
pub mod overlap;
pub mod sharing;
pub mod taken_back;

pub use noted::{common, from, of_version, original_selector, selector_before, served, to};

use super::handover::Handover;
use crate::change::{self, Author};
use crate::kubernetes::service::{Selector, Service};
use crate::state::lease;
use crate::state::marks::{
    self, AWAITED, FROM, HANDOVER, LOCK, ORIGINAL_SELECTOR, OVERLAP, RETIRING, SELECTOR_BEFORE,
    SHARES, TAKEN_BACK, TO, VERSION,
};
use crate::workload::TEMPLATE_HASH;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

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
    /// Since when the alarms guard what it is about, where there are any: the first write of this
    /// deploy, or of the dead one that it goes on with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guarded: Option<Timestamp>,
    /// When it must be over.
    pub deadline: Timestamp,
    /// The selector that the Service was left with when the lock was taken: another one is
    /// somebody else's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// How many replicas were wanted at the switch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<i64>,
    /// The route by which the holder moves traffic. Only a canary over the same route can bring it
    /// to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The selector that held the Service to one version, while it sends to two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Selector>,
    /// The share of the candidate, while the Service sends to both versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// How the switch hands over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
    /// Whether no Service for a smoke test is made under this lock, nor was under the one before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untested: bool,
    /// Whether it is a rollback on demand.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub back: bool,
    /// Whether an alarm rang when it was taken, which held nothing up because the version served
    /// before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returns: bool,
}

/// A deploy that failed.
pub struct Failed<'a> {
    /// Its job.
    pub job: &'a str,
    /// Why.
    pub cause: &'a str,
    /// When that is written down.
    pub at: Timestamp,
}

impl Failed<'_> {
    fn notes(&self, service: &Service) -> Map<String, Value> {
        let superseded = superseded(service, None, self.job);
        named([
            (marks::SUPERSEDED, json!(superseded)),
            (marks::ROLLED_BACK, json!(self.job)),
            (marks::ROLLED_BACK_AT, json!(self.at.to_string())),
            (marks::CAUSE, json!(self.cause)),
        ])
    }
}

/// The share of a candidate, by its pods.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Share {
    /// Which step it is, from 0.
    pub step: usize,
    /// What it really is in percent.
    pub percent: u8,
    /// Since when.
    pub at: Timestamp,
}

impl Lock {
    /// Whether the Service selects by what its holder has written, as far as that is known.
    pub fn selects_by(&self, selector: &Selector) -> bool {
        let written = self.selector.as_ref();
        written.is_none_or(|written| written == selector)
    }

    /// Reads the lock; one that cannot be read is none.
    pub fn read(service: &Service) -> Option<Lock> {
        serde_json::from_str(service.annotation(LOCK)?).ok()
    }

    /// Since when the alarms guard what it is about.
    pub fn guarded_since(&self) -> Timestamp {
        self.guarded.unwrap_or(self.since)
    }

    /// Whether the deploy has switched the Service, which sends to its version.
    pub fn has_switched(&self, service: &Service) -> bool {
        service.annotation(marks::JOB) == Some(&self.job)
            && service.selector().get(VERSION) == Some(&self.version)
    }

    /// When it counts no longer. No deploy lives longer than its action, whatever the lock says.
    pub fn expires(&self) -> Timestamp {
        lease::expires(self.since, self.deadline)
    }

    /// Whether it counts. One that begins in the future was written by no clock of ours.
    pub fn holds(&self, now: Timestamp) -> bool {
        lease::holds(self.since, self.deadline, now)
    }

    /// The same once the Service sends to one version again.
    fn alone(&self) -> Lock {
        Lock {
            pinned: None,
            share: None,
            ..self.clone()
        }
    }

    fn text(&self) -> Value {
        let text = serde_json::to_string(self).expect("plain data is always JSON");
        Value::String(text)
    }
}

/// What holds a Service to the pods that serve, so that no other gets traffic by labels alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pin<'a> {
    /// It is held to one version already.
    Not,
    /// The hash of the one ReplicaSet of a Deployment that is adopted.
    Hash(&'a str),
    /// By the selector that held it before a canary gave both versions their share.
    As(&'a Selector),
    /// The version that serves: somebody has set the selector back.
    Version(&'a str),
}

/// Takes the lock, and narrows the Service by the same write.
pub fn take(service: &Service, lock: &Lock, narrow: Pin<'_>) -> Value {
    let dead = Lock::read(service);
    let mut selector = service.selector();
    let gives_back = |dead: &Lock| dead.share.is_some() && dead.execution == lock.execution;
    // What a dead deploy of this execution had given is taken back by this one.
    let shares = (!dead.as_ref().is_some_and(gives_back)).then_some(SHARES);
    let dead = dead.map(|dead| dead.job);
    let mut notes = named([
        (
            marks::SUPERSEDED,
            json!(superseded(service, dead, &lock.job)),
        ),
        (RETIRING, Value::Null),
    ]);
    let waiting = passed_on(service, lock);
    // A rollback leaves who waited: what they waited for may be what it takes back.
    let awaited = (!lock.back && waiting.is_none()).then_some(AWAITED);
    let all = [OVERLAP, TAKEN_BACK].into_iter().chain(shares);
    let all = all.chain(awaited);
    notes.extend(all.filter_map(|note| gone(service, note)).chain(waiting));
    match narrow {
        Pin::Not => {}
        Pin::Hash(hash) => {
            // A dead deploy may have narrowed it to what is no more.
            let wide = original_selector(service).unwrap_or_else(|| common(&selector));
            notes.insert(ORIGINAL_SELECTOR.to_owned(), text(&wide));
            selector.insert(TEMPLATE_HASH.to_owned(), hash.to_owned());
        }
        Pin::As(before) => selector = before.clone(),
        Pin::Version(version) => {
            selector.insert(VERSION.to_owned(), version.to_owned());
        }
    }
    let lock = Lock {
        selector: Some(selector.clone()),
        ..lock.clone()
    };
    notes.insert(LOCK.to_owned(), lock.text());
    patch(service, notes, (narrow != Pin::Not).then_some(&selector))
}

/// Gives the Service another selector, and leaves every note as it is; `held`: it is one that holds
/// it to one version's pods still.
pub fn select(service: &Service, selector: &Selector, held: bool) -> Value {
    let mut notes = Map::new();
    if !held {
        notes.insert(ORIGINAL_SELECTOR.to_owned(), Value::Null);
    }
    patch(service, notes, Some(selector))
}

/// The switch. From here on the Service tells that it was made, when, by whom, and the way back.
pub fn switch(service: &Service, lock: &Lock, from: &str, to: (&str, &str), by: &Author) -> Value {
    let (name, version) = to;
    let last = service.annotation(marks::JOB).map(str::to_owned);
    let superseded = superseded(service, last, by.job);
    let own = service.selector();
    // Nobody goes back to both versions.
    let before = lock.pinned.as_ref().unwrap_or(&own);
    let lock = lock.alone();
    let notes = [
        (LOCK, lock.text()),
        (marks::EXECUTION, json!(by.execution)),
        (marks::JOB, json!(by.job)),
        (marks::DEPLOYED_AT, json!(by.now.to_string())),
        (marks::SUPERSEDED, json!(superseded)),
        (marks::ROLLED_BACK, Value::Null),
        (marks::ROLLED_BACK_AT, Value::Null),
        (marks::CAUSE, Value::Null),
        (FROM, json!(from)),
        (TO, json!(name)),
        (SELECTOR_BEFORE, text(before)),
        (RETIRING, Value::Null),
    ];
    let mut notes = named(notes);
    notes.extend(
        gone(service, OVERLAP)
            .into_iter()
            .chain(gone(service, HANDOVER)),
    );
    if let Some(handover) = &lock.handover {
        notes.insert(HANDOVER.to_owned(), json!(json!(handover).to_string()));
    }
    let selector = of_version(&service.selector(), version);
    patch(service, notes, Some(&selector))
}

/// The switch of a canary, whose candidate gets all traffic by the route already: nothing switches
/// back after it.
pub fn promote(service: &Service, lock: &Lock, from: &str, to: (&str, &str), by: &Author) -> Value {
    let mut patch = switch(service, lock, from, to, by);
    patch["metadata"]["annotations"][RETIRING] = json!("true");
    patch
}

/// Says that the new version serves again since it was scaled up again: its bake begins anew.
pub fn bake_anew(service: &Service, lock: &Lock, now: Timestamp) -> Value {
    let notes = [
        (LOCK, lock.text()),
        (marks::DEPLOYED_AT, json!(now.to_string())),
    ];
    patch(service, named(notes), None)
}

/// Says that the old version goes. A write that has read the Service before comes too late after
/// this one, and so does a switch back.
pub fn retire(service: &Service) -> Value {
    patch(service, named([(RETIRING, json!("true"))]), None)
}

/// Takes over a deploy that died after its switch: the same switch, by another job.
pub fn take_over(service: &Service, lock: &Lock, by: &Author) -> Value {
    let dead = Lock::read(service).map(|lock| lock.job);
    let notes = [
        (LOCK, lock.text()),
        (marks::EXECUTION, json!(by.execution)),
        (marks::JOB, json!(by.job)),
        (marks::SUPERSEDED, json!(superseded(service, dead, by.job))),
    ];
    let notes = named(notes).into_iter();
    let notes = notes.chain(passed_on(service, lock));
    patch(service, notes.collect(), None)
}

/// The note of who waits, where this lock takes the place of a dead one that they wait for: they
/// wait for whoever goes on from there. A rollback that takes a deploy back leaves it as it is.
fn passed_on(service: &Service, lock: &Lock) -> Option<(String, Value)> {
    let dead = Lock::read(service).filter(|dead| dead.back || !lock.back)?;
    noted::passed_on(service, &dead.job, &lock.job)
}

/// Writes down that the deploy failed and why, before anything is taken back; `back` is the
/// selector that is to hold again.
pub fn mark(service: &Service, lock: &Lock, failed: &Failed, back: Option<&Selector>) -> Value {
    let back = back.or(lock.pinned.as_ref());
    let mut notes = named([(LOCK, lock.alone().text())]);
    notes.extend(failed.notes(service));
    notes.extend(gone(service, OVERLAP));
    patch(service, notes, back)
}

/// The same where nothing is to be taken back: the lock is given up at once. `selector` is the one
/// that the Service is left with, where that is another.
pub fn mark_and_release(service: &Service, failed: &Failed, selector: Option<&Selector>) -> Value {
    let mut notes = given_up(service);
    notes.extend(failed.notes(service));
    patch(service, notes, selector)
}

/// The same where somebody else has sent the Service elsewhere: this job is over, and so known.
pub fn step_aside(service: &Service, job: &str) -> Value {
    let superseded = superseded(service, Some(job.to_owned()), "");
    let mut notes = given_up(service);
    notes.extend(named([(marks::SUPERSEDED, json!(superseded))]));
    patch(service, notes, None)
}

/// Gives the lock up. `wide`: the selector that the Service had before it was narrowed.
pub fn release(service: &Service, wide: Option<&Selector>) -> Value {
    patch(service, given_up(service), wide)
}

/// Everything that is there only while somebody is at work.
fn given_up(service: &Service) -> Map<String, Value> {
    let all = [LOCK, ORIGINAL_SELECTOR, SELECTOR_BEFORE, RETIRING];
    let mut notes = named(all.map(|note| (note, Value::Null)));
    notes.extend(gone(service, OVERLAP));
    notes
}

/// The jobs that others came after, newest first: a late repetition of one stops. `last` is one
/// that this write comes after, and so is the one that failed the last time.
fn superseded(service: &Service, last: Option<String>, job: &str) -> Option<String> {
    let older = service.annotation(marks::SUPERSEDED).unwrap_or_default();
    let failed = service.annotation(marks::ROLLED_BACK);
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

/// Removes a note, where it is there.
fn gone(service: &Service, note: &str) -> Option<(String, Value)> {
    service.annotation(note)?;
    Some((note.to_owned(), Value::Null))
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

#[cfg(test)]
mod tests;
