//! The results of jobs, as CodePipeline reads them.

use crate::aws::answer::Refusal;
use crate::aws::codepipeline::members::{
    CHANGE_IDENTIFIER, EXTERNAL_ID, MESSAGE, Members, PERCENT, REVISION, SUMMARY, TOKEN,
};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// All names and values of one action together,
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>.
const OUTPUT_VARIABLES_BYTES: usize = 122_880;

/// One result that CodePipeline accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The job; a continued action has a new job each time.
    pub job: String,
    /// When CodePipeline accepted the result.
    pub at: Timestamp,
    /// The content of the result.
    pub result: JobResult,
}

/// The content of a job's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobResult {
    /// `PutJobSuccessResult`: the job is done, or continues if there is a continuation token.
    Success {
        /// If present, the action continues with a new job.
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
    /// Whether this result ends the action.
    pub fn ends_action(&self) -> bool {
        match self {
            JobResult::Success {
                continuation_token, ..
            } => continuation_token.is_none(),
            JobResult::Failure { .. } => true,
        }
    }
}

pub(super) fn success(body: &Value) -> Result<(String, JobResult), Refusal> {
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

pub(super) fn failure(body: &Value) -> Result<(String, JobResult), Refusal> {
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
