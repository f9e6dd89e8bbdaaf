//! What a rollback on demand notes of a deploy that it takes back before that was done, finds taken
//! back, or waits for: the version that serves stays, and a repetition goes no further back.

use super::{Lock, Pin, named, patch, take};
use crate::kubernetes::service::Service;
use crate::request::Request;
use crate::state::awaited::{Awaited, WAITING};
use crate::state::marks::{AWAITED, ROLLED_BACK, TAKEN_BACK};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a rollback on demand had to take back, and need not any more: it did so before that deploy
/// was done, or the deploy failed by itself, or another rollback came first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct TakenBack {
    /// The execution of the rollback.
    pub execution: String,
    /// Its first job.
    pub job: String,
    /// The Deployment that was to take over, or had.
    pub deployment: String,
    /// The job of the deploy that was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// When this rollback took it back, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The execution of another rollback that has taken it back meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The executions of other rollbacks that were to take back the same, as far as there is room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

impl TakenBack {
    /// Reads the note; one that cannot be read is none.
    pub fn read(service: &Service) -> Option<TakenBack> {
        serde_json::from_str(service.annotation(TAKEN_BACK)?).ok()
    }

    /// What was taken back, where this request was to do that and has noted so.
    pub fn by(request: &Request, service: &Service) -> Option<TakenBack> {
        let noted = TakenBack::read(service).filter(|_| request.is_back_to_former())?;
        if noted.execution == request.execution {
            return Some(noted);
        }
        let failed = noted.of.is_some() && service.annotation(ROLLED_BACK) == noted.of.as_deref();
        let doer = (!failed).then(|| noted.execution.clone());
        let by = noted.by.clone().or(doer);
        let is_noted = noted.also.contains(&request.execution);
        is_noted.then_some(TakenBack { by, ..noted })
    }

    /// What another rollback took back since this one began, or while it waited. What one has begun
    /// whose lock is still there, and that died, is not done.
    pub fn meanwhile(
        request: &Request,
        service: &Service,
        started: Timestamp,
    ) -> Option<TakenBack> {
        let noted = TakenBack::read(service).filter(|_| request.is_back_to_former())?;
        let waited = |job: &String| is_awaited(request, service, job);
        let is_since = noted.at.is_some_and(|at| at >= started)
            || waited(&noted.job)
            || noted.of.as_ref().is_some_and(waited)
            || Lock::read(service).is_some_and(|lock| noted.is_begun_by(&lock));
        let own = &request.execution;
        let is_other = noted.execution != *own && noted.by.as_ref() != Some(own);
        (is_since && is_other).then_some(noted)
    }

    /// Whether the rollback that has this lock has begun it.
    pub fn is_begun_by(&self, lock: &Lock) -> bool {
        lock.back && lock.execution == self.execution
    }

    /// The same with another one that was to do it; `None` without room for it.
    pub fn with(mut self, execution: &str) -> Option<TakenBack> {
        self.also.push(execution.to_owned());
        (self.also.len() <= WAITING).then_some(self)
    }

    /// The same beside what others have noted of it, or have waited for.
    pub fn beside_others(mut self, service: &Service) -> TakenBack {
        let noted = TakenBack::read(service).filter(|it| it.of.is_some() && it.of == self.of);
        let noted = noted
            .into_iter()
            .flat_map(|it| [vec![it.execution], it.also].concat());
        let waiting = awaited(service).filter(|it| Some(&it.job) == self.of.as_ref());
        let all = noted.chain(waiting.into_iter().flat_map(|it| it.executions));
        for execution in all {
            let is_known = execution == self.execution || self.also.contains(&execution);
            if !is_known && self.also.len() < WAITING {
                self.also.push(execution);
            }
        }
        self
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

/// What rollbacks on demand wait for, as it is noted.
pub fn awaited(service: &Service) -> Option<Awaited> {
    Awaited::read(service.annotation(AWAITED)?)
}

/// Whether this request has waited for that job.
pub fn is_awaited(request: &Request, service: &Service, job: &str) -> bool {
    awaited(service).is_some_and(|it| it.has(&request.execution, job))
}

/// Notes it.
pub fn note_awaited(awaited: &Awaited, service: &Service) -> Value {
    patch(service, named([(AWAITED, json!(awaited.text()))]), None)
}
