//! Events without a pipeline: the sandbox is the caller that waits for the answer, and calls again
//! as long as the deploy goes on.

use crate::stage::{REINVOKE_AFTER, Stage};
use landfall_sandbox::aws::{InvocationEnd, Outcome};
use serde_json::Value;

/// The artifact in `events/call-artifact.json`.
const ARTIFACT: (&str, &str) = ("landfall-artifacts-111111111111", "demo/build.zip");

impl Stage {
    /// Puts an archive where calls have their artifact, in a bucket that the function may read.
    pub(super) fn put_called_artifact(&self, content: Vec<u8>) {
        let (bucket, key) = ARTIFACT;
        self.aws.put_object(bucket, key, content);
        self.aws.open_bucket(bucket);
    }

    /// The variable that lets calls name that bucket.
    pub(super) fn called_variable() -> (String, String) {
        ("ARTIFACT_BUCKET".to_owned(), ARTIFACT.0.to_owned())
    }
}

/// The next call of a deploy that the answer says goes on, after a pause.
pub(crate) async fn next_call(event: &Value, outcome: &Outcome) -> Option<Value> {
    let Outcome::Silent(InvocationEnd::Response(answer)) = outcome else {
        return None;
    };
    if answer["status"] != "IN_PROGRESS" {
        return None;
    }
    // Sooner than the answer asks for: nobody pays for the calls.
    tokio::time::sleep(REINVOKE_AFTER).await;
    let mut next = event.clone();
    next["continuation"] = answer["continuation"].clone();
    Some(next)
}
