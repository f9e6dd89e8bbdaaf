//! The settings for AWS, from Lambda's variables and those SDK settings that are useful in Lambda.
//! The SDK's own chain would also look for profiles, container and instance credentials.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>

use landfall_core::event::Keys;

/// An AWS service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AwsService {
    /// Systems Manager, with its Parameter Store.
    Ssm,
    /// CodePipeline.
    CodePipeline,
    /// S3.
    S3,
    /// Elastic Kubernetes Service.
    Eks,
    /// Security Token Service.
    Sts,
    /// CloudWatch.
    CloudWatch,
    /// EventBridge.
    EventBridge,
}

/// The settings for AWS.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The function's region.
    pub region: Option<String>,
    /// Whether to use FIPS endpoints.
    pub fips: bool,
    /// Whether to use IPv6 endpoints.
    pub dual_stack: bool,
    /// The function's own credentials.
    pub keys: Option<Keys>,
    endpoints: Vec<(AwsService, String)>,
}

impl Settings {
    /// Reads the variables.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Settings {
        let flag = |name| variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        // The SDK panics if a header cannot have the id.
        let sendable = |name| {
            let value = variable(name)?;
            let is_sendable = value.bytes().all(|byte| byte.is_ascii_graphic());
            is_sendable.then_some(value)
        };
        let keys = sendable("AWS_ACCESS_KEY_ID").zip(sendable("AWS_SECRET_ACCESS_KEY"));
        let endpoint = |(service, own)| {
            let url = variable(own).or_else(|| variable("AWS_ENDPOINT_URL"))?;
            Some((service, url.trim_end_matches('/').to_owned()))
        };
        let services = [
            (AwsService::Ssm, "AWS_ENDPOINT_URL_SSM"),
            (AwsService::CodePipeline, "AWS_ENDPOINT_URL_CODEPIPELINE"),
            (AwsService::S3, "AWS_ENDPOINT_URL_S3"),
            (AwsService::Eks, "AWS_ENDPOINT_URL_EKS"),
            (AwsService::Sts, "AWS_ENDPOINT_URL_STS"),
            (AwsService::CloudWatch, "AWS_ENDPOINT_URL_CLOUDWATCH"),
            (AwsService::EventBridge, "AWS_ENDPOINT_URL_EVENTBRIDGE"),
        ];
        Settings {
            region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")),
            fips: flag("AWS_USE_FIPS_ENDPOINT"),
            dual_stack: flag("AWS_USE_DUALSTACK_ENDPOINT"),
            keys: keys.map(|(id, secret)| Keys {
                id,
                secret,
                session: sendable("AWS_SESSION_TOKEN"),
            }),
            endpoints: services.into_iter().filter_map(endpoint).collect(),
        }
    }

    /// The endpoint that replaces a service's default one, without a slash at the end.
    pub fn endpoint(&self, service: AwsService) -> Option<&str> {
        let mut endpoints = self.endpoints.iter();
        let found = endpoints.find(|(given, _)| *given == service);
        found.map(|(_, url)| url.as_str())
    }
}

#[cfg(test)]
mod tests;
