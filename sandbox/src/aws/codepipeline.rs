//! CodePipeline's job API: it checks a result as the service's model does, and continues a job.
//!
//! The limits are those of the service model, `codepipeline/2015-07-09`; lengths count characters.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::endpoint::Refusal;

const TOKEN: RangeInclusive<usize> = 1..=2048;
const SUMMARY: RangeInclusive<usize> = 1..=2048;
const EXTERNAL_ID: RangeInclusive<usize> = 1..=1500;
const MESSAGE: RangeInclusive<usize> = 1..=5000;
const REVISION: RangeInclusive<usize> = 1..=1500;
const CHANGE_IDENTIFIER: RangeInclusive<usize> = 1..=100;
const PERCENT: RangeInclusive<i64> = 0..=100;
/// All names and values of one action together,
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>.
const OUTPUT_VARIABLES_BYTES: usize = 122_880;
const JOB_ID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const VARIABLE_NAME: &str = r"[A-Za-z0-9@\-_]+";
const FAILURE_TYPES: [&str; 6] = [
    "JobFailed",
    "ConfigurationError",
    "PermissionError",
    "RevisionOutOfSync",
    "RevisionUnavailable",
    "SystemUnavailable",
];
/// Jobs and reports that are remembered, so that a long simulation does not fill the memory.
const REMEMBERED: usize = 10_000;

/// One result that CodePipeline accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The job it was given for; a continued action has a new job each time.
    pub job: String,
    /// When it was accepted.
    pub at: Timestamp,
    /// What it said.
    pub result: JobResult,
}

/// What a job's result says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobResult {
    /// `PutJobSuccessResult`: finished, or still going on where there is a continuation token.
    Success {
        /// Where it is there, the action goes on with a new job.
        continuation_token: Option<String>,
        /// `executionDetails.summary`
        summary: Option<String>,
        /// `executionDetails.percentComplete`
        percent_complete: Option<i64>,
        /// `executionDetails.externalExecutionId`
        external_execution_id: Option<String>,
        /// `outputVariables`
        output_variables: BTreeMap<String, String>,
    },
    /// `PutJobFailureResult`
    Failure {
        /// `failureDetails.type`
        kind: String,
        /// `failureDetails.message`
        message: String,
        /// `failureDetails.externalExecutionId`
        external_execution_id: Option<String>,
    },
}

impl JobResult {
    /// Whether the action ends with it.
    pub fn ends_action(&self) -> bool {
        match self {
            JobResult::Success {
                continuation_token, ..
            } => continuation_token.is_none(),
            JobResult::Failure { .. } => true,
        }
    }
}

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

/// The next job of an action that goes on.
pub(super) struct Continuation {
    pub(super) job: String,
    pub(super) action: u64,
    pub(super) event: Value,
    pub(super) life: Duration,
}

impl CodePipeline {
    /// Takes up a job. One that is known already stays as it is: its event was delivered twice.
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

    /// The report that ended an action, once there is one.
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

    /// A continued action gets the same event under a new job id, with the token in it.
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

    /// The next unused id after `job`, so that runs are repeatable: the last group counts up.
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

/// The job id in an event, where it is one as CodePipeline gives it.
pub(super) fn job_id(event: &Value) -> Option<&str> {
    let id = event.get("CodePipeline.job")?.get("id")?.as_str()?;
    is_job_id(id).then_some(id)
}

fn is_job_id(id: &str) -> bool {
    let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    id.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && id.bytes().all(|byte| byte == b'-' || hexadecimal(byte))
}

fn success(body: &Value) -> Result<(String, JobResult), Refusal> {
    let mut members = Members::of(body)?;
    let job = members.job_id()?;
    let token = members.text("continuationToken", TOKEN)?;
    members.object("executionDetails")?;
    let summary = members.text("executionDetails.summary", SUMMARY)?;
    let external = members.text("executionDetails.externalExecutionId", EXTERNAL_ID)?;
    let percent = members.number("executionDetails.percentComplete", PERCENT)?;
    if members.object("currentRevision")?.is_some() {
        members.required("currentRevision.revision", REVISION)?;
        members.required("currentRevision.changeIdentifier", CHANGE_IDENTIFIER)?;
        members.text("currentRevision.revisionSummary", SUMMARY)?;
    }
    let variables = members.variables()?;
    members.check()?;
    if token.is_some() && !variables.is_empty() {
        return Err(Refusal::validation(
            "Output variables can only be given where there is no continuation token",
        ));
    }
    let bytes: usize = variables.iter().map(|(k, v)| k.len() + v.len()).sum();
    if bytes > OUTPUT_VARIABLES_BYTES {
        let text = format!(
            "The total size of the output variables is {bytes} bytes, \
             more than the limit of {OUTPUT_VARIABLES_BYTES} bytes"
        );
        return Err(Refusal::new("OutputVariablesSizeExceededException", text));
    }
    let result = JobResult::Success {
        continuation_token: token,
        summary,
        percent_complete: percent,
        external_execution_id: external,
        output_variables: variables,
    };
    Ok((job, result))
}

fn failure(body: &Value) -> Result<(String, JobResult), Refusal> {
    let mut members = Members::of(body)?;
    let job = members.job_id()?;
    let mut kind = String::new();
    let mut message = String::new();
    let mut external = None;
    if members.object("failureDetails")?.is_none() {
        members.missing("failureDetails");
    } else {
        kind = members.failure_type()?;
        message = members.required("failureDetails.message", MESSAGE)?;
        external = members.text("failureDetails.externalExecutionId", EXTERNAL_ID)?;
    }
    members.check()?;
    let result = JobResult::Failure {
        kind,
        message,
        external_execution_id: external,
    };
    Ok((job, result))
}

/// The members of a request; collects every violated constraint, as AWS answers them together.
struct Members<'a> {
    body: &'a Map<String, Value>,
    violations: Vec<String>,
}

impl<'a> Members<'a> {
    fn of(body: &'a Value) -> Result<Members<'a>, Refusal> {
        let body = body.as_object().ok_or_else(Refusal::serialization)?;
        let violations = Vec::new();
        Ok(Members { body, violations })
    }

    fn check(&self) -> Result<(), Refusal> {
        let count = self.violations.len();
        if count == 0 {
            return Ok(());
        }
        let plural = if count == 1 { "" } else { "s" };
        let all = self.violations.join("; ");
        let text = format!("{count} validation error{plural} detected: {all}");
        Err(Refusal::validation(text))
    }

    fn at(&self, path: &str) -> Option<&'a Value> {
        let mut names = path.split('.');
        let first = self.body.get(names.next()?)?;
        names
            .try_fold(first, |value, name| value.get(name))
            .filter(|value| !value.is_null())
    }

    fn violation(&mut self, value: &str, path: &str, constraint: &str) {
        self.violations.push(format!(
            "Value {value} at '{path}' failed to satisfy constraint: {constraint}"
        ));
    }

    fn missing(&mut self, path: &str) {
        self.violation("null", path, "Member must not be null");
    }

    fn object(&self, path: &str) -> Result<Option<&'a Map<String, Value>>, Refusal> {
        self.at(path)
            .map(|value| value.as_object().ok_or_else(Refusal::serialization))
            .transpose()
    }

    fn string(&self, path: &str) -> Result<Option<&'a str>, Refusal> {
        self.at(path)
            .map(|value| value.as_str().ok_or_else(Refusal::serialization))
            .transpose()
    }

    fn text(
        &mut self,
        path: &str,
        lengths: RangeInclusive<usize>,
    ) -> Result<Option<String>, Refusal> {
        let Some(text) = self.string(path)? else {
            return Ok(None);
        };
        let length = text.chars().count();
        let bound = if length < *lengths.start() {
            Some(("greater", lengths.start()))
        } else if length > *lengths.end() {
            Some(("less", lengths.end()))
        } else {
            None
        };
        if let Some((side, bound)) = bound {
            let constraint = format!("Member must have length {side} than or equal to {bound}");
            self.violation(&format!("'{text}'"), path, &constraint);
        }
        Ok(Some(text.to_owned()))
    }

    fn required(&mut self, path: &str, lengths: RangeInclusive<usize>) -> Result<String, Refusal> {
        let text = self.text(path, lengths)?;
        if text.is_none() {
            self.missing(path);
        }
        Ok(text.unwrap_or_default())
    }

    fn number(&mut self, path: &str, values: RangeInclusive<i64>) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.at(path) else {
            return Ok(None);
        };
        let number = value.as_i64().ok_or_else(Refusal::serialization)?;
        if !values.contains(&number) {
            let (side, bound) = if number < *values.start() {
                ("greater", values.start())
            } else {
                ("less", values.end())
            };
            let constraint = format!("Member must have value {side} than or equal to {bound}");
            self.violation(&format!("'{number}'"), path, &constraint);
        }
        Ok(Some(number))
    }

    fn job_id(&mut self) -> Result<String, Refusal> {
        let id = self.string("jobId")?;
        match id {
            None => self.missing("jobId"),
            Some(id) if !is_job_id(id) => {
                let constraint =
                    format!("Member must satisfy regular expression pattern: {JOB_ID}");
                self.violation(&format!("'{id}'"), "jobId", &constraint);
            }
            Some(_) => {}
        }
        Ok(id.unwrap_or_default().to_owned())
    }

    fn failure_type(&mut self) -> Result<String, Refusal> {
        let path = "failureDetails.type";
        let kind = self.string(path)?;
        match kind {
            None => self.missing(path),
            Some(kind) if !FAILURE_TYPES.contains(&kind) => {
                let set = FAILURE_TYPES.join(", ");
                let constraint = format!("Member must satisfy enum value set: [{set}]");
                self.violation(&format!("'{kind}'"), path, &constraint);
            }
            Some(_) => {}
        }
        Ok(kind.unwrap_or_default().to_owned())
    }

    fn variables(&mut self) -> Result<BTreeMap<String, String>, Refusal> {
        let mut variables = BTreeMap::new();
        let Some(object) = self.object("outputVariables")? else {
            return Ok(variables);
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '-' | '_');
        for (name, value) in object {
            let value = value.as_str().ok_or_else(Refusal::serialization)?;
            if name.is_empty() || !name.chars().all(allowed) {
                let constraint = format!(
                    "Map keys must satisfy constraint: \
                     [Member must satisfy regular expression pattern: {VARIABLE_NAME}]"
                );
                self.violation(&format!("'{name}'"), "outputVariables", &constraint);
            }
            variables.insert(name.clone(), value.to_owned());
        }
        Ok(variables)
    }
}

#[cfg(test)]
mod tests;
