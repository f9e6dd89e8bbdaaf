//! Sends the report of a CodePipeline job.

use super::clients::Aws;
use super::failure::{self, AwsError};
use crate::http::chain;
use aws_sdk_codepipeline::types::{ExecutionDetails, FailureDetails, FailureType};
use landfall_core::report::Report;

/// CodePipeline's response to a report.
#[derive(Debug, PartialEq)]
pub enum Receipt {
    /// CodePipeline recorded the report.
    Taken,
    /// The job had already ended: it timed out, was stopped, or another invocation reported.
    TooLate(String),
}

/// Why a report could not be delivered.
#[derive(Debug, PartialEq)]
pub enum Undelivered {
    /// CodePipeline refused its content.
    Refused(String),
    /// CodePipeline could not be reached, still throttled after all retries, or denied the call.
    Unreachable(String),
}

/// Sends the report of a job. The SDK retries throttling and network errors.
pub async fn send(aws: &Aws, job: &str, report: &Report) -> Result<Receipt, Undelivered> {
    let client = aws.codepipeline().map_err(Undelivered::Unreachable)?;
    let details = ExecutionDetails::builder();
    let answer = match report {
        Report::Failure {
            failure_type,
            message,
            ..
        } => {
            let details = FailureDetails::builder()
                .r#type(FailureType::from(failure_type.name()))
                .message(message)
                .build()
                .map_err(|error| Undelivered::Refused(chain(&error)))?;
            let call = client.put_job_failure_result().job_id(job);
            let sent = call.failure_details(details).send().await;
            sent.map(drop).map_err(failure::read)
        }
        Report::Progress {
            token,
            summary,
            percent,
        } => {
            let details = details.summary(summary).percent_complete(*percent).build();
            let call = client.put_job_success_result().job_id(job);
            let call = call.continuation_token(token).execution_details(details);
            call.send().await.map(drop).map_err(failure::read)
        }
        Report::Success {
            summary,
            external_id,
            variables,
        } => {
            let details = details.summary(summary).percent_complete(100);
            let details = details.external_execution_id(external_id).build();
            let call = client.put_job_success_result().job_id(job);
            let call = variables.iter().fold(call, |call, (name, value)| {
                call.output_variables(*name, value)
            });
            let sent = call.execution_details(details).send().await;
            sent.map(drop).map_err(failure::read)
        }
    };
    receipt(answer)
}

/// Two of the service's errors mean that the job has ended; all others mean that the report was not
/// delivered.
fn receipt(answer: Result<(), AwsError>) -> Result<Receipt, Undelivered> {
    let (code, message) = match answer {
        Ok(()) => return Ok(Receipt::Taken),
        Err(AwsError::Unreachable(why)) => return Err(Undelivered::Unreachable(why)),
        Err(AwsError::Refused(_, code, message)) => (code, message),
    };
    let said = format!("{code}: {message}");
    match code.as_str() {
        "InvalidJobStateException" | "JobNotFoundException" => Ok(Receipt::TooLate(said)),
        "ValidationException" | "OutputVariablesSizeExceededException" => {
            Err(Undelivered::Refused(said))
        }
        _ => Err(Undelivered::Unreachable(said)),
    }
}

#[cfg(test)]
mod tests;
