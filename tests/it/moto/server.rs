//! A moto server, and the function beside it.

use crate::cluster::Cluster;
use crate::moto::{LIFE, restart};
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
        Moto::run_program("moto_server", &[], &[]).await
    }

    /// Changed where it differs from AWS: its clusters of EKS are this one, who assumes a role gets
    /// the keys of `assumed`, and SSM repeats secrets of Secrets Manager.
    pub(super) async fn like_aws(cluster: &Cluster, assumed: &Value) -> Moto {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/moto_like_aws.py");
        let assumed = assumed.to_string();
        let variables = [
            ("CLUSTER_ENDPOINT", cluster.url()),
            ("CLUSTER_CA", cluster.ca()),
            ("ASSUMED", &assumed),
        ];
        Moto::run_program("python", &[script.to_str().unwrap()], &variables).await
    }

    async fn run_program(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Moto {
        let address = free_address();
        let mut server = Peer::start(program, |command, _| {
            let port = address.port().to_string();
            command
                .args(arguments)
                .args(["--host", "127.0.0.1", "--port", &port])
                .env("MOTO_ACCOUNT_ID", ACCOUNT)
                .envs(variables.iter().copied());
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

    /// A secret in Secrets Manager.
    pub(super) async fn put_secret(&self, name: &str, value: &str) {
        let body = json!({"Name": name, "SecretString": value});
        let address = self.address.to_string();
        let target = "secretsmanager.CreateSecret";
        let (status, answer) = call(&address, "secretsmanager", target, &body).await;
        assert_eq!(status, 200, "{name}: {answer}");
    }

    /// A cluster of EKS.
    pub(super) async fn create_cluster(&self, name: &str) {
        let role = format!("arn:aws:iam::{ACCOUNT}:role/cluster");
        let body = json!({"name": name, "roleArn": role,
            "resourcesVpcConfig": {"subnetIds": ["subnet-1"], "endpointPublicAccess": true}});
        let headers = authorization("eks");
        let address = self.address.to_string();
        let (status, answer) = post(&address, "/clusters", &headers, &body.to_string()).await;
        assert_eq!(status, 200, "{name}: {answer}");
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
        let headers = authorization("s3") + headers;
        let (status, answer) = send("PUT", &self.address.to_string(), path, &headers, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
    }

    /// One deploy by a function that is told these parameters' names.
    pub async fn deploy(&self, cluster: &Cluster, token: &str, ca: &str) -> JobResult {
        self.run(cluster, (token, ca), restart(cluster)).await
    }

    /// A function whose SSM and S3 are moto's.
    pub(super) fn function(
        &self,
        aws: &Aws,
        cluster: &Cluster,
        (token, ca): (&str, &str),
    ) -> Function {
        let variables = [
            ("K8S_CLUSTER", cluster.url()),
            ("K8S_TOKEN_PARAMETER", token),
            ("K8S_CA_PARAMETER", ca),
        ];
        self.function_with(aws, &variables)
    }

    /// A function that has all but CodePipeline from moto.
    fn function_with(&self, aws: &Aws, variables: &[(&str, &str)]) -> Function {
        let endpoint = format!("http://{}", self.address);
        let services = ["SSM", "S3", "EKS", "STS", "CLOUDWATCH"];
        let services = services.map(|it| format!("AWS_ENDPOINT_URL_{it}"));
        let services = services
            .iter()
            .map(|name| (name.as_str(), endpoint.as_str()));
        let variables = services
            .chain(variables.iter().copied())
            .collect::<Vec<_>>();
        let binary = Path::new(env!("CARGO_BIN_EXE_landfall"));
        Function::start(binary, aws, &variables).unwrap()
    }

    pub(super) async fn run(
        &self,
        cluster: &Cluster,
        (token, ca): (&str, &str),
        event: Value,
    ) -> JobResult {
        let variables = [
            ("K8S_CLUSTER", cluster.url()),
            ("K8S_TOKEN_PARAMETER", token),
            ("K8S_CA_PARAMETER", ca),
        ];
        self.run_with(&variables, event, &[cluster.token()]).await
    }

    /// Runs one event in a function with these variables; none of the secrets may be logged.
    pub(super) async fn run_with(
        &self,
        variables: &[(&str, &str)],
        event: Value,
        secrets: &[&str],
    ) -> JobResult {
        let aws = Aws::start().await.unwrap();
        let function = self.function_with(&aws, variables);
        let job = aws.submit(event, LIFE);
        let outcome = aws.outcome(&job, LIFE).await;
        let log = function.log().join("\n");
        for secret in secrets {
            assert!(!log.contains(secret), "{log}");
            assert!(!format!("{outcome:?}").contains(secret), "{outcome:?}");
        }
        let asked = aws.calls();
        let strayed = asked
            .iter()
            .any(|call| !call.target.starts_with("CodePipeline"));
        assert!(!strayed, "the sandbox was asked instead: {asked:?}");
        match outcome {
            Outcome::Succeeded(report) | Outcome::Failed(report) => report.result,
            Outcome::Silent(_) | Outcome::Pending => panic!("{outcome:?}\n{log}"),
        }
    }
}

/// A signature; neither side checks it.
pub(super) fn authorization(service: &str) -> String {
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential=A/20260101/{REGION}/{service}/aws4_request, \
         SignedHeaders=host, Signature=0\r\n"
    )
}

/// One call as AWS's JSON 1.1 protocol has it.
pub(super) async fn call(to: &str, service: &str, target: &str, body: &Value) -> (u16, Value) {
    let headers = format!(
        "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {target}\r\n{}",
        authorization(service)
    );
    let (status, answer) = post(to, "/", &headers, &body.to_string()).await;
    (
        status,
        serde_json::from_str(&answer).unwrap_or(json!(answer)),
    )
}
