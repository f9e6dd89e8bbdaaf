//! A job: what is asked for, and by whom.

use crate::eks::is_account;
use crate::outcome::KeysError;
use crate::request::Parameters;
use serde_json::Value;
use std::fmt;

/// The most input artifacts of an action; CodePipeline allows five.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html>
pub(super) const ARTIFACTS_LIMIT: usize = 10;

/// What the id of a job begins with that an `execution` names.
pub(super) const REPEATABLE: &str = "call-";

/// The ids of temporary keys begin with this.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
const TEMPORARY: &str = "ASIA";

/// Who asks for a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// CodePipeline, which is told the result, and whose job brings credentials.
    Pipeline,
    /// Somebody who waits for the answer.
    Waiting,
}

/// A job. What is secret in it is not printed.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The job's id; a continuation arrives under a new one.
    pub id: String,
    /// The AWS account that it is of.
    pub account: Option<String>,
    /// What the user wrote into the action.
    pub parameters: Parameters,
    /// What the last invocation of this action left for this one.
    pub continuation: Option<String>,
    /// The action's input artifacts, in their order.
    pub artifacts: Vec<Artifact>,
    /// Where the page of the report goes, if the action has an output artifact.
    pub output: Option<Box<Output>>,
    /// What opens them, for an hour or so.
    pub keys: Result<Keys, KeysError>,
    /// Who asks for it.
    pub caller: Caller,
}

/// A key of AWS and what makes it a temporary one. Nothing prints it.
#[derive(Clone, Default, PartialEq)]
pub struct Keys {
    /// The id of the key.
    pub id: String,
    /// The key.
    pub secret: String,
    /// What makes it a temporary one.
    pub session: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keys")
    }
}

/// An input artifact: a ZIP archive in S3. Without a bucket it cannot be read.
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

/// Where an output artifact goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Its place.
    pub artifact: Artifact,
    /// The KMS key that encrypts it; without one, S3 does as the bucket says.
    pub key: Option<String>,
}

impl Job {
    /// Reads an event. All but the id is optional: it suffices to report what is wrong.
    /// <https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html>
    pub(super) fn read(event: &Value) -> Option<Job> {
        let job = event.get("CodePipeline.job")?;
        let id = text(&job["id"])?;
        let data = &job["data"];
        let parameters = match &data["actionConfiguration"]["configuration"]["UserParameters"] {
            Value::Null => Parameters::Absent,
            Value::String(text) if text.trim().is_empty() => Parameters::Absent,
            Value::String(text) => Parameters::Text(text.clone()),
            Value::Object(fields) => Parameters::Object(fields.clone()),
            other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
                Parameters::Text(other.to_string())
            }
        };
        let account = text(&job["accountId"]);
        Some(Job {
            id,
            account: account.filter(|id| is_account(id)),
            parameters,
            continuation: continuation(&data["continuationToken"]),
            artifacts: artifacts(&data["inputArtifacts"]),
            output: output(data),
            keys: keys(&data["artifactCredentials"]),
            caller: Caller::Pipeline,
        })
    }

    /// The artifacts of a call that are not in the one bucket that calls may name, by their names.
    pub fn foreign_artifacts(&self, bucket: Option<&str>) -> Vec<&str> {
        let called = self.artifacts.iter().filter(|_| self.names_artifacts());
        let foreign = called.filter(|artifact| Some(&*artifact.bucket) != bucket);
        foreign.map(|artifact| &*artifact.name).collect()
    }

    /// Whether the caller names the artifacts anew with each call.
    pub fn names_artifacts(&self) -> bool {
        self.caller == Caller::Waiting
    }

    /// Whether the same call again is the same job.
    pub fn is_repeatable(&self) -> bool {
        self.names_artifacts() && self.id.starts_with(REPEATABLE)
    }

    /// The text that identifies what is asked for in a continuation. The artifacts of a pipeline
    /// stay what they are; a caller names them each time.
    pub fn identity(&self) -> String {
        let mut text = self.parameters.identity();
        if self.names_artifacts() {
            for Artifact {
                name, bucket, key, ..
            } in &self.artifacts
            {
                text.push_str(&format!("\n{name} s3://{bucket}/{key}"));
            }
        }
        text
    }
}

/// The continuation token. One that is not text is kept, so that it is reported as damaged: without
/// it the deploy would start again.
fn continuation(given: &Value) -> Option<String> {
    match given.is_null() || given.is_string() {
        true => text(given),
        false => Some(given.to_string()),
    }
}

/// The input artifacts, also those without a location.
fn artifacts(given: &Value) -> Vec<Artifact> {
    let artifact = |artifact: &Value| {
        let place = &artifact["location"]["s3Location"];
        let place = text(&place["bucketName"]).zip(text(&place["objectKey"]));
        let (bucket, key) = place.unwrap_or_default();
        Some(Artifact {
            name: text(&artifact["name"])?,
            revision: text(&artifact["revision"]),
            bucket,
            key,
        })
    };
    let all = given.as_array().into_iter().flatten().take(ARTIFACTS_LIMIT);
    all.filter_map(artifact).collect()
}

/// The first output artifact.
/// <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_EncryptionKey.html>
fn output(data: &Value) -> Option<Box<Output>> {
    let artifact = artifacts(&data["outputArtifacts"]).into_iter().next()?;
    Some(Box::new(Output {
        artifact,
        key: text(&data["encryptionKey"]["id"]),
    }))
}

fn keys(given: &Value) -> Result<Keys, KeysError> {
    if !given.is_object() {
        return Err(KeysError::Absent);
    }
    let part = |field| match text(&given[field]) {
        None => Err(KeysError::Incomplete(field)),
        Some(text) if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(KeysError::Unsendable(field))
        }
        Some(text) => Ok(text),
    };
    let id = part("accessKeyId")?;
    // Keys of people work without a session, temporary ones do not.
    let is_temporary = id.starts_with(TEMPORARY) || !given["sessionToken"].is_null();
    Ok(Keys {
        secret: part("secretAccessKey")?,
        session: is_temporary.then(|| part("sessionToken")).transpose()?,
        id,
    })
}

/// A text; an empty one is none.
fn text(value: &Value) -> Option<String> {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned)
}

/// The credentials in an event, so that they can be kept out of every text.
pub fn secrets(event: &Value) -> impl Iterator<Item = &str> {
    let credentials = &event["CodePipeline.job"]["data"]["artifactCredentials"];
    ["accessKeyId", "secretAccessKey", "sessionToken"]
        .into_iter()
        .filter_map(|field| credentials[field].as_str())
}
