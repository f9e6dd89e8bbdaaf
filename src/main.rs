//! The Lambda function: reads the environment, wires logging and clients, serves events.

use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use landfall::aws::clients::Aws;
use landfall::handler::{self, Function, Unreported};
use landfall::telemetry::logging;
use landfall_core::environment::Environment;
use serde_json::Value;
use std::pin::Pin;
use tracing::{Instrument, info_span};

type Handling<'a> = Pin<Box<dyn Future<Output = Result<Value, Unreported>> + 'a>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == "--version")
    {
        println!("landfall {}", env!("CARGO_PKG_VERSION"));
        return Ok(());
    }
    logging::init(variable);
    if variable("AWS_LAMBDA_RUNTIME_API").is_none() {
        let what = "this program runs inside AWS Lambda, and AWS_LAMBDA_RUNTIME_API is not set; \
                    `make demo` shows it on your machine";
        return Err(what.into());
    }
    let secrets = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    let secrets = secrets.into_iter().filter_map(variable).collect();
    let aws = Aws::read(variable);
    let name = variable("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "landfall".to_owned());
    let function = Function::new(name, Environment::read(variable), aws, secrets);
    let handler = service_fn(|event: LambdaEvent<Value>| {
        let context = event.context;
        let span = info_span!(
            "invocation",
            requestId = context.request_id,
            jobId = tracing::field::Empty,
            execution = tracing::field::Empty
        );
        let deadline = handler::deadline(context.deadline, Timestamp::now());
        let function = &function;
        // Boxed: the futures of the SDK, reqwest and the runtime together are a type too deep.
        let handling = async move {
            let request = &context.request_id;
            function.handle(event.payload, request, deadline).await
        };
        Box::pin(handling.instrument(span)) as Handling<'_>
    });
    lambda_runtime::run(handler).await
}

/// A variable of the environment; an empty one is none.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
