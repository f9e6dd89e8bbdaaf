//! CodePipeline's side of a job: the event that it sends and the one call that answers it.

use crate::report::Report;
use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::error::SdkError;
use aws_sdk_codepipeline::types::{ExecutionDetails, FailureDetails, FailureType};
use serde_json::{Map, Value};

/// A job, without the credentials that its event holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The job's id; a continuation arrives under a new one.
    pub id: String,
    /// What the user wrote into the action.
    pub parameters: Parameters,
    /// What the last invocation of this action left for this one.
    pub continuation: Option<String>,
}

/// The action's `UserParameters`, as they came.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameters {
    /// None are given.
    Absent,
    /// As CodePipeline sends them.
    Text(String),
    /// As a person writes them into an event by hand.
    Object(Map<String, Value>),
}

impl Parameters {
    /// The text that a continuation is bound to.
    pub fn identity(&self) -> String {
        match self {
            Parameters::Absent => String::new(),
            Parameters::Text(text) => text.clone(),
            Parameters::Object(fields) => Value::Object(fields.clone()).to_string(),
        }
    }
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
        })
    }
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

/// Sends the report of a job. The SDK retries throttling and faults of the network.
pub async fn send(client: &Client, job: &str, report: &Report) -> Result<Receipt, Undelivered> {
    match report {
        Report::Failure { kind, message } => {
            let details = FailureDetails::builder()
                .r#type(FailureType::from(kind.name()))
                .message(message)
                .build()
                .map_err(|error| Undelivered::Refused(error.to_string()))?;
            let call = client.put_job_failure_result().job_id(job);
            receipt(call.failure_details(details).send().await)
        }
        Report::Progress {
            token,
            summary,
            percent,
        } => {
            let details = ExecutionDetails::builder()
                .summary(summary)
                .percent_complete(*percent)
                .build();
            let call = client.put_job_success_result().job_id(job);
            let call = call.continuation_token(token).execution_details(details);
            receipt(call.send().await)
        }
        Report::Success {
            summary,
            external_id,
            variables,
        } => {
            let details = ExecutionDetails::builder()
                .summary(summary)
                .percent_complete(100)
                .external_execution_id(external_id)
                .build();
            let call = client.put_job_success_result().job_id(job);
            let call = variables.iter().fold(call, |call, (name, value)| {
                call.output_variables(*name, value)
            });
            receipt(call.execution_details(details).send().await)
        }
    }
}

/// Two errors of the service say that the job is over; all others are a failure to deliver.
fn receipt<T, E>(
    result: Result<T, SdkError<E, aws_smithy_runtime_api::http::Response>>,
) -> Result<Receipt, Undelivered>
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata + std::error::Error + 'static,
{
    let Err(error) = result else {
        return Ok(Receipt::Taken);
    };
    let Some(refusal) = error.as_service_error() else {
        return Err(Undelivered::Unreachable(crate::https::chain(&error)));
    };
    let code = refusal.code().unwrap_or("an error without a code");
    let said = format!("{code}: {}", refusal.message().unwrap_or("no message"));
    match code {
        "InvalidJobStateException" | "JobNotFoundException" => Ok(Receipt::TooLate(said)),
        "ValidationException" | "OutputVariablesSizeExceededException" => {
            Err(Undelivered::Refused(said))
        }
        _ => Err(Undelivered::Unreachable(said)),
    }
}
