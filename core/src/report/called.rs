//! What somebody is told who called the function and waits for the answer.

use super::model::{Report, fail};
use crate::outcome::{FailureCode, FailureType};
use crate::problem::Fault;
use serde_json::{Map, Value, json};

/// After how many seconds the next call should come. ECS waits as long for a hook of a deployment.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html>
const CALL_BACK_DELAY: u32 = 30;

/// What messages call the things of a pipeline, and what they are in a call. The longest come
/// first, as some begin with others.
const WORDS: [(&str, &str); 22] = [
    (
        "Retry the stage: each job brings credentials of its own.",
        "Call again: Lambda renews the function's credentials.",
    ),
    (
        "Retry: each job brings credentials of its own. Where this happens again, the job waited \
         too long before it was run.",
        "Call again: Lambda renews the function's credentials.",
    ),
    (
        "The job's credentials are those of the pipeline: its role, the bucket's policy and its \
         endpoint policy must allow",
        "The function's own credentials are used: its role (the stack's parameter ArtifactBucket), \
         the bucket's policy and its endpoint policy must allow",
    ),
    (
        "The pipeline's role needs kms:Decrypt on the key of the artifact store",
        "The function's role needs kms:Decrypt on the key of the bucket (the stack's parameter \
         ArtifactKeyArn)",
    ),
    ("Give the pipeline's artifact store", "Give the bucket"),
    (
        "create it again or give the pipeline another artifact store",
        "create it again or name another one",
    ),
    (
        "List the artifact among the action's InputArtifacts",
        "Name the artifact in `artifacts`",
    ),
    (
        "an input artifact, and the action has none",
        "an artifact, and the call names none",
    ),
    (
        "an input artifact that the action does not have; it has",
        "an artifact that the call does not name; it names",
    ),
    ("The input artifacts", "The artifacts"),
    (
        "the job brings no credentials",
        "the function has no credentials",
    ),
    ("the job's credentials", "the function's credentials"),
    (
        "The action's UserParameters",
        "The user parameters in `deploy`",
    ),
    (
        "the action's UserParameters",
        "the user parameters in `deploy`",
    ),
    ("the UserParameters", "the user parameters in `deploy`"),
    (
        "This job changed nothing; what an earlier job started",
        "This call changed nothing; what an earlier one started",
    ),
    ("Retrying the stage", "Calling again"),
    ("a retry of the stage", "a call with another `execution`"),
    ("Retry the stage", "Call again with another `execution`"),
    ("retry the stage", "call again with another `execution`"),
    (
        "Release the change again",
        "Call again with another `execution`",
    ),
    (
        "release the change again",
        "call again with another `execution`",
    ),
];

/// Under the same `execution` the deploy that failed is told again, and not tried. The same call is
/// enough where none began, and where nothing says that it failed: then it goes on. A rollback
/// under another one would bring back another version.
const ANEW: &str = " with another `execution`";

/// How a call ended, or where it stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The deploy succeeded, or goes on with another call: the JSON that the caller gets.
    Value(Value),
    /// It failed: the function answers with an error of this type.
    Failure(FailureType, String),
}

impl Report {
    /// The report in the words of a call. `is_final`: whether the same call again would be told the
    /// same.
    pub fn for_caller(mut self, is_final: bool) -> Report {
        if let Report::Failure {
            message,
            failure_type,
            ..
        } = &mut self
        {
            for (from, to) in WORDS {
                *message = message.replace(from, to);
            }
            if !is_final || *failure_type == FailureType::SystemUnavailable {
                *message = message.replace(ANEW, "");
            }
        }
        self
    }

    /// The answer to a caller. Its fields are those of CodePipeline's own API for a result, and
    /// `status` and `callBackDelay` those of a hook of ECS.
    pub fn answer(self) -> Answer {
        match self {
            Report::Success {
                summary,
                external_id,
                variables,
            } => {
                let variables = variables.into_iter();
                let variables = variables.map(|(name, value)| (name.to_owned(), value.into()));
                Answer::Value(json!({
                    "status": "SUCCEEDED",
                    "summary": summary,
                    "externalExecutionId": external_id,
                    "outputVariables": variables.collect::<Map<String, Value>>(),
                }))
            }
            Report::Progress {
                token,
                summary,
                percent,
            } => Answer::Value(json!({
                "status": "IN_PROGRESS",
                "summary": summary,
                "percentComplete": percent,
                "continuation": token,
                "callBackDelay": CALL_BACK_DELAY,
            })),
            Report::Failure {
                failure_type,
                message,
                ..
            } => Answer::Failure(failure_type, message),
        }
    }
}

/// The event of a call is wrong.
pub fn wrong_call(faults: &[Fault]) -> Report {
    let lines = faults.iter().map(|fault| format!("- {fault}"));
    fail(
        FailureCode::Parameters,
        FailureType::ConfigurationError,
        "Nothing was deployed: the event is not a valid call.",
        &lines.collect::<Vec<_>>(),
        "Correct the event, then call again. docs/without-codepipeline.md has its form.",
    )
}

/// A call names artifacts in buckets that the function may not read for callers. `allowed` is the
/// one that it may.
pub fn foreign_buckets(artifacts: &[&str], allowed: Option<&str>) -> Report {
    let rule = match allowed {
        Some(bucket) => format!("is not in `{bucket}`, the only bucket that calls may name"),
        None => "is not read: this function reads no artifacts for calls".to_owned(),
    };
    let lines = artifacts
        .iter()
        .map(|name| format!("- `artifacts.{name}` {rule}"));
    fail(
        FailureCode::Artifact,
        FailureType::ConfigurationError,
        "Nothing was deployed: an artifact of the call may not be read.",
        &lines.collect::<Vec<_>>(),
        "Put the artifact into the bucket that the stack's parameter ArtifactBucket names \
         (ARTIFACT_BUCKET in the function's environment), or give what it has in `deploy` itself.",
    )
}

#[cfg(test)]
mod tests;
