//! Why a call of AWS brought nothing, whichever operation it was.

use crate::http::chain;
use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use landfall_core::retry;
use std::error::Error;
use std::time::Duration;

/// How long one attempt of a call may take.
pub const ATTEMPT: Duration = Duration::from_secs(5);

/// Why a call of AWS brought nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum AwsError {
    /// The service says so: the HTTP status, the error's code and what is said of it.
    Refused(u16, String, String),
    /// The call could not be made, or was not answered.
    Unreachable(String),
}

/// Reduces an error of the SDK to what is told. What an answer says that cannot be read is not: it
/// may be the token.
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
        // A proxy's page, for one.
        SdkError::ResponseError(answer) if !answer.raw().status().is_success() => {
            refused(answer.raw().status().as_u16(), None, None)
        }
        SdkError::ResponseError(_) => {
            AwsError::Unreachable("its answer is not what it should be".to_owned())
        }
        SdkError::DispatchFailure(failure) => {
            // Below "dispatch failure" and "io error" is what happened.
            let cause = failure.as_connector_error().and_then(Error::source);
            AwsError::Unreachable(cause.map_or_else(|| chain(&error), chain))
        }
        SdkError::ConstructionFailure(_) | _ => AwsError::Unreachable(chain(&error)),
    }
}

fn refused(status: u16, code: Option<&str>, message: Option<&str>) -> AwsError {
    let code = code.unwrap_or("an error without a code");
    let message = message.unwrap_or("no message");
    AwsError::Refused(status, code.to_owned(), message.to_owned())
}

/// Whether a refusal may pass, by its status and AWS's code.
pub fn is_transient(status: u16, code: &str) -> bool {
    retry::is_transient(status)
        || THROTTLING_ERRORS.contains(&code)
        || TRANSIENT_ERRORS.contains(&code)
}
