//! AWS's JSON services: the SDK's requests and answers, over the one HTTPS stack.
//!
//! The SDK's own clients read a table of all partitions before their first call and lead each one
//! through forty interceptors, which took a fifth of a cold deploy (docs/decisions.md). What
//! Landfall needs of that is here: addresses, signatures, retries and errors. What is said to a
//! service, and what its answers mean, is the SDK's; the tests hold the rest against it.
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>

use crate::https::{self, Trust, chain};
use aws_credential_types::Credentials;
use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_json::codec::{JsonCodec, JsonCodecSettings};
use aws_smithy_schema::codec::Codec;
use aws_smithy_schema::error_envelope::sanitize_error_code;
use aws_smithy_schema::serde::{
    SerdeError, SerializableStruct, ShapeDeserializer, ShapeSerializer,
};
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::fmt;
use std::io::ErrorKind;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long one try of a call may take.
const TRY: Duration = Duration::from_secs(5);

/// Tries of a call: with their pauses about as long as the margin that is kept for the report.
const TRIES: u32 = 6;

/// The longest first pause between two tries; doubled each time, and a random part of it is taken,
/// so that what was throttled together does not come back together.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The most that a service may answer; SSM's and CodePipeline's answers are a few kilobytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// The longest path of a file.
const PATH_LIMIT: usize = 4096;

const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const ERROR_TYPE: &str = "x-amzn-errortype";

/// A service, by the name under which a call of it is signed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Service {
    /// Systems Manager, of which we use the Parameter Store.
    Ssm,
    /// CodePipeline.
    CodePipeline,
    /// S3, which speaks XML: see [`crate::bucket`].
    S3,
}

impl Service {
    /// Its name in signatures, and in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Service::Ssm => "ssm",
            Service::CodePipeline => "codepipeline",
            Service::S3 => "s3",
        }
    }

    /// What its operations' names begin with, in the header `X-Amz-Target`.
    fn target(self) -> &'static str {
        match self {
            Service::Ssm => "AmazonSSM",
            Service::CodePipeline => "CodePipeline_20150709",
            Service::S3 => "",
        }
    }
}

/// A key of AWS and what makes it a temporary one. Nothing prints it.
#[derive(Clone, Default, PartialEq)]
pub struct Keys {
    /// The id of the key.
    pub id: String,
    /// The key.
    pub secret: String,
    /// What makes it a temporary one.
    pub session: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keys")
    }
}

/// AWS as the function sees it: where it is, and as whom it is called.
#[derive(Clone, Debug, Default)]
pub struct Aws {
    /// Where the function runs.
    pub region: Option<String>,
    /// Whether FIPS endpoints are wanted.
    pub fips: bool,
    /// Whether endpoints with IPv6 are wanted.
    pub dual_stack: bool,
    keys: Option<Keys>,
    endpoints: Vec<(Service, String)>,
    /// `AWS_CA_BUNDLE`: a PEM file with roots to trust beside the public ones.
    bundle: Option<String>,
    client: Arc<OnceLock<Result<reqwest::Client, String>>>,
}

/// Why a call of AWS brought nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum AwsError {
    /// The service says so: the HTTP status, the error's code and what is said of it.
    Refused(u16, String, String),
    /// The call could not be made, or was not answered.
    Unreachable(String),
}

/// A failed try: whether another one may help.
enum Trouble {
    Passing(AwsError),
    Final(AwsError),
}

impl Aws {
    /// Reads Lambda's variables and those of the SDK's settings that make sense in a Lambda. The
    /// SDK's own chain would look for profiles, container and instance credentials as well.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Aws {
        let flag = |name| variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let secret = variable("AWS_SECRET_ACCESS_KEY");
        let keys = variable("AWS_ACCESS_KEY_ID").zip(secret);
        let endpoint = |service: Service| {
            let own = format!("AWS_ENDPOINT_URL_{}", service.name().to_uppercase());
            let url = variable(&own).or_else(|| variable("AWS_ENDPOINT_URL"))?;
            Some((service, url.trim_end_matches('/').to_owned()))
        };
        let services = [Service::Ssm, Service::CodePipeline, Service::S3];
        Aws {
            region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")),
            fips: flag("AWS_USE_FIPS_ENDPOINT"),
            dual_stack: flag("AWS_USE_DUALSTACK_ENDPOINT"),
            keys: keys.map(|(id, secret)| Keys {
                id,
                secret,
                session: variable("AWS_SESSION_TOKEN"),
            }),
            endpoints: services.into_iter().filter_map(endpoint).collect(),
            bundle: variable("AWS_CA_BUNDLE"),
            client: Arc::default(),
        }
    }

    /// The HTTPS client for everything of AWS, made with the first request.
    pub fn client(&self) -> Result<&reqwest::Client, String> {
        let made = self.client.get_or_init(|| match &self.bundle {
            None => https::client(Trust::Public),
            Some(path) => {
                // A value that is no path may be the bundle itself, with a key in it.
                let is_path = path.len() <= PATH_LIMIT && !path.contains(['\n', '\r']);
                if !is_path || path.contains("-----") {
                    return Err("AWS_CA_BUNDLE must be the path of a file".to_owned());
                }
                let told = |why: &str| format!("AWS_CA_BUNDLE {path}: {why}");
                let pem = std::fs::read_to_string(path).map_err(|error| {
                    told(if error.kind() == ErrorKind::NotFound {
                        "there is no such file"
                    } else if error.kind() == ErrorKind::PermissionDenied {
                        "the file may not be read"
                    } else if error.kind() == ErrorKind::InvalidData {
                        "the file is not text"
                    } else {
                        "the file cannot be read"
                    })
                })?;
                https::client(Trust::Also(&pem)).map_err(|why| told(&why))
            }
        });
        made.as_ref().map_err(Clone::clone)
    }

    /// What a service's address is replaced by, without a slash at the end.
    pub fn endpoint(&self, service: Service) -> Option<&str> {
        let mut endpoints = self.endpoints.iter();
        let found = endpoints.find(|(given, _)| *given == service);
        found.map(|(_, url)| url.as_str())
    }

    /// Calls an operation and reads its answer. What may pass is tried again.
    pub async fn call<O>(
        &self,
        service: Service,
        operation: &str,
        input: &dyn SerializableStruct,
        read: impl Fn(&mut dyn ShapeDeserializer) -> Result<O, SerdeError>,
    ) -> Result<O, AwsError> {
        let codec = codec();
        let mut body = codec.create_serializer();
        let written = body.write_struct(input.schema(), input);
        written.map_err(|error| AwsError::Unreachable(chain(&error)))?;
        let body = body.finish();
        let mut tries = 1;
        let answer = loop {
            match self.attempt(service, operation, &body).await {
                Ok(answer) => break answer,
                Err(Trouble::Passing(_)) if tries < TRIES => sleep(pause(tries)).await,
                Err(Trouble::Passing(error) | Trouble::Final(error)) => return Err(error),
            }
            tries += 1;
        };
        // What cannot be read is not told: it may be the token.
        read(&mut codec.create_deserializer(&answer))
            .map_err(|_| AwsError::Unreachable("its answer is not what it should be".to_owned()))
    }

    async fn attempt(
        &self,
        service: Service,
        operation: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, Trouble> {
        let never = |why| Trouble::Final(AwsError::Unreachable(why));
        let passing = |why| Trouble::Passing(AwsError::Unreachable(why));
        let (url, headers) = self.request(service, operation, body).map_err(never)?;
        let client = self.client().map_err(never)?;
        let exchange = async {
            let call = client.post(url).headers(headers).body(body.to_vec());
            let response = call.send().await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = https::read(response, BODY_LIMIT).await?;
            reqwest::Result::Ok((status, headers, body))
        };
        let (status, headers, body) = match timeout(TRY, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(passing(chain(&error.without_url()))),
            Err(_) => return Err(passing(format!("no answer within {} s", TRY.as_secs()))),
        };
        if status.is_success() {
            return Ok(body);
        }
        Err(refusal(status.as_u16(), headers.get(ERROR_TYPE), &body))
    }

    /// The address of a call, and its headers.
    fn request(
        &self,
        service: Service,
        operation: &str,
        body: &[u8],
    ) -> Result<(String, HeaderMap), String> {
        let region = self.region.as_deref().ok_or("AWS_REGION is not set")?;
        let missing = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set";
        let keys = self.keys.as_ref().ok_or(missing)?;
        let url = match self.endpoint(service) {
            Some(endpoint) => format!("{endpoint}/"),
            None => format!("https://{}/", self.host(service, region)),
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, JSON);
        let target = format!("{}.{operation}", service.target());
        let target = HeaderValue::from_str(&target).map_err(|error| error.to_string())?;
        headers.insert(TARGET, target);
        let signature = Signature {
            service,
            region,
            keys,
            now: Timestamp::now(),
        };
        let headers = signature.sign("POST", &url, headers, body)?;
        Ok((url, headers))
    }

    /// Where a JSON service is.
    fn host(&self, service: Service, region: &str) -> String {
        let (name, partition) = (service.name(), Partition::of(region));
        let suffix = match self.dual_stack {
            true => partition.dual_stack,
            false => partition.suffix,
        };
        // In GovCloud the usual address of SSM is a FIPS one.
        let usual = service == Service::Ssm && region.starts_with("us-gov-") && !self.dual_stack;
        let fips = if self.fips && !usual { "-fips" } else { "" };
        format!("{name}{fips}.{region}.{suffix}")
    }
}

/// What the addresses of a partition of AWS end in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Partition {
    /// The usual ones.
    pub suffix: &'static str,
    /// Those with IPv6.
    pub dual_stack: &'static str,
}

impl Partition {
    /// The one that a region belongs to; a region that is not known is one of the largest.
    /// <https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json>
    pub fn of(region: &str) -> Partition {
        const PARTITIONS: [(&str, &str, &str); 6] = [
            ("cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
            ("us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
            ("us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
            ("us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
            ("eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
            ("eusc-", "amazonaws.eu", "api.amazonwebservices.eu"),
        ];
        let found = PARTITIONS
            .iter()
            .find(|(begin, ..)| region.starts_with(begin));
        let (_, suffix, dual_stack) = found.unwrap_or(&("", "amazonaws.com", "api.aws"));
        Partition { suffix, dual_stack }
    }
}

fn codec() -> JsonCodec {
    JsonCodec::new(JsonCodecSettings::builder().use_json_name(false).build())
}

/// A random part of what may be waited after so many tries.
fn pause(tries: u32) -> Duration {
    let most = PAUSE * 2_u32.saturating_pow(tries - 1);
    most.min(LONGEST_PAUSE).mul_f64(fastrand::f64())
}

/// What an error of a service means. Its code stands in a header or in the body.
/// <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization>
fn refusal(status: u16, header: Option<&HeaderValue>, body: &[u8]) -> Trouble {
    let body = serde_json::from_slice(body).unwrap_or(Value::Null);
    let text = |names: &[&str]| names.iter().find_map(|name| body[*name].as_str());
    let code = header.and_then(|code| code.to_str().ok());
    let code = code.or_else(|| text(&["code", "__type"]));
    let code = code
        .map(sanitize_error_code)
        .unwrap_or("an error without a code");
    let message = text(&["message", "Message", "errorMessage"]).unwrap_or("no message");
    let error = AwsError::Refused(status, code.to_owned(), message.to_owned());
    let passes = matches!(status, 500 | 502 | 503 | 504)
        || THROTTLING_ERRORS.contains(&code)
        || TRANSIENT_ERRORS.contains(&code);
    match passes {
        true => Trouble::Passing(error),
        false => Trouble::Final(error),
    }
}

/// By whom a request is signed, for what, and when.
pub struct Signature<'a> {
    /// What is called.
    pub service: Service,
    /// Where.
    pub region: &'a str,
    /// By whom.
    pub keys: &'a Keys,
    /// When; five minutes off, and AWS refuses it.
    pub now: Timestamp,
}

impl Signature<'_> {
    /// The headers of a request with those of its signature. The address stands as it is sent.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>
    pub fn sign(
        &self,
        method: &str,
        url: &str,
        mut headers: HeaderMap,
        body: &[u8],
    ) -> Result<HeaderMap, String> {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        if self.service == Service::S3 {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let Keys {
            id,
            secret,
            session,
        } = self.keys;
        let identity = Credentials::new(id, secret, session.clone(), None, "landfall").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service.name())
            .time(self.now.into())
            .settings(settings)
            .build()
            .map_err(|error| chain(&error))?
            .into();
        let shown = headers.iter();
        let shown = shown.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let request = SignableRequest::new(method, url, shown, SignableBody::Bytes(body));
        let request = request.map_err(|error| chain(&error))?;
        let signed = sign(request, &parameters).map_err(|error| chain(&error))?;
        let (added, _) = signed.into_parts().0.into_parts();
        for header in added {
            let value = HeaderValue::from_str(header.value());
            let mut value = value.map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            headers.insert(header.name(), value);
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_codepipeline as codepipeline;
    use aws_sdk_ssm as ssm;
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use ssm::config::http::HttpResponse;
    use ssm::config::{HttpClient, RuntimeComponents};
    use std::sync::Mutex;

    fn aws(set: &[(&str, &str)]) -> Aws {
        let base = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI"),
        ];
        Aws::read(|name| {
            let mut all = set.iter().chain(&base);
            let found = all.find(|(given, _)| *given == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    /// AWS's own example, "GET Object".
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
    #[test]
    fn signatures_are_those_of_awss_example() {
        let keys = Keys {
            id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            session: None,
        };
        let signature = Signature {
            service: Service::S3,
            region: "us-east-1",
            keys: &keys,
            now: "2013-05-24T00:00:00Z".parse().unwrap(),
        };
        let mut headers = HeaderMap::new();
        headers.insert("range", HeaderValue::from_static("bytes=0-9"));
        let url = "https://examplebucket.s3.amazonaws.com/test.txt";
        let signed = signature.sign("GET", url, headers, &[]).unwrap();
        assert_eq!(
            signed["authorization"],
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=\
             f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        assert!(
            !format!("{signed:?}").contains("f0e8bdb"),
            "it is marked as sensitive"
        );
    }

    /// What the SDK's client would send.
    #[derive(Clone, Debug, Default)]
    struct Recorder(Arc<Mutex<Option<HttpRequest>>>);

    impl HttpConnector for Recorder {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            *self.0.lock().unwrap() = Some(request);
            let answer = HttpResponse::new(200.try_into().unwrap(), "{}".into());
            HttpConnectorFuture::ready(Ok::<_, ConnectorError>(answer))
        }
    }

    impl HttpClient for Recorder {
        fn http_connector(
            &self,
            _: &HttpConnectorSettings,
            _: &RuntimeComponents,
        ) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    /// A client of the SDK that sends nothing.
    macro_rules! sdk {
        ($sdk:ident) => {{
            let recorder = Recorder::default();
            let config = $sdk::Config::builder()
                .behavior_version_latest()
                .region($sdk::config::Region::new("eu-west-1"))
                .credentials_provider(Credentials::new("AKIDEXAMPLE", "s", None, None, "test"))
                .retry_config($sdk::config::retry::RetryConfig::disabled())
                .timeout_config($sdk::config::timeout::TimeoutConfig::disabled())
                .stalled_stream_protection($sdk::config::StalledStreamProtectionConfig::disabled())
                .identity_cache($sdk::config::IdentityCache::no_cache())
                .http_client(recorder.clone())
                .build();
            ($sdk::Client::from_conf(config), recorder)
        }};
    }

    /// Sends one call by the SDK's client and by ours, and compares what goes over the wire.
    async fn same(
        service: Service,
        operation: &str,
        recorder: &Recorder,
        input: &dyn SerializableStruct,
    ) {
        let theirs = recorder.0.lock().unwrap().take().expect("it was sent");
        let codec = codec();
        let mut body = codec.create_serializer();
        body.write_struct(input.schema(), input).unwrap();
        let body = body.finish();
        let (url, headers) = aws(&[]).request(service, operation, &body).unwrap();
        assert_eq!(url, theirs.uri());
        let text = |body: &[u8]| String::from_utf8(body.to_vec()).unwrap();
        assert_eq!(text(&body), text(theirs.body().bytes().unwrap()));
        for name in [CONTENT_TYPE, TARGET] {
            assert_eq!(
                Some(headers[&name].to_str().unwrap()),
                theirs.headers().get(&name)
            );
        }
        let scope = |authorization: &str| {
            let (_, rest) = authorization.split_once('/').unwrap();
            rest[8..].split_once(',').unwrap().0.to_owned()
        };
        let theirs = theirs.headers().get("authorization").unwrap();
        assert_eq!(
            scope(headers["authorization"].to_str().unwrap()),
            scope(theirs)
        );
    }

    #[tokio::test]
    async fn ssm_is_told_what_the_sdk_would_tell_it() {
        use ssm::operation::get_parameter_history::GetParameterHistoryInput;
        use ssm::operation::get_parameters::GetParametersInput;
        use ssm::operation::put_parameter::PutParameterInput;
        use ssm::types::{ParameterTier, ParameterType};
        let (client, recorder) = sdk!(ssm);
        let call = client
            .get_parameters()
            .names("a \"b\"")
            .names("ü:3")
            .with_decryption(true);
        let _sent = call.send().await;
        let input = GetParametersInput::builder().names("a \"b\"").names("ü:3");
        let input = input.with_decryption(true).build().unwrap();
        same(Service::Ssm, "GetParameters", &recorder, &input).await;

        let _sent = client
            .get_parameter_history()
            .name("t")
            .max_results(50)
            .send()
            .await;
        let input = GetParameterHistoryInput::builder()
            .name("t")
            .max_results(50);
        same(
            Service::Ssm,
            "GetParameterHistory",
            &recorder,
            &input.build().unwrap(),
        )
        .await;

        let call = client.put_parameter().name("t").value("v").overwrite(true);
        let call = call.r#type(ParameterType::SecureString).key_id("k");
        let _sent = call
            .tier(ParameterTier::Advanced)
            .description("d\n")
            .send()
            .await;
        let input = PutParameterInput::builder()
            .name("t")
            .value("v")
            .overwrite(true);
        let input = input.r#type(ParameterType::SecureString).key_id("k");
        let input = input
            .tier(ParameterTier::Advanced)
            .description("d\n")
            .build()
            .unwrap();
        same(Service::Ssm, "PutParameter", &recorder, &input).await;
    }

    #[tokio::test]
    async fn codepipeline_is_told_what_the_sdk_would_tell_it() {
        use codepipeline::operation::put_job_failure_result::PutJobFailureResultInput;
        use codepipeline::operation::put_job_success_result::PutJobSuccessResultInput;
        use codepipeline::types::{ExecutionDetails, FailureDetails, FailureType};
        let (client, recorder) = sdk!(codepipeline);
        let details = ExecutionDetails::builder()
            .summary("s")
            .percent_complete(40);
        let details = details.external_execution_id("e").build();
        let call = client
            .put_job_success_result()
            .job_id("j")
            .continuation_token("{}");
        let call = call
            .output_variables("revision", "7")
            .execution_details(details.clone());
        let _sent = call.send().await;
        let input = PutJobSuccessResultInput::builder()
            .job_id("j")
            .continuation_token("{}");
        let input = input
            .output_variables("revision", "7")
            .execution_details(details);
        let input = input.build().unwrap();
        same(
            Service::CodePipeline,
            "PutJobSuccessResult",
            &recorder,
            &input,
        )
        .await;

        let details = FailureDetails::builder().r#type(FailureType::PermissionError);
        let details = details.message("a\tb").build().unwrap();
        let call = client
            .put_job_failure_result()
            .job_id("j")
            .failure_details(details.clone());
        let _sent = call.send().await;
        let input = PutJobFailureResultInput::builder()
            .job_id("j")
            .failure_details(details);
        let input = input.build().unwrap();
        same(
            Service::CodePipeline,
            "PutJobFailureResult",
            &recorder,
            &input,
        )
        .await;
    }

    /// The address by the SDK's own rules; `None` where they have none.
    macro_rules! by_the_rules {
        ($sdk:ident, $region:expr, $fips:expr, $dual_stack:expr) => {{
            use $sdk::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
            let parameters = Params::builder()
                .region($region)
                .use_fips($fips)
                .use_dual_stack($dual_stack)
                .build()
                .unwrap();
            let found = DefaultResolver::new().resolve_endpoint(&parameters).await;
            found.ok().map(|endpoint| endpoint.url().to_owned())
        }};
    }

    #[tokio::test]
    async fn addresses_are_those_of_the_sdks_rules() {
        let regions = [
            "us-east-1",
            "us-west-2",
            "ca-central-1",
            "eu-west-1",
            "eu-central-2",
            "ap-east-2",
            "me-central-1",
            "af-south-1",
            "il-central-1",
            "mx-central-1",
            "sa-east-1",
            "cn-north-1",
            "cn-northwest-1",
            "us-gov-east-1",
            "us-gov-west-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "us-isof-south-1",
            "eu-isoe-west-1",
            "eusc-de-east-1",
            "xx-new-9",
        ];
        let mut compared = 0;
        for region in regions {
            for (fips, dual_stack) in [(false, false), (true, false), (false, true), (true, true)] {
                let aws = Aws {
                    fips,
                    dual_stack,
                    ..Aws::default()
                };
                for (service, expected) in [
                    (Service::Ssm, by_the_rules!(ssm, region, fips, dual_stack)),
                    (
                        Service::CodePipeline,
                        by_the_rules!(codepipeline, region, fips, dual_stack),
                    ),
                ] {
                    let Some(expected) = expected else { continue };
                    let host = format!("https://{}", aws.host(service, region));
                    assert_eq!(host, expected, "{region} {service:?} {fips} {dual_stack}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 100, "{compared}");
    }

    #[test]
    fn an_endpoint_of_ones_own_comes_first() {
        let own = aws(&[
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1/"),
            ("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:2/base/"),
        ]);
        let url = |service| own.request(service, "Operation", b"{}").unwrap().0;
        assert_eq!(url(Service::Ssm), "http://127.0.0.1:2/base/");
        assert_eq!(url(Service::CodePipeline), "http://127.0.0.1:1/");
        assert_eq!(own.endpoint(Service::S3), Some("http://127.0.0.1:1"));
    }

    #[test]
    fn what_lambda_always_sets_is_missed_by_its_name() {
        let without = |name: &'static str| {
            Aws::read(move |asked| (asked != name).then(|| "x".to_owned()))
                .request(Service::Ssm, "GetParameters", b"{}")
                .unwrap_err()
        };
        let keys = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set";
        assert_eq!(without("AWS_ACCESS_KEY_ID"), keys);
        assert_eq!(without("AWS_SECRET_ACCESS_KEY"), keys);
        let nowhere = Aws::default().request(Service::Ssm, "GetParameters", b"{}");
        assert_eq!(nowhere.unwrap_err(), "AWS_REGION is not set");
    }

    #[test]
    fn errors_are_read_in_every_spelling() {
        let read = |status, header: Option<&'static str>, body: &str| {
            let header = header.map(HeaderValue::from_static);
            match refusal(status, header.as_ref(), body.as_bytes()) {
                Trouble::Passing(AwsError::Refused(_, code, said)) => {
                    format!("passing {code} {said}")
                }
                Trouble::Final(AwsError::Refused(_, code, said)) => format!("{code} {said}"),
                Trouble::Passing(_) | Trouble::Final(_) => "silent".to_owned(),
            }
        };
        for (status, header, body, expected) in [
            (
                400,
                None,
                r#"{"__type":"ParameterNotFound","message":"m"}"#,
                "ParameterNotFound m",
            ),
            (
                400,
                None,
                r#"{"__type":"com.amazonaws.ssm#X","Message":"m"}"#,
                "X m",
            ),
            (
                400,
                Some("Y:http://a/"),
                r#"{"__type":"X"}"#,
                "Y no message",
            ),
            (400, None, r#"{"code":"C","errorMessage":"m"}"#, "C m"),
            (400, None, "<html>", "an error without a code no message"),
            (400, None, "", "an error without a code no message"),
            (
                400,
                None,
                r#"{"__type":7,"message":[]}"#,
                "an error without a code no message",
            ),
            (
                400,
                None,
                r#"{"__type":"ThrottlingException"}"#,
                "passing ThrottlingException no message",
            ),
            (
                400,
                None,
                r#"{"__type":"RequestTimeout"}"#,
                "passing RequestTimeout no message",
            ),
            (503, None, "", "passing an error without a code no message"),
            (
                500,
                None,
                r#"{"__type":"InternalServerError"}"#,
                "passing InternalServerError no message",
            ),
            (501, None, "", "an error without a code no message"),
            (
                403,
                None,
                r#"{"__type":"AccessDeniedException","message":"no"}"#,
                "AccessDeniedException no",
            ),
        ] {
            assert_eq!(read(status, header, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn pauses_grow_to_their_limit() {
        for (tries, most) in [(1, 1), (2, 2), (3, 2), (6, 2), (40, 2)] {
            let longest = (0..50).map(|_| pause(tries)).max().unwrap();
            assert!(longest <= Duration::from_secs(most), "{tries}: {longest:?}");
            assert!(longest > Duration::from_millis(500), "{tries}: {longest:?}");
        }
    }
}
