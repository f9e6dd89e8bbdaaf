//! Why a call to AWS failed, for all operations.

use crate::http::chain;
use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use landfall_core::retry;
use std::error::Error;
use std::time::Duration;

/// The time limit of one attempt.
pub const ATTEMPT: Duration = Duration::from_secs(5);

/// Why the SDK could not build a call. Its own words may quote the variables, and an address may
/// contain a password.
const NOT_BUILT: &str =
    "AWS_REGION, AWS_ENDPOINT_URL or another variable of the function is not valid";

/// Why a call to AWS failed.
#[derive(Clone, Debug, PartialEq)]
pub enum AwsError {
    /// The service refused the call: the HTTP status, the error code and the message.
    Refused(u16, String, String),
    /// The call could not be sent, or got no response.
    Unreachable(String),
}

/// Reduces an SDK error to what may be shown. An unreadable response is not shown, because it may
/// contain the token.
pub fn read<E>(error: SdkError<E, HttpResponse>) -> AwsError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match &error {
        SdkError::ServiceError(refusal) => {
            let (status, error) = (refusal.raw().status().as_u16(), refusal.err());
            refused(status, error.code(), error.message())
        }
        SdkError::TimeoutError(_) => {
            AwsError::Unreachable(format!("no answer within {} s", ATTEMPT.as_secs()))
        }
        // The response may be a proxy's page.
        SdkError::ResponseError(answer) if !answer.raw().status().is_success() => {
            refused(answer.raw().status().as_u16(), None, None)
        }
        SdkError::ResponseError(_) => {
            AwsError::Unreachable("its answer is not what it should be".to_owned())
        }
        // Our HTTP client's errors are of another kind.
        SdkError::DispatchFailure(failure) if failure.is_other() => {
            AwsError::Unreachable(NOT_BUILT.to_owned())
        }
        SdkError::DispatchFailure(failure) => {
            // Below "dispatch failure" and "io error" is the actual cause.
            let cause = failure.as_connector_error().and_then(Error::source);
            AwsError::Unreachable(cause.map_or_else(|| chain(&error), chain))
        }
        SdkError::ConstructionFailure(_) | _ => AwsError::Unreachable(NOT_BUILT.to_owned()),
    }
}

/// A refusal without an error code is not from AWS, whose services always send one. A load balancer
/// in front of them does not, so a temporary error may still be theirs.
fn refused(status: u16, code: Option<&str>, message: Option<&str>) -> AwsError {
    let message = message.unwrap_or("no message").trim_end_matches('.');
    match code {
        Some(code) => AwsError::Refused(status, code.to_owned(), message.to_owned()),
        None if retry::is_transient(status) => {
            AwsError::Refused(status, format!("HTTP {status}"), message.to_owned())
        }
        None => AwsError::Unreachable(format!(
            "HTTP {status} came, without an error code of AWS; a proxy or another server sent it"
        )),
    }
}

/// Whether a refusal is temporary, by its status and AWS's error code.
pub fn is_transient(status: u16, code: &str) -> bool {
    retry::is_transient(status)
        || THROTTLING_ERRORS.contains(&code)
        || TRANSIENT_ERRORS.contains(&code)
}
