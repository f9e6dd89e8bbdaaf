//! Puts an event on a bus of EventBridge: one call with one entry, signed by the SDK's signer
//! (docs/decisions.md).
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>

use super::clients::Aws;
use super::failure::is_transient;
use super::http_client::host_of;
use super::partition;
use super::settings::AwsService;
use super::signature::Signature;
use crate::http;
use crate::kubernetes::failure;
use jiff::Timestamp;
use landfall_core::retry::{self, Failure, Next};
use landfall_core::text::clip;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

/// Who sends the events.
const SOURCE: &str = "landfall";

/// What they are about. Rules look for it.
const DETAIL_TYPE: &str = "Landfall Deploy Ended";

/// How much of an answer is read: it has an id, or why the entry was refused.
const ANSWER_LIMIT: usize = 16 * 1024;

/// How much of a refusal is logged.
const SAID_LIMIT: usize = 300;

/// Why an event was not taken, and whether a retry may help.
type Trouble = (String, Failure);

/// Puts an event on a bus, or says why it was not confirmed in this time. `detail` is an object.
pub async fn put(aws: &Aws, bus: &str, detail: &str, until: Instant) -> Result<(), String> {
    let entry = json!({"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": detail,
        "EventBusName": bus});
    let body = json!({"Entries": [entry]}).to_string();
    let (mut attempts, mut before) = (0, None);
    loop {
        let Ok(sent) = timeout_at(until, send(aws, &body)).await else {
            return Err(before.unwrap_or_else(|| "it did not answer in time".to_owned()));
        };
        let Err((why, failure)) = sent else {
            return Ok(());
        };
        attempts += 1;
        let left = until.saturating_duration_since(Instant::now());
        match retry::next(failure, attempts, left, fastrand::f64()) {
            Next::Retry(pause) => sleep(pause).await,
            Next::GiveUp | Next::OutOfTime => return Err(why),
        }
        before = Some(why);
    }
}

async fn send(aws: &Aws, body: &str) -> Result<(), Trouble> {
    let permanent = |why: String| (why, Failure::Permanent);
    let passing = |why: String| (why, Failure::Transient(None));
    let region = aws.settings.region.as_deref();
    let region = region.ok_or_else(|| permanent("AWS_REGION is not set".to_owned()))?;
    let url = address(aws, region).await.map_err(permanent)?;
    let mut headers = HeaderMap::new();
    let target = HeaderValue::from_static("AWSEvents.PutEvents");
    headers.insert("x-amz-target", target);
    let json = HeaderValue::from_static("application/x-amz-json-1.1");
    headers.insert(CONTENT_TYPE, json);
    let signature = Signature {
        service: "events",
        region,
        keys: aws.own_keys().map_err(permanent)?,
        now: Timestamp::now(),
    };
    let headers = signature.sign("POST", &url, headers, body.as_bytes());
    let headers = headers.map_err(permanent)?;
    let client = aws.https.client().map_err(permanent)?;
    let request = client.post(&url).headers(headers).body(body.to_owned());
    let sent = request.send().await;
    let answer = sent.map_err(|error| passing(failure::told(&error, &host_of(&url))))?;
    let status = answer.status();
    let answer = http::read(answer, ANSWER_LIMIT).await.unwrap_or_default();
    let answer = serde_json::from_slice::<Value>(&answer).unwrap_or_default();
    let entry = &answer["Entries"][0];
    let (code, said) = match (status.is_success(), answer["FailedEntryCount"].as_u64()) {
        (true, Some(0)) => return Ok(()),
        (true, None) => return Err(passing("its answer cannot be read".to_owned())),
        // An answer of 200 may refuse the entry all the same.
        (true, Some(_)) => (&entry["ErrorCode"], &entry["ErrorMessage"]),
        (false, _) => (&answer["__type"], &answer["message"]),
    };
    let code = code.as_str().unwrap_or_default();
    let code = code.rsplit_once('#').map_or(code, |(_, code)| code);
    let said = clip(said.as_str().unwrap_or_default(), SAID_LIMIT);
    let why = format!("HTTP {} {code}: {said}", status.as_u16());
    match is_transient(status.as_u16(), code) || code == "InternalFailure" {
        true => Err(passing(why)),
        false => Err(permanent(why)),
    }
}

/// The address of EventBridge in a region.
/// <https://docs.aws.amazon.com/general/latest/gr/ev.html>
async fn address(aws: &Aws, region: &str) -> Result<String, String> {
    if let Some(endpoint) = aws.settings.endpoint(AwsService::EventBridge) {
        return Ok(format!("{endpoint}/"));
    }
    let suffix = partition::suffix(region).await?;
    let fips = if aws.settings.fips { "-fips" } else { "" };
    Ok(format!("https://events{fips}.{region}.{suffix}/"))
}
