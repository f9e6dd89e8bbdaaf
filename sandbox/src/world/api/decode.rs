//! Decodes bodies and patches like the API server.

use crate::world::api::call::{Call, FieldValidation};
use crate::world::api::kinds::Kind;
use crate::world::api::message::Answer;
use crate::world::api::patch;
use crate::world::api::schema;
use crate::world::api::status;
use crate::world::object::text;
use serde_json::{Value, json};

const JSON_PATCH: &str = "application/json-patch+json";
const MERGE_PATCH: &str = "application/merge-patch+json";
pub(crate) const STRATEGIC_PATCH: &str = "application/strategic-merge-patch+json";
/// The most operations in a JSON patch.
const JSON_PATCH_LIMIT: usize = 10_000;

/// Decodes the body of a POST or PUT; also returns the unknown fields to warn about.
pub(crate) fn decoded(
    call: &Call<'_>,
    typed: impl FnOnce(&mut Value) -> schema::Decoded,
) -> Result<(Value, Vec<String>), Answer> {
    let kind = call.target.kind.name;
    let mut object = body_of(call, kind)?;
    check_type(call, &object).map_err(status::bad_request)?;
    let unhandled = |why: &str| {
        let version = &call.target.version;
        let message =
            format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}");
        status::bad_request(message)
    };
    let found = typed(&mut object);
    if let Some(mismatch) = &found.mismatch {
        return Err(unhandled(&mismatch.decoder));
    }
    if call.validation == FieldValidation::Strict && !found.unknown.is_empty() {
        return Err(unhandled(&strict(&found.unknown)));
    }
    Ok((object, found.unknown))
}

/// Whether the object's kind and version match the request; missing ones match.
pub(crate) fn check_type(call: &Call<'_>, object: &Value) -> Result<(), String> {
    let wanted = call.target.kind;
    let served = wanted.api_version(&call.target.version);
    let said = |pointer: &str, or: &str| match text(object, pointer) {
        "" => or.to_owned(),
        text => text.to_owned(),
    };
    let (kind, version) = (said("/kind", wanted.name), said("/apiVersion", &served));
    let short = version.rsplit('/').next().unwrap_or_default();
    let name = wanted.name;
    let unhandled = format!("{kind} in version \"{short}\" cannot be handled as a {name}");
    if !wanted.is_registered(&kind, &version) {
        return Err(format!("{unhandled}: {}", unregistered(&kind, &version)));
    }
    if kind != name {
        let group = if wanted.group.is_empty() {
            "core"
        } else {
            wanted.group
        };
        return Err(format!(
            "{unhandled}: converting ({short}.{kind}) to ({group}.{name}): unknown conversion"
        ));
    }
    if version != served {
        return Err(format!(
            "the API version in the data ({version}) does not match the expected API version \
             ({served})"
        ));
    }
    Ok(())
}

pub(crate) fn unregistered(kind: &str, version: &str) -> String {
    format!(
        "no kind \"{kind}\" is registered for version \"{version}\" in scheme \
         \"pkg/runtime/scheme.go:111\""
    )
}

pub(crate) fn body_of(call: &Call<'_>, kind: &str) -> Result<Value, Answer> {
    if !matches!(call.content_type, "" | "application/json") {
        let accepted = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
        return Err(status::unsupported_media_type(accepted));
    }
    let object: Value = serde_json::from_slice(call.body).map_err(|error| {
        status::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): couldn't get \
             version/kind; json parse error: {error}"
        ))
    })?;
    if object.is_null() {
        return Ok(json!({}));
    }
    if !object.is_object() {
        return Err(status::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): couldn't get \
             version/kind; json parse error"
        )));
    }
    Ok(object)
}

pub(crate) fn strict(unknown: &[String]) -> String {
    let fields: Vec<String> = unknown
        .iter()
        .map(|field| format!("unknown field \"{field}\""))
        .collect();
    format!("strict decoding error: {}", fields.join(", "))
}

/// Parses a body as a patch of its type.
pub(crate) fn parse_patch(call: &Call<'_>) -> Result<Value, Answer> {
    let wanted = match call.content_type {
        JSON_PATCH => "[]handlers.jsonPatchOp",
        MERGE_PATCH | STRATEGIC_PATCH => "map[string]interface {}",
        _ => return Err(status::unsupported_patch_type()),
    };
    let read: Value = serde_json::from_slice(call.body)
        .map_err(|error| status::bad_request(format!("error decoding patch: {error}")))?;
    let fits = match call.content_type {
        JSON_PATCH => read.is_array(),
        STRATEGIC_PATCH if read.is_null() => return Ok(json!({})),
        MERGE_PATCH if read.is_null() => return Err(status::bad_request("Invalid JSON Patch")),
        _ => read.is_object(),
    };
    if fits {
        return Ok(read);
    }
    let got = schema::go_kind(&read);
    let message = format!("json: cannot unmarshal {got} into Go value of type {wanted}");
    Err(status::bad_request(match call.content_type {
        STRATEGIC_PATCH => message,
        _ => format!("error decoding patch: {message}"),
    }))
}

pub(crate) fn apply_patch(
    kind: &Kind,
    content_type: &str,
    read: &Value,
    object: &mut Value,
) -> Result<(), Answer> {
    match content_type {
        MERGE_PATCH => json_patch::merge(object, read),
        STRATEGIC_PATCH => {
            patch::strategic(kind.name, object, read).map_err(|why| match why.as_str() {
                patch::BAD_RETAIN => status::bad_request(why),
                _ => status::refusal(500, "", why, Value::Null),
            })?
        }
        _ => {
            let operations = read.as_array().map_or(&[][..], Vec::as_slice);
            if operations.len() > JSON_PATCH_LIMIT {
                return Err(status::too_large(JSON_PATCH_LIMIT));
            }
            patch::operations(object, operations).map_err(|()| status::patch_rejected())?;
        }
    }
    Ok(())
}

/// A patch whose result cannot be decoded. The server names neither kind nor object here. It shows
/// a strategic patch itself; for other types it shows the whole resulting object.
pub(crate) fn bad_patch(call: &Call<'_>, read: &Value, result: &Value, why: &str) -> Answer {
    let value = Value::String(match call.content_type {
        STRATEGIC_PATCH => patch::go(read),
        _ => result.to_string(),
    });
    let cause = status::Cause {
        reason: "FieldValueInvalid",
        message: format!("Invalid value: {value}: {why}"),
        field: "patch".to_owned(),
    };
    status::invalid("", "", "", &[cause])
}

/// Adds warnings to the result, even to a refusal.
pub(crate) fn with_warnings(
    result: Result<Answer, Answer>,
    call: &Call<'_>,
    unknown: &[String],
) -> Result<Answer, Answer> {
    let warned = |mut answer: Answer| {
        if call.validation == FieldValidation::Warn {
            answer.headers.extend(unknown.iter().map(|field| {
                let text = format!("299 - \"unknown field \\\"{field}\\\"\"");
                ("Warning".to_owned(), text)
            }));
        }
        answer
    };
    result.map(warned).map_err(warned)
}
