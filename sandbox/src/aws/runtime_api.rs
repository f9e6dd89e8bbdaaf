//! The Lambda Runtime API: a queue of invocations, each delivered once and answered once.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use crate::aws::account::{ACCOUNT, REGION};
use crate::aws::answer::{Answer, answer_json};
use crate::aws::invocation::{Invocation, InvocationEnd, Next, NotEnded};
use crate::aws::state::Shared;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const INVOCATION: &str = "/2018-06-01/runtime/invocation/";
/// A synchronous response may be 6 MB,
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const RESPONSE_BYTES: usize = 6 * 1024 * 1024;

pub(super) async fn answer(
    shared: &std::sync::Arc<Shared>,
    environment: u64,
    request: Request<Incoming>,
) -> Answer {
    let path = request.uri().path().to_owned();
    let post = request.method() == Method::POST;
    if request.method() == Method::GET && path == "/2018-06-01/runtime/invocation/next" {
        return next(shared, environment).await;
    }
    if path.starts_with("/2020-01-01/extension/") {
        return extension(&path).await;
    }
    let Ok(body) = Limited::new(request.into_body(), RESPONSE_BYTES)
        .collect()
        .await
    else {
        return problem(
            413,
            "RequestEntityTooLarge",
            "Exceeded maximum allowed payload size",
        );
    };
    let bytes = body.to_bytes();
    let value = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes)));
    if post && path == "/2018-06-01/runtime/init/error" {
        shared.change(|state| state.invocations.init_errors.push(value));
        return accepted();
    }
    let end = path
        .strip_prefix(INVOCATION)
        .and_then(|rest| rest.split_once('/'));
    match end {
        Some((id, "response")) if post => end_one(shared, id, InvocationEnd::Response(value)),
        Some((id, "error")) if post => end_one(shared, id, InvocationEnd::Error(value)),
        Some(_) | None => problem(404, "NotFound", "404 page not found"),
    }
}

async fn next(shared: &std::sync::Arc<Shared>, environment: u64) -> Answer {
    let mut changed = shared.changed.subscribe();
    loop {
        let now = Timestamp::now();
        let next = shared.state().invocations.take(environment, now);
        let wait = match next {
            Next::Invocation(invocation) => {
                shared.change(|_| ());
                shared.expire_after(invocation.life);
                return hand_out(*invocation);
            }
            Next::At(due) => Duration::try_from(now.duration_until(due)).unwrap_or_default(),
            Next::Nothing => Duration::MAX,
        };
        let _due = tokio::time::timeout(wait, changed.changed()).await;
    }
}

fn hand_out(invocation: Invocation) -> Answer {
    let deadline = invocation.deadline().as_millisecond().to_string();
    let count = invocation.request_id.rsplit('-').next().unwrap_or_default();
    let trace = format!("Root=1-65000000-000000000000{count};Parent=0000{count};Sampled=0");
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:landfall");
    Response::builder()
        .header("Content-Type", "application/json")
        .header("Lambda-Runtime-Aws-Request-Id", &invocation.request_id)
        .header("Lambda-Runtime-Deadline-Ms", deadline)
        .header("Lambda-Runtime-Invoked-Function-Arn", arn)
        .header("Lambda-Runtime-Trace-Id", trace)
        .body(invocation.body.into())
        .expect("the headers are made here")
}

fn end_one(shared: &Shared, id: &str, end: InvocationEnd) -> Answer {
    let now = Timestamp::now();
    match shared.change(|state| state.invocations.end(id, end, now)) {
        Ok(()) => accepted(),
        Err(NotEnded::UnknownId) => problem(400, "InvalidRequestID", "Invalid request ID"),
        Err(NotEnded::AlreadyEnded) => problem(
            403,
            "InvalidStateTransition",
            "State transition is not allowed",
        ),
    }
}

/// A runtime that wants SIGTERM registers an extension, which then waits for an event forever.
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>
async fn extension(path: &str) -> Answer {
    match path {
        "/2020-01-01/extension/register" => {
            let names = json!({"functionName": "landfall", "functionVersion": "$LATEST",
                               "handler": "bootstrap"});
            let mut answer = answer_json(200, &names);
            let id =
                hyper::header::HeaderValue::from_static("0e0e0e0e-0000-4000-8000-000000000001");
            answer
                .headers_mut()
                .insert("Lambda-Extension-Identifier", id);
            answer
        }
        "/2020-01-01/extension/event/next" => std::future::pending().await,
        _ => problem(404, "NotFound", "404 page not found"),
    }
}

fn accepted() -> Answer {
    answer_json(202, &json!({"status": "OK"}))
}

fn problem(status: u16, kind: &str, message: &str) -> Answer {
    answer_json(status, &json!({"errorType": kind, "errorMessage": message}))
}

#[cfg(test)]
mod tests;
