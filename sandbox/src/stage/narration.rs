//! Describes what happens in lines: log, calls, ends of invocations.

use crate::screen::Tone;
use jiff::Timestamp;
use landfall_sandbox::aws::{AwsCall, Invocation, InvocationEnd};
use landfall_sandbox::world::Seen;
use serde_json::Value;
use std::collections::BTreeSet;

/// The caller's environment variables that the function gets.
pub(crate) const HANDED_ON: [&str; 2] = ["AWS_LAMBDA_LOG_LEVEL", "RUST_LOG"];
/// This many reads in a row are printed as one line, because writes are more important.
pub(crate) const READS: usize = 4;

/// The caller's environment variables that the function gets.
pub(crate) fn handed_on(variable: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let set = HANDED_ON.map(|name| Some((name.to_owned(), variable(name)?)));
    set.into_iter().flatten().collect()
}

/// The time in a log line of the function.
pub(crate) fn log_time(line: &str) -> Option<Timestamp> {
    let line: Value = serde_json::from_str(line).ok()?;
    line["timestamp"].as_str()?.parse().ok()
}

/// A JSON log line for people: its level, its message, and the other fields.
pub(crate) fn log_line(line: &str) -> String {
    // The last one tells CloudWatch which of the fields are metrics.
    const SAME: [&str; 7] = [
        "timestamp",
        "level",
        "message",
        "requestId",
        "jobId",
        "execution",
        "_aws",
    ];
    let fields = match serde_json::from_str(line) {
        Ok(Value::Object(fields)) if fields.contains_key("message") => fields,
        Ok(_) | Err(_) => return line.to_owned(),
    };
    let plain = |value: &Value| match value.as_str() {
        Some(text) => text.replace(char::is_control, " "),
        None => value.to_string(),
    };
    let of = |name: &str| fields.get(name).map(plain).unwrap_or_default();
    let mut text = format!("{} {}", of("level"), of("message"));
    let rest: Vec<_> = fields
        .iter()
        .filter(|(name, _)| !SAME.contains(&name.as_str()))
        .collect();
    if let [(name, value)] = rest[..]
        && matches!(name.as_str(), "summary" | "cause")
    {
        return format!("{text}: {}", plain(value));
    }
    for (name, value) in rest {
        let bare = value.as_str().filter(|text| !text.contains(' '));
        let value = bare.map_or_else(|| value.to_string(), |_| plain(value));
        text.push_str(&format!(" {name}={value}"));
    }
    text
}

pub(crate) fn aws_call(call: &AwsCall) -> (Timestamp, Tone, String) {
    let (service, operation) = call.target.split_once('.').unwrap_or(("AWS", &call.target));
    let service = match service {
        "AmazonSSM" => "SSM",
        "CodePipeline_20150709" => "CodePipeline",
        "GraniteServiceVersion20100801" => "CloudWatch",
        other => other,
    };
    let mut text = format!("→ {service} {operation}");
    if call.body["continuationToken"].is_string() {
        let details = &call.body["executionDetails"];
        let summary = details["summary"].as_str().unwrap_or_default();
        let percent = details["percentComplete"].as_i64().unwrap_or_default();
        text = format!("→ {service}: goes on, {percent} %: {summary}");
    }
    match (&call.error, call.status) {
        (Some(error), _) => (call.at, Tone::Bad, format!("{text}  {error}")),
        (None, Some(_)) => (call.at, Tone::Normal, text),
        (None, None) => (call.at, Tone::Bad, format!("{text}  no answer")),
    }
}

pub(crate) fn cluster_calls(requests: &[Seen]) -> Vec<(Timestamp, Tone, String)> {
    let parts = requests.chunk_by(|one, other| is_plain_read(one) && is_plain_read(other));
    let told = parts.flat_map(|part| match part {
        [first, ..] if part.len() >= READS => {
            let kinds = part.iter().map(|seen| kind_of(&seen.path));
            let kinds = kinds.collect::<BTreeSet<_>>().into_iter();
            let kinds = kinds.collect::<Vec<_>>().join(", ");
            let text = format!("→ {} reads: {kinds}", part.len());
            vec![(first.time, Tone::Faint, text)]
        }
        part => part.iter().map(cluster_call).collect(),
    });
    told.collect()
}

/// Whether a call reads something, whether it exists or not.
pub(crate) fn is_plain_read(seen: &Seen) -> bool {
    let proxied = seen.path.contains("/proxy/");
    let watch = seen.path.contains("watch=true");
    let there = matches!(seen.status, 200 | 404);
    seen.method == "GET" && there && !proxied && !watch
}

/// The resource in a path: `pods`.
pub(crate) fn kind_of(path: &str) -> &str {
    let path = path.split('?').next().unwrap_or_default();
    let rest = path.split_once("/namespaces/").map_or("", |(_, rest)| rest);
    rest.split('/').nth(1).unwrap_or(path)
}

/// A short description of a write's body.
pub(crate) fn gist(body: Option<&Value>) -> Option<String> {
    let body = body?;
    let review = &body["spec"]["resourceAttributes"];
    if let (Some(verb), Some(resource)) = (review["verb"].as_str(), review["resource"].as_str()) {
        let part = review["subresource"].as_str().unwrap_or_default();
        let slash = if part.is_empty() { "" } else { "/" };
        return Some(format!("may I {verb} {resource}{slash}{part}?"));
    }
    if body["kind"].is_string() {
        return None;
    }
    if let Some(labels) = body["spec"]["selector"].as_object() {
        let labels = labels.iter().map(|(key, value)| (key, value.as_str()));
        let labels = labels.filter_map(|(key, value)| Some(format!("{key}={}", value?)));
        // Prefers the labels that distinguish versions.
        let (apart, common) = labels.partition::<Vec<_>, _>(|label| {
            label.starts_with("landfall/") || label.starts_with("pod-template-hash")
        });
        let told = if apart.is_empty() { common } else { apart };
        return Some(format!("selects {}", told.join(",")));
    }
    let notes = &body["metadata"]["annotations"];
    match notes.get("landfall/lock") {
        Some(_) if notes["landfall/rolled-back"].is_string() => {
            return Some("marked as failed".to_owned());
        }
        Some(Value::Null) => return Some("lock given up".to_owned()),
        Some(_) => return Some("lock taken".to_owned()),
        None => {}
    }
    let replicas = body["spec"]["replicas"].as_i64()?;
    Some(format!("replicas: {replicas}"))
}

pub(crate) fn cluster_call(seen: &Seen) -> (Timestamp, Tone, String) {
    let gist = gist(seen.body.as_ref()).filter(|_| seen.method != "GET");
    let gist = gist.map(|gist| format!("  ({gist})")).unwrap_or_default();
    let line = request_line(&seen.method, &seen.path);
    let text = format!("→ {line}{gist}");
    match seen.status {
        200..=299 => (seen.time, Tone::Normal, format!("{text}  {}", seen.status)),
        0 => (seen.time, Tone::Bad, format!("{text}  no answer")),
        status => (seen.time, Tone::Bad, format!("{text}  {status}")),
    }
}

/// Shortens a request for people: `GET …/deployments/demo-app`.
pub(crate) fn request_line(method: &str, path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let has = |name: &str, value: &str| {
        query
            .split('&')
            .any(|pair| pair.split_once('=') == Some((name, value)))
    };
    let watch = has("watch", "true") || has("watch", "1");
    let verb = if watch { "watch" } else { method };
    let short = match path
        .split_once("/namespaces/")
        .and_then(|(_, rest)| rest.split_once('/'))
    {
        Some((_, rest)) => format!("…/{rest}"),
        None if path.ends_with("/selfsubjectaccessreviews") => "…/accessreviews".to_owned(),
        None => path.to_owned(),
    };
    let one = query.split('&').find_map(|pair| {
        pair.strip_prefix("fieldSelector=metadata.name%3D")
            .or_else(|| pair.strip_prefix("fieldSelector=metadata.name="))
    });
    let name = one.map(|name| format!("/{name}")).unwrap_or_default();
    let dry_run = if has("dryRun", "All") {
        " (dry run)"
    } else {
        ""
    };
    format!("{verb} {short}{name}{dry_run}")
}

pub(crate) fn invocation_end(invocation: &Invocation) -> Option<(Timestamp, Tone, String)> {
    let ended = invocation.ended?;
    let started = invocation.started.unwrap_or(ended);
    let seconds = ended.duration_since(started).as_secs_f64();
    let (tone, how) = match invocation.end.as_ref()? {
        InvocationEnd::Response(_) => (Tone::Normal, "done"),
        InvocationEnd::Error(_) => (Tone::Bad, "failed"),
        InvocationEnd::TimedOut => (Tone::Bad, "timed out"),
        InvocationEnd::Crashed(_) => (Tone::Bad, "died"),
    };
    Some((
        ended,
        tone,
        format!("← Lambda: invocation {how} after {seconds:.1} s"),
    ))
}

pub(crate) fn thousands(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1000), number % 1000),
    }
}
