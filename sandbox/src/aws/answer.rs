//! The responses of all services: HTTP, errors, and a connection that is cut.

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use serde_json::Value;
use std::fmt;

pub(super) type Answer = Response<Full<Bytes>>;

pub(super) fn answer_json(status: u16, body: &Value) -> Answer {
    Response::builder()
        .status(status)
        .header("Content-Type", "application/json")
        .body(body.to_string().into())
        .expect("the headers are made here")
}

/// An error in AWS's JSON 1.1 protocol.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Refusal {
        let message = message.into();
        Refusal {
            status: 400,
            kind,
            message,
        }
    }

    pub(super) fn validation(message: impl Into<String>) -> Refusal {
        Refusal::new("ValidationException", message)
    }

    pub(super) fn required(member: &str) -> Refusal {
        Refusal::validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
             Member must not be null"
        ))
    }

    pub(super) fn serialization() -> Refusal {
        Refusal::new("SerializationException", "The request could not be parsed")
    }

    pub(super) fn unknown_operation(operation: &str) -> Refusal {
        Refusal::new(
            "UnknownOperationException",
            format!("Unknown operation {operation}"),
        )
    }
}

/// Makes hyper close the connection without a response.
#[derive(Debug)]
pub(super) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection is cut")
    }
}

impl std::error::Error for Cut {}
