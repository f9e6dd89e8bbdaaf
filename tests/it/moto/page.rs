//! The page of a report is written to moto's S3 with the job's credentials, whose signature and
//! rights moto checks here.

use super::restart;
use super::server::{Moto, authorization};
use crate::cluster::Cluster;
use crate::page::file;
use crate::peer::{exchange, post};
use crate::stage::demo_app;
use landfall_core::text::percent_encoded;
use landfall_sandbox::aws::{ACCOUNT, JobResult, REGION};
use serde_json::{Value, json};

const BUCKET: &str = "artifacts";
const ROLE: &str = "pipeline";

/// Credentials of a role that may do this alone, as a job brings them.
async fn credentials(moto: &Moto, action: &str) -> Value {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": action, "Resource": format!("arn:aws:s3:::{BUCKET}/*")}]});
    let trust = json!({"Version": "2012-10-17", "Statement": []});
    let role = format!("{ROLE}-{}", action.replace(':', "-"));
    let encoded = |document: &Value| percent_encoded(&document.to_string(), b"");
    let made = format!(
        "Action=CreateRole&Version=2010-05-08&RoleName={role}&AssumeRolePolicyDocument={}",
        encoded(&trust)
    );
    ask(moto, "iam", &made).await;
    let allowed = format!(
        "Action=PutRolePolicy&Version=2010-05-08&RoleName={role}&PolicyName=p&PolicyDocument={}",
        encoded(&policy)
    );
    ask(moto, "iam", &allowed).await;
    let assumed = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleSessionName=job&\
         RoleArn=arn:aws:iam::{ACCOUNT}:role/{role}"
    );
    let given = ask(moto, "sts", &assumed).await;
    let part = |name: &str| {
        let (_, rest) = given.split_once(&format!("<{name}>")).unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    };
    json!({"accessKeyId": part("AccessKeyId"), "secretAccessKey": part("SecretAccessKey"),
        "sessionToken": part("SessionToken"), "expirationTime": 1_924_992_000_000_i64})
}

async fn ask(moto: &Moto, service: &str, form: &str) -> String {
    let headers = authorization(service) + "Content-Type: application/x-www-form-urlencoded\r\n";
    let (status, answer) = post(&moto.address.to_string(), "/", &headers, form).await;
    assert_eq!(status, 200, "{form}: {answer}");
    answer
}

/// How many calls moto takes from now on without a look at who makes them.
async fn unchecked(moto: &Moto, calls: &str) {
    let address = moto.address.to_string();
    let (status, answer) = post(&address, "/moto-api/reset-auth", "", calls).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
#[ignore = "needs moto: make conformance"]
async fn a_page_is_written_with_the_jobs_credentials_under_its_key() {
    let cluster = Cluster::given(vec![demo_app(600)]).await;
    // The function's own credentials are unknown to the one that checks.
    let (own, store) = (Moto::start().await, Moto::start().await);
    own.store(&cluster).await;
    store.bucket(BUCKET, REGION).await;
    let id = store.key().await;
    let key = format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{id}");
    let s3 = format!("http://{}", store.address);
    let variables = [
        ("K8S_CLUSTER", cluster.url()),
        ("K8S_TOKEN_PARAMETER", "plain"),
        ("K8S_CA_PARAMETER", "ca"),
        ("AWS_ENDPOINT_URL_S3", &*s3),
    ];
    let may = credentials(&store, "s3:PutObject").await;
    let may_not = credentials(&store, "s3:GetObject").await;
    let mut forged = may.clone();
    forged["secretAccessKey"] = json!("another");
    for (name, keys, refusal) in [
        ("may", &may, None),
        ("may-not", &may_not, Some("AccessDenied")),
        ("forged", &forged, Some("SignatureDoesNotMatch")),
    ] {
        let mut event = restart(&cluster);
        let data = &mut event["CodePipeline.job"]["data"];
        data["artifactCredentials"] = keys.clone();
        data["encryptionKey"] = json!({"id": key, "type": "KMS"});
        data["outputArtifacts"] = json!([{"name": "Report", "location": {"type": "S3",
            "s3Location": {"bucketName": BUCKET, "objectKey": format!("demo/größe (1)/{name}")}}}]);
        unchecked(&store, "0").await;
        let secret = keys["secretAccessKey"].as_str().unwrap();
        let secrets = [cluster.token(), secret];
        let result = own.run_with(&variables, event, &secrets).await;
        unchecked(&store, "inf").await;
        let JobResult::Success { summary, .. } = &result else {
            panic!("{name}: {result:#?}");
        };
        let summary = summary.as_deref().unwrap_or_default();
        let told = match refusal {
            None => "The report as a page: s3://artifacts/demo/größe (1)/may",
            Some(code) => code,
        };
        assert!(summary.contains(told), "{name}: {summary}");
        let path = format!("/{BUCKET}/demo/gr%C3%B6%C3%9Fe%20%281%29/{name}");
        let address = store.address.to_string();
        let found = exchange("GET", &address, &path, &authorization("s3"), b"").await;
        let (status, head, archive) = found;
        if refusal.is_some() {
            assert_eq!(status, 404, "{name}: {head}");
            continue;
        }
        for header in [
            "x-amz-server-side-encryption: aws:kms",
            &format!("x-amz-server-side-encryption-aws-kms-key-id: {key}"),
            "content-type: application/zip",
        ] {
            assert!(head.to_lowercase().contains(header), "{header}\n{head}");
        }
        assert!(file(&archive, "report.html").contains("✓ Succeeded"));
    }
}
