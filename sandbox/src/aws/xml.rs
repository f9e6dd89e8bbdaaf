//! The answers of AWS's Query protocol.
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use crate::aws::answer::Refusal;
use serde_json::Value;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The answer of an operation.
pub(super) fn answer(operation: &str, result: &Result<Value, Refusal>, id: &str) -> String {
    match result {
        Ok(value) => format!(
            "<{operation}Response xmlns=\"{NAMESPACE}\"><{operation}Result>{}</{operation}Result>\
             <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>\
             </{operation}Response>",
            elements(value)
        ),
        Err(refusal) => format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{}</Code>\
             <Message>{}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>",
            code(refusal.kind),
            escaped(&refusal.message)
        ),
    }
}

/// The older services have names of their own for what all say.
fn code(kind: &'static str) -> &'static str {
    match kind {
        "UnrecognizedClientException" => "InvalidClientTokenId",
        other => other.trim_end_matches("Exception"),
    }
}

fn elements(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let elements = members
                .iter()
                .map(|(name, value)| format!("<{name}>{}</{name}>", elements(value)));
            elements.collect()
        }
        Value::String(text) => escaped(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
