//! A deploy that rollbacks on demand wait for. A retry of one may begin when that deploy is over,
//! and would not know that it was under way.

use serde::{Deserialize, Serialize};

/// How many rollbacks are noted that wait for one deploy, the last ones.
const WAITING: usize = 8;

/// The note, as JSON in an annotation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Awaited {
    /// The executions of the rollbacks.
    pub executions: Vec<String>,
    /// The job of the deploy.
    pub job: String,
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

    /// Whether this execution waits for the deploy of that job.
    pub fn has(&self, execution: &str, job: &str) -> bool {
        self.job == job && self.executions.iter().any(|it| it == execution)
    }

    /// The same note, with this execution beside those that wait for the deploy of that job.
    pub fn with(noted: Option<Awaited>, execution: &str, job: &str) -> Awaited {
        let noted = noted.filter(|it| it.job == job);
        let mut executions = noted.map(|it| it.executions).unwrap_or_default();
        executions.push(execution.to_owned());
        let spare = executions.len().saturating_sub(WAITING);
        executions.drain(..spare);
        let job = job.to_owned();
        Awaited { executions, job }
    }
}
