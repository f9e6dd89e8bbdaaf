//! CodePipeline's side of a job: the event that it sends and the one call that answers it.

use crate::amazon::{Aws, AwsError, Keys, Service};
use crate::https::chain;
use aws_sdk_codepipeline::operation::put_job_failure_result::PutJobFailureResultInput;
use aws_sdk_codepipeline::operation::put_job_success_result::PutJobSuccessResultInput;
use aws_sdk_codepipeline::types::{ExecutionDetails, FailureDetails, FailureType};
use aws_smithy_schema::serde::SerializableStruct;
use landfall_core::report::Report;
use landfall_core::request::Parameters;
use serde_json::Value;

/// The most input artifacts of an action; CodePipeline allows five.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html>
const ARTIFACTS_LIMIT: usize = 10;

/// A job. What is secret in it is not printed.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The job's id; a continuation arrives under a new one.
    pub id: String,
    /// What the user wrote into the action.
    pub parameters: Parameters,
    /// What the last invocation of this action left for this one.
    pub continuation: Option<String>,
    /// The action's input artifacts, in their order.
    pub artifacts: Vec<Artifact>,
    /// What opens them, for an hour or so.
    pub keys: Option<Keys>,
}

/// An input artifact: a ZIP archive in S3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Artifact {
    /// Its name in the pipeline.
    pub name: String,
    /// Of a source artifact the commit.
    pub revision: Option<String>,
    /// Where it is.
    pub bucket: String,
    /// See [`Artifact::bucket`].
    pub key: String,
}

/// The id of the job in an event: all that is needed to report whatever else is wrong with it.
pub fn id(event: &Value) -> Option<&str> {
    let id = event.get("CodePipeline.job")?.get("id")?.as_str()?;
    (!id.is_empty()).then_some(id)
}

impl Job {
    /// Reads an event, everything but the id being optional.
    /// <https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html>
    pub fn read(event: &Value) -> Option<Job> {
        let id = id(event)?.to_owned();
        let data = &event["CodePipeline.job"]["data"];
        let parameters = match &data["actionConfiguration"]["configuration"]["UserParameters"] {
            Value::Null => Parameters::Absent,
            Value::String(text) if text.trim().is_empty() => Parameters::Absent,
            Value::String(text) => Parameters::Text(text.clone()),
            Value::Object(fields) => Parameters::Object(fields.clone()),
            other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
                Parameters::Text(other.to_string())
            }
        };
        let continuation = data["continuationToken"].as_str().map(str::to_owned);
        Some(Job {
            id,
            parameters,
            continuation: continuation.filter(|token| !token.is_empty()),
            artifacts: artifacts(&data["inputArtifacts"]),
            keys: keys(&data["artifactCredentials"]),
        })
    }
}

/// The input artifacts. One without a place cannot be read, and is as good as none.
fn artifacts(given: &Value) -> Vec<Artifact> {
    let text = |value: &Value| {
        value
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let artifact = |artifact: &Value| {
        let place = &artifact["location"]["s3Location"];
        Some(Artifact {
            name: text(&artifact["name"])?,
            revision: text(&artifact["revision"]),
            bucket: text(&place["bucketName"])?,
            key: text(&place["objectKey"])?,
        })
    };
    let all = given.as_array().into_iter().flatten().take(ARTIFACTS_LIMIT);
    all.filter_map(artifact).collect()
}

fn keys(given: &Value) -> Option<Keys> {
    let text = |name: &str| given[name].as_str().filter(|text| !text.is_empty());
    Some(Keys {
        id: text("accessKeyId")?.to_owned(),
        secret: text("secretAccessKey")?.to_owned(),
        session: text("sessionToken").map(str::to_owned),
    })
}

/// The credentials in an event, so that they can be kept out of every text.
pub fn secrets(event: &Value) -> impl Iterator<Item = &str> {
    let credentials = &event["CodePipeline.job"]["data"]["artifactCredentials"];
    ["accessKeyId", "secretAccessKey", "sessionToken"]
        .into_iter()
        .filter_map(|field| credentials[field].as_str())
}

/// How CodePipeline took a report.
#[derive(Debug, PartialEq)]
pub enum Receipt {
    /// It is recorded.
    Taken,
    /// The job is over: timed out, stopped, or answered by another invocation. Nobody waits.
    TooLate(String),
}

/// Why a report could not be delivered.
#[derive(Debug, PartialEq)]
pub enum Undelivered {
    /// CodePipeline refused what it says.
    Refused(String),
    /// CodePipeline could not be reached, throttled to the end, or denied the call.
    Unreachable(String),
}

/// Sends the report of a job. Throttling and faults of the network are tried again.
pub async fn send(aws: &Aws, job: &str, report: &Report) -> Result<Receipt, Undelivered> {
    let (operation, input) = call(job, report).map_err(Undelivered::Refused)?;
    // There is nothing in the answer.
    let sent = aws.call(Service::CodePipeline, operation, &*input, |_| Ok(()));
    receipt(sent.await)
}

/// The operation that takes a report, and what it is given.
fn call(job: &str, report: &Report) -> Result<(&'static str, Box<dyn SerializableStruct>), String> {
    const SUCCESS: &str = "PutJobSuccessResult";
    const FAILURE: &str = "PutJobFailureResult";
    let success = PutJobSuccessResultInput::builder().job_id(job);
    let details = ExecutionDetails::builder();
    let (operation, input): (_, Result<Box<dyn SerializableStruct>, _>) = match report {
        Report::Failure { kind, message, .. } => {
            let details = FailureDetails::builder()
                .r#type(FailureType::from(kind.name()))
                .message(message)
                .build()
                .map_err(|error| chain(&error))?;
            let failure = PutJobFailureResultInput::builder().job_id(job);
            let failure = failure.failure_details(details).build();
            (FAILURE, failure.map(|input| Box::new(input) as _))
        }
        Report::Progress {
            token,
            summary,
            percent,
        } => {
            let details = details.summary(summary).percent_complete(*percent).build();
            let success = success.continuation_token(token).execution_details(details);
            (SUCCESS, success.build().map(|input| Box::new(input) as _))
        }
        Report::Success {
            summary,
            external_id,
            variables,
        } => {
            let details = details.summary(summary).percent_complete(100);
            let details = details.external_execution_id(external_id).build();
            let success = variables.iter().fold(success, |success, (name, value)| {
                success.output_variables(*name, value)
            });
            let success = success.execution_details(details).build();
            (SUCCESS, success.map(|input| Box::new(input) as _))
        }
    };
    Ok((operation, input.map_err(|error| chain(&error))?))
}

/// Two errors of the service say that the job is over; all others are a failure to deliver.
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
