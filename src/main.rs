//! The Lambda function: reads the environment, wires logging and clients, serves events.

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use landfall::environment::Environment;
use landfall::https::Aws;
use landfall::invocation::Function;
use landfall::logging;
use serde_json::Value;
use std::pin::Pin;
use std::time::Duration;
use tracing::{Instrument, info_span};

/// How long one try of an AWS call may take.
const AWS_TRY: Duration = Duration::from_secs(5);

/// Tries of an AWS call: with the SDK's pauses (up to a second at first, then doubled) about as
/// long as the margin that is kept for the report.
const AWS_TRIES: u32 = 6;

/// The longest pause between two tries of an AWS call.
const AWS_PAUSE: Duration = Duration::from_secs(2);

type Handling<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let variable = |name: &str| std::env::var(name).ok();
    logging::init(variable);
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(AWS_TRY);
    let retries = RetryConfig::standard()
        .with_max_attempts(AWS_TRIES)
        .with_max_backoff(AWS_PAUSE);
    let aws = aws_config::defaults(BehaviorVersion::latest())
        .http_client(Aws::new(variable("AWS_CA_BUNDLE")))
        .timeout_config(timeouts.build())
        .retry_config(retries)
        .load()
        .await;
    let function = Function::new(Environment::read(variable), aws);
    let handler = service_fn(|event: LambdaEvent<Value>| {
        let context = event.context;
        let span = info_span!(
            "invocation",
            requestId = context.request_id,
            jobId = tracing::field::Empty,
            execution = tracing::field::Empty
        );
        let deadline = i64::try_from(context.deadline).unwrap_or(i64::MAX);
        let deadline = Timestamp::from_millisecond(deadline).unwrap_or(Timestamp::MAX);
        let function = &function;
        // Boxed: the futures of the SDK, reqwest and the runtime together are a type too deep.
        Box::pin(
            async move { Ok(function.handle(event.payload, deadline).await?) }.instrument(span),
        ) as Handling<'_>
    });
    lambda_runtime::run(handler).await
}
