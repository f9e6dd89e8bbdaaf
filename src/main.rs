//! The Lambda function: reads the environment, wires logging and clients, serves events.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ssm::config::retry::RetryConfig;
use aws_sdk_ssm::config::timeout::TimeoutConfig;
use aws_sdk_ssm::config::{BehaviorVersion, Region};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use landfall::bucket::Store;
use landfall::environment::Environment;
use landfall::https::Aws;
use landfall::invocation::{self, Function, Unreported};
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

type Handling<'a> = Pin<Box<dyn Future<Output = Result<Value, Unreported>> + 'a>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::init(variable);
    if variable("AWS_LAMBDA_RUNTIME_API").is_none() {
        let what = "this program runs inside AWS Lambda, and AWS_LAMBDA_RUNTIME_API is not set; \
                    `make demo` shows it on your machine";
        return Err(what.into());
    }
    let secrets = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    let secrets = secrets.into_iter().filter_map(variable).collect();
    let https = Aws::new(variable("AWS_CA_BUNDLE"));
    let (sdk, store) = (sdk_config(https.clone()), store(https));
    let name = variable("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "landfall".to_owned());
    let function = Function::new(name, Environment::read(variable), sdk, store, secrets);
    let handler = service_fn(|event: LambdaEvent<Value>| {
        let context = event.context;
        let span = info_span!(
            "invocation",
            requestId = context.request_id,
            jobId = tracing::field::Empty,
            execution = tracing::field::Empty
        );
        let deadline = invocation::deadline(context.deadline, Timestamp::now());
        let function = &function;
        // Boxed: the futures of the SDK, reqwest and the runtime together are a type too deep.
        Box::pin(async move { function.handle(event.payload, deadline).await }.instrument(span))
            as Handling<'_>
    });
    lambda_runtime::run(handler).await
}

/// A variable of the environment; an empty one is none.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What the SDK needs, from the variables that Lambda sets. The SDK's own chain would look for
/// profiles, container and instance credentials as well, which a Lambda never has: leaving it out
/// saves a third of the binary and of the cold start.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>
fn sdk_config(https: Aws) -> SdkConfig {
    let retries = RetryConfig::standard()
        .with_max_attempts(AWS_TRIES)
        .with_max_backoff(AWS_PAUSE);
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(AWS_TRY);
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(https)
        .sleep_impl(TokioSleep::new())
        .time_source(SystemTimeSource::new())
        .retry_config(retries)
        .timeout_config(timeouts.build())
        .service_config(ServiceVariables);
    config.set_region(region().map(Region::new));
    config.set_endpoint_url(variable("AWS_ENDPOINT_URL"));
    config.set_use_fips(flag("AWS_USE_FIPS_ENDPOINT"));
    config.set_use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT"));
    let keys = (
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
    );
    if let (Some(id), Some(secret)) = keys {
        let session = variable("AWS_SESSION_TOKEN");
        let credentials = Credentials::new(id, secret, session, None, "environment");
        config.set_credentials_provider(Some(SharedCredentialsProvider::new(credentials)));
    }
    config.build()
}

/// S3 by the same variables.
fn store(https: Aws) -> Store {
    let endpoint = variable("AWS_ENDPOINT_URL_S3").or(variable("AWS_ENDPOINT_URL"));
    let [fips, dual_stack] = ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"].map(flag);
    let [fips, dual_stack] = [fips, dual_stack].map(Option::unwrap_or_default);
    Store::new(https, region(), endpoint, fips, dual_stack)
}

fn region() -> Option<String> {
    variable("AWS_REGION").or(variable("AWS_DEFAULT_REGION"))
}

fn flag(name: &str) -> Option<bool> {
    variable(name).map(|value| value.eq_ignore_ascii_case("true"))
}

/// Settings of one service, such as `AWS_ENDPOINT_URL_SSM`.
#[derive(Debug)]
struct ServiceVariables;

impl LoadServiceConfig for ServiceVariables {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace([' ', '-'], "_");
        variable(&format!("{}_{service}", key.env()))
    }
}
