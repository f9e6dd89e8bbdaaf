use super::*;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const JOB: &str = "11111111-abcd-1111-abcd-111111abcdef";
const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=A/b/c/ssm/aws4_request\r\n";
const LIFE: Duration = Duration::from_secs(5);

/// Sends one request and reads until the connection ends: status, head and body.
async fn send(to: &str, head: &str, body: &str) -> Option<(u16, String, String)> {
    let mut stream = TcpStream::connect(to.trim_start_matches("http://"))
        .await
        .unwrap();
    let text = format!(
        "{head}Host: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, head.to_lowercase(), body.to_owned()))
}

async fn call(aws: &Aws, target: &str, body: Value) -> Option<(u16, Value)> {
    let head = format!("POST / HTTP/1.1\r\nX-Amz-Target: {target}\r\n{SIGNED}");
    let (status, head, body) = send(&aws.endpoint(), &head, &body.to_string()).await?;
    assert!(
        head.contains("content-type: application/x-amz-json-1.1"),
        "{head}"
    );
    assert!(head.contains("x-amzn-requestid: "), "{head}");
    Some((status, serde_json::from_str(&body).unwrap()))
}

async fn next(aws: &Aws) -> (String, Value) {
    let head = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n";
    let (status, head, body) = send(&aws.runtime_api(), head, "").await.unwrap();
    assert_eq!(status, 200);
    let line = head
        .lines()
        .find_map(|line| line.strip_prefix("lambda-runtime-aws-request-id: "));
    (
        line.unwrap().to_owned(),
        serde_json::from_str(&body).unwrap(),
    )
}

async fn respond(aws: &Aws, id: &str, how: &str) -> u16 {
    let head = format!("POST /2018-06-01/runtime/invocation/{id}/{how} HTTP/1.1\r\n");
    send(&aws.runtime_api(), &head, r#"{"ok":true}"#)
        .await
        .unwrap()
        .0
}

fn event() -> Value {
    json!({"CodePipeline.job": {"id": JOB, "data": {"actionConfiguration": {}}}})
}

#[tokio::test]
async fn an_action_goes_on_until_its_last_report() {
    let aws = Aws::start().await.unwrap();
    aws.reinvoke_after(Duration::from_millis(10));
    let job = aws.submit(event(), LIFE);
    assert_eq!(job.id, JOB);
    let (first, body) = next(&aws).await;
    assert_eq!(body, event());
    assert_eq!(
        aws.outcome(&job, Duration::from_millis(5)).await,
        Outcome::Pending
    );
    let body = json!({"jobId": JOB, "continuationToken": "go on"});
    let target = "CodePipeline_20150709.PutJobSuccessResult";
    assert_eq!(call(&aws, target, body).await, Some((200, json!({}))));
    assert_eq!(respond(&aws, &first, "response").await, 202);
    assert_eq!(respond(&aws, &first, "response").await, 403);
    let (second, body) = next(&aws).await;
    assert_ne!(first, second);
    let next_job = body["CodePipeline.job"]["id"].as_str().unwrap();
    assert_ne!(next_job, JOB);
    assert_eq!(
        body["CodePipeline.job"]["data"]["continuationToken"],
        "go on"
    );
    let late = json!({"jobId": JOB});
    let (status, refusal) = call(&aws, target, late).await.unwrap();
    assert_eq!(
        (status, refusal["__type"].as_str()),
        (400, Some("InvalidJobStateException"))
    );
    let details = json!({"type": "JobFailed", "message": "no"});
    let body = json!({"jobId": next_job, "failureDetails": details});
    call(&aws, "CodePipeline_20150709.PutJobFailureResult", body)
        .await
        .unwrap();
    let early = aws.outcome(&job, LIFE);
    let early = tokio::time::timeout(Duration::from_millis(50), early).await;
    assert!(early.is_err(), "the invocation has not ended: {early:?}");
    assert_eq!(respond(&aws, &second, "response").await, 202);
    let outcome = aws.outcome(&job, LIFE).await;
    assert!(matches!(outcome, Outcome::Failed(report) if report.job == next_job));
    assert_eq!(aws.reports().len(), 2);
    assert_eq!(aws.refused().len(), 1);
    assert_eq!(aws.calls().len(), 3);
}

#[tokio::test]
async fn an_invocation_without_a_report_is_silent() {
    let aws = Aws::start().await.unwrap();
    let job = aws.submit_raw(b"not json".to_vec(), LIFE);
    assert_eq!(job.id, "");
    let head = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n";
    let (_, head, body) = send(&aws.runtime_api(), head, "").await.unwrap();
    assert_eq!(body, "not json");
    for name in ["deadline-ms", "invoked-function-arn", "trace-id"] {
        assert!(head.contains(&format!("lambda-runtime-{name}: ")), "{head}");
    }
    let id = aws.invocations()[0].request_id.clone();
    assert_eq!(respond(&aws, "other", "error").await, 400);
    assert_eq!(respond(&aws, &id, "error").await, 202);
    let end = InvocationEnd::Error(json!({"ok": true}));
    assert_eq!(aws.outcome(&job, LIFE).await, Outcome::Silent(end));
    assert!(aws.retry(&job));
    assert_eq!(aws.outcome(&job, Duration::ZERO).await, Outcome::Pending);
    assert_eq!(aws.invocations()[1].request_id, id);
}

#[tokio::test]
async fn an_invocation_that_outlives_its_time_ends() {
    let aws = Aws::start().await.unwrap();
    let job = aws.submit(event(), Duration::from_millis(20));
    let (id, _) = next(&aws).await;
    let outcome = aws.outcome(&job, LIFE).await;
    assert_eq!(outcome, Outcome::Silent(InvocationEnd::TimedOut));
    assert_eq!(respond(&aws, &id, "response").await, 403);
}

#[tokio::test]
async fn each_fault_is_answered_as_aws_words_it() {
    let aws = Aws::start().await.unwrap();
    aws.put_parameter("token", "t", ParameterKind::String);
    let denied = "not authorized to perform: ssm:GetParameters on resource: \
                      arn:aws:ssm:eu-central-1:111122223333:parameter/token because";
    let cases = [
        (
            AwsFault::Throttling,
            400,
            "ThrottlingException",
            "Rate exceeded",
        ),
        (
            AwsFault::Unavailable,
            503,
            "ServiceUnavailableException",
            "",
        ),
        (AwsFault::AccessDenied, 400, "AccessDeniedException", denied),
        (
            AwsFault::ExpiredToken,
            400,
            "ExpiredTokenException",
            "expired",
        ),
        (
            AwsFault::KmsAccessDenied,
            400,
            "AccessDeniedException",
            "AWSKMS",
        ),
        (
            AwsFault::InvalidJobState,
            400,
            "InvalidJobStateException",
            "",
        ),
        (AwsFault::JobNotFound, 400, "JobNotFoundException", ""),
    ];
    let target = "AmazonSSM.GetParameters";
    let body = || json!({"Names": ["token"]});
    for (fault, status, kind, text) in cases {
        aws.fault("SSM", fault, 1);
        let (got, refusal) = call(&aws, target, body()).await.unwrap();
        assert_eq!((got, refusal["__type"].as_str()), (status, Some(kind)));
        assert!(
            refusal["message"].as_str().unwrap().contains(text),
            "{refusal}"
        );
    }
    assert_eq!(aws.refused(), []);
    for fault in [AwsFault::Cut, AwsFault::CutAfter] {
        aws.fault("SSM", fault, 1);
        assert_eq!(call(&aws, target, body()).await, None);
    }
    aws.fault("SSM", AwsFault::Slow(Duration::from_millis(20)), 1);
    assert_eq!(call(&aws, target, body()).await.unwrap().0, 200);
    aws.fault("CodePipeline", AwsFault::Throttling, 1);
    assert_eq!(call(&aws, target, body()).await.unwrap().0, 200);
    aws.fault("SSM", AwsFault::Stall, 1);
    let stalled = call(&aws, target, body());
    assert!(
        tokio::time::timeout(Duration::from_millis(50), stalled)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_lost_answer_was_carried_out() {
    let aws = Aws::start().await.unwrap();
    let job = aws.submit(event(), LIFE);
    aws.fault("PutJobSuccessResult", AwsFault::CutAfter, 1);
    let target = "CodePipeline_20150709.PutJobSuccessResult";
    assert_eq!(call(&aws, target, json!({"jobId": JOB})).await, None);
    assert!(matches!(
        aws.outcome(&job, LIFE).await,
        Outcome::Succeeded(_)
    ));
    let (_, refusal) = call(&aws, target, json!({"jobId": JOB})).await.unwrap();
    assert_eq!(refusal["__type"], "InvalidJobStateException");
}

#[tokio::test]
async fn bad_requests_are_refused_and_nothing_secret_is_kept() {
    let aws = Aws::start().await.unwrap();
    let head = "POST / HTTP/1.1\r\nX-Amz-Target: AmazonSSM.GetParameters\r\n";
    let unsigned = send(&aws.endpoint(), head, "{}").await.unwrap();
    assert_eq!(unsigned.0, 403);
    let broken = send(&aws.endpoint(), &format!("{head}{SIGNED}"), "{")
        .await
        .unwrap();
    assert!(broken.2.contains("SerializationException"));
    let unknown = call(&aws, "AmazonSSM.DeleteParameter", json!({}))
        .await
        .unwrap();
    assert_eq!(unknown.1["__type"], "UnknownOperationException");
    assert_eq!(aws.refused().len(), 3);
    let body = json!({"Name": "token", "Value": "very secret", "Type": "SecureString"});
    assert_eq!(
        call(&aws, "AmazonSSM.PutParameter", body).await.unwrap().0,
        200
    );
    let kept = format!("{:?} {:?}", aws.calls(), aws.refused());
    assert!(
        !kept.contains("very secret") && !kept.contains("AWS4-HMAC"),
        "{kept}"
    );
}

const KEYS: &str = "Credential=ASIAIOSFODNN7SANDBOX/20261128/eu-central-1";

/// A call to EKS or STS by the function's own keys.
async fn by_role(aws: &Aws, line: &str, service: &str, body: &str) -> (u16, String, String) {
    let session = CREDENTIALS[2].1;
    let head = format!(
        "{line} HTTP/1.1\r\nAuthorization: AWS4-HMAC-SHA256 {KEYS}/{service}/aws4_request, \
         SignedHeaders=host\r\nX-Amz-Security-Token: {session}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n"
    );
    send(&aws.endpoint(), &head, body).await.unwrap()
}

#[tokio::test]
async fn eks_knows_the_clusters_of_the_callers_account_and_region() {
    let aws = Aws::start().await.unwrap();
    let cluster = EksCluster::active("demo", "https://127.0.0.1:1", "PEM");
    aws.put_cluster(cluster.clone());
    let (status, _, body) = by_role(&aws, "GET /clusters/demo", "eks", "").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, &body["cluster"]["status"]),
        (200, &json!("ACTIVE"))
    );
    assert_eq!(body["cluster"]["endpoint"], "https://127.0.0.1:1");
    assert_eq!(body["cluster"]["certificateAuthority"]["data"], "UEVN");
    aws.put_cluster(EksCluster {
        status: "CREATING".to_owned(),
        ..cluster.clone()
    });
    let (_, _, body) = by_role(&aws, "GET /clusters/demo", "eks", "").await;
    assert!(!body.contains("endpoint\""), "{body}");
    aws.delete_cluster(&cluster.arn());
    let (status, head, body) = by_role(&aws, "GET /clusters/demo", "eks", "").await;
    assert_eq!(status, 404);
    assert!(head.contains("x-amzn-errortype: resourcenotfoundexception"));
    assert_eq!(body, r#"{"message":"No cluster found for name: demo."}"#);
    aws.fault("EKS", AwsFault::AccessDenied, 1);
    let (status, _, body) = by_role(&aws, "GET /clusters/demo", "eks", "").await;
    assert_eq!(status, 403);
    let words = "is not authorized to perform: eks:DescribeCluster on resource: \
                 arn:aws:eks:eu-central-1:111122223333:cluster/demo";
    assert!(body.contains(words), "{body}");
}

#[tokio::test]
async fn sts_gives_out_keys_of_roles_that_may_be_assumed() {
    let aws = Aws::start().await.unwrap();
    let arn = "arn:aws:iam::444455556666:role/deployer";
    let ask = async |more: &str| {
        let body = format!(
            "Action=AssumeRole&Version=2011-06-15&RoleArn={arn}&RoleSessionName=landfall{more}"
        );
        let (status, _, body) = by_role(&aws, "POST /", "sts", &body).await;
        (status, body)
    };
    let denied = async |more: &str| {
        let (status, body) = ask(more).await;
        assert_eq!(status, 403);
        assert!(body.contains("<Code>AccessDenied</Code>"), "{body}");
    };
    denied("").await;
    aws.put_role(Role {
        external_id: Some("an:id".to_owned()),
        ..Role::new(arn)
    });
    denied("").await;
    denied("&ExternalId=another").await;
    let (status, body) = ask("&ExternalId=an%3Aid").await;
    assert_eq!(status, 200);
    let id = body.split("<AccessKeyId>").nth(1).unwrap();
    let key = aws.keys().get(id.split('<').next().unwrap()).unwrap();
    assert_eq!(
        key.principal.arn(),
        "arn:aws:sts::444455556666:assumed-role/deployer/landfall"
    );
    assert!(body.contains(&format!("<SecretAccessKey>{}<", key.secret)));
    aws.keys().revoke(ROLE);
    let (status, body) = ask("").await;
    assert_eq!(status, 403);
    assert!(body.contains("<Code>InvalidClientTokenId</Code>"), "{body}");
}

#[tokio::test]
async fn ssm_passes_a_secret_of_secrets_manager_through() {
    let aws = Aws::start().await.unwrap();
    aws.put_secretsmanager("team/kubeconfig@1", "the secret");
    let name = "/aws/reference/secretsmanager/team/kubeconfig@1";
    let ask = async |name: &str, decrypt: bool| {
        let body = json!({"Names": [name], "WithDecryption": decrypt});
        call(&aws, "AmazonSSM.GetParameters", body).await.unwrap()
    };
    let (_, body) = ask(name, true).await;
    let found = &body["Parameters"][0];
    assert_eq!(
        (&found["Name"], &found["Value"], &found["Type"]),
        (&json!(name), &json!("the secret"), &json!("SecureString"))
    );
    assert!(
        found["SourceResult"]
            .as_str()
            .unwrap()
            .contains("the secret")
    );
    let (_, body) = ask(&format!("{name}:AWSCURRENT"), true).await;
    assert_eq!(body["Parameters"][0]["Selector"], ":AWSCURRENT");
    assert_eq!(ask(name, false).await.0, 400);
    let missing = format!("{name}2");
    let (_, body) = ask(&missing, true).await;
    assert_eq!(body["InvalidParameters"], json!([missing]));
}
