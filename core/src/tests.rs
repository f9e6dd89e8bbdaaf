//! What the unit tests of many rooms build their objects with.

use crate::change::Author;
use crate::outcome::{CredentialSource, CredentialsError};
use crate::report::{self, Report};
use crate::request::{Parameters, Request};
use crate::state::continuation::Phase;
use crate::workload::replica_set::ReplicaSet;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// So many seconds after the new year.
pub(crate) fn at(seconds: u64) -> Timestamp {
    time("2026-01-01T00:00:00Z") + Duration::from_secs(seconds)
}

/// Who writes: the second execution, at the new year.
pub(crate) fn author() -> Author<'static> {
    Author {
        execution: "run-2",
        job: "job-2",
        now: at(0),
    }
}

/// The request of a job with these parameters.
pub(crate) fn request(job: &str, parameters: &Value) -> Request {
    Request::parse(&Parameters::Text(parameters.to_string()), job).unwrap()
}

/// The report on a deploy that could not begin without access to the cluster.
pub(crate) fn locked_out(error: &CredentialsError, source: &CredentialSource) -> Report {
    let request = request("job", &json!({"deployment": "web", "restart": true}));
    report::access_lost(&request, &Phase::Start, error, source)
}

/// A ReplicaSet of one revision.
pub(crate) fn replica_set(name: &str, owner: &str, revision: u64, available: i64) -> ReplicaSet {
    ReplicaSet {
        name: name.into(),
        owner: owner.into(),
        revision,
        ready: available,
        available,
        ..ReplicaSet::default()
    }
}

/// Changes fields as RFC 7396 has it: `null` removes.
pub(crate) fn merge(target: &mut Value, changes: &Value) {
    let Value::Object(changes) = changes else {
        *target = changes.clone();
        return;
    };
    for (key, change) in changes {
        merge(&mut target[key], change);
        if change.is_null() {
            target.as_object_mut().unwrap().remove(key);
        }
    }
}

/// Puts fields over fields: a `null` stays one.
pub(crate) fn overlay(target: &mut Value, changes: &Value) {
    match (target, changes) {
        (Value::Object(target), Value::Object(changes)) => {
            for (key, change) in changes {
                overlay(target.entry(key).or_insert(Value::Null), change);
            }
        }
        (target, change) => *target = change.clone(),
    }
}
