//! The SDK's clients, each created once, at its first use.

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

/// Access to AWS.
#[derive(Debug, Default)]
pub struct Aws {
    /// The settings: region, endpoints, credentials.
    pub settings: Settings,
    /// The HTTPS client.
    pub https: HttpsClient,
    ssm: OnceLock<aws_sdk_ssm::Client>,
    codepipeline: OnceLock<aws_sdk_codepipeline::Client>,
}

impl Aws {
    /// Reads the variables and creates no client yet.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Aws {
        Aws {
            https: HttpsClient::new(variable("AWS_CA_BUNDLE")),
            settings: Settings::read(variable),
            ..Aws::default()
        }
    }

    /// Returns the SSM client, or says which setting is missing.
    pub fn ssm(&self) -> Result<&aws_sdk_ssm::Client, String> {
        let config = self.config(AwsService::Ssm)?;
        Ok(self.ssm.get_or_init(|| {
            let config = aws_sdk_ssm::config::Builder::from(&config());
            aws_sdk_ssm::Client::from_conf(config.retry_partition(no_quota()).build())
        }))
    }

    /// Returns the CodePipeline client, or says which setting is missing.
    pub fn codepipeline(&self) -> Result<&aws_sdk_codepipeline::Client, String> {
        let config = self.config(AwsService::CodePipeline)?;
        Ok(self.codepipeline.get_or_init(|| {
            let config = aws_sdk_codepipeline::config::Builder::from(&config());
            aws_sdk_codepipeline::Client::from_conf(config.retry_partition(no_quota()).build())
        }))
    }

    /// Builds the configuration of a client.
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
                // Constant credentials need no cache, and need no protection against a stalled
                // provider.
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

/// Switches the SDK's retry quota off. It is meant for clients that make many calls: after ten
/// failed ones the process hardly retries any more. A deploy makes few calls, and must report even
/// after an outage.
fn no_quota() -> RetryPartition {
    let unlimited = TokenBucket::unlimited();
    RetryPartition::custom("landfall")
        .token_bucket(unlimited)
        .build()
}

/// The SDK's form of our retry policy. The SDK knows which errors are temporary, and waits as long
/// as AWS's own header asks, up to our longest pause.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(retry::ATTEMPTS)
        .with_initial_backoff(retry::FIRST_PAUSE)
        .with_max_backoff(retry::LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
