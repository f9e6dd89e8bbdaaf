use super::*;
use crate::aws::codepipeline::{Receipt, send};
use crate::aws::failure::{self, AwsError};
use jiff::{SignedDuration, Timestamp};
use landfall_core::report::Report;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A request as it came: its lines, and the body.
#[derive(Clone, Debug)]
struct Came {
    head: String,
    body: String,
}

impl Came {
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }
}

/// An answer that is still to be given: status, further headers, body.
type Answer = (u16, &'static str, &'static str);

/// A service that gives these answers, one after the other, and the requests that came.
async fn service(answers: &[Answer]) -> (String, Arc<Mutex<Vec<Came>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let came = Arc::<Mutex<Vec<Came>>>::default();
    let (seen, answers) = (came.clone(), answers.iter().copied());
    let answers = Arc::new(Mutex::new(answers.collect::<VecDeque<_>>()));
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (seen, answers) = (seen.clone(), answers.clone());
            tokio::spawn(async move {
                let mut text = String::new();
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    text += &String::from_utf8_lossy(&buffer[..count]);
                    let Some((head, body)) = text.split_once("\r\n\r\n") else {
                        continue;
                    };
                    let (head, body) = (head.to_owned(), body.to_owned());
                    let request = Came { head, body };
                    let length = request.header("content-length").parse().unwrap_or(0);
                    if request.body.len() < length {
                        continue;
                    }
                    text.clear();
                    seen.lock().unwrap().push(request);
                    let next = answers.lock().unwrap().pop_front();
                    let (status, headers, body) = next.expect("no more requests than answers");
                    let answer = format!(
                        "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (url, came)
}

fn aws(set: &[(&str, &str)]) -> Aws {
    let base = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "s3cretK3y"),
        ("AWS_SESSION_TOKEN", "s3ssionT0ken"),
    ];
    Aws::read(|name| {
        let found = set.iter().chain(&base).find(|(given, _)| *given == name);
        let value = found.map(|(_, value)| (*value).to_owned());
        value.filter(|value| !value.is_empty())
    })
}

/// Reads a parameter by the client of SSM.
async fn ask(aws: &Aws) -> Result<String, AwsError> {
    let client = aws.ssm().map_err(AwsError::Unreachable)?;
    let sent = client.get_parameters().names("token").send().await;
    let answer = sent.map_err(failure::read)?;
    let found = answer.parameters().first().and_then(|it| it.value());
    Ok(found.unwrap_or("nothing").to_owned())
}

const FOUND: Answer = (
    200,
    "",
    r#"{"Parameters": [{"Name": "token", "Value": "v"}]}"#,
);

#[tokio::test]
async fn a_call_is_signed_for_its_service_with_the_credentials_of_the_environment() {
    let (url, came) = service(&[FOUND]).await;
    let aws = aws(&[("AWS_ENDPOINT_URL", &url)]);
    assert_eq!(ask(&aws).await.as_deref(), Ok("v"));
    let came = came.lock().unwrap();
    let [request] = came.as_slice() else {
        panic!("{came:?}")
    };
    assert!(request.head.starts_with("POST / HTTP/1.1"), "{request:?}");
    assert_eq!(request.header("x-amz-target"), "AmazonSSM.GetParameters");
    assert_eq!(request.header("content-type"), "application/x-amz-json-1.1");
    assert_eq!(request.header("x-amz-security-token"), "s3ssionT0ken");
    let authorization = request.header("authorization");
    assert!(authorization.contains("Credential=AKIDEXAMPLE/"));
    assert!(authorization.contains("/eu-west-1/ssm/aws4_request"));
    assert!(request.header("user-agent").contains("app/landfall"));
    assert_eq!(request.body, r#"{"Names":["token"]}"#);
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    let throttled = (
        400,
        "",
        r#"{"__type": "ThrottlingException", "message": "slow"}"#,
    );
    let broken = (503, "", "");
    let (url, came) = service(&[throttled, broken, FOUND]).await;
    let aws_there = aws(&[("AWS_ENDPOINT_URL_SSM", &url)]);
    assert_eq!(ask(&aws_there).await.as_deref(), Ok("v"));
    assert_eq!(came.lock().unwrap().len(), 3);

    let denied = (
        400,
        "",
        r#"{"__type": "com.amazonaws#AccessDeniedException", "Message": "not authorized"}"#,
    );
    let (url, came) = service(&[denied]).await;
    let error = ask(&aws(&[("AWS_ENDPOINT_URL_SSM", &url)])).await;
    let expected = ("AccessDeniedException".into(), "not authorized".into());
    let expected = AwsError::Refused(400, expected.0, expected.1);
    assert_eq!(error, Err(expected));
    assert_eq!(came.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn attempts_end() {
    let throttled = (
        400,
        "",
        r#"{"__type": "ThrottlingException", "message": "slow"}"#,
    );
    // AWS asks for a pause by a header of its own.
    let throttled = (throttled.0, "x-amz-retry-after: 1\r\n", throttled.2);
    let (url, came) = service(&[throttled; retry::ATTEMPTS as usize]).await;
    let error = ask(&aws(&[("AWS_ENDPOINT_URL_SSM", &url)])).await;
    let expected = AwsError::Refused(400, "ThrottlingException".into(), "slow".into());
    assert_eq!(error, Err(expected));
    assert_eq!(came.lock().unwrap().len(), retry::ATTEMPTS as usize);
}

/// By the SDK's default a process that met ten such calls hardly tries again for the rest of its
/// life.
#[tokio::test]
async fn attempts_are_the_same_after_a_long_outage() {
    const CALLS: usize = 25;
    let attempts = retry::ATTEMPTS as usize;
    let broken = (503, "x-amz-retry-after: 1\r\n", "");
    let (url, came) = service(&[broken; CALLS * retry::ATTEMPTS as usize]).await;
    let aws = aws(&[("AWS_ENDPOINT_URL_SSM", &url)]);
    for call in 1..=CALLS {
        assert!(ask(&aws).await.is_err());
        assert_eq!(came.lock().unwrap().len(), call * attempts, "{call}");
    }
}

#[tokio::test]
async fn an_error_without_words_is_one_all_the_same() {
    for (status, body, code) in [
        (400, r#"{"__type": "X"}"#, "X"),
        (503, "<html>", "HTTP 503"),
    ] {
        let (url, _) = service(&[(status, "", body); retry::ATTEMPTS as usize]).await;
        let error = ask(&aws(&[("AWS_ENDPOINT_URL_SSM", &url)])).await;
        let expected = AwsError::Refused(status, code.into(), "no message".into());
        assert_eq!(error, Err(expected), "{body}");
    }
}

#[tokio::test]
async fn an_error_without_a_code_is_not_from_aws() {
    for (status, body) in [
        (400, ""),
        (403, "<html>Access denied by the proxy"),
        (404, "{}"),
        (407, ""),
        (302, ""),
    ] {
        let (url, came) = service(&[(status, "", body)]).await;
        let error = ask(&aws(&[("AWS_ENDPOINT_URL_SSM", &url)])).await;
        let Err(AwsError::Unreachable(why)) = error else {
            panic!("{status} {body}: {error:?}");
        };
        assert!(why.starts_with(&format!("HTTP {status} came, ")), "{why}");
        assert!(!why.contains("denied by"), "{why}");
        assert_eq!(came.lock().unwrap().len(), 1);
    }
}

/// An answer that breaks off in the middle of the token is not quoted.
#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_told() {
    let cut = (
        200,
        "",
        r#"{"Parameters": [{"Name": "token", "Value": "t0ken-of-the-cluster"#,
    );
    let (url, _) = service(&[cut; retry::ATTEMPTS as usize]).await;
    let error = ask(&aws(&[("AWS_ENDPOINT_URL_SSM", &url)]))
        .await
        .unwrap_err();
    let expected = AwsError::Unreachable("its answer is not what it should be".into());
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_clock_that_is_wrong_by_minutes_is_set_right() {
    let skewed = r#"{"__type": "InvalidSignatureException", "message": "Signature expired"}"#;
    let answers = [
        (400, "date: Sat, 01 Jan 2050 00:00:00 GMT\r\n", skewed),
        FOUND,
    ];
    let (url, came) = service(&answers).await;
    assert_eq!(
        ask(&aws(&[("AWS_ENDPOINT_URL", &url)])).await.as_deref(),
        Ok("v")
    );
    let came = came.lock().unwrap();
    let dates = came.iter().map(|request| request.header("x-amz-date"));
    let dates = dates.collect::<Vec<_>>();
    assert!(
        dates.len() == 2 && dates[1].starts_with("20500101T0000"),
        "{dates:?}"
    );
    let now = Timestamp::now() + SignedDuration::from_secs(60);
    assert!(dates[0] < &*now.strftime("%Y%m%dT%H%M%SZ").to_string());
}

#[tokio::test]
async fn who_cannot_be_reached_is_told_with_the_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = ask(&aws(&[("AWS_ENDPOINT_URL", &url)])).await.unwrap_err();
    let AwsError::Unreachable(why) = error else {
        panic!("{error:?}")
    };
    assert!(why.contains("refused"), "{why}");
    assert!(!why.contains("dispatch") && !why.contains(&url), "{why}");
}

#[tokio::test]
async fn a_bundle_that_is_no_file_ends_it_at_once() {
    for (bundle, expected) in [
        (
            "/nowhere/ca.pem",
            "AWS_CA_BUNDLE /nowhere/ca.pem: there is no such file",
        ),
        (
            "-----BEGIN PRIVATE",
            "AWS_CA_BUNDLE must be the path of a file",
        ),
        ("a\nb", "AWS_CA_BUNDLE must be the path of a file"),
    ] {
        let error = ask(&aws(&[("AWS_CA_BUNDLE", bundle)])).await;
        assert_eq!(error, Err(AwsError::Unreachable(expected.into())));
    }
}

#[tokio::test]
async fn what_lambda_always_sets_is_missed_by_its_name() {
    let keys = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set";
    for (name, expected) in [
        ("AWS_ACCESS_KEY_ID", keys),
        ("AWS_SECRET_ACCESS_KEY", keys),
        ("AWS_REGION", "AWS_REGION is not set"),
    ] {
        let without = aws(&[(name, "")]);
        assert_eq!(without.ssm().unwrap_err(), expected);
        assert_eq!(without.codepipeline().unwrap_err(), expected);
    }
}

#[test]
fn nothing_secret_is_printed() {
    let bundle = ("AWS_CA_BUNDLE", "-----BEGIN PRIVATE KEY");
    let aws = aws(&[bundle]);
    assert!(aws.ssm().is_ok() && aws.codepipeline().is_ok());
    let printed = format!("{aws:?}");
    for secret in ["s3cretK3y", "s3ssionT0ken", "PRIVATE"] {
        assert!(!printed.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_client_is_made_once() {
    let aws = aws(&[]);
    let first: *const _ = aws.ssm().unwrap();
    assert!(std::ptr::eq(first, aws.ssm().unwrap()));
}

#[tokio::test]
async fn a_report_reaches_codepipeline() {
    let (url, came) = service(&[(200, "", "{}")]).await;
    let aws = aws(&[("AWS_ENDPOINT_URL_CODEPIPELINE", &url)]);
    let report = Report::Progress {
        token: "{}".into(),
        summary: "1 of 2".into(),
        percent: 50,
    };
    assert_eq!(send(&aws, "job-1", &report).await, Ok(Receipt::Taken));
    let came = came.lock().unwrap();
    let target = "CodePipeline_20150709.PutJobSuccessResult";
    assert_eq!(came[0].header("x-amz-target"), target);
    let scope = "/eu-west-1/codepipeline/aws4_request";
    assert!(came[0].header("authorization").contains(scope));
    let body: serde_json::Value = serde_json::from_str(&came[0].body).unwrap();
    let details = serde_json::json!({"summary": "1 of 2", "percentComplete": 50});
    assert_eq!(body["executionDetails"], details);
    assert_eq!(
        (&body["jobId"], &body["continuationToken"]),
        (&"job-1".into(), &"{}".into())
    );
}

/// The SDK quotes an address that it cannot use, and it may contain a password.
#[tokio::test]
async fn variables_that_cannot_be_used_are_not_quoted() {
    for variable in [
        ("AWS_ENDPOINT_URL_SSM", "http://user:s3cret@a b"),
        ("AWS_REGION", "s3cret region"),
    ] {
        let Err(AwsError::Unreachable(why)) = ask(&aws(&[variable])).await else {
            panic!("{variable:?} cannot be used");
        };
        assert!(why.starts_with("AWS_REGION, AWS_ENDPOINT_URL"), "{why}");
        assert!(!why.contains("s3cret"), "{why}");
    }
}
