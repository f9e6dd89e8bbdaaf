//! Refusals: the API server's Status objects, word for word.

use crate::world::api::kinds::Kind;
use crate::world::api::message::{Answer, Body};
use crate::world::api::route::Target;
use serde_json::{Map, Value, json};

/// A fault in an object, as `details.causes` lists it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cause {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) field: String,
}

/// A failure Status.
pub(crate) fn refusal(
    code: u16,
    reason: &str,
    message: impl Into<String>,
    details: Value,
) -> Answer {
    let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {},
        "status": "Failure", "message": message.into(), "code": code});
    // Some errors have no reason.
    if !reason.is_empty() {
        status["reason"] = reason.into();
    }
    if !details.is_null() {
        status["details"] = details;
    }
    Answer {
        status: code,
        headers: Vec::new(),
        body: Body::Json(status),
    }
}

/// `deployments.apps`, or `pods` for the core group.
fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{group}")
    }
}

fn details(name: &str, group: &str, kind: &str) -> Value {
    let mut details = Map::new();
    for (field, text) in [("name", name), ("group", group), ("kind", kind)] {
        if !text.is_empty() {
            details.insert(field.to_owned(), text.into());
        }
    }
    Value::Object(details)
}

fn of_resource(kind: &Kind, name: &str) -> Value {
    details(name, kind.group, kind.plural)
}

pub(crate) fn unauthorized() -> Answer {
    refusal(401, "Unauthorized", "Unauthorized", Value::Null)
}

pub(crate) fn bad_request(message: impl Into<String>) -> Answer {
    refusal(400, "BadRequest", message, Value::Null)
}

pub(crate) fn not_found(kind: &Kind, name: &str) -> Answer {
    let message = format!(
        "{} \"{name}\" not found",
        qualified(kind.plural, kind.group)
    );
    refusal(404, "NotFound", message, of_resource(kind, name))
}

pub(crate) fn no_such_resource() -> Answer {
    refusal(
        404,
        "NotFound",
        "the server could not find the requested resource",
        json!({}),
    )
}

pub(crate) fn method_not_allowed() -> Answer {
    let message = "the server does not allow this method on the requested resource";
    refusal(405, "MethodNotAllowed", message, json!({}))
}

pub(crate) fn already_exists(kind: &Kind, name: &str) -> Answer {
    let message = format!(
        "{} \"{name}\" already exists",
        qualified(kind.plural, kind.group)
    );
    refusal(409, "AlreadyExists", message, of_resource(kind, name))
}

pub(crate) fn conflict(kind: &Kind, name: &str, why: &str) -> Answer {
    let resource = qualified(kind.plural, kind.group);
    let message = format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}");
    refusal(409, "Conflict", message, of_resource(kind, name))
}

pub(crate) fn modified(kind: &Kind, name: &str) -> Answer {
    let why = "the object has been modified; please apply your changes to the latest version and \
               try again";
    conflict(kind, name, why)
}

/// The object violates the rules of its kind.
pub(crate) fn invalid(kind: &str, group: &str, name: &str, causes: &[Cause]) -> Answer {
    let mut all: Vec<String> = Vec::new();
    for cause in causes {
        let line = format!("{}: {}", cause.field, cause.message);
        if !all.contains(&line) {
            all.push(line);
        }
    }
    let errors = match all.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    let message = format!("{} \"{name}\" is invalid: {errors}", qualified(kind, group));
    let mut details = details(name, group, kind);
    let cause = |cause: &Cause| {
        let Cause {
            reason,
            message,
            field,
        } = cause;
        json!({"reason": reason, "message": message, "field": field})
    };
    details["causes"] = causes.iter().map(cause).collect();
    refusal(422, "Invalid", message, details)
}

/// The error for a patch that can be parsed but not applied.
/// <https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/handlers/patch.go>
pub(crate) fn patch_rejected() -> Answer {
    let message = "the server rejected our request due to an error in our request";
    refusal(422, "Invalid", message, json!({}))
}

pub(crate) fn unsupported_media_type(accepted: &str) -> Answer {
    let message = format!(
        "the body of the request was in an unknown format - accepted media types include: \
         {accepted}"
    );
    refusal(415, "UnsupportedMediaType", message, Value::Null)
}

/// The error for a patch type that the resource does not support.
pub(crate) fn unsupported_patch_type() -> Answer {
    let message = "415: Unsupported Media Type";
    refusal(415, "UnsupportedMediaType", message, json!({}))
}

pub(crate) fn too_large(limit: usize) -> Answer {
    let message = format!("Request entity too large: limit is {limit}");
    refusal(413, "RequestEntityTooLarge", message, Value::Null)
}

/// The resource version, or a continue token, is older than the log of changes.
pub(crate) fn expired(message: impl Into<String>) -> Answer {
    refusal(410, "Expired", message, Value::Null)
}

pub(crate) fn too_old(version: u64, floor: u64) -> String {
    format!("too old resource version: {version} ({floor})")
}

/// The client knows a newer version than the cluster, for example after a restore from a backup.
pub(crate) fn too_new(version: u64, current: u64) -> Answer {
    let message = format!("Timeout: Too large resource version: {version}, current: {current}");
    let details = json!({"causes": [{"reason": "ResourceVersionTooLarge",
        "message": "Too large resource version"}], "retryAfterSeconds": 1});
    let mut answer = refusal(504, "Timeout", message, details);
    let header = ("Retry-After".to_owned(), "1".to_owned());
    answer.headers.push(header);
    answer
}

/// Go's message for a text that is not a number.
pub(crate) fn no_number(text: &str) -> String {
    format!("strconv.ParseUint: parsing \"{text}\": invalid syntax")
}

/// Nothing new may come into a namespace that is being deleted.
pub(crate) fn terminating(kind: &Kind, name: &str, namespace: &str) -> Answer {
    let subject = qualified(kind.plural, kind.group);
    let message = format!(
        "{subject} \"{name}\" is forbidden: unable to create new content in namespace {namespace} \
         because it is being terminated"
    );
    let mut details = of_resource(kind, name);
    details["causes"] = json!([{"reason": "NamespaceTerminating",
        "message": format!("namespace {namespace} is being terminated"),
        "field": "metadata.namespace"}]);
    refusal(403, "Forbidden", message, details)
}

/// RBAC denies a path that is not a resource.
pub(crate) fn forbidden_path(user: &str, verb: &str, path: &str) -> Answer {
    let verb = verb.to_ascii_lowercase();
    let message = format!("forbidden: User \"{user}\" cannot {verb} path \"{path}\"");
    refusal(403, "Forbidden", message, json!({}))
}

/// RBAC denies a request. A field selector can also name the object.
pub(crate) fn forbidden(user: &str, verb: &str, target: &Target, name: &str) -> Answer {
    let Kind { group, plural, .. } = *target.kind;
    let resource = match &target.subresource {
        Some(subresource) => format!("{plural}/{subresource}"),
        None => plural.to_owned(),
    };
    let subject = match name {
        "" => qualified(plural, group),
        name => format!("{} \"{name}\"", qualified(plural, group)),
    };
    let place = match &target.namespace {
        Some(namespace) => format!("in the namespace \"{namespace}\""),
        None => "at the cluster scope".to_owned(),
    };
    let message = format!(
        "{subject} is forbidden: User \"{user}\" cannot {verb} resource \"{resource}\" in API \
         group \"{group}\" {place}"
    );
    refusal(403, "Forbidden", message, details(name, group, plural))
}

#[cfg(test)]
mod tests;
