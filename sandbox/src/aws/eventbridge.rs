//! EventBridge: takes events. The log of calls has what it was sent.
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>

use crate::aws::answer::Refusal;
use serde_json::{Value, json};

/// The most entries of a request.
const ENTRIES: usize = 10;

/// Takes the entries of a request that is signed for a service. What is wrong with one is said in
/// its own place.
pub(super) fn put(body: &Value, signed_for: Option<&str>) -> Result<Value, Refusal> {
    if signed_for != Some("events") {
        let message = "Credential should be scoped to correct service: 'events'.";
        return Err(Refusal::new("InvalidSignatureException", message));
    }
    let entries = body["Entries"].as_array().map_or(&[][..], Vec::as_slice);
    if !(1..=ENTRIES).contains(&entries.len()) {
        return Err(Refusal::validation("Entries must have 1 to 10 members"));
    }
    let taken = entries.iter().map(|entry| match fault(entry) {
        Some((code, message)) => json!({"ErrorCode": code, "ErrorMessage": message}),
        None => json!({"EventId": "17793124-05d4-b198-2fde-7ededc63b103"}),
    });
    let taken = taken.collect::<Vec<_>>();
    let failed = taken.iter().filter(|entry| entry["EventId"].is_null());
    Ok(json!({"FailedEntryCount": failed.count(), "Entries": taken}))
}

fn fault(entry: &Value) -> Option<(&'static str, String)> {
    for field in ["Source", "DetailType", "Detail"] {
        if entry[field].as_str().is_none_or(str::is_empty) {
            let message = format!("Parameter {field} is not valid");
            return Some(("InvalidArgument", message));
        }
    }
    let detail = entry["Detail"].as_str().unwrap_or_default();
    let detail = serde_json::from_str::<Value>(detail);
    let is_object = detail.is_ok_and(|detail| detail.is_object());
    (!is_object).then(|| ("MalformedDetail", "Detail is malformed.".to_owned()))
}
