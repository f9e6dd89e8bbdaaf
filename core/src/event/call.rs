//! A deploy that a script, Step Functions or a CI job asks for, and whose answer it waits for.

use super::job::{ARTIFACTS_LIMIT, Artifact, Caller, Job, Keys, REPEATABLE};
use crate::kubernetes::object::digest;
use crate::outcome::KeysError;
use crate::problem::{Fault, kept};
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
        for (field, _) in event.as_object().into_iter().flatten() {
            if !known.contains(&field.as_str()) {
                let problem = "is unknown; a call has `deploy`, `continuation` and `artifacts`";
                faults.push(Fault::new(clip(field, QUOTED), problem));
            }
        }
        let given = &event[DEPLOY];
        let parameters = given.as_object().cloned().ok_or_else(|| {
            let is = match given.is_string() {
                true => "and is in quotes: leave them out, and the backslashes before the inner \
                         ones"
                    .to_owned(),
                false => is(given),
            };
            format!("must be an object, the user parameters, {is}")
        });
        let parameters = kept(&mut faults, DEPLOY, parameters).unwrap_or_default();
        let given = &event[CONTINUATION];
        let continuation = given.as_str().filter(|text| !text.is_empty());
        if continuation.is_none() && !given.is_null() {
            let problem = "must be the text that the last answer had under this name";
            faults.push(Fault::new(
                CONTINUATION,
                format!("{problem}, {}", is(given)),
            ));
        }
        let artifacts = artifacts(&event[ARTIFACTS], &mut faults);
        match faults.is_empty() {
            true => Ok(Call {
                parameters,
                continuation: continuation.map(str::to_owned),
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
    if given.is_null() {
        return Vec::new();
    }
    let fields = given.as_object().ok_or_else(|| {
        let example = "{\"BuildArtifact\": \"s3://bucket/key.zip\"}";
        let is = is(given);
        format!("must be an object of names and places, such as {example}, {is}")
    });
    let fields = fields.and_then(|fields| match fields.len() {
        ..=ARTIFACTS_LIMIT => Ok(fields),
        count => Err(format!(
            "has {count} artifacts, and at most {ARTIFACTS_LIMIT} are read"
        )),
    });
    let fields = kept(faults, ARTIFACTS, fields).into_iter().flatten();
    let artifacts = fields.filter_map(|(name, place)| {
        let field = format!("{ARTIFACTS}.{}", clip(name, QUOTED));
        kept(faults, &field, artifact(name, place))
    });
    artifacts.collect()
}

fn artifact(name: &str, place: &Value) -> Result<Artifact, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"@-_.".contains(&byte);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(allowed) {
        return Err(format!(
            "is not the name of an artifact: 1 to {LONGEST_NAME} letters, digits and `@-_.`"
        ));
    }
    let rest = place.as_str().and_then(|text| text.strip_prefix("s3://"));
    let parts = rest.and_then(|rest| rest.split_once('/'));
    match parts.filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty()) {
        Some((bucket, key)) => Ok(Artifact {
            name: name.to_owned(),
            revision: None,
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        }),
        None => Err(format!(
            "must be the place of a ZIP archive, s3://bucket/key, {}",
            is(place)
        )),
    }
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
