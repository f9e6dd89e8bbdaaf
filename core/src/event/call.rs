//! A deploy that a script, Step Functions or a CI job asks for, and whose answer it waits for.

use super::job::{ARTIFACTS_LIMIT, Artifact, Caller, Job, Keys, REPEATABLE};
use crate::kubernetes::object::digest;
use crate::outcome::KeysError;
use crate::problem::Fault;
use crate::request::Parameters;
use crate::text::clip;
use serde_json::{Map, Value};

/// The field of an event that requests a deploy: the user parameters.
pub(super) const DEPLOY: &str = "deploy";

/// The field with what the answer to the last call of the same deploy had to go on with.
const CONTINUATION: &str = "continuation";

/// The field with the artifacts: `{"NAME": "s3://BUCKET/KEY"}`.
const ARTIFACTS: &str = "artifacts";

/// How much of a wrong word is quoted.
const QUOTED: usize = 50;

/// The longest name of an artifact, as CodePipeline has it.
const LONGEST_NAME: usize = 100;

/// A call, and what it asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    parameters: Map<String, Value>,
    continuation: Option<String>,
    artifacts: Vec<Artifact>,
}

impl Call {
    /// Reads an event, or names everything that is wrong with it.
    pub fn read(event: &Value) -> Result<Call, Vec<Fault>> {
        let mut faults = Vec::new();
        let known = [DEPLOY, CONTINUATION, ARTIFACTS];
        for field in event
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            if !known.contains(&field.as_str()) {
                let problem = "is unknown; a call has `deploy`, `continuation` and `artifacts`";
                faults.push(Fault::new(clip(field, QUOTED), problem));
            }
        }
        let parameters = match &event[DEPLOY] {
            Value::Object(fields) => fields.clone(),
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)) => {
                let problem = match other.is_string() {
                    true => "must be an object, the user parameters, and is in quotes: leave \
                             them out, and the backslashes before the inner ones"
                        .to_owned(),
                    false => format!("must be an object, the user parameters, {}", is(other)),
                };
                faults.push(Fault::new(DEPLOY, problem));
                Map::new()
            }
        };
        let continuation = match &event[CONTINUATION] {
            Value::Null => None,
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            other @ (Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_)) => {
                let problem = format!(
                    "must be the text that the last answer had under this name, {}",
                    is(other)
                );
                faults.push(Fault::new(CONTINUATION, problem));
                None
            }
        };
        let artifacts = artifacts(&event[ARTIFACTS], &mut faults);
        match faults.is_empty() {
            true => Ok(Call {
                parameters,
                continuation,
                artifacts,
            }),
            false => Err(faults),
        }
    }

    /// The job that the call comes to. `request` is Lambda's id of the invocation. With an
    /// `execution`, the same call is the same job, however often it comes: the CLI and the SDKs
    /// send a call again that was not answered in their time, while the first one runs on.
    pub fn job(self, request: &str, keys: Option<&Keys>) -> Job {
        let mut job = Job {
            id: request.to_owned(),
            account: None,
            parameters: Parameters::Object(self.parameters),
            continuation: self.continuation,
            artifacts: self.artifacts,
            output: None,
            keys: keys.cloned().ok_or(KeysError::Absent),
            caller: Caller::Waiting,
        };
        if let Parameters::Object(fields) = &job.parameters
            && fields.get("execution").is_some_and(Value::is_string)
        {
            job.id = format!("{REPEATABLE}{}", digest(&job.identity()));
        }
        job
    }
}

/// Reads the artifacts, in the order of their names.
fn artifacts(given: &Value, faults: &mut Vec<Fault>) -> Vec<Artifact> {
    let fields = match given {
        Value::Null => return Vec::new(),
        Value::Object(fields) if fields.len() <= ARTIFACTS_LIMIT => fields,
        Value::Object(fields) => {
            let count = fields.len();
            let problem = format!("has {count} artifacts, and at most {ARTIFACTS_LIMIT} are read");
            faults.push(Fault::new(ARTIFACTS, problem));
            return Vec::new();
        }
        other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            let problem = format!(
                "must be an object of names and places, such as {{\"BuildArtifact\": \
                 \"s3://bucket/key.zip\"}}, {}",
                is(other)
            );
            faults.push(Fault::new(ARTIFACTS, problem));
            return Vec::new();
        }
    };
    let artifact = |(name, place): (&String, &Value)| {
        let field = format!("{ARTIFACTS}.{}", clip(name, QUOTED));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"@-_.".contains(&byte);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(allowed) {
            let problem = format!(
                "is not the name of an artifact: 1 to {LONGEST_NAME} letters, digits and `@-_.`"
            );
            return Err(Fault::new(field, problem));
        }
        let text = place.as_str().unwrap_or_default();
        let parts = text
            .strip_prefix("s3://")
            .and_then(|rest| rest.split_once('/'));
        match parts {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => Ok(Artifact {
                name: name.clone(),
                revision: None,
                bucket: bucket.to_owned(),
                key: key.to_owned(),
            }),
            Some(_) | None => {
                let problem = format!(
                    "must be the place of a ZIP archive, s3://bucket/key, {}",
                    is(place)
                );
                Err(Fault::new(field, problem))
            }
        }
    };
    let mut read = Vec::new();
    for artifact in fields.iter().map(artifact) {
        match artifact {
            Ok(artifact) => read.push(artifact),
            Err(fault) => faults.push(fault),
        }
    }
    read
}

/// What a value is instead of what it should be.
fn is(value: &Value) -> String {
    match value {
        Value::Null => "and is missing".to_owned(),
        Value::Object(_) => "and is an object".to_owned(),
        Value::Array(_) => "and is a list".to_owned(),
        Value::String(text) if text.is_empty() => "and is empty".to_owned(),
        Value::String(_) => "and is another text".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("and is {}", clip(&value.to_string(), QUOTED)),
    }
}

#[cfg(test)]
mod tests;
