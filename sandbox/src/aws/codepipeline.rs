//! CodePipeline's job API: it validates results like the service's model, and continues jobs.
//!
//! The limits come from the service model, `codepipeline/2015-07-09`; lengths count characters.

mod members;
mod result;

use crate::aws::answer::Refusal;
use crate::aws::codepipeline::members::is_job_id;
use crate::aws::codepipeline::result::{failure, success};
use jiff::Timestamp;
pub use result::{JobResult, Report};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many jobs and reports are remembered, so that a long simulation does not fill the memory.
const REMEMBERED: usize = 10_000;

/// The jobs of all actions.
#[derive(Default)]
pub(super) struct CodePipeline {
    jobs: BTreeMap<String, JobRecord>,
    ends: BTreeMap<u64, Report>,
    pub(super) reports: Vec<Report>,
}

struct JobRecord {
    action: u64,
    event: Value,
    life: Duration,
    finished: bool,
}

/// The next job of an action that continues.
pub(super) struct Continuation {
    pub(super) job: String,
    pub(super) action: u64,
    pub(super) event: Value,
    pub(super) life: Duration,
}

impl CodePipeline {
    /// Registers a job. A known job stays unchanged: its event was delivered twice.
    pub(super) fn open(&mut self, job: &str, action: u64, event: Value, life: Duration) -> u64 {
        while self.jobs.len() >= REMEMBERED {
            self.jobs.pop_first();
        }
        let record = self.jobs.entry(job.to_owned()).or_insert(JobRecord {
            action,
            event,
            life,
            finished: false,
        });
        record.action
    }

    /// Returns the report that ended an action, if there is one.
    pub(super) fn end(&self, action: u64) -> Option<&Report> {
        self.ends.get(&action)
    }

    pub(super) fn answer(
        &mut self,
        operation: &str,
        body: &Value,
        now: Timestamp,
    ) -> Result<Option<Continuation>, Refusal> {
        let (job, result) = match operation {
            "PutJobSuccessResult" => success(body)?,
            "PutJobFailureResult" => failure(body)?,
            _ => return Err(Refusal::unknown_operation(operation)),
        };
        let record = self.jobs.get_mut(&job).ok_or_else(|| {
            let text = format!("The job with id {job} cannot be found.");
            Refusal::new("JobNotFoundException", text)
        })?;
        if record.finished {
            let text = format!("The job with id {job} is already in a finished state.");
            return Err(Refusal::new("InvalidJobStateException", text));
        }
        record.finished = true;
        let action = record.action;
        let continuation = match &result {
            JobResult::Success {
                continuation_token: Some(token),
                ..
            } => Some((record.event.clone(), record.life, token.clone())),
            JobResult::Success { .. } | JobResult::Failure { .. } => None,
        };
        self.keep(
            action,
            Report {
                job,
                at: now,
                result,
            },
        );
        Ok(continuation.map(|(event, life, token)| self.next_job(action, event, life, &token)))
    }

    fn keep(&mut self, action: u64, report: Report) {
        while self.ends.len() >= REMEMBERED {
            self.ends.pop_first();
        }
        if self.reports.len() >= REMEMBERED {
            self.reports.remove(0);
        }
        if report.result.ends_action() {
            self.ends.insert(action, report.clone());
        }
        self.reports.push(report);
    }

    /// Creates the next job of a continued action: the same event with a new job id and the token.
    fn next_job(
        &mut self,
        action: u64,
        mut event: Value,
        life: Duration,
        token: &str,
    ) -> Continuation {
        let job = self.free_job_id(job_id(&event).unwrap_or_default());
        if let Some(inner) = event.get_mut("CodePipeline.job") {
            inner["id"] = Value::from(job.as_str());
            inner["data"]["continuationToken"] = Value::from(token);
        }
        self.open(&job, action, event.clone(), life);
        Continuation {
            job,
            action,
            event,
            life,
        }
    }

    /// Returns the next unused id after `job` by counting up its last group, so that runs are
    /// repeatable.
    fn free_job_id(&self, job: &str) -> String {
        const LAST_GROUP: u64 = 1 << 48;
        let (head, tail) = job.rsplit_once('-').unwrap_or(("", job));
        let mut number = u64::from_str_radix(tail, 16).unwrap_or_default();
        loop {
            number = (number + 1) % LAST_GROUP;
            let id = format!("{head}-{number:012x}");
            if !self.jobs.contains_key(&id) {
                return id;
            }
        }
    }
}

/// The job id in an event, if it has CodePipeline's form.
pub(super) fn job_id(event: &Value) -> Option<&str> {
    let id = event.get("CodePipeline.job")?.get("id")?.as_str()?;
    is_job_id(id).then_some(id)
}

#[cfg(test)]
mod tests;
