//! What is written on the Service: who is at work on it, how it was before, and the switch itself.
//! Each is one patch bound to the state that was read, so that of two writers one loses.
//!
//! A Service has no generation, and its annotations are copied nowhere: it is the one place whose
//! notes disturb no rollout.

use crate::change::{self, Author};
use crate::cluster::name::{self, Name, Rule, is_label_key, is_label_value};
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
/// The old version is being scaled down: from now on there is no switching back.
pub const RETIRING: &str = "landfall/retiring";
/// On the preview Service: whose it is.
pub const PREVIEW_OF: &str = "landfall/preview-of";

/// How long after its deadline a lock counts: the last write may still be under way, and clocks
/// differ.
pub const LOCK_MARGIN: Duration = Duration::from_secs(120);

/// How long a deploy may live: CodePipeline gives a Lambda action 24 hours in all.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>
pub const LONGEST_DEPLOY: Duration = Duration::from_secs(86_400);

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
    /// The selector that the Service was left with when the lock was taken: another one is
    /// somebody else's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// How many replicas were wanted at the switch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<i64>,
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

    /// When it counts no longer. No deploy lives longer than its action, whatever the lock says.
    pub fn expires(&self) -> Timestamp {
        let last = self.since.saturating_add(LONGEST_DEPLOY);
        let last = last.map_or(self.deadline, |last| last.min(self.deadline));
        last.checked_add(LOCK_MARGIN).unwrap_or(Timestamp::MAX)
    }

    /// Whether it counts. One that begins in the future was written by no clock of ours.
    pub fn holds(&self, now: Timestamp) -> bool {
        let known = now.checked_add(LOCK_MARGIN).unwrap_or(Timestamp::MAX);
        self.since <= known && self.expires() > now
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

/// The Deployment that served before the last switch, where the note is a valid name.
pub fn from(service: &Service) -> Option<&str> {
    noted_name(service, FROM)
}

/// The Deployment that the last switch was to, where the note is a valid name.
pub fn to(service: &Service) -> Option<&str> {
    noted_name(service, TO)
}

fn noted_name<'a>(service: &'a Service, note: &'static str) -> Option<&'a str> {
    let text = service.annotation(note)?;
    Name::noted(note, text, Rule::Subdomain).map(|_| text)
}

/// A selector with a label that Kubernetes would refuse was not written by us.
fn kept_selector(service: &Service, annotation: &'static str) -> Option<Selector> {
    let text = service.annotation(annotation)?;
    let kept = serde_json::from_str::<Value>(text).ok();
    let kept = kept.map(|kept| read_selector(Some(&kept)));
    let valid = |(key, value): (&String, &String)| is_label_key(key) && is_label_value(value);
    let kept = kept.filter(|selector| !selector.is_empty() && selector.iter().all(valid));
    if kept.is_none() {
        name::ignored(annotation);
    }
    kept
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

/// What holds a Service to the pods that serve, so that no other gets traffic by labels alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Narrow<'a> {
    /// It is held to one version already.
    Not,
    /// The hash of the one ReplicaSet of a Deployment that is adopted.
    Hash(&'a str),
    /// The version that serves: somebody has set the selector back.
    Version(&'a str),
}

/// Takes the lock, and narrows the Service by the same write.
pub fn take(service: &Service, lock: &Lock, narrow: Narrow<'_>) -> Value {
    let dead = Lock::read(service).map(|lock| lock.job);
    let mut selector = service.selector();
    let mut notes = named([
        (
            change::SUPERSEDED,
            json!(superseded(service, dead, &lock.job)),
        ),
        (RETIRING, Value::Null),
    ]);
    match narrow {
        Narrow::Not => {}
        Narrow::Hash(hash) => {
            // A dead deploy may have narrowed it to what is no more.
            let wide = wide_selector(service).unwrap_or_else(|| common(&selector));
            notes.insert(WIDE_SELECTOR.to_owned(), text(&wide));
            selector.insert(TEMPLATE_HASH.to_owned(), hash.to_owned());
        }
        Narrow::Version(version) => {
            selector.insert(VERSION.to_owned(), version.to_owned());
        }
    }
    let lock = Lock {
        selector: Some(selector.clone()),
        ..lock.clone()
    };
    notes.insert(LOCK.to_owned(), lock.text());
    patch(service, notes, (narrow != Narrow::Not).then_some(&selector))
}

/// Gives the Service another selector, and leaves every note as it is; `held`: it is one that holds
/// it to one version's pods still.
pub fn select(service: &Service, selector: &Selector, held: bool) -> Value {
    let mut notes = Map::new();
    if !held {
        notes.insert(WIDE_SELECTOR.to_owned(), Value::Null);
    }
    patch(service, notes, Some(selector))
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
        (RETIRING, Value::Null),
    ];
    let selector = of_version(&service.selector(), version);
    patch(service, named(notes), Some(&selector))
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
        (change::EXECUTION, json!(by.execution)),
        (change::JOB, json!(by.job)),
        (change::SUPERSEDED, json!(superseded(service, dead, by.job))),
    ];
    patch(service, named(notes), None)
}

/// Writes down that the deploy failed and why, before anything is taken back; `back` is the
/// selector that is to hold again.
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
    let mut notes = given_up();
    notes.extend(named([
        (change::SUPERSEDED, json!(superseded(service, None, job))),
        (change::ROLLED_BACK, json!(job)),
        (change::CAUSE, json!(cause)),
    ]));
    patch(service, notes, None)
}

/// The same where somebody else has sent the Service elsewhere: this job is over, and so known.
pub fn step_aside(service: &Service, job: &str) -> Value {
    let superseded = superseded(service, Some(job.to_owned()), "");
    let mut notes = given_up();
    notes.extend(named([(change::SUPERSEDED, json!(superseded))]));
    patch(service, notes, None)
}

/// Gives the lock up. `wide`: the selector that the Service had before it was narrowed.
pub fn release(service: &Service, wide: Option<&Selector>) -> Value {
    patch(service, given_up(), wide)
}

/// Everything that is there only while somebody is at work.
fn given_up() -> Map<String, Value> {
    named([LOCK, WIDE_SELECTOR, SELECTOR_BEFORE, RETIRING].map(|note| (note, Value::Null)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn lock() -> Lock {
        Lock {
            execution: "run-2".into(),
            job: "job-2".into(),
            version: "blue".into(),
            since: at("2026-01-01T00:00:00Z"),
            deadline: at("2026-01-01T00:15:00Z"),
            selector: None,
            wanted: None,
        }
    }

    fn service(selector: Value, notes: Value) -> Service {
        Service::new(
            json!({"metadata": {"resourceVersion": "3", "annotations": notes},
            "spec": {"selector": selector}}),
        )
    }

    fn by() -> Author<'static> {
        Author {
            execution: "run-2",
            job: "job-2",
            now: at("2026-01-01T00:01:00Z"),
        }
    }

    /// The Service after a patch, as RFC 7396 has it.
    fn patched(service: &Value, patch: &Value) -> Value {
        let Value::Object(changes) = patch else {
            return patch.clone();
        };
        let mut object = service.as_object().cloned().unwrap_or_default();
        for (key, change) in changes {
            let old = object.remove(key).unwrap_or_default();
            if !change.is_null() {
                object.insert(key.clone(), patched(&old, change));
            }
        }
        Value::Object(object)
    }

    #[test]
    fn a_lock_is_read_back_and_what_is_none_is_none() {
        let written = service(json!({}), json!({LOCK: lock().text()}));
        assert_eq!(Lock::read(&written), Some(lock()));
        assert_eq!(lock().expires(), at("2026-01-01T00:17:00Z"));
        for other in [
            json!({}),
            json!({LOCK: "{}"}),
            json!({LOCK: "x"}),
            json!({LOCK: 7}),
        ] {
            assert_eq!(Lock::read(&service(json!({}), other)), None);
        }
    }

    #[test]
    fn a_lock_ends_with_the_life_of_its_action_at_the_latest() {
        let (begun, next_day) = ("2026-01-01T00:00:00Z", "2026-01-02T00:02:00Z");
        for (since, deadline, expected) in [
            (begun, "2026-01-01T00:15:00Z", "2026-01-01T00:17:00Z"),
            (begun, "2026-01-02T00:00:00Z", next_day),
            (begun, "9999-12-30T22:00:00Z", next_day),
        ] {
            let lock = Lock {
                since: at(since),
                deadline: at(deadline),
                ..lock()
            };
            assert_eq!(lock.expires(), at(expected), "{deadline}");
            assert!(lock.holds(at(begun)) && !lock.holds(at(expected)));
        }
        let future = Lock {
            since: at("9998-01-01T00:00:00Z"),
            deadline: at("9999-01-01T00:00:00Z"),
            ..lock()
        };
        assert!(!future.holds(at(begun)), "nobody has begun in the future");
        let ahead = Lock {
            since: at("2026-01-01T00:01:00Z"),
            ..lock()
        };
        assert!(ahead.holds(at(begun)), "clocks differ");
        let last = Lock {
            since: Timestamp::MAX,
            deadline: Timestamp::MAX,
            ..lock()
        };
        assert_eq!(last.expires(), Timestamp::MAX);
    }

    #[test]
    fn every_write_is_bound_to_what_was_read() {
        let seen = service(json!({"app": "web"}), json!({}));
        let selector = seen.selector();
        for patch in [
            take(&seen, &lock(), Narrow::Hash("h")),
            take(&seen, &lock(), Narrow::Version("blue")),
            switch(&seen, &lock(), "web", ("web-blue", "blue"), &by()),
            take_over(&seen, &lock(), &by()),
            mark(&seen, &lock(), "job-2", "it broke", Some(&selector)),
            mark_and_release(&seen, "job-2", "it broke"),
            step_aside(&seen, "job-2"),
            release(&seen, None),
        ] {
            assert_eq!(patch["metadata"]["resourceVersion"], "3", "{patch}");
        }
    }

    #[test]
    fn there_and_back_again() {
        let plain = json!({"metadata": {"resourceVersion": "3", "annotations": {"kept": "1"}},
            "spec": {"selector": {"app": "web"}, "ports": []}});
        let see = |object: &Value| Service::new(object.clone());
        let narrowed = patched(&plain, &take(&see(&plain), &lock(), Narrow::Hash("h")));
        let selector = &narrowed["spec"]["selector"];
        assert_eq!(*selector, json!({"app": "web", TEMPLATE_HASH: "h"}));
        let to = ("web-blue", "blue");
        let patch = switch(&see(&narrowed), &lock(), "web", to, &by());
        let switched = patched(&narrowed, &patch);
        let selector = &switched["spec"]["selector"];
        assert_eq!(*selector, json!({"app": "web", VERSION: "blue"}));
        let before = selector_before(&see(&switched)).unwrap();
        let patch = mark(&see(&switched), &lock(), "job-2", "it broke", Some(&before));
        let back = patched(&switched, &patch);
        assert_eq!(back["spec"], narrowed["spec"]);
        let wide = wide_selector(&see(&back));
        let released = patched(&back, &release(&see(&back), wide.as_ref()));
        assert_eq!(released["spec"], plain["spec"]);
        let notes = released["metadata"]["annotations"].as_object().unwrap();
        let names = notes
            .keys()
            .map(|name| name.trim_start_matches("landfall/"));
        assert_eq!(
            names.collect::<Vec<_>>(),
            [
                "kept",
                "cause",
                "deployed-at",
                "execution",
                "from",
                "job",
                "rolled-back",
                "to"
            ]
        );
        let kept = patched(&switched, &release(&see(&switched), None));
        assert_eq!(kept["spec"], switched["spec"]);
        assert!(Lock::read(&see(&kept)).is_none());
    }

    #[test]
    fn jobs_that_others_came_after_are_remembered() {
        let many = (0..20).map(|job| format!("j{job}")).collect::<Vec<_>>();
        for (notes, last, expected) in [
            (json!({}), None, None),
            (json!({change::SUPERSEDED: ""}), None, None),
            (json!({}), Some("job-1"), Some("job-1")),
            (
                json!({change::ROLLED_BACK: "job-0"}),
                Some("job-1"),
                Some("job-1,job-0"),
            ),
            (
                json!({change::SUPERSEDED: "a,job-1,b"}),
                Some("job-1"),
                Some("job-1,a,b"),
            ),
            (
                json!({change::SUPERSEDED: "job-2,a"}),
                Some("job-2"),
                Some("a"),
            ),
            (
                json!({change::SUPERSEDED: many.join(",")}),
                None,
                Some("j0,j1,j2,j3,j4,j5,j6,j7"),
            ),
        ] {
            let seen = service(json!({}), notes.clone());
            let found = superseded(&seen, last.map(str::to_owned), "job-2");
            assert_eq!(found.as_deref(), expected, "{notes}");
        }
    }

    #[test]
    fn what_tells_versions_apart_is_left_out() {
        let full = service(
            json!({"app": "web", VERSION: "green", TEMPLATE_HASH: "h"}),
            json!({}),
        );
        let app = Selector::from([("app".to_owned(), "web".to_owned())]);
        assert_eq!(common(&full.selector()), app);
        let blue = of_version(&full.selector(), "blue");
        assert_eq!(
            crate::cluster::service::written(&blue),
            "app=web,landfall/version=blue"
        );
    }
}
