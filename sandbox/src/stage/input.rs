//! Files on the command line, and the events in them.

use crate::stage::narration::thousands;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// The artifact in the events of `events/`: its bucket and its key.
pub(super) const ARTIFACT: (&str, &str) = (
    "codepipeline-eu-central-1-111111111111",
    "demo/SourceArti/TdOSFRV",
);

/// A PEM file is a few kilobytes; an event is at most 256 KB.
pub(crate) const FILE_BYTES: u64 = 1024 * 1024;
/// What CodePipeline stores of an action's UserParameters,
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>.
pub(crate) const USER_PARAMETERS: usize = 1000;
/// Where an event has them.
const PARAMETERS: &str = "/CodePipeline.job/data/actionConfiguration/configuration/UserParameters";

/// What an operation on a file ended with, in words.
pub(crate) fn told(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return "there is no such file or folder".to_owned();
    }
    if error.kind() == io::ErrorKind::PermissionDenied {
        return "the system denies it (a program must be executable)".to_owned();
    }
    error.to_string()
}

/// Reads a text file of reasonable size; the error names the file.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let problem = |problem: &str| format!("{}: {problem}", path.display());
    let size = std::fs::metadata(path)
        .map_err(|error| problem(&told(&error)))?
        .len();
    if size > FILE_BYTES {
        return Err(problem(&format!("more than {FILE_BYTES} bytes")));
    }
    std::fs::read_to_string(path).map_err(|error| problem(&told(&error)))
}

/// Reads an event. If its job is in `used`, the event gets a new job id and becomes a new action.
pub(crate) fn read_event(path: &Path, used: &mut BTreeSet<String>) -> Result<Value, String> {
    let text = read(path)?;
    let mut event: Value = serde_json::from_str(&text)
        .map_err(|error| format!("{} is not an event: no JSON ({error})", path.display()))?;
    check_parameters(&event).map_err(|problem| format!("{}: {problem}", path.display()))?;
    if let Some(Value::String(id)) = event.pointer_mut("/CodePipeline.job/id")
        && !used.insert(id.clone())
    {
        *id = format!("{:08x}-5a5d-4b0c-8e0f-000000000000", used.len());
        used.insert(id.clone());
    }
    Ok(event)
}

/// The event of an action with these user parameters. Its id is new each time, as a cluster knows
/// the jobs that it has seen. `has_artifact`: the action has the stage's input artifact.
pub(crate) fn event_of(parameters: &str, has_artifact: bool) -> Result<Value, String> {
    let id = Timestamp::now().as_nanosecond();
    let id = format!(
        "{:08x}-{:04x}-4c7e-8e0f-{:012x}",
        id >> 32 & 0xffff_ffff,
        id >> 16 & 0xffff,
        id & 0xffff_ffff_ffff
    );
    let (bucket, key) = ARTIFACT;
    let artifact = json!({"name": "SourceArtifact", "location": {"type": "S3",
        "s3Location": {"bucketName": bucket, "objectKey": key}}});
    let artifacts = match has_artifact {
        true => vec![artifact],
        false => Vec::new(),
    };
    let event = json!({"CodePipeline.job": {"id": id, "accountId": "111111111111", "data": {
        "actionConfiguration": {"configuration": {
            "FunctionName": "landfall", "UserParameters": parameters}},
        "inputArtifacts": artifacts,
        "outputArtifacts": [],
        "artifactCredentials": {"accessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "secretAccessKey": "not-a-real-secret-access-key"}}}});
    check_parameters(&event)?;
    Ok(event)
}

/// The cluster that an event names: a context of a kubeconfig.
pub(crate) fn cluster_of(event: &Value) -> Option<String> {
    let parameters = event.pointer(PARAMETERS)?.as_str()?;
    let parameters: Value = serde_json::from_str(parameters).ok()?;
    Some(parameters["cluster"].as_str()?.to_owned())
}

/// Refuses UserParameters that are too long for a pipeline. (CodePipeline fills in variables later,
/// but most likely it would also refuse the pipeline of such an event.)
pub(crate) fn check_parameters(event: &Value) -> Result<(), String> {
    let parameters = event.pointer(PARAMETERS).and_then(Value::as_str);
    let length = parameters.map_or(0, |text| text.chars().count());
    if length <= USER_PARAMETERS {
        return Ok(());
    }
    let (length, most) = (thousands(length), thousands(USER_PARAMETERS));
    Err(format!(
        "UserParameters have {length} characters; CodePipeline takes {most}"
    ))
}
