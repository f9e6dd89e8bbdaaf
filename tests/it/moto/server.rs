//! A moto server, and the function beside it.

use crate::cluster::Cluster;
use crate::moto::LIFE;
use crate::peer::{Peer, free_address, post, send};
use landfall_sandbox::aws::{ACCOUNT, Aws, JobResult, Outcome, REGION};
use landfall_sandbox::function::Function;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;

pub struct Moto {
    _server: Peer,
    pub address: SocketAddr,
}

impl Moto {
    pub async fn start() -> Moto {
        let address = free_address();
        let mut server = Peer::start("moto_server", |command, _| {
            let port = address.port().to_string();
            command
                .args(["--host", "127.0.0.1", "--port", &port])
                .env("MOTO_ACCOUNT_ID", ACCOUNT);
        });
        server.listens(address).await;
        Moto {
            _server: server,
            address,
        }
    }

    /// Stores the tokens under a key of the customer's, and the CA beside them.
    pub(super) async fn store(&self, cluster: &Cluster) {
        let key = self.key().await;
        let put = async |name: &str, value: &str, kind: &str| {
            let mut body = json!({"Name": name, "Value": value, "Type": kind, "Overwrite": true});
            if kind == "SecureString" {
                body["KeyId"] = json!(key);
            }
            let (status, answer) = self.ssm("PutParameter", &body).await;
            assert_eq!(status, 200, "{name}: {answer}");
        };
        put("plain", cluster.token(), "SecureString").await;
        put("/path/to/token", cluster.token(), "SecureString").await;
        for value in ["an-old-token", cluster.token(), "a-wrong-token"] {
            put("versions", value, "SecureString").await;
        }
        put("ca", cluster.ca(), "String").await;
        self.label("versions", 2, "good").await;
        self.label("versions", 3, "bad").await;
        let (_, stored) = self.ssm("GetParameter", &json!({"Name": "plain"})).await;
        let value = stored["Parameter"]["Value"].as_str().unwrap();
        assert!(value.contains(&key), "it is not encrypted under the key");
    }

    pub(super) async fn label(&self, name: &str, version: u64, label: &str) {
        let body = json!({"Name": name, "ParameterVersion": version, "Labels": [label]});
        let (status, answer) = self.ssm("LabelParameterVersion", &body).await;
        assert_eq!((status, &answer["InvalidLabels"]), (200, &json!([])));
    }

    pub async fn ssm(&self, operation: &str, body: &Value) -> (u16, Value) {
        let target = format!("AmazonSSM.{operation}");
        call(&self.address.to_string(), "ssm", &target, body).await
    }

    /// A key of the customer's.
    pub async fn key(&self) -> String {
        let address = self.address.to_string();
        let (status, key) = call(&address, "kms", "TrentService.CreateKey", &json!({})).await;
        assert_eq!(status, 200, "{key}");
        key["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
    }

    pub(super) async fn bucket(&self, name: &str, region: &str) {
        let body = format!(
            "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint>\
             </CreateBucketConfiguration>"
        );
        self.s3(&format!("/{name}"), "", body.as_bytes()).await;
    }

    /// Stores an object, encrypted under a key where one is given.
    pub(super) async fn put(&self, bucket: &str, key: &str, content: &[u8], kms: Option<&str>) {
        let headers = kms.map(|key| {
            format!(
                "x-amz-server-side-encryption: aws:kms\r\n\
                 x-amz-server-side-encryption-aws-kms-key-id: {key}\r\n"
            )
        });
        let mut path = format!("/{bucket}/");
        for byte in key.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'/' => path.push(char::from(byte)),
                other => path.push_str(&format!("%{other:02X}")),
            }
        }
        self.s3(&path, &headers.unwrap_or_default(), content).await;
    }

    pub(super) async fn s3(&self, path: &str, headers: &str, body: &[u8]) {
        let headers = format!(
            "Authorization: AWS4-HMAC-SHA256 Credential=A/20260101/{REGION}/s3/aws4_request, \
             SignedHeaders=host, Signature=0\r\n{headers}"
        );
        let (status, answer) = send("PUT", &self.address.to_string(), path, &headers, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
    }

    /// One deploy by a function that is told these parameters' names.
    pub async fn deploy(&self, cluster: &Cluster, token: &str, ca: &str) -> JobResult {
        let parameters = json!({"deployment": "demo-app", "restart": true,
            "namespace": cluster.namespace()});
        let event = crate::stage::event(1, &parameters.to_string());
        self.run(cluster, (token, ca), event).await
    }

    /// A function whose SSM and S3 are moto's.
    pub(super) fn function(
        &self,
        aws: &Aws,
        cluster: &Cluster,
        (token, ca): (&str, &str),
    ) -> Function {
        let endpoint = format!("http://{}", self.address);
        let variables = [
            ("AWS_ENDPOINT_URL_SSM", endpoint.as_str()),
            ("AWS_ENDPOINT_URL_S3", endpoint.as_str()),
            ("K8S_CLUSTER", cluster.url()),
            ("K8S_TOKEN_PARAMETER", token),
            ("K8S_CA_PARAMETER", ca),
        ];
        let binary = Path::new(env!("CARGO_BIN_EXE_landfall"));
        Function::start(binary, aws, &variables).unwrap()
    }

    pub(super) async fn run(
        &self,
        cluster: &Cluster,
        (token, ca): (&str, &str),
        event: Value,
    ) -> JobResult {
        let aws = Aws::start().await.unwrap();
        let function = self.function(&aws, cluster, (token, ca));
        let job = aws.submit(event, LIFE);
        let outcome = aws.outcome(&job, LIFE).await;
        let log = function.log().join("\n");
        assert!(!log.contains(cluster.token()), "{log}");
        let asked = aws.calls();
        let strayed = asked
            .iter()
            .any(|call| call.target.starts_with("AmazonSSM") || call.target.starts_with("S3"));
        assert!(!strayed, "the sandbox was asked instead: {asked:?}");
        match outcome {
            Outcome::Succeeded(report) | Outcome::Failed(report) => report.result,
            Outcome::Silent(_) | Outcome::Pending => panic!("{outcome:?}\n{log}"),
        }
    }
}

/// One call as AWS's JSON 1.1 protocol has it; neither side checks the signature.
pub(super) async fn call(to: &str, service: &str, target: &str, body: &Value) -> (u16, Value) {
    let headers = format!(
        "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {target}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=A/20260101/{REGION}/{service}/aws4_request, \
         SignedHeaders=host, Signature=0\r\n"
    );
    let (status, answer) = post(to, "/", &headers, &body.to_string()).await;
    (
        status,
        serde_json::from_str(&answer).unwrap_or(json!(answer)),
    )
}
