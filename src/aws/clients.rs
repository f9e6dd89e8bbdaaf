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
use aws_smithy_types::retry::{ReconnectMode, RetryConfig};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::region::Region;
use landfall_core::event::Keys;
use landfall_core::retry;
use std::sync::OnceLock;

/// The attempts of a call that is repeated every few seconds anyway.
const POLLING_ATTEMPTS: u32 = 2;

/// Access to AWS.
#[derive(Debug, Default)]
pub struct Aws {
    /// The settings: region, endpoints, credentials.
    pub settings: Settings,
    /// The HTTPS client.
    pub https: HttpsClient,
    ssm: OnceLock<aws_sdk_ssm::Client>,
    codepipeline: OnceLock<aws_sdk_codepipeline::Client>,
    cloudwatch: OnceLock<aws_sdk_cloudwatch::Client>,
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
        let config = self.own_config(AwsService::Ssm)?;
        Ok(self.ssm.get_or_init(|| {
            let config = aws_sdk_ssm::config::Builder::from(&config());
            aws_sdk_ssm::Client::from_conf(config.retry_partition(no_quota()).build())
        }))
    }

    /// Returns the CodePipeline client, or says which setting is missing.
    pub fn codepipeline(&self) -> Result<&aws_sdk_codepipeline::Client, String> {
        let config = self.own_config(AwsService::CodePipeline)?;
        Ok(self.codepipeline.get_or_init(|| {
            let config = aws_sdk_codepipeline::config::Builder::from(&config());
            aws_sdk_codepipeline::Client::from_conf(config.retry_partition(no_quota()).build())
        }))
    }

    /// Returns the CloudWatch client, or says which setting is missing.
    pub fn cloudwatch(&self) -> Result<&aws_sdk_cloudwatch::Client, String> {
        let config = self.own_config(AwsService::CloudWatch)?;
        Ok(self.cloudwatch.get_or_init(|| {
            let config = aws_sdk_cloudwatch::config::Builder::from(&config());
            // What fails is read again in ten seconds.
            let config = config.retry_config(retries().with_max_attempts(POLLING_ATTEMPTS));
            aws_sdk_cloudwatch::Client::from_conf(config.retry_partition(no_quota()).build())
        }))
    }

    /// Creates an EKS client for a region, with these credentials.
    pub fn eks(&self, region: &str, keys: &Keys) -> aws_sdk_eks::Client {
        let config = self.config(AwsService::Eks, region, keys);
        let config = aws_sdk_eks::config::Builder::from(&config);
        aws_sdk_eks::Client::from_conf(config.retry_partition(no_quota()).build())
    }

    /// Creates an STS client for a region, with these credentials.
    pub fn sts(&self, region: &str, keys: &Keys) -> aws_sdk_sts::Client {
        let config = self.config(AwsService::Sts, region, keys);
        let config = aws_sdk_sts::config::Builder::from(&config);
        aws_sdk_sts::Client::from_conf(config.retry_partition(no_quota()).build())
    }

    /// Returns the function's own credentials, or says which setting is missing.
    pub fn own_keys(&self) -> Result<&Keys, String> {
        let missing = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set";
        let keys = self.settings.keys.as_ref();
        keys.ok_or_else(|| missing.to_owned())
    }

    /// Builds the configuration of a client in the function's own region, with its own credentials.
    fn own_config(&self, service: AwsService) -> Result<impl FnOnce() -> SdkConfig, String> {
        let region = self.settings.region.as_ref();
        let region = region.ok_or("AWS_REGION is not set")?;
        let keys = self.own_keys()?;
        Ok(move || self.config(service, region, keys))
    }

    fn config(&self, service: AwsService, region: &str, keys: &Keys) -> SdkConfig {
        let settings = &self.settings;
        let session = keys.session.clone();
        let credentials = Credentials::new(&keys.id, &keys.secret, session, None, "environment");
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
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
        // Our HTTP client looks after its connections itself.
        .with_reconnect_mode(ReconnectMode::ReuseAllConnections)
}

#[cfg(test)]
mod tests;
