//! Answers, read: what is odd about one, and what it means that something is not there.

use super::model::Answer;
use crate::kubernetes::contact::{JsonFault, OddAnswer};
use crate::kubernetes::{CallError, Refusal};
use crate::strategy::scene::Sought;
use serde_json::Value;

/// An answer that was read in another way than it was to be.
fn odd() -> CallError {
    CallError::NotKubernetes(Box::new(OddAnswer::Json(200, JsonFault::NoObject)))
}

/// Reads one object.
pub(super) fn object(result: Result<Answer, CallError>) -> Result<Value, CallError> {
    let Answer::Object(object) = result? else {
        return Err(odd());
    };
    Ok(object)
}

/// Reads one object, or `None` where it does not exist.
pub(super) fn found(result: Result<Answer, CallError>) -> Result<Option<Value>, CallError> {
    match object(result) {
        Ok(object) => Ok(Some(object)),
        Err(CallError::Refused(refusal)) if refusal.code == 404 && refusal.is_status => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a list. A resource that the cluster does not serve has no items.
pub(super) fn items(result: Result<Answer, CallError>) -> Result<Vec<Value>, CallError> {
    match result {
        Ok(Answer::List(items)) => Ok(items),
        Ok(_) => Err(odd()),
        Err(CallError::Refused(refusal)) if refusal.code == 404 && refusal.is_status => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

pub(super) fn text(result: Result<Answer, CallError>) -> Result<String, CallError> {
    let Answer::Text(text) = result? else {
        return Err(odd());
    };
    Ok(text)
}

/// Whether a question before the first write cannot be asked here. A webhook may be unfit for a dry
/// run, and a token may be denied to ask what it may.
/// <https://github.com/kubernetes/apiserver/blob/master/pkg/admission/plugin/webhook/errors/statuserror.go>
pub(super) fn says_nothing(sought: &Sought, error: &CallError) -> bool {
    let CallError::Refused(refusal) = error else {
        return false;
    };
    match sought {
        Sought::Trial(_) => cannot_be_tried(refusal),
        Sought::Permission(_) => refusal.code == 403,
        Sought::Service
        | Sought::ServiceAgain
        | Sought::Preview
        | Sought::Deployment(_)
        | Sought::Versions
        | Sought::ReplicaSets(_)
        | Sought::Members(_)
        | Sought::Autoscalers
        | Sought::Endpoints(_)
        | Sought::Smoke { .. } => false,
    }
}

/// Whether a webhook is unfit for a dry run.
pub(super) fn cannot_be_tried(refusal: &Refusal) -> bool {
    refusal.code == 400 && refusal.message.contains("dry run")
}

/// Whether it was the API server that could not ask the application, and not the application that
/// gave an answer.
pub(super) fn is_of_proxy(error: &CallError) -> bool {
    match error {
        CallError::Refused(refusal) => {
            refusal.is_status && matches!(refusal.code, 401 | 429 | 500..)
        }
        CallError::Unreachable(_) => true,
        CallError::Untrusted(_)
        | CallError::NotKubernetes(_)
        | CallError::Kept(_)
        | CallError::OutOfTime => false,
    }
}

/// Whether a HorizontalPodAutoscaler scales the Deployment of this name.
pub(super) fn targets(scaler: &Value, name: &str) -> bool {
    let target = &scaler["spec"]["scaleTargetRef"];
    target["kind"] == "Deployment" && target["name"] == name
}
