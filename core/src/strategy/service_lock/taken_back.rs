//! What a rollback on demand notes of a deploy that it takes back before that was done, or waits
//! for: the version that serves stays, and a repetition must not go back any further.

use super::{Lock, Pin, named, patch, take};
use crate::kubernetes::service::Service;
use crate::request::Request;
use crate::state::awaited::Awaited;
use crate::state::marks::{AWAITED, TAKEN_BACK};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A deploy that a rollback on demand took back before it was done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct TakenBack {
    /// The execution of the rollback.
    pub execution: String,
    /// Its first job.
    pub job: String,
    /// The Deployment that was to take over.
    pub deployment: String,
    /// The execution of another rollback that has taken it back meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl TakenBack {
    /// Reads the note; one that cannot be read is none.
    pub fn read(service: &Service) -> Option<TakenBack> {
        serde_json::from_str(service.annotation(TAKEN_BACK)?).ok()
    }

    /// The deploy that a rollback on demand has taken back, where it is this request's.
    pub fn by(request: &Request, service: &Service) -> Option<TakenBack> {
        let noted = TakenBack::read(service).filter(|_| request.is_back_to_former());
        noted.filter(|it| it.execution == request.execution)
    }

    /// Takes the lock of that deploy, to take it back.
    pub fn take(&self, service: &Service, lock: &Lock, pin: Pin<'_>) -> Value {
        let mut patch = take(service, lock, pin);
        patch["metadata"]["annotations"][TAKEN_BACK] = self.text();
        patch
    }

    /// Notes it where nothing is to be taken back any more.
    pub fn note(&self, service: &Service) -> Value {
        patch(service, named([(TAKEN_BACK, self.text())]), None)
    }

    fn text(&self) -> Value {
        json!(json!(self).to_string())
    }
}

/// The deploy that a rollback on demand waits for, as it is noted.
pub fn awaited(service: &Service) -> Option<Awaited> {
    Awaited::read(service.annotation(AWAITED)?)
}

/// Whether this request has waited for the deploy of that job.
pub fn is_awaited(request: &Request, service: &Service, job: &str) -> bool {
    awaited(service).is_some_and(|it| it.has(&request.execution, job))
}

/// Notes it.
pub fn note_awaited(awaited: &Awaited, service: &Service) -> Value {
    patch(service, named([(AWAITED, json!(awaited.text()))]), None)
}
