//! A job that ends before its deploy is known, or because the code broke.

use super::model::{Report, fail};
use crate::outcome::{ArtifactError, FailureCode, FailureType};
use crate::problem::Fault;
use crate::state::continuation::{ContinuationError, Phase};

/// A file of an input artifact cannot be had. `phase` is how far the deploy had come.
pub fn no_artifact(error: &ArtifactError, phase: &Phase) -> Report {
    let begun = (*phase != Phase::Start).then(|| {
        "An earlier invocation had started to write the new version. What it wrote stays in the \
         cluster, but its rollout is no longer followed."
            .to_owned()
    });
    fail(
        FailureCode::Artifact,
        error.kind(),
        &format!("{error}."),
        begun.as_slice(),
        &error.next(),
    )
}

/// The function's environment is wrong.
pub fn wrong_environment(faults: &[Fault]) -> Report {
    let lines = faults.iter().map(|fault| format!("- {fault}"));
    fail(
        FailureCode::Environment,
        FailureType::ConfigurationError,
        "Nothing was deployed: the Lambda function's environment is not set up correctly.",
        &lines.collect::<Vec<_>>(),
        "Correct the function's environment variables, then retry the stage.",
    )
}

/// The continuation token cannot be used.
pub fn unusable_continuation(unusable: &ContinuationError) -> Report {
    let why = match unusable {
        ContinuationError::Replaced => return replaced(),
        ContinuationError::Damaged => {
            "Landfall did not issue it, or it was altered in transit".to_owned()
        }
        ContinuationError::Foreign => {
            "it belongs to other user parameters or another cluster".to_owned()
        }
        ContinuationError::Version(version) => format!(
            "its format {version} is not the format of this version of the function; the \
             function was replaced during the deploy"
        ),
    };
    fail(
        FailureCode::Continuation,
        FailureType::ConfigurationError,
        &format!(
            "The deploy cannot continue because its continuation token cannot be used: \
            {why}."
        ),
        &[],
        "This job changed nothing; what an earlier job started continues in the cluster. Retry \
         the stage: a version that is already there is not written again.",
    )
}

/// What lies under the key of an artifact is not what the deploy was begun with.
fn replaced() -> Report {
    fail(
        FailureCode::Continuation,
        FailureType::ConfigurationError,
        "The deploy cannot continue: an artifact was replaced under its key in S3 since the deploy \
         began, and its files are others now.",
        &[],
        "This call changed nothing; what an earlier one started continues in the cluster. Give \
         each build's archive a key of its own. To deploy the files that are there now, call again \
         without `continuation`.",
    )
}

/// The code broke. The place names the fault; a panic's own words might hold a value.
pub fn panicked(place: &str) -> Report {
    fail(
        FailureCode::Bug,
        FailureType::JobFailed,
        &format!(
            "Landfall crashed at {place}; what it had written before continues in the cluster."
        ),
        &[],
        "Please report this place as a bug. Retrying the stage is safe.",
    )
}

/// The invocation ended before the deploy knew what it is about.
pub fn no_time() -> Report {
    fail(
        FailureCode::NoTime,
        FailureType::SystemUnavailable,
        "Nothing was deployed: the Lambda function ran out of time before it could start.",
        &[],
        "Raise the function's timeout (a minute or more), then retry the stage.",
    )
}
