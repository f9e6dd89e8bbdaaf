//! The SDK's clients, each made once, when it is needed first.

use super::failure::ATTEMPT;
use super::http_client::HttpsClient;
use super::settings::{AwsService, Settings};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::region::Region;
use landfall_core::retry;
use std::sync::OnceLock;

/// AWS as the function sees it.
#[derive(Debug, Default)]
pub struct Aws {
    /// Where it is, and as whom it is called.
    pub settings: Settings,
    /// The way to it.
    pub https: HttpsClient,
    ssm: OnceLock<aws_sdk_ssm::Client>,
    codepipeline: OnceLock<aws_sdk_codepipeline::Client>,
}

impl Aws {
    /// Reads the variables. Nothing is made yet.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Aws {
        Aws {
            https: HttpsClient::new(variable("AWS_CA_BUNDLE")),
            settings: Settings::read(variable),
            ..Aws::default()
        }
    }

    /// The client of SSM, or what is not set that it needs.
    pub fn ssm(&self) -> Result<&aws_sdk_ssm::Client, String> {
        let config = self.config(AwsService::Ssm)?;
        Ok(self.ssm.get_or_init(|| {
            let config = aws_sdk_ssm::config::Builder::from(&config());
            aws_sdk_ssm::Client::from_conf(config.retry_partition(no_quota()).build())
        }))
    }

    /// The client of CodePipeline, or what is not set that it needs.
    pub fn codepipeline(&self) -> Result<&aws_sdk_codepipeline::Client, String> {
        let config = self.config(AwsService::CodePipeline)?;
        Ok(self.codepipeline.get_or_init(|| {
            let config = aws_sdk_codepipeline::config::Builder::from(&config());
            aws_sdk_codepipeline::Client::from_conf(config.retry_partition(no_quota()).build())
        }))
    }

    /// What makes the configuration of a client.
    fn config(&self, service: AwsService) -> Result<impl FnOnce() -> SdkConfig, String> {
        let settings = &self.settings;
        let region = settings.region.as_ref().ok_or("AWS_REGION is not set")?;
        let missing = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set";
        let keys = settings.keys.as_ref().ok_or(missing)?;
        Ok(move || {
            let session = keys.session.clone();
            let credentials =
                Credentials::new(&keys.id, &keys.secret, session, None, "environment");
            let mut config = SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(region.clone()))
                .use_fips(settings.fips)
                .use_dual_stack(settings.dual_stack)
                .credentials_provider(SharedCredentialsProvider::new(credentials))
                // What never changes needs no cache, and what is in memory cannot stall.
                .identity_cache(IdentityCache::no_cache())
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
                .http_client(self.https.clone())
                .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
                .retry_config(retries())
                .timeout_config(
                    TimeoutConfig::builder()
                        .operation_attempt_timeout(ATTEMPT)
                        .build(),
                );
            config.set_endpoint_url(settings.endpoint(service).map(str::to_owned));
            config.set_app_name(AppName::new("landfall").ok());
            config.build()
        })
    }
}

/// The SDK's quota of retries is for clients that make many calls: ten that failed use it up for
/// the rest of the process. A deploy makes a handful, and must report after an outage, too.
fn no_quota() -> RetryPartition {
    let unlimited = TokenBucket::unlimited();
    RetryPartition::custom("landfall")
        .token_bucket(unlimited)
        .build()
}

/// Our policy as the SDK takes it. Which errors may pass is known to the SDK, and it obeys the
/// pause that AWS asks for by a header of its own, within our longest one.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(retry::ATTEMPTS)
        .with_initial_backoff(retry::FIRST_PAUSE)
        .with_max_backoff(retry::LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
