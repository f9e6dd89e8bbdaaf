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
mod tests;
