//! A deploy, or another rollback, that rollbacks on demand wait for or follow. A retry of one may
//! begin when the other is over, and would not know that it was under way.

use super::lease;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many rollbacks may wait for one deploy: one more is refused.
pub const WAITING: usize = 8;

/// The note, as JSON in an annotation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Awaited {
    /// The executions of the rollbacks.
    pub executions: Vec<String>,
    /// The job of the other.
    pub job: String,
    /// When one was noted last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl Awaited {
    /// Reads it; one that cannot be read is none.
    pub fn read(text: &str) -> Option<Awaited> {
        serde_json::from_str(text).ok()
    }

    /// Writes it.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("plain data is always JSON")
    }

    /// Whether this execution waits for that job.
    pub fn has(&self, execution: &str, job: &str) -> bool {
        self.job == job && self.executions.iter().any(|it| it == execution)
    }

    /// The same note where the deploy of job `from` died and that of job `to` goes on from there:
    /// what was waited for is what becomes of that. `None` where another job is in it.
    pub fn passed_on(self, from: &str, to: &str) -> Option<Awaited> {
        let job = to.to_owned();
        (self.job == from).then_some(Awaited { job, ..self })
    }

    /// The same note, with this execution beside those that wait already, where there is room for
    /// it: who pushed another one out would be pushed out by that one. A deploy removes the note
    /// when it begins, so another job in it is one that this job goes on from: a retry of it, or
    /// the rollback of what it did. Those of a note older than any deploy lives wait no more.
    pub fn with(
        noted: Option<Awaited>,
        execution: &str,
        job: &str,
        now: Timestamp,
    ) -> Option<Awaited> {
        let is_recent = |it: &Awaited| it.at.is_none_or(|at| lease::holds(at, Timestamp::MAX, now));
        let noted = noted.filter(is_recent);
        let mut executions = noted.map(|it| it.executions).unwrap_or_default();
        if !executions.iter().any(|it| it == execution) {
            executions.push(execution.to_owned());
        }
        let job = job.to_owned();
        let at = Some(now);
        (executions.len() <= WAITING).then_some(Awaited {
            executions,
            job,
            at,
        })
    }
}

#[cfg(test)]
mod tests;
