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
